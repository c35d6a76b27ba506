package bucket

import (
	"math"
	"math/bits"
	"slices"

	"tributary/transforms/attribution/rules"
)

// What counts after another kind counts for a view only if that has had an engagement of the kind by then. Who has one is known as
// the views are: a view that closes knows those engagements that had been read, and so takes what comes to the one that is to have it
// of all that it knows to have one, unless a view before it had taken that. Every view knows what those before it knew.

// having is which of the views of a key have an engagement of one kind, as time goes on: a tree over their places.
type having struct {
	sharing *sharing
	// nodes: node 1 is the root, the children of i are 2i and 2i+1, and the leaves are the second half.
	nodes []havingNode
	// mistaken is, for each of those of sharing, as since of a view.
	mistaken []int64
}

// havingNode is what is below a node.
type havingNode struct {
	// lowers is the largest closedThrough below which an engagement that was read earlier still changes something.
	lowers int64
	// since is the smallest of times after which views know of a view that it has one, unknown if none has.
	since int64
	// first is the place of the first view that has one, and last that of the first which knows none after it that has one; -1 for none.
	first, last int32
}

var noneHaving = havingNode{lowers: math.MinInt64, since: unknown, first: -1, last: -1}

// build makes it of the views that sharing looks at, of which none has one yet.
func (h *having) build(s *sharing) {
	h.sharing = s
	half := 1 << bits.Len(uint(max(len(s.closed), 1)-1))
	h.nodes = slices.Grow(h.nodes[:0], 2*half)[:2*half]
	for i := range h.nodes[half:] {
		h.nodes[half+i] = noneHaving
		if i < len(s.closed) && s.closed[i] != unknown {
			h.nodes[half+i].lowers = unknown
		}
	}
	for i := half - 1; i > 0; i-- {
		h.nodes[i] = h.merged(h.nodes[2*i], h.nodes[2*i+1])
	}
	h.mistaken = h.mistaken[:0]
	for range s.mistaken {
		h.mistaken = append(h.mistaken, unknown)
	}
}

func (h *having) merged(x, y havingNode) havingNode {
	m := havingNode{lowers: max(x.lowers, y.lowers), since: min(x.since, y.since), first: x.first, last: x.last}
	if x.first < 0 {
		m.first = y.first
	}
	// Of those in x that know none after them there, the first is the one with the earliest time: if it knows one in y, all do.
	if x.last < 0 || h.sharing.views[x.last].Time > y.since {
		m.last = y.last
	}
	return m
}

// add gives the views from from to to an engagement that was read when views had closed through a time. It returns what it took.
func (h *having) add(from, to int, closed int64) (steps int64) {
	for i, m := range h.sharing.mistaken {
		if from <= m.place && m.place <= to {
			h.mistaken[i] = min(h.mistaken[i], max(m.closed, closed))
		}
	}
	return h.addBelow(1, 0, len(h.nodes)/2-1, from, to, closed)
}

// addBelow does so below a node, whose places are lo to hi.
func (h *having) addBelow(at, lo, hi, from, to int, closed int64) (steps int64) {
	n := &h.nodes[at]
	switch {
	case hi < from || to < lo || n.lowers <= closed:
		return 1
	case lo == hi:
		known := h.sharing.closed[lo]
		*n = havingNode{lowers: closed, since: max(known, closed), first: int32(lo), last: int32(lo)}
		if closed <= known {
			n.lowers = math.MinInt64
		}
		return 1
	}
	middle := (lo + hi) / 2
	steps = h.addBelow(2*at, lo, middle, from, to, closed) + h.addBelow(2*at+1, middle+1, hi, from, to, closed)
	*n = h.merged(h.nodes[2*at], h.nodes[2*at+1])
	return steps
}

// among is what is between two places, inclusive.
func (h *having) among(from, to int) havingNode {
	half := len(h.nodes) / 2
	left, right := noneHaving, noneHaving
	for i, k := from+half, to+half+1; i < k; i, k = i/2, k/2 {
		if i&1 == 1 {
			left = h.merged(left, h.nodes[i])
			i++
		}
		if k&1 == 1 {
			k--
			right = h.merged(h.nodes[k], right)
		}
	}
	return h.merged(left, right)
}

// misled tells whether a view knew a duplicate between it and a place, with an engagement, that it could not tell from a view.
func (h *having) misled(view, to int) bool {
	s := h.sharing
	for i, m := range s.mistaken {
		if m.closed = h.mistaken[i]; m.misleads(s.views[view].Time, view, to) {
			return true
		}
	}
	return false
}

// shareAfter finds the views that the engagements of the gathered group count for which count after a kind, as the cut at hand has it.
func (j *Joiner) shareAfter(b *Bucket, kind int, c *cut) {
	s := j.sharing
	shares := s.of[c.at]
	s.having.build(s)
	given := 0
	for _, index := range s.byTime {
		g := &b.Engagements[index]
		if s.after[g.Kind] != kind {
			continue
		}
		for ; given < len(s.byTime) && b.Engagements[s.byTime[given]].Time <= g.Time; given++ {
			if one := &b.Engagements[s.byTime[given]]; one.Kind == kind {
				from, to := j.choices(one, c)
				j.steps += s.having.add(from, to, max(one.ClosedThrough+c.ahead, -math.MaxInt64))
			}
		}
		if from, to := j.choices(g, c); from <= to {
			if at := s.having.choose(&j.p.Kinds[g.Kind], from, to); at >= 0 {
				shares[index] = share{from: int32(at), to: int32(at), of: 1, since: unknown}
			}
		}
	}
}

// choose is the place of the view that an engagement of a kind counts for, of those from from, which is known, to to; -1 for none.
func (h *having) choose(k *rules.Kind, from, to int) int {
	s := h.sharing
	have := h.among(from, to)
	if k.Otherwise {
		// A view that knew none which has one took it if it was the one without that, before any that has one had closed.
		i := from
		if k.Credit == rules.CreditLast {
			i = s.nextLast(from, to)
		}
		for ; i <= to && s.views[i].Time <= have.since; i = s.nextLast(i+1, to) {
			if !h.misled(i, to) {
				return i
			}
			if k.Credit == rules.CreditFirst {
				break
			}
		}
	}
	if k.Credit == rules.CreditFirst {
		return int(have.first)
	}
	for have.last >= 0 && h.misled(int(have.last), to) {
		have = h.among(int(have.last)+1, to)
	}
	return int(have.last)
}
