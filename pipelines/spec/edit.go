package spec

import (
	"cmp"
	"slices"
	"strings"
)

// edit puts text in the place of some characters of a line.
type edit struct {
	start, end int
	text       string
}

// edited returns a line with an edit, and keeps the edit for the others of that line;
// empty if the line does not have these characters.
func (r *reader) edited(line int, e edit) string {
	text := []rune(r.line(line))
	if e.start < 0 || e.end > len(text) || e.start > e.end {
		return ""
	}
	r.edits[line] = append(r.edits[line], e)
	return string(text[:e.start]) + e.text + string(text[e.end:])
}

// mergeFixes makes the fixes of several problems in one line the same: the line as it
// should read once all of them are mended.
func (r *reader) mergeFixes() {
	for i := range r.problems {
		p := &r.problems[i]
		if p.Source != "" {
			p.Source = r.line(p.Line) // without a secret that was found since
		}
		if p.Fix == "" || p.Code == "T1002" {
			continue
		}
		edits := r.edits[p.Line]
		indent, moved := r.moves[p.Line]
		if len(edits) > 0 || moved {
			p.Fix = apply(r.line(p.Line), edits)
		}
		if moved {
			p.Fix = strings.Repeat(" ", indent) + strings.TrimLeft(p.Fix, " ")
		}
	}
}

// apply makes all edits that do not overlap an earlier one.
func apply(line string, edits []edit) string {
	edits = slices.Clone(edits)
	slices.SortStableFunc(edits, func(a, b edit) int { return cmp.Compare(a.start, b.start) })
	text := []rune(line)
	var out []rune
	done := 0
	for _, e := range edits {
		if e.start < done {
			continue
		}
		out = append(append(out, text[done:e.start]...), []rune(e.text)...)
		done = e.end
	}
	return string(append(out, text[done:]...))
}
