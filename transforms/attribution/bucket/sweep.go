package bucket

import (
	"cmp"
	"math/bits"
	"slices"

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
}

// counted is an engagement and the view times that it counts for, inclusive.
type counted struct {
	index    int32
	from, to int64
}

// kindSweep is what counts of one kind.
type kindSweep struct {
	kind, first int // first position in counted
	tree        []treeNode
	sum         *valueSum // nil for labels that are no sum
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
		return cmp.Or(cmp.Compare(g.Kind, k.Kind), cmp.Compare(g.Time, k.Time), compareLog(g.Partition, g.Offset, k.Partition, k.Offset))
	})
	s.begins, s.ends = make([]int32, len(all)), make([]int32, len(all))
	for i := range all {
		s.begins[i], s.ends[i] = int32(i), int32(i)
	}
	slices.SortFunc(s.begins, func(x, y int32) int { return cmp.Compare(all[x].from, all[y].from) })
	slices.SortFunc(s.ends, func(x, y int32) int { return cmp.Compare(all[x].to, all[y].to) })
	for from := 0; from < len(all); {
		kind, to := b.Engagements[all[from].index].Kind, from
		for to < len(all) && b.Engagements[all[to].index].Kind == kind {
			to++
		}
		k := kindSweep{kind: kind, first: from, tree: make([]treeNode, 2<<bits.Len(uint(to-from-1)))}
		if j.p.Kinds[kind].Label.Exact() {
			k.sum = &valueSum{}
			k.sum.reset()
		}
		s.kinds = append(s.kinds, k)
		from = to
	}
	return s
}

// moveTo takes in what counts for a view at that time and takes out what no longer does. Times
// ascend from call to call.
func (s *sweep) moveTo(j *Joiner, b *Bucket, viewTime int64) {
	for ; s.begun < len(s.begins) && s.counted[s.begins[s.begun]].from <= viewTime; s.begun++ {
		s.set(j, b, s.begins[s.begun], 1)
	}
	for ; s.ended < len(s.ends) && s.counted[s.ends[s.ended]].to < viewTime; s.ended++ {
		s.set(j, b, s.ends[s.ended], -1)
	}
}

// set takes an engagement in (1) or out (-1).
func (s *sweep) set(j *Joiner, b *Bucket, position int32, sign int64) {
	g := &b.Engagements[s.counted[position].index]
	at, _ := slices.BinarySearchFunc(s.kinds, g.Kind, func(k kindSweep, kind int) int { return cmp.Compare(k.kind, kind) })
	k := &s.kinds[at]
	leaf := treeNode{}
	if sign > 0 {
		leaf.count = 1
		if f, ok := doubleOf(g.Value); ok {
			leaf.numbers, leaf.least, leaf.most = 1, f, f
		}
	}
	if k.sum != nil {
		k.sum.add(g.Value, sign)
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

// labelHeavy sets the labels of a view of a heavy id, as label does.
func (j *Joiner) labelHeavy(b *Bucket, v *View, s *sweep, out Output) (positive bool) {
	s.moveTo(j, b, v.Time)
	for i := range s.kinds {
		k := &s.kinds[i]
		all := k.tree[1]
		if all.count == 0 {
			continue
		}
		positive = true
		first := &b.Engagements[s.counted[k.outer(false)].index]
		last := &b.Engagements[s.counted[k.outer(true)].index]
		switch j.p.Kinds[k.kind].Credit {
		case rules.CreditFirst:
			j.credit(k.kind, v, append(j.counting[:0], first), out)
			continue
		case rules.CreditLast:
			j.credit(k.kind, v, append(j.counting[:0], last), out)
			continue
		case rules.CreditAll:
		}
		l := &j.sample.Labels[k.kind]
		*l = label.Totals{
			Count: int64(all.count), Delay: max(0, first.Time-v.Time), First: first.Value, Last: last.Value,
			Numbers: int64(all.numbers), Min: all.least, Max: all.most,
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
