package spec

import (
	"cmp"
	"slices"
)

// Kinds returns the kinds of engagement in the order in which the file has them.
func (s *Spec) Kinds() []string {
	kinds := make([]string, len(s.Engagements))
	for i, e := range s.Engagements {
		kinds[i] = e.Kind
	}
	slices.SortStableFunc(kinds, func(a, b string) int {
		at, bt := s.At("engagements", a), s.At("engagements", b)
		return cmp.Or(cmp.Compare(at.Line, bt.Line), cmp.Compare(at.Column, bt.Column))
	})
	return kinds
}
