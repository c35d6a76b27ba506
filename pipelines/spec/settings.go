package spec

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Setting is one value that a spec resolves to.
type Setting struct {
	Key   string `json:"key"`
	Value string `json:"value"`
	// Set tells a value in the file from a default.
	Set bool `json:"set"`
}

// Settings lists what the spec resolves to, in the order of the file format, in words
// short enough for a line each.
func (s *Spec) Settings() []Setting {
	var out []Setting
	add := func(value any, path ...string) {
		text := fmt.Sprint(value)
		if d, ok := value.(time.Duration); ok {
			text = FormatDuration(d)
		}
		out = append(out, Setting{Key: strings.Join(path, "."), Value: text, Set: s.IsSet(path...)})
	}
	inputs := func(inputs []Input, path ...string) {
		for i, in := range inputs {
			set := s.IsSet(path...)
			key := strings.Join(append(path, strconv.Itoa(i)), ".")
			out = append(out, Setting{Key: key, Value: in.text(), Set: set})
		}
	}
	add(s.Version, "version")
	inputs(s.Views.Inputs, "views", "inputs")
	add(s.Views.ID, "views", "id")
	add(s.Views.Time.text(), "views", "time")
	add(s.Views.DuplicatesWithin, "views", "duplicates_within")
	for _, e := range s.Engagements {
		at := func(key string) []string { return []string{"engagements", e.Kind, key} }
		inputs(e.Inputs, at("inputs")...)
		if len(e.Where) > 0 {
			add(e.whereText(), at("where")...)
		}
		add(e.View, at("view")...)
		add(e.Time.text(), at("time")...)
		if e.ViewTime != nil {
			add(e.ViewTime.text(), at("view_time")...)
		}
		if e.ID != "" {
			add(e.ID, at("id")...)
		}
		add(e.Window, at("window")...)
		add(e.Label.text(), at("label")...)
		if e.Label.Field != "" {
			add(e.OnBadValue, at("on_bad_value")...)
		}
		add(e.Attribution, at("attribution")...)
	}
	add(s.OutOfOrderness, "out_of_orderness")
	add(s.ClockSkew, "clock_skew")
	add(s.Bucket, "bucket")
	add(s.Shards, "shards")
	add(s.Keep, "negatives", "keep")
	s.clusterSettings(add)
	if s.Streams() {
		s.streamSettings(add)
		if len(s.Tests) > 0 {
			add(len(s.Tests), "tests")
		}
		return out
	}
	samples := s.Outputs.Samples
	add(fmt.Sprintf("%s (%s, %s)", samples.Path, samples.Format, samples.Codec), "outputs", "samples")
	add(s.Outputs.Late, "outputs", "late")
	add(s.Outputs.DeadLetters, "outputs", "dead_letters")
	orphans := s.Outputs.Orphans
	if orphans == "" {
		orphans = "only counted"
	}
	add(orphans, "outputs", "orphans")
	add(s.Outputs.Ledger, "outputs", "ledger")
	if len(s.Tests) > 0 {
		add(len(s.Tests), "tests")
	}
	return out
}

func (in Input) text() string {
	if in.Topic != "" {
		return "topic " + in.Topic + " of " + in.Cluster + " (" + in.reading() + ")"
	}
	details := []string{string(in.Format)}
	if in.Schema != "" {
		details = append(details, "schema "+in.Schema)
	}
	switch in.Order {
	case OrderNone: // goes without saying
	case OrderFile:
		details = append(details, "each file in order")
	case OrderField:
		details = append(details, "in order of "+in.PartitionField+", "+in.OffsetField)
	}
	return in.Path + " (" + strings.Join(details, ", ") + ")"
}

func (t TimeField) text() string {
	if t.Unit == "" {
		return t.Field
	}
	return t.Field + " (" + string(t.Unit) + ")"
}

func (l Label) text() string {
	if l.Field == "" {
		return string(l.Func)
	}
	return string(l.Func) + " of " + l.Field
}

func (e Engagement) whereText() string {
	var parts []string
	for _, c := range e.Where {
		parts = append(parts, c.Field+" = "+c.Value)
	}
	return strings.Join(parts, ", ")
}
