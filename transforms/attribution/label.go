package attribution

import (
	"cmp"
	"slices"

	"tributary/transforms/sample"
)

// emit labels one view and hands out its sample, unless it is a negative not kept.
func (j *Joiner) emit(b *Bucket, v *View, e *entry, out Output) {
	s := &j.sample
	s.ViewID, s.ViewTime, s.View = v.ID, v.Time, v.Payload
	clear(s.Labels)
	s.Positive = e.engagements >= 0 && j.label(b, v, e)
	s.Rate, s.Weight = 1, 1
	if !s.Positive && j.p.Keep < 1 {
		if !keeps(v.Hash, j.p.Keep) {
			out.SampledOut()
			return
		}
		s.Rate, s.Weight = j.p.Keep, 1/j.p.Keep
	}
	s.Maturity = j.longest
	if j.p.LogEnd != NoLogEnd {
		s.Maturity = max(0, min(j.longest, j.p.LogEnd-v.Time))
	}
	out.Sample(s)
}

// label sets the labels of v and tells whether anything counts for it.
func (j *Joiner) label(b *Bucket, v *View, e *entry) (positive bool) {
	j.gather(b, e)
	j.counting = j.counting[:0]
	j.each(b, v.Time, func(_ int, g *Engagement, shadowed bool) {
		if !shadowed && j.see(v, g) == SeenMatched {
			j.counting = append(j.counting, g)
		}
	})
	slices.SortFunc(j.counting, func(g, h *Engagement) int {
		return cmp.Or(cmp.Compare(g.Kind, h.Kind), cmp.Compare(g.Time, h.Time), compareLog(g.Partition, g.Offset, h.Partition, h.Offset))
	})
	for rest := j.counting; len(rest) > 0; {
		kind, n := rest[0].Kind, 1
		for n < len(rest) && rest[n].Kind == kind {
			n++
		}
		credited := rest[:n]
		switch j.p.Kinds[kind].Credit {
		case CreditFirst:
			credited = rest[:1]
		case CreditLast:
			credited = rest[n-1 : n]
		case CreditAll:
		}
		fold(&j.sample.Labels[kind], v, credited)
		rest = rest[n:]
	}
	return len(j.counting) > 0
}

// fold makes the label of one kind from the engagements credited, in order of time.
func fold(l *sample.Label, v *View, credited []*Engagement) {
	l.Count = int64(len(credited))
	l.Delay = max(0, credited[0].Time-v.Time)
	l.First, l.Last = credited[0].Value, credited[len(credited)-1].Value
	for _, g := range credited {
		f, ok := g.Value.Number()
		if !ok {
			continue
		}
		if l.Numbers == 0 {
			l.Min, l.Max = f, f
		}
		l.Numbers++
		l.Sum += f
		l.Min, l.Max = min(l.Min, f), max(l.Max, f)
	}
}
