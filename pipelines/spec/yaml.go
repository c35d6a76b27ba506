package spec

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// YAML writes the spec in the form that Parse reads, with every default written out.
// Paths are written as they are, so relative ones must fit the folder of the file
// that the text is put in.
func (s *Spec) YAML() []byte {
	w := &writer{}
	w.line(0, "version", strconv.Itoa(int(s.Version)))
	w.line(0, "views", "")
	w.inputs(2, s.Views.Inputs)
	w.line(2, "id", quoted(s.Views.ID))
	w.line(2, "time", timeText(s.Views.Time))
	w.line(2, "duplicates_within", FormatDuration(s.Views.DuplicatesWithin))
	w.line(0, "engagements", "")
	for _, e := range s.Engagements {
		w.engagement(e)
	}
	w.line(0, "out_of_orderness", FormatDuration(s.OutOfOrderness))
	w.line(0, "clock_skew", FormatDuration(s.ClockSkew))
	w.line(0, "bucket", FormatDuration(s.Bucket))
	w.line(0, "shards", strconv.Itoa(s.Shards))
	w.line(0, "negatives", "{keep: "+number(s.Keep)+"}")
	w.clusters(s.Clusters)
	if s.Streams() {
		w.stream(s.Stream)
		w.topics(s.Outputs)
	} else {
		w.outputs(s.Outputs)
	}
	if len(s.Tests) > 0 {
		w.line(0, "tests", "")
		for _, t := range s.Tests {
			w.test(t)
		}
	}
	return []byte(w.b.String())
}

type writer struct{ b strings.Builder }

func (w *writer) line(indent int, key, value string) {
	w.b.WriteString(strings.Repeat(" ", indent) + key + ":")
	if value != "" {
		w.b.WriteString(" " + value)
	}
	w.b.WriteByte('\n')
}

func (w *writer) inputs(indent int, inputs []Input) {
	w.line(indent, "inputs", "")
	for _, in := range inputs {
		if in.Topic != "" {
			w.item(indent, in.topicParts())
			continue
		}
		parts := []string{"path: " + quoted(in.Path), "format: " + string(in.Format)}
		if in.Schema != "" {
			parts = append(parts, "schema: "+quoted(in.Schema))
		}
		order := string(in.Order)
		if in.Order == OrderField {
			order = "{partition: " + quoted(in.PartitionField) + ", offset: " + quoted(in.OffsetField) + "}"
		}
		parts = append(parts, "order: "+order)
		w.item(indent, parts)
	}
}

func (w *writer) item(indent int, parts []string) {
	w.b.WriteString(strings.Repeat(" ", indent+2) + "- {" + strings.Join(parts, ", ") + "}\n")
}

func (w *writer) engagement(e Engagement) {
	w.line(2, e.Kind, "")
	w.inputs(4, e.Inputs)
	if len(e.Where) > 0 {
		parts := make([]string, len(e.Where))
		for i, c := range e.Where {
			value := c.Value
			if c.Type == TextCondition {
				value = strconv.Quote(value)
			}
			parts[i] = quoted(c.Field) + ": " + value
		}
		w.line(4, "where", "{"+strings.Join(parts, ", ")+"}")
	}
	w.line(4, "view", quoted(e.View))
	w.line(4, "time", timeText(e.Time))
	if e.ViewTime != nil {
		w.line(4, "view_time", timeText(*e.ViewTime))
	}
	if e.ID != "" {
		w.line(4, "id", quoted(e.ID))
	}
	w.line(4, "window", FormatDuration(e.Window))
	label := string(e.Label.Func)
	if e.Label.Field != "" {
		label = "{" + label + ": " + quoted(e.Label.Field) + "}"
	}
	w.line(4, "label", label)
	w.line(4, "on_bad_value", string(e.OnBadValue))
	w.line(4, "attribution", string(e.Attribution))
}

func (w *writer) outputs(o Outputs) {
	w.line(0, "outputs", "")
	w.line(2, "samples", fmt.Sprintf("{path: %s, format: %s, codec: %s}", quoted(o.Samples.Path), o.Samples.Format, quoted(string(o.Samples.Codec))))
	w.line(2, "late", quoted(o.Late))
	w.line(2, "dead_letters", quoted(o.DeadLetters))
	if o.Orphans != "" {
		w.line(2, "orphans", quoted(o.Orphans))
	}
	w.line(2, "ledger", quoted(o.Ledger))
}

func (w *writer) test(t Test) {
	w.line(2, "- name", quoted(t.Name))
	w.records(4, "views", t.Views)
	if t.Engagements != nil {
		w.line(4, "engagements", "")
		if len(t.Engagements) == 0 {
			w.b.WriteString("      {}\n")
		}
		for _, kind := range slices.Sorted(maps.Keys(t.Engagements)) {
			w.records(6, kind, t.Engagements[kind])
		}
	}
	w.records(4, "samples", t.Samples)
}

func (w *writer) records(indent int, key string, records []map[string]any) {
	if len(records) == 0 {
		w.line(indent, key, "[]")
		return
	}
	w.line(indent, key, "")
	for _, r := range records {
		w.b.WriteString(strings.Repeat(" ", indent+2) + "- " + flow(r) + "\n")
	}
}

func timeText(t TimeField) string {
	if t.Unit == "" {
		return quoted(t.Field)
	}
	return "{field: " + quoted(t.Field) + ", unit: " + string(t.Unit) + "}"
}

// plainText is what needs no quotes anywhere in YAML.
var plainText = regexp.MustCompile(`^[\pL_./][\pL\pN_./=-]*( [\pL\pN_./=-]+)*$`)

// quoted writes text, in quotes unless it is plainly text without, and no word of specs.
func quoted(text string) string {
	if slices.Contains(reserved, strings.ToLower(text)) {
		return strconv.Quote(text)
	}
	return inYAML(text)
}

// yamlWords are no text to some reader of YAML.
var yamlWords = []string{"true", "false", "null", "yes", "no", "on", "off", "y", "n"}

// inYAML writes text as a value or key, in quotes unless it is plainly text without.
func inYAML(text string) string {
	if plainText.MatchString(text) && !slices.Contains(yamlWords, strings.ToLower(text)) && strings.Trim(text, ".") != "" && !numeric(text) {
		return text
	}
	printable := strings.IndexFunc(text, func(c rune) bool { return !unicode.IsPrint(c) }) < 0
	if printable && strings.ContainsAny(text, `"\`) {
		return "'" + strings.ReplaceAll(text, "'", "''") + "'"
	}
	return strconv.Quote(text)
}

// numeric tells whether text looks like a number or time to some reader of YAML.
func numeric(text string) bool {
	_, err := strconv.ParseFloat(strings.TrimLeft(text, "."), 64)
	return err == nil
}

func number(f float64) string {
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// flow writes a value of a test in brackets.
func flow(v any) string {
	switch v := v.(type) {
	case string:
		return quoted(v)
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		text := number(v)
		if !strings.Contains(text, ".") {
			text += ".0" // it must not come back as an integer
		}
		return text
	case []any:
		parts := make([]string, len(v))
		for i, item := range v {
			parts[i] = flow(item)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case map[string]any:
		parts := make([]string, 0, len(v))
		for _, key := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, quoted(key)+": "+flow(v[key]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return "null"
}
