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
	engaged := j.ids.entries[at].engagements >= 0
	s.Positive = engaged && j.label(b, v, at, &j.now, s.Labels, out)
	s.Rate, s.Weight = 1, 1
	s.Maturity = j.longest
	if j.p.LogEnd != rules.NoLogEnd {
		s.Maturity = max(0, min(j.longest, j.p.LogEnd-v.Time))
	}
	if !s.Positive && j.p.Keep < 1 {
		s.Rate, s.Weight = j.p.Keep, 1/j.p.Keep
	}
	j.sayBefore(b, v, at, engaged)
	if !s.Positive && !j.keeps(v) {
		out.SampledOut()
		if j.said.any && j.given != rules.EmitPositives {
			s.Weight = 0
			out.Withdraw(s)
		}
		return
	}
	out.Sample(s, j.gives(s, out))
}

// keeps tells whether a view is kept if it is a negative.
func (j *Joiner) keeps(v *View) bool {
	hash := v.Hash
	if v.Key != nil && j.p.Keep < 1 {
		hash = rules.HashID(v.ID)
	}
	return j.p.Keep >= 1 || rules.Keeps(hash, j.p.Keep)
}

// label sets the labels of v as a cut has them, and tells whether anything counts for it.
func (j *Joiner) label(b *Bucket, v *View, at int32, c *cut, labels []label.Totals, out Output) (positive bool) {
	if sweeps, ok := j.heavies[at]; ok && !sweeps[c.at].leavesOut(v, c) {
		return j.labelHeavy(b, v, sweeps[c.at], labels, out)
	}
	j.count(b, v, at, c)
	j.eachCredited(func(kind int, credited []*Engagement) { j.credit(kind, v, credited, labels, out) })
	return len(j.counting) > 0
}

// eachCredited calls visit for each kind of j.counting, with those that are credited.
func (j *Joiner) eachCredited(visit func(kind int, credited []*Engagement)) {
	for rest := j.counting; len(rest) > 0; {
		kind, n := rest[0].Kind, 1
		for n < len(rest) && rest[n].Kind == kind {
			n++
		}
		credited := rest[:n]
		switch j.p.Kinds[kind].Count {
		case rules.CountFirst:
			credited = rest[:1]
		case rules.CountLast:
			credited = rest[n-1 : n]
		case rules.CountAll:
		}
		visit(kind, credited)
		rest = rest[n:]
	}
}

// count fills j.counting with those that count for v, by kind, time and log.
func (j *Joiner) count(b *Bucket, v *View, at int32, c *cut) {
	j.gather(b, &j.ids.entries[at])
	j.counting = j.counting[:0]
	j.each(b, v.Time, c, func(at int, g *Engagement, duplicate bool) {
		if duplicate || g.Time >= v.Time+c.window || j.classify(v, g) != OutcomeMatched {
			return
		}
		if j.sharing != nil {
			if g.of = j.sharing.credits(v, j.group[at], c); g.of == 0 {
				return
			}
		}
		j.counting = append(j.counting, g)
	})
	slices.SortFunc(j.counting, func(g, h *Engagement) int {
		return cmp.Or(cmp.Compare(g.Kind, h.Kind), cmp.Compare(g.Time, h.Time), g.compareLog(h))
	})
}

// credit makes the labels of one kind of v.
func (j *Joiner) credit(kind int, v *View, credited []*Engagement, labels []label.Totals, out Output) {
	first := j.columns.first[kind]
	n := len(j.p.Kinds[kind].Labels)
	if n == 0 {
		if j.fold(&labels[first], v, credited, nil) && j.p.Kinds[kind].Label.Exact() {
			out.Overflow(kind, 1)
		}
		return
	}
	j.spread(credited, n)
	for i := range n {
		if j.fold(&labels[first+i], v, credited, j.values[i*len(credited):][:len(credited)]) && j.p.Kinds[kind].Labels[i].Func.Exact() {
			out.Overflow(kind, 1)
		}
	}
}

// fold makes a label of one kind from the engagements credited, in order of time, and their values for it; values is nil
// where these are the engagements' own. It tells
// whether the sum is beyond what a double holds: then it is the largest there is.
func (j *Joiner) fold(l *label.Totals, v *View, credited []*Engagement, values []record.Value) (beyond bool) {
	j.steps += int64(len(credited))
	l.Count = int64(len(credited))
	l.Delay = max(0, credited[0].Time-v.Time)
	l.First, l.Last = credited[0].Value, credited[len(credited)-1].Value
	if values != nil {
		l.First, l.Last = values[0], values[len(values)-1]
	}
	exact := true
	if j.p.Kinds[credited[0].Kind].Credit == rules.CreditEven {
		j.foldParts(l, credited)
	}
	for i, g := range credited {
		value := &g.Value
		if values != nil {
			value = &values[i]
		}
		f, ok := doubleOf(*value)
		if !ok {
			exact = exact && value.Kind != record.Decimal
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
		exact = exact && (l.Sum-(sum-of))+(f-of) == 0 && g.of <= 1
		l.Sum = sum
	}
	if exact {
		return false
	}
	j.sum.reset()
	for i, g := range credited {
		value := &g.Value
		if values != nil {
			value = &values[i]
		}
		j.sum.add(partOf(*value, g.of), 1)
	}
	l.Sum, beyond = j.sum.double()
	return beyond
}

// foldParts sums the parts that the view has of its engagements.
func (j *Joiner) foldParts(l *label.Totals, credited []*Engagement) {
	j.sum.reset()
	for _, g := range credited {
		j.sum.add(part(g.of), 1)
	}
	l.Parts, _ = j.sum.double()
}

// part is what one of so many has of a whole.
func part(of int32) record.Value {
	return record.Value{Kind: record.Float, Float: 1 / float64(max(of, 1))}
}

// partOf is what one of so many has of a value: of what is no whole, that as a double. What is no number stays.
func partOf(v record.Value, of int32) record.Value {
	if of <= 1 {
		return v
	}
	var whole valueSum
	whole.reset()
	whole.add(v, 1)
	f, _ := whole.double()
	return record.Value{Kind: record.Float, Float: f / float64(of)}
}
