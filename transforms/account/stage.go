package account

import (
	"maps"
	"slices"
)

// StageOf returns the account of a stage by its name, a new one if there is none.
func (l *Sheet) StageOf(name string) *Stage {
	if l.Stages == nil {
		l.Stages = map[string]*Stage{}
	}
	if l.Stages[name] == nil {
		l.Stages[name] = &Stage{}
	}
	return l.Stages[name]
}

// Correct counts a sample whose label of a kind is another than was said before.
func (s *Stage) Correct(kind string) {
	if s.Corrected == nil {
		s.Corrected = map[string]int64{}
	}
	s.Corrected[kind]++
}

func (s *Stage) add(other *Stage) {
	s.N.add(&other.N)
	for kind, n := range other.Corrected {
		if s.Corrected == nil {
			s.Corrected = make(map[string]int64, len(other.Corrected))
		}
		s.Corrected[kind] += n
	}
}

// stages checks that every stage accounts for all views that the join could use.
func (c *checker) stages(l *Sheet) {
	for _, name := range slices.Sorted(maps.Keys(l.Stages)) {
		s, where := l.Stages[name], "stage "+name
		if s == nil {
			c.fail("%s: no account", where)
			continue
		}
		c.counts(where, OfStage, &s.N)
		c.sum(where, count{"views read", l.Views.N[Read]}, count{"read", s.N[Read]}, count{"late for all", l.Views.N[Late]}, count{"dead", l.Views.N[Dead]})
		for _, kind := range slices.Sorted(maps.Keys(s.Corrected)) {
			n := count{kind + " corrected", s.Corrected[kind]}
			c.positive(where, n)
			c.atMost(where, n, count{"samples", s.N[Samples]})
		}
	}
}
