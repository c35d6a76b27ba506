package preflight

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"unicode"
)

// ticks show at a glance how a step ended.
var ticks = map[Status]string{OK: "✓", Warning: "!", Problem: "✗", Skipped: "-"}

// Text writes findings as a table with a line each, and what to do about them below it.
func Text(findings []Finding) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, f := range findings {
		fmt.Fprintf(w, "%s %s\t%s\t%s\n", ticks[f.Status], f.Step, clean(f.Target), clean(f.Detail))
	}
	_ = w.Flush() // a Builder takes everything
	problems, warnings := 0, 0
	for _, f := range findings {
		switch f.Status {
		case Problem:
			problems++
		case Warning:
			warnings++
		case OK, Skipped:
			continue
		}
		if problems+warnings == 1 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "%s %s %s\n    %s\n", ticks[f.Status], f.Step, clean(f.Target), clean(f.Fix))
	}
	if problems+warnings > 0 {
		fmt.Fprintf(&b, "\nproblems: %d, warnings: %d\n", problems, warnings)
	}
	return b.String()
}

// clean replaces what could steer a terminal: names and messages come from servers.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '\uFFFD'
		}
		return r
	}, text)
}
