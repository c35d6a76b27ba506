package bucket

import (
	"cmp"
	"math/bits"
	"slices"

	"tributary/io/record"
	"tributary/transforms/attribution/rules"
	"tributary/transforms/label"
)

// The views of a heavy id come in order of time, and each engagement counts for those of an
// interval of time. So what counts for the view at hand is kept from one to the next: an
// engagement comes in once and goes out once, and the label is read off a tree over all of
// them. Were each view to look at what counts for it, windows that hold many engagements would
// make that the square of their number.

// sweep goes over the views of one heavy id.
type sweep struct {
	// counted are the engagements that count for some view, by kind, time and log.
	counted []counted
	// begins and ends are positions in counted, by from and by to; begun and ended say how many
	// have come in and gone out.
	begins, ends []int32
	begun, ended int
	kinds        []kindSweep
	// shared are those of begins of which each view has a part, from oldest on without those that have gone out.
	shared []int32
	oldest int
	at     int64 // the place of the view before
}

// counted is an engagement and the view times that it counts for, inclusive; where views share engagements, the places of views. Of
// these, those that were read while views at since had closed are left out.
type counted struct {
	index    int32
	of       int32 // as of a share
	from, to int64
	since    int64
}

// kindSweep is what counts of one kind, for one of its labels.
type kindSweep struct {
	kind, first int // first position in counted
	label       int // which of several; -1 for the only one
	tree        []treeNode
	sum         *valueSum // nil for labels that are no sum
	parts       *valueSum // nil for a kind that is not shared in parts
}

// treeNode is what counts below a node. Node 1 is the root, the children of i are 2i and 2i+1,
// and the leaves are the second half.
type treeNode struct {
	count, numbers int32
	least, most    float64
}

// newSweep makes the sweep of what may count, which it puts in order.
func (j *Joiner) newSweep(b *Bucket, all []counted) *sweep {
	s := &sweep{counted: all}
	slices.SortFunc(all, func(x, y counted) int {
		g, k := &b.Engagements[x.index], &b.Engagements[y.index]
		j.steps++
		return cmp.Or(cmp.Compare(g.Kind, k.Kind), cmp.Compare(g.Time, k.Time), g.compareLog(k))
	})
	s.begins, s.ends = make([]int32, len(all)), make([]int32, len(all))
	for i := range all {
		s.begins[i], s.ends[i] = int32(i), int32(i)
	}
	slices.SortFunc(s.begins, func(x, y int32) int { return cmp.Compare(all[x].from, all[y].from) })
	slices.SortFunc(s.ends, func(x, y int32) int { return cmp.Compare(all[x].to, all[y].to) })
	for _, i := range s.begins {
		if all[i].of > 1 {
			s.shared = append(s.shared, i)
		}
	}
	for from := 0; from < len(all); {
		kind, to := b.Engagements[all[from].index].Kind, from
		for to < len(all) && b.Engagements[all[to].index].Kind == kind {
			to++
		}
		for i := range j.p.Kinds[kind].LabelCount() {
			k := kindSweep{kind: kind, first: from, label: i, tree: make([]treeNode, 2<<bits.Len(uint(to-from-1)))}
			exact := j.p.Kinds[kind].Label.Exact()
			if labels := j.p.Kinds[kind].Labels; len(labels) > 0 {
				exact = labels[i].Func.Exact()
			} else {
				k.label = -1
			}
			if exact {
				k.sum = &valueSum{}
				k.sum.reset()
			}
			if j.p.Kinds[kind].Credit == rules.CreditEven {
				k.parts = &valueSum{}
				k.parts.reset()
			}
			s.kinds = append(s.kinds, k)
		}
		from = to
	}
	return s
}

// moveTo takes in what counts for a view at that time, or place, and takes out what does not. They ascend from call to call, but
// for places of views of one time.
func (s *sweep) moveTo(j *Joiner, b *Bucket, at int64) {
	for ; s.begun < len(s.begins) && s.counted[s.begins[s.begun]].from <= at; s.begun++ {
		s.set(j, b, s.begins[s.begun], 1)
	}
	for ; s.ended > 0 && s.counted[s.ends[s.ended-1]].to >= at; s.ended-- {
		s.set(j, b, s.ends[s.ended-1], 1)
	}
	for ; s.ended < len(s.ends) && s.counted[s.ends[s.ended]].to < at; s.ended++ {
		s.set(j, b, s.ends[s.ended], -1)
	}
	for ; s.begun > 0 && s.counted[s.begins[s.begun-1]].from > at; s.begun-- {
		s.set(j, b, s.begins[s.begun-1], -1)
	}
}

// leavesOut tells whether something that counts for the views around v does not for v, which was read too late: a sweep does not
// tell that.
func (s *sweep) leavesOut(v *View, c *cut) bool {
	if int64(v.place) < s.at {
		s.oldest = 0
	}
	for s.at = int64(v.place); s.oldest < len(s.shared); s.oldest++ {
		switch one := &s.counted[s.shared[s.oldest]]; {
		case one.from > int64(v.place):
			return false
		case one.to >= int64(v.place):
			return c.closedThrough(v) >= one.since
		}
	}
	return false
}

// set takes an engagement in (1) or out (-1).
func (s *sweep) set(j *Joiner, b *Bucket, position int32, sign int64) {
	g := &b.Engagements[s.counted[position].index]
	at, _ := slices.BinarySearchFunc(s.kinds, g.Kind, func(k kindSweep, kind int) int { return cmp.Compare(k.kind, kind) })
	for ; at < len(s.kinds) && s.kinds[at].kind == g.Kind; at++ {
		s.kinds[at].set(j, position, valueOf(g, s.kinds[at].label), s.counted[position].of, sign)
	}
}

// set takes the engagement at a position in or out, with its value and among how many it is shared.
func (k *kindSweep) set(j *Joiner, position int32, value record.Value, of int32, sign int64) {
	leaf := treeNode{}
	if sign > 0 {
		leaf.count = 1
		if f, ok := doubleOf(value); ok {
			leaf.numbers, leaf.least, leaf.most = 1, f, f
		}
	}
	if k.parts != nil {
		k.parts.add(part(of), sign)
	}
	if k.sum != nil {
		k.sum.add(partOf(value, of), sign)
	}
	i := len(k.tree)/2 + int(position) - k.first
	k.tree[i] = leaf
	for i /= 2; i > 0; i /= 2 {
		j.steps++
		k.tree[i] = merged(k.tree[2*i], k.tree[2*i+1])
	}
}

func merged(x, y treeNode) treeNode {
	m := treeNode{count: x.count + y.count, numbers: x.numbers + y.numbers, least: x.least, most: x.most}
	switch {
	case x.numbers == 0:
		m.least, m.most = y.least, y.most
	case y.numbers > 0:
		m.least, m.most = min(x.least, y.least), max(x.most, y.most)
	}
	return m
}

// outer is the position in counted of the first that counts, or of the last.
func (k *kindSweep) outer(last bool) int {
	near := 0
	if last {
		near = 1
	}
	i := 1
	for i < len(k.tree)/2 {
		i = 2*i + near
		if k.tree[i].count == 0 {
			i ^= 1
		}
	}
	return k.first + i - len(k.tree)/2
}

// outer is the first engagement of a kind that counts, or the last.
func (s *sweep) outer(b *Bucket, k *kindSweep, last bool) *Engagement {
	one := &s.counted[k.outer(last)]
	g := &b.Engagements[one.index]
	g.of = one.of
	return g
}

// labelHeavy sets the labels of a view of a heavy id, as label does.
func (j *Joiner) labelHeavy(b *Bucket, v *View, s *sweep, labels []label.Totals, out Output) (positive bool) {
	if j.sharing != nil {
		s.moveTo(j, b, int64(v.place))
	} else {
		s.moveTo(j, b, v.Time)
	}
	for i := range s.kinds {
		k := &s.kinds[i]
		all := k.tree[1]
		if all.count == 0 {
			continue
		}
		positive = true
		if k.label > 0 && j.p.Kinds[k.kind].Count != rules.CountAll {
			continue // the first has credited all
		}
		first, last := s.outer(b, k, false), s.outer(b, k, true)
		switch j.p.Kinds[k.kind].Count {
		case rules.CountFirst:
			j.credit(k.kind, v, append(j.counting[:0], first), labels, out)
			continue
		case rules.CountLast:
			j.credit(k.kind, v, append(j.counting[:0], last), labels, out)
			continue
		case rules.CountAll:
		}
		l := &labels[j.columns.first[k.kind]+max(0, k.label)]
		*l = label.Totals{
			Count: int64(all.count), Delay: max(0, first.Time-v.Time), First: valueOf(first, k.label), Last: valueOf(last, k.label),
			Numbers: int64(all.numbers), Min: all.least, Max: all.most,
		}
		if k.parts != nil {
			l.Parts, _ = k.parts.double()
		}
		if k.sum == nil {
			continue
		}
		sum, beyond := k.sum.double()
		if l.Sum = sum; beyond {
			out.Overflow(k.kind, 1)
		}
	}
	return positive
}
