package metrics

import (
	"fmt"
	"slices"
	"strings"

	"tributary/pipelines/report"
)

// Page is the reference of all metrics, as text.
func Page() string {
	var b strings.Builder
	b.WriteString(`Metrics for Prometheus, from two places:

  tributary metrics SPEC           of a stream, read from its topics: the figures of
                                   "tributary report" and "tributary audit"
  tributary worker --health ADDR   of a process: what passes it now, beside the process itself
                                   and Go's runtime

Labels are bounded by the spec: no id of a record is in one, and nothing secret. stream is
stream.name of the spec; stage is "last" where there are none. Timestamps are seconds since
1970. There are no exemplars: they would be ids of records.

"tributary metrics --help" has the command, "tributary help alerts" the alerts.

`)
	for _, source := range []struct {
		Source
		title string
	}{{Exporter, "tributary metrics SPEC"}, {Worker, "tributary worker"}} {
		fmt.Fprintf(&b, "%s\n\n", source.title)
		for _, m := range table {
			if m.Source != source.Source {
				continue
			}
			labels := ""
			if len(m.Labels) > 0 {
				labels = "{" + strings.Join(m.Labels, ", ") + "}"
			}
			unit := ""
			if m.Unit != "" {
				unit = ", " + m.Unit
			}
			fmt.Fprintf(&b, "  %s%s\n      %s\n", m.Name, labels, wrap(fmt.Sprintf("%s%s. %s", m.Type, unit, m.Help), 86, "      "))
		}
		b.WriteString("\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// wrap breaks text into lines of so many columns, of which all but the first are indented.
func wrap(text string, width int, indent string) string {
	return strings.Join(report.Lines(text, width), "\n"+indent)
}

// Find returns the metric of a name; a histogram also by those of its series.
func Find(name string) (*Metric, bool) {
	i := slices.IndexFunc(table, func(m *Metric) bool {
		return m.Name == name || m.Type == Histogram && slices.Contains([]string{"_bucket", "_sum", "_count"}, strings.TrimPrefix(name, m.Name))
	})
	if i < 0 {
		return nil, false
	}
	return table[i], true
}
