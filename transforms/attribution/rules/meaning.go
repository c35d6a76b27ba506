package rules

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/zeebo/xxh3"
)

// Meaning is all that gives the records of a job's state and the samples that it has written
// their meaning, as text by name: what a state or a commit log is held against before a job
// goes on from it. Names are those of the spec, or were: they are stored, and those of shownAs may
// not change while jobs go on. What only changes cost, as the number of shards or compression
// do, is not part of it.
type Meaning map[string]string

// shownAs are keys that the spec calls otherwise than what is stored.
var shownAs = map[string]string{"max_ahead": "max_future_skew", "duplicates_within": "dedup_window", "readers": "source_parallelism", "reading": "how topics are read"}

// Names of parts that others ask for.
const (
	// MeaningViewSchema is the schema that views have in samples, empty for JSON.
	MeaningViewSchema = "schema of views in samples"
	// MeaningViewID is the field with the id of a view: what decides its shard.
	MeaningViewID = "views.id"
	// MeaningStages are the stages.
	MeaningStages = "stages"
)

// Meaning returns that of the join.
func (p *Params) Meaning() Meaning {
	m := Meaning{
		MeaningViewSchema: p.ViewSchema,
		"version":         strconv.Itoa(int(p.SpecVersion)), "negatives": fmt.Sprint(p.Keep),
		"out_of_orderness": ms(p.OutOfOrderness), "max_ahead": ms(p.MaxFutureSkew), "clock_skew": ms(p.ClockSkew),
		"duplicates_within": ms(p.DedupWindow), "bucket": ms(p.Bucket),
	}
	names := make([]string, len(p.Kinds))
	for i, k := range p.Kinds {
		names[i] = k.Name
		m["engagements."+k.Name] = fmt.Sprintf("window %s, label %s, credit %s, bad values skipped %t", ms(k.Window), k.Label, k.Count, k.SkipBadValues)
		if len(k.Labels) > 0 {
			m["engagements."+k.Name+".labels"] = k.labelsMeaning()
		}
		if k.Credit != CreditAll {
			m["engagements."+k.Name+".credit"] = string(k.Credit)
		}
		if k.After != "" {
			m["engagements."+k.Name+".after"] = k.After
		}
		if k.Otherwise {
			m["engagements."+k.Name+".otherwise"] = "any"
		}
	}
	if text := p.stagesMeaning(); text != "" {
		m[MeaningStages], m["stage"] = text, p.Stages[p.Stage].Name
	}
	if p.Shape != nil {
		m["sample"] = fmt.Sprintf("fields %q, view %s", p.Shape.Fields, p.Shape.View)
	}
	m["kinds of engagements, in order"] = strings.Join(names, ", ")
	for i := range p.Inputs {
		p.Inputs[i].addMeaning(m, p)
	}
	return m
}

// addMeaning adds how the records of an input are read. Inputs of one role are read alike, but
// for what their schemas decide.
func (in *Input) addMeaning(m Meaning, p *Params) {
	role := "views"
	if in.Kind != Views {
		role = "engagements." + p.Kinds[in.Kind].Name
	}
	add := func(key, text string) {
		if have := m[role+"."+key]; text != "" && !slices.Contains(strings.Split(have, "; "), text) {
			m[role+"."+key] = strings.TrimPrefix(have+"; "+text, "; ")
		}
	}
	id := "view"
	switch {
	case in.Kind == Views:
		id = "id"
	case p.Keyed():
		id = "key"
	}
	if in.Kind != Views {
		add("id", idText(in.EventID, in.MoreEventID))
	}
	add(id, idText(in.ID, in.MoreID))
	if len(in.Key) > 0 {
		add("key", idText(in.Key[0], in.Key[1:]))
	}
	add("time", in.Time.text())
	add("view_time", in.ViewTime.text())
	add("value", in.Value)
	if in.Values != nil {
		add("values", fmt.Sprintf("%q", in.Values))
	}
	add("each", in.Each)
	for _, c := range in.Where {
		add("where", fmt.Sprint(c))
	}
	add("where", in.Expression)
	for _, d := range in.Computed {
		add("fields."+d.Name, d.Expression)
	}
}

// idText is the one field of an id as it is, and several such that no one field is written so.
func idText(path string, more []string) string {
	if len(more) == 0 {
		return path
	}
	return fmt.Sprintf("%q", append([]string{path}, more...))
}

func (f Field) text() string {
	if f.Path == "" {
		return ""
	}
	text := strings.TrimSuffix(fmt.Sprintf("%s in %v", f.Path, f.Unit), " in ")
	if f.Pattern != "" {
		text += fmt.Sprintf(", pattern %q", f.Pattern)
	}
	if f.Zone != "" {
		text += ", zone " + f.Zone
	}
	return text
}

func ms(n int64) string { return strconv.FormatInt(n, 10) + " ms" }

// Fingerprint tells meanings apart in 64 bits, never 0.
func (m Meaning) Fingerprint() uint64 {
	h := xxh3.New()
	for _, name := range slices.Sorted(maps.Keys(m)) {
		for _, text := range []string{name, m[name]} {
			_, _ = h.WriteString(strconv.Itoa(len(text)) + ":" + text) // a hash takes all it is given
		}
	}
	return max(h.Sum64(), 1)
}

// Differences returns the names of what is not the same in both, in order, and with those
// whose texts are short, both texts: m's first.
func (m Meaning) Differences(other Meaning) (names, told []string) {
	const short = 200
	all := maps.Clone(m)
	maps.Copy(all, other)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		was, is := m[name], other[name]
		if was == is {
			continue
		}
		names = append(names, name)
		shown := cmp.Or(shownAs[name], name)
		switch {
		case len(was)+len(is) > short:
			told = append(told, shown)
		default:
			told = append(told, fmt.Sprintf("%s: %s, now %s", shown, orNone(was), orNone(is)))
		}
	}
	return names, told
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}

// ErrMeaning is the end of what is said of state that another spec has left.
var ErrMeaning = errors.New("another version of the spec has written it, in which records mean something else: begin anew from the log, with --resume log")
