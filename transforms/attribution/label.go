package attribution

import (
	"cmp"
	"math"
	"math/big"
	"slices"
	"strconv"

	"tributary/io/event"
	"tributary/transforms/sample"
)

// emit labels one view and hands out its sample, unless it is a negative not kept.
func (j *Joiner) emit(b *Bucket, v *View, at int32, out Output) {
	s := &j.sample
	s.ViewID, s.ViewTime, s.View = v.ID, v.Time, v.Payload
	clear(s.Labels)
	s.Positive = j.ids.entries[at].engagements >= 0 && j.label(b, v, at, out)
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
func (j *Joiner) label(b *Bucket, v *View, at int32, out Output) (positive bool) {
	if h, ok := j.heavies[at]; ok {
		j.countHeavy(b, v, h)
	} else {
		j.count(b, v, at)
	}
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
		if left := j.fold(&j.sample.Labels[kind], v, credited); left > 0 {
			out.Overflow(kind, left)
		}
		rest = rest[n:]
	}
	return len(j.counting) > 0
}

// count fills j.counting with those that count for v, by kind, time and log.
func (j *Joiner) count(b *Bucket, v *View, at int32) {
	j.gather(b, &j.ids.entries[at])
	j.counting = j.counting[:0]
	j.each(b, v.Time, func(_ int, g *Engagement, shadowed bool) {
		if !shadowed && j.see(v, g) == SeenMatched {
			j.counting = append(j.counting, g)
		}
	})
	slices.SortFunc(j.counting, func(g, h *Engagement) int {
		return cmp.Or(cmp.Compare(g.Kind, h.Kind), cmp.Compare(g.Time, h.Time), compareLog(g.Partition, g.Offset, h.Partition, h.Offset))
	})
}

// fold makes the label of one kind from the engagements credited, in order of time. A value
// that would take the sum beyond what a double holds is left out of it; fold returns how many.
func (j *Joiner) fold(l *sample.Label, v *View, credited []*Engagement) (overflows int64) {
	l.Count = int64(len(credited))
	l.Delay = max(0, credited[0].Time-v.Time)
	l.First, l.Last = credited[0].Value, credited[len(credited)-1].Value
	j.decimals.reset()
	for _, g := range credited {
		if g.Value.Kind == event.Decimal { // of a sum, which is all the label is
			j.decimals.add(g.Value)
			continue
		}
		f, ok := g.Value.Number()
		if !ok {
			continue
		}
		if l.Numbers == 0 {
			l.Min, l.Max = f, f
		}
		l.Numbers++
		l.Min, l.Max = min(l.Min, f), max(l.Max, f)
		if math.IsInf(l.Sum+f, 0) {
			overflows++
		} else {
			l.Sum += f
		}
	}
	if j.decimals.any {
		sum, ok := j.decimals.sum().Number()
		if !ok || math.IsInf(l.Sum+sum, 0) {
			return overflows + 1
		}
		l.Sum += sum
	}
	return overflows
}

// decimalSum adds decimals of any scales exactly.
type decimalSum struct {
	any      bool
	unscaled big.Int
	scale    int64
}

func (d *decimalSum) reset() { d.any = false }

func (d *decimalSum) add(v event.Value) {
	n := v.Unscaled()
	if !d.any {
		d.any, d.scale = true, v.Int
		d.unscaled.Set(n)
		return
	}
	if v.Int > d.scale {
		d.unscaled.Mul(&d.unscaled, powerOfTen(v.Int-d.scale))
		d.scale = v.Int
	} else if v.Int < d.scale {
		n.Mul(n, powerOfTen(d.scale-v.Int))
	}
	d.unscaled.Add(&d.unscaled, n)
}

// sum is the sum so far as text, which is rounded to a double once and correctly.
func (d *decimalSum) sum() event.Value {
	text := append(d.unscaled.Append(nil, 10), 'e')
	return event.Value{Kind: event.String, Text: strconv.AppendInt(text, -d.scale, 10)}
}

func powerOfTen(n int64) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(n), nil) }
