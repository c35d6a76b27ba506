package bucket

import (
	"cmp"
	"math"
	"slices"

	"tributary/transforms/attribution/rules"
)

// Views that share a key share its engagements, and a view decides what it has of them when it closes: by what was known of the
// others then, which of them are duplicates among it. Every view knows those before it, which had been read before they closed
// themselves. Of those after it it knows the ones that were read while it was open, and the others know that they were not: their
// ClosedThrough says so. So all of them come to one result, whatever a bucket holds beside.

// sharing is which views the engagements at hand count for.
type sharing struct {
	// views are those of the key at hand, in order of time and log.
	views []*View
	// of are the shares of the engagements of all keys of a bucket, by cut and index.
	of [][]share
	// For the cut at hand, by place: through what time views had closed when the view was read, unknown for one
	// that the stage did not know; the next view that it knew, itself or later; and for last, the first view after it that it knew.
	closed, known, later []int64
	closedTree, openTree maxTree // of closed, and of its negation
	laterTree            maxTree
	mistaken             []mistaken
	open                 []int64
	// after is rules.Params.AfterOf, by kind, and before are the kinds that others count after; having is of the one at hand, byTime
	// the gathered group where there are any.
	after  []int
	before []int
	having having
	byTime []int32
}

// mistaken is a duplicate that was read before what it is a duplicate of: views after closed and up to until took it for a view.
type mistaken struct {
	place         int
	closed, until int64
}

// share is the views that an engagement counts for: those at the places from from to to that were read while views at since were open.
type share struct {
	from, to int32
	of       int32 // how many they are, for an engagement of which each has a part; else 1
	since    int64
}

// noShare is that of an engagement that counts for no view.
var noShare = share{from: 0, to: -1}

// unknown is the closedThrough of a view that a stage did not know.
const unknown = math.MaxInt64

func newSharing(p *rules.Params, cuts int) *sharing {
	s := &sharing{of: make([][]share, cuts)}
	for kind := range p.Kinds {
		s.after = append(s.after, p.AfterOf(kind))
		if p.WindowAfter(kind) > 0 {
			s.before = append(s.before, kind)
		}
	}
	return s
}

// reset makes room for the shares of n engagements.
func (s *sharing) reset(n int) {
	for i := range s.of {
		s.of[i] = slices.Grow(s.of[i][:0], n)[:n]
	}
}

// shareOut finds for every cut which views the gathered group of an entry counts for.
func (j *Joiner) shareOut(b *Bucket, e *entry) {
	s := j.sharing
	s.views = s.views[:0]
	for t := e.firstView; t >= 0; t = j.order[t].next {
		s.views = append(s.views, &b.Views[j.order[t].index])
	}
	slices.SortFunc(s.views, func(v, w *View) int { return cmp.Or(cmp.Compare(v.Time, w.Time), v.compareLog(w)) })
	for i, v := range s.views {
		v.place = int32(i)
	}
	if len(s.before) > 0 {
		s.byTime = append(s.byTime[:0], j.group...)
		slices.SortFunc(s.byTime, func(x, y int32) int { return cmp.Compare(b.Engagements[x].Time, b.Engagements[y].Time) })
	}
	for i := j.firstCut(); i < len(j.before); i++ {
		j.shareFor(b, &j.before[i])
	}
	j.shareFor(b, &j.now)
}

// shareFor does so for a cut.
func (j *Joiner) shareFor(b *Bucket, c *cut) {
	s := j.sharing
	j.look(b, c)
	shares := s.of[c.at]
	for _, index := range j.group {
		g := &b.Engagements[index]
		j.steps++
		shares[index] = noShare
		if s.after[g.Kind] >= 0 {
			continue
		}
		if from, to := j.choices(g, c); from <= to {
			shares[index] = s.among(j.p.Kinds[g.Kind].Credit, from, to)
		}
	}
	for _, kind := range s.before {
		if slices.ContainsFunc(j.group, func(index int32) bool { return s.after[b.Engagements[index].Kind] == kind }) {
			j.shareAfter(b, kind, c)
		}
	}
}

// choices are the places of the views, inclusive, among which an engagement is shared out; the first is known.
func (j *Joiner) choices(g *Engagement, c *cut) (from, to int) {
	s := j.sharing
	if j.lateFor(g, c) {
		return 0, -1
	}
	span := j.p.SpanOf(g.Kind, g.Time, g.ViewTime)
	window := min(c.window, j.p.Kinds[g.Kind].Window)
	from = s.place(max(span.FoundFrom, g.ClosedThrough+c.ahead+1, g.Time-window+1))
	to = s.place(min(span.FoundTo, g.Time+j.p.ClockSkew)+1) - 1
	if from < len(s.views) {
		from = int(s.known[from])
	}
	return from, to
}

// among shares an engagement out among the views in places, of which the first is known.
func (s *sharing) among(by rules.Credit, from, to int) share {
	all := share{from: int32(from), to: int32(to), of: 1, since: unknown}
	switch by {
	case rules.CreditFirst:
		all.to = all.from
	case rules.CreditLast:
		// The first that knows none after it.
		i := s.nextLast(from, to)
		if i > to {
			return noShare
		}
		all.from, all.to = int32(i), int32(i)
	case rules.CreditEven:
		all.since = s.views[from].Time
		all.of = int32(to - from + 1)
		for i := s.closedTree.next(from+1, all.since-1); i <= to; i = s.closedTree.next(i+1, all.since-1) {
			all.of--
		}
		for _, m := range s.mistaken {
			if m.misleads(all.since, from, to) {
				all.of++
			}
		}
		if all.of == 1 {
			all.to = all.from
		}
	case rules.CreditAll:
	}
	return all
}

// nextLast is the next place from one on of a view that knows none after it, up to to; more than that if there is none.
func (s *sharing) nextLast(from, to int) int {
	i := s.laterTree.next(from, int64(to))
	for i <= to && s.misled(i, to) {
		i = s.laterTree.next(i+1, int64(to))
	}
	return i
}

// look sees the views as a cut has them.
func (j *Joiner) look(b *Bucket, c *cut) {
	s := j.sharing
	n := len(s.views)
	s.closed, s.mistaken = slices.Grow(s.closed[:0], n)[:n], s.mistaken[:0]
	for i := n - 1; i >= 0; i-- {
		s.closed[i] = unknown
		if v := s.views[i]; c.knows(v) {
			closed := c.closedThrough(v)
			switch until := j.original(b, v, c); {
			case until == unknown:
				s.closed[i] = closed
			case closed < until:
				s.mistaken = append(s.mistaken, mistaken{i, closed, until})
			}
		}
	}
	s.seeLater()
}

// seeLater finds what follows from when the views were read.
func (s *sharing) seeLater() {
	n := len(s.views)
	s.open, s.known, s.later = slices.Grow(s.open[:0], n)[:n], slices.Grow(s.known[:0], n)[:n], slices.Grow(s.later[:0], n)[:n]
	next := n
	for i := n - 1; i >= 0; i-- {
		if s.closed[i] != unknown {
			next = i
		}
		s.known[i], s.open[i] = int64(next), -s.closed[i]
	}
	s.closedTree.build(s.closed, math.MinInt64)
	s.openTree.build(s.open, math.MinInt64)
	for i := range s.later {
		s.later[i] = math.MinInt64 // it is not known, and has nothing
		if s.closed[i] != unknown {
			s.later[i] = int64(s.openTree.next(i+1, -s.views[i].Time))
		}
	}
	s.laterTree.build(s.later, math.MinInt64)
}

// original is the time through which views took v for no duplicate, as a cut has it: they had closed when what v is a duplicate of was
// read. All do if it is none.
func (j *Joiner) original(b *Bucket, v *View, c *cut) (until int64) {
	until = unknown
	for at := v.twin; at >= 0 && until > c.closedThrough(v); { // then nobody took it for a view
		w := &b.Views[j.order[at].index]
		if v.Time-w.Time > j.p.DedupWindow {
			break
		}
		if c.knows(w) {
			until = min(until, c.closedThrough(w))
		}
		at = w.twin
	}
	return until
}

// misled tells whether a view knew a duplicate between it and a place that it could not tell from a view.
func (s *sharing) misled(view, to int) bool {
	return slices.ContainsFunc(s.mistaken, func(m mistaken) bool { return m.misleads(s.views[view].Time, view, to) })
}

func (m *mistaken) misleads(time int64, after, to int) bool {
	return after < m.place && m.place <= to && m.closed < time && time <= m.until
}

// place is the first place of a view at that time or later.
func (s *sharing) place(time int64) int {
	at, _ := slices.BinarySearchFunc(s.views, time, func(v *View, time int64) int { return cmp.Compare(v.Time, time) })
	return at
}

// knows tells whether a view was in time for the stage of the cut.
func (c *cut) knows(v *View) bool { return c.at == 0 || v.InTimeFrom <= c.stage }

// closedThrough is the time through which views of the cut had closed when v was read. It can be negated.
func (c *cut) closedThrough(v *View) int64 { return max(v.ClosedThrough+c.ahead, -math.MaxInt64) }

// credits tells among how many views v shares an engagement as a cut has it; 0 if it does not count for v.
func (s *sharing) credits(v *View, engagement int32, c *cut) int32 {
	sh := &s.of[c.at][engagement]
	if v.place < sh.from || v.place > sh.to || c.closedThrough(v) >= sh.since {
		return 0
	}
	return sh.of
}
