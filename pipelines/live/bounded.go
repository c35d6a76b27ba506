package live

import "slices"

// Bounded is the State with no more than so many partitions, the worst, and the others counted.
func (s *State) Bounded(partitions int) *State {
	b := *s
	if len(s.Partitions) <= partitions {
		return &b
	}
	b.Partitions = slices.Clone(s.Partitions[:partitions])
	b.Rest = &Rest{Causes: map[Cause]int{}}
	for i := range s.Partitions[partitions:] {
		p := &s.Partitions[partitions+i]
		b.Rest.Partitions++
		b.Rest.Causes[p.Cause]++
		if p.Lag != nil {
			b.Rest.Lag += *p.Lag
		}
	}
	return &b
}
