package show

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"strconv"
	"time"

	"github.com/tidwall/gjson"

	"tributary/pipelines/spec"
)

// Filter narrows samples; all that is set must hold. It does not apply to anything
// but samples.
type Filter struct {
	// Kind takes samples with an engagement of that kind that counts.
	Kind string
	// Positive and Negative take only samples of that sign.
	Positive, Negative bool
	// Labels are conditions like "like>=1": the name of a label, one of = != < <= > >= and a value.
	// Numbers compare as numbers; other values only by = and !=, as text. A label that
	// is null has no order, and equals "null".
	Labels []string
	// From and To bound the view time: [From, To). RFC 3339, or a shorter form of it
	// in UTC: 2026-01-02T15:04, 2026-01-02.
	From, To string
}

// compiled is a Filter that was found sound.
type compiled struct {
	Filter
	labels   []labelCondition
	from, to time.Time // zero: open
	used     bool
	// kinds and names are those of the samples that were looked at, and of their labels.
	kinds, names map[string]bool
}

type labelCondition struct{ name, op, value string }

var labelForm = regexp.MustCompile(`^\s*([a-z][a-z0-9_]*)\s*(>=|<=|!=|=|>|<)\s*(.*?)\s*$`)

// compile names all that is wrong with the filter at once.
func (f Filter) compile() (*compiled, error) {
	c := compiled{Filter: f}
	var errs []error
	if f.Positive && f.Negative {
		errs = append(errs, errors.New("--positive and --negative leave nothing to show: use one of them"))
	}
	for _, text := range f.Labels {
		m := labelForm.FindStringSubmatch(text)
		if m == nil {
			errs = append(errs, fmt.Errorf("--label %q is not a condition like like>=1: a kind, one of = != < <= > >= and a value", text))
			continue
		}
		if _, err := strconv.ParseFloat(m[3], 64); err != nil && m[2] != "=" && m[2] != "!=" {
			errs = append(errs, fmt.Errorf("--label %q: %s compares numbers, and %q is not one", text, m[2], m[3]))
			continue
		}
		c.labels = append(c.labels, labelCondition{name: m[1], op: m[2], value: m[3]})
	}
	bound := func(flag, text string) (t time.Time) {
		if text == "" {
			return t
		}
		var err error
		if t, err = spec.ParseTime(text); err != nil {
			errs = append(errs, fmt.Errorf("--%s: %w", flag, err))
		}
		return t
	}
	c.from, c.to = bound("from", f.From), bound("to", f.To)
	if !c.from.IsZero() && !c.to.IsZero() && !c.from.Before(c.to) {
		errs = append(errs, fmt.Errorf("--from %s is not before --to %s", f.From, f.To))
	}
	c.used = f.Kind != "" || f.Positive || f.Negative || len(f.Labels) > 0 || f.From != "" || f.To != ""
	return &c, errors.Join(errs...)
}

// partName is the name of a file of samples: the time slice of its views.
var partName = regexp.MustCompile(`^part-(\d{8}T\d{6}Z)-(\d{8}T\d{6}Z)\.`)

// skips says that a file's name tells that none of its samples are in the range.
func (c *compiled) skips(file string) bool {
	m := partName.FindStringSubmatch(path.Base(file))
	if m == nil {
		return false
	}
	from, errFrom := time.Parse("20060102T150405Z", m[1])
	to, errTo := time.Parse("20060102T150405Z", m[2])
	if errFrom != nil || errTo != nil {
		return false
	}
	return !c.to.IsZero() && !from.Before(c.to) || !c.from.IsZero() && !to.After(c.from)
}

func (c *compiled) takes(rec record) bool {
	positive := rec.get("positive").Bool()
	if c.Positive && !positive || c.Negative && positive {
		return false
	}
	if c.Kind != "" && !exists(rec.get("delay_ms").Get(gjson.Escape(c.Kind))) {
		return false
	}
	if t, ok := viewTime(rec); !ok && (!c.from.IsZero() || !c.to.IsZero()) ||
		!c.from.IsZero() && t.Before(c.from) || !c.to.IsZero() && !t.Before(c.to) {
		return false
	}
	for _, l := range c.labels {
		label := rec.get("labels").Get(gjson.Escape(l.name))
		if !label.Exists() || !l.holds(label) {
			return false
		}
	}
	return true
}

func (l labelCondition) holds(label gjson.Result) bool {
	want, err := strconv.ParseFloat(l.value, 64)
	if err != nil || label.Type != gjson.Number {
		text := label.String()
		if label.Type == gjson.Null {
			text = "null"
		}
		return l.op == "=" && text == l.value || l.op == "!=" && text != l.value
	}
	switch got := label.Num; l.op {
	case "=":
		return got == want
	case "!=":
		return got != want
	case "<":
		return got < want
	case "<=":
		return got <= want
	case ">":
		return got > want
	default:
		return got >= want
	}
}

func exists(r gjson.Result) bool { return r.Exists() && r.Type != gjson.Null }

// viewTime reads a sample's view time: milliseconds, or RFC 3339.
func viewTime(rec record) (time.Time, bool) {
	v := rec.get("view_time")
	if v.Type == gjson.Number {
		return time.UnixMilli(v.Int()).UTC(), true
	}
	t, err := time.Parse(time.RFC3339, v.String())
	return t.UTC(), err == nil
}
