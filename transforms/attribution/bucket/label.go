package bucket

import (
	"cmp"
	"slices"

	"tributary/io/record"
	"tributary/transforms/attribution/rules"
	"tributary/transforms/label"
)

// emit labels one view and hands out its sample, unless it is a negative not kept.
func (j *Joiner) emit(b *Bucket, v *View, at int32, out Output) {
	s := &j.sample
	s.ViewID, s.ViewTime, s.View = v.ID, v.Time, v.Payload
	clear(s.Labels)
	s.Positive = j.ids.entries[at].engagements >= 0 && j.label(b, v, at, out)
	s.Rate, s.Weight = 1, 1
	if !s.Positive && j.p.Keep < 1 {
		if !rules.Keeps(v.Hash, j.p.Keep) {
			out.SampledOut()
			return
		}
		s.Rate, s.Weight = j.p.Keep, 1/j.p.Keep
	}
	s.Maturity = j.longest
	if j.p.LogEnd != rules.NoLogEnd {
		s.Maturity = max(0, min(j.longest, j.p.LogEnd-v.Time))
	}
	out.Sample(s)
}

// label sets the labels of v and tells whether anything counts for it.
func (j *Joiner) label(b *Bucket, v *View, at int32, out Output) (positive bool) {
	if s, ok := j.heavies[at]; ok {
		return j.labelHeavy(b, v, s, out)
	}
	j.count(b, v, at)
	for rest := j.counting; len(rest) > 0; {
		kind, n := rest[0].Kind, 1
		for n < len(rest) && rest[n].Kind == kind {
			n++
		}
		credited := rest[:n]
		switch j.p.Kinds[kind].Credit {
		case rules.CreditFirst:
			credited = rest[:1]
		case rules.CreditLast:
			credited = rest[n-1 : n]
		case rules.CreditAll:
		}
		j.credit(kind, v, credited, out)
		rest = rest[n:]
	}
	return len(j.counting) > 0
}

// count fills j.counting with those that count for v, by kind, time and log.
func (j *Joiner) count(b *Bucket, v *View, at int32) {
	j.gather(b, &j.ids.entries[at])
	j.counting = j.counting[:0]
	j.each(b, v.Time, func(_ int, g *Engagement, duplicate bool) {
		if !duplicate && j.classify(v, g) == OutcomeMatched {
			j.counting = append(j.counting, g)
		}
	})
	slices.SortFunc(j.counting, func(g, h *Engagement) int {
		return cmp.Or(cmp.Compare(g.Kind, h.Kind), cmp.Compare(g.Time, h.Time), compareLog(g.Partition, g.Offset, h.Partition, h.Offset))
	})
}

// credit makes the label of one kind of v.
func (j *Joiner) credit(kind int, v *View, credited []*Engagement, out Output) {
	if j.fold(&j.sample.Labels[kind], v, credited) && j.p.Kinds[kind].Label.Exact() {
		out.Overflow(kind, 1)
	}
}

// fold makes the label of one kind from the engagements credited, in order of time. It tells
// whether the sum is beyond what a double holds: then it is the largest there is.
func (j *Joiner) fold(l *label.Totals, v *View, credited []*Engagement) (beyond bool) {
	j.steps += int64(len(credited))
	l.Count = int64(len(credited))
	l.Delay = max(0, credited[0].Time-v.Time)
	l.First, l.Last = credited[0].Value, credited[len(credited)-1].Value
	exact := true
	for _, g := range credited {
		f, ok := doubleOf(g.Value)
		if !ok {
			exact = exact && g.Value.Kind != record.Decimal
			continue
		}
		if l.Numbers == 0 {
			l.Min, l.Max = f, f
		}
		l.Numbers++
		l.Min, l.Max = min(l.Min, f), max(l.Max, f)
		sum := l.Sum + f
		// What was lost by rounding, itself exact (Knuth, 4.2.2): mostly nothing.
		of := sum - l.Sum
		exact = exact && (l.Sum-(sum-of))+(f-of) == 0
		l.Sum = sum
	}
	if exact {
		return false
	}
	j.sum.reset()
	for _, g := range credited {
		j.sum.add(g.Value, 1)
	}
	l.Sum, beyond = j.sum.double()
	return beyond
}
