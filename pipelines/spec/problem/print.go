package problem

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
)

// widest is how much of a source line is shown: a line that wraps hides its caret.
const widest = 120

// append prints the problem:
//
//	feed.yaml:12:5: T1007 engagements.like.windw: unknown key
//	   12 |     windw: 30m
//	      |     ^^^^^
//	  allowed: inputs, window
//	  did you mean: window
//	  fix: window: 30m
func (p Problem) append(out []byte) []byte {
	if p.File != "" {
		out = append(out, clean(p.Position.String())+": "...) //nolint:staticcheck // p.String() would read as the whole problem
	}
	if p.Severity == SeverityWarning {
		out = append(out, "warning "...)
	}
	out = append(out, p.Code...)
	if p.Field != "" {
		out = append(out, " "+clean(p.Field)...)
	}
	out = append(out, ": "+clean(p.Message)...)
	out = p.appendSource(out)
	line := func(label, text string) {
		if text != "" {
			out = fmt.Appendf(out, "\n  %s: %s", label, clean(text))
		}
	}
	if !strings.Contains(p.Source, p.Got) {
		line("got", p.Got)
	}
	line("allowed", strings.Join(p.Allowed, ", "))
	line("did you mean", p.Nearest)
	line("fix", strings.TrimSpace(p.Fix))
	line("hint", p.Hint)
	return out
}

// appendSource prints the line with a caret under what is meant. Tabs become one
// space each, so that the caret stands right whatever the terminal's tab stops.
func (p Problem) appendSource(out []byte) []byte {
	if p.Line == 0 || strings.TrimSpace(p.Source) == "" {
		return out
	}
	text := []rune(clean(p.Source))
	column := min(max(p.Column-1, 0), len(text))
	before, after := "", ""
	if len(text) > widest {
		start := max(0, min(column-widest/2, len(text)-widest))
		end := start + widest
		if start > 0 {
			before = "..."
		}
		if end < len(text) {
			after = "..."
		}
		text, column = text[start:end], column-start
	}
	width := max(1, min(p.Width, len(text)-column))
	out = fmt.Appendf(out, "\n%5d | %s%s%s", p.Line, before, strings.TrimRight(string(text), " "), after)
	out = fmt.Appendf(out, "\n      | %s", bytes.Repeat([]byte{' '}, len(before)+column))
	return append(out, bytes.Repeat([]byte{'^'}, width)...)
}

// clean replaces what could steer a terminal: the text comes from a file, and may
// have been written to do so. Characters are replaced one by one, so columns stay.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case !unicode.IsPrint(r):
			return '\uFFFD'
		}
		return r
	}, text)
}
