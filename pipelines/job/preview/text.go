package preview

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"tributary/pipelines/report"
	"tributary/pipelines/spec"
)

// reasonsShown is how many reasons for refusing records are written out of each input.
const reasonsShown = 3

// Failed tells whether an input could not be read, or would be refused as a whole.
func Failed(inputs []Input) bool {
	for i := range inputs {
		if in := &inputs[i]; len(in.Errors) > 0 || in.allRefused() {
			return true
		}
	}
	return false
}

func (in *Input) allRefused() bool {
	return in.Matching+in.Unreadable > 0 && in.Late+in.Dead == in.Matching+in.Unreadable && (in.Matching > 0 || len(in.where) == 0)
}

// Text writes what was found for a person, input by input.
func Text(inputs []Input) string {
	var b strings.Builder
	byPath := map[string]string{}
	for i := range inputs {
		if i > 0 {
			b.WriteByte('\n')
		}
		in := &inputs[i]
		inputs[i].text(&b, byPath[in.Path])
		if byPath[in.Path] == "" {
			byPath[in.Path] = in.Input
		}
	}
	return b.String()
}

// text writes one input; same names an earlier one of the same files, if there is one.
func (in *Input) text(b *strings.Builder, same string) {
	line := func(name, format string, args ...any) {
		fmt.Fprintf(b, "  %-7s %s\n", name, fmt.Sprintf(format, args...))
	}
	place := report.Harmless(in.Path)
	if in.Path == spec.Standard {
		place = "stdin"
	}
	fmt.Fprintf(b, "%s: %s\n", in.Input, place)
	line("files", "%s of %s, %s", report.Count(int64(in.Files)), in.Format, report.Size(in.Bytes))
	for _, problem := range in.Errors {
		line("error", "%s", report.Harmless(problem))
	}
	if in.Files > 0 {
		line("read", "%s", in.readText())
	}
	if in.From != nil {
		line("times", "%s to %s (%s)", moment(*in.From), moment(*in.To), report.Harmless(in.time))
	} else if in.Read > 0 {
		line("times", "none can be read (%s)", report.Harmless(in.time))
	}
	if readable := in.Read - in.Unreadable; len(in.Where) > 0 && readable > 0 {
		conditions := make([]string, len(in.Where))
		for i, c := range in.Where {
			conditions[i] = report.Harmless(c.Field + " = " + c.Value)
		}
		line("where", "%s match (%s)", partOf(in.Matching, readable), strings.Join(conditions, ", "))
		for _, c := range in.Where {
			if in.Matching == 0 && len(c.Values) > 0 {
				line("", "%s is %s", report.Harmless(c.Field), report.Harmless(strings.Join(c.Values, ", ")))
			}
		}
	}
	taken := in.Matching + in.Unreadable
	if in.Late > 0 {
		line("late", "%s", partOf(in.Late, taken))
	}
	if taken > 0 {
		line("dead", "%s", partOf(in.Dead, taken))
	}
	if n := int64(len(in.Damages)); n > 0 {
		line("lost", "more, and how many is not known, at %s of the files; the first: %s", report.Number(n, "place"), report.Harmless(in.Damages[0]))
	}
	for i, r := range in.Reasons {
		if i == reasonsShown {
			line("", "%d more reasons (--json)", len(in.Reasons)-reasonsShown)
			break
		}
		line("", "%s: %s", report.Count(r.Count), report.Harmless(r.Example))
	}
	if same != "" && len(in.Schemas) > 0 {
		line("fields", "those of %s", same)
		return
	}
	for _, s := range in.Schemas {
		s.text(b, len(in.Schemas) > 1)
	}
	if in.Record != nil {
		line("record", "%s", in.Record)
	}
}

func (in *Input) readText() string {
	switch {
	case in.Read == 0 && in.Whole:
		return "no records: there are none"
	case in.Whole:
		return "all " + report.Count(in.Read) + " records"
	case in.Records == 0:
		return report.Count(in.Read) + " records, and not all"
	default:
		return fmt.Sprintf("%s records, up to %s of each file", report.Count(in.Read), report.Count(in.Records))
	}
}

func (s *Schema) text(b *strings.Builder, several bool) {
	if several {
		fmt.Fprintf(b, "  %-7s of %s files, the first is %s\n", "fields", report.Count(int64(s.Files)), report.Harmless(s.File))
	}
	table := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	for i, f := range s.Fields {
		name := ""
		if i == 0 && !several {
			name = "fields"
		}
		in := ""
		if f.In < s.Records {
			in = "\tin " + report.Share(f.In, s.Records)
		}
		fmt.Fprintf(table, "  %-7s %s\t%s%s\n", name, report.Harmless(f.Path), f.Type, in)
	}
	_ = table.Flush() // a Builder takes everything
}

func partOf(part, whole int64) string {
	return fmt.Sprintf("%s of %s (%s)", report.Count(part), report.Count(whole), report.Share(part, whole))
}

func moment(t time.Time) string { return t.Format(time.RFC3339Nano) }
