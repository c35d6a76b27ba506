package bucket

import (
	"math"
	"slices"
)

// An id that a producer gives to everything ("unknown", "0") would cost a look at each of its
// engagements for each of its views, each time sorted anew. Those of many views and engagements
// are put in order once, and each view then finds what counts for it as a sweep has it.
//
// Who is a duplicate differs by view: an engagement that had not been read when the view closed
// makes none of another. But it does so in a simple way. Engagement g is open for the views after
// g.ClosedThrough, and a duplicate for those for which an event like it, at most DedupWindow before
// it, was open: those after the smallest ClosedThrough of these. So it counts for the views in between.

// heavyFrom is how many pairs of a view and an engagement of one id make it heavy: below, what
// is made for it costs more than it saves.
const heavyFrom = 1024

// earlier is an event like the one at hand, and before it.
type earlier struct{ time, closedThrough int64 }

// orderHeavy puts the gathered group of an entry in order, for every cut, if it is heavy.
func (j *Joiner) orderHeavy(b *Bucket, at int32) (heavily bool) {
	j.times = j.times[:0] // of the views that are judged here
	for t := j.ids.entries[at].firstView; t >= 0; t = j.order[t].next {
		v := &b.Views[j.order[t].index]
		switch {
		case j.order[t].duplicate || j.p.BucketOf(v.Time) != b.Index:
		case j.sharing != nil:
			j.times = append(j.times, int64(v.place))
		default:
			j.times = append(j.times, v.Time)
		}
	}
	if j.sharing != nil {
		slices.Sort(j.times)
	}
	if len(j.times)*len(j.group) < j.HeavyFrom {
		return false
	}
	sweeps := make([]*sweep, 1+len(j.before))
	for i := j.firstCut(); i < len(j.before); i++ {
		sweeps[1+i] = j.newSweep(b, j.counts(b, &j.before[i]))
	}
	sweeps[0] = j.newSweep(b, j.counts(b, &j.now)) // the last, for seeAny
	j.heavies[at] = sweeps
	return true
}

// findUpTo sets j.upTo for the gathered group, as a cut has it: the time of the last view for which the engagement
// is no duplicate.
func (j *Joiner) findUpTo(b *Bucket, c *cut) {
	j.upTo = slices.Grow(j.upTo[:0], len(b.Engagements))[:len(b.Engagements)]
	like := j.like[:0] // by time, and by closedThrough: the first has the smallest
	for at, i := range j.group {
		g := &b.Engagements[i]
		if at > 0 && compareEvents(&b.Engagements[j.group[at-1]], g) != 0 {
			like = like[:0]
		}
		for len(like) > 0 && g.Time-like[0].time > j.p.DedupWindow {
			like = like[1:]
		}
		if j.lateFor(g, c) {
			j.upTo[i] = math.MinInt64
			continue
		}
		j.upTo[i] = math.MaxInt64
		if len(like) > 0 {
			j.upTo[i] = like[0].closedThrough + c.ahead
		}
		for len(like) > 0 && like[len(like)-1].closedThrough >= g.ClosedThrough {
			like = like[:len(like)-1]
		}
		like = append(like, earlier{g.Time, g.ClosedThrough})
	}
	j.like = like[:0]
}

// counts are those of the gathered group that count for a view in j.times, as a cut has it.
func (j *Joiner) counts(b *Bucket, c *cut) []counted {
	j.findUpTo(b, c)
	counts := make([]counted, 0, len(j.group))
	for _, i := range j.group {
		g := &b.Engagements[i]
		from, to := j.inReach(g, i, c)
		one := j.countedOf(g, i, from, to, c)
		if j.views(one.from, one.to) > 0 {
			counts = append(counts, one)
		}
	}
	return counts
}

// inReach bounds the views, inclusive, that the engagement of that index is found by, was open for and is no duplicate for.
func (j *Joiner) inReach(g *Engagement, index int32, c *cut) (from, to int64) {
	j.steps++
	s := j.p.SpanOf(g.Kind, g.Time, g.ViewTime)
	return max(s.FoundFrom, g.ClosedThrough+c.ahead+1), min(s.FoundTo, j.upTo[index])
}

// countedOf is what the engagement of that index counts for among the views at times from from to to, which are in its reach.
func (j *Joiner) countedOf(g *Engagement, index int32, from, to int64, c *cut) counted {
	window := min(c.window, j.p.Kinds[g.Kind].Window)
	one := counted{index: index, of: 1, from: max(from, g.Time-window+1), to: min(to, g.Time+j.p.ClockSkew), since: unknown}
	if j.sharing != nil {
		return j.sharing.places(&one, c)
	}
	return one
}

// places are those of the views that an engagement which counts for views at these times counts for.
func (s *sharing) places(at *counted, c *cut) counted {
	sh := &s.of[c.at][at.index]
	return counted{
		index: at.index, of: sh.of, since: sh.since,
		from: max(int64(sh.from), int64(s.place(at.from))), to: min(int64(sh.to), int64(s.place(at.to+1))-1),
	}
}

// views counts those of j.times in [from, to].
func (j *Joiner) views(from, to int64) int64 {
	i, _ := slices.BinarySearch(j.times, from)
	k, _ := slices.BinarySearch(j.times, to+1)
	return int64(max(0, k-i))
}

// seeAny judges the gathered group, which is heavy, by all views in j.times, as seeAll does.
func (j *Joiner) seeAny(b *Bucket) {
	for at, i := range j.group {
		g := &b.Engagements[i]
		from, to := j.inReach(g, i, &j.now)
		one := j.countedOf(g, i, from, to, &j.now)
		if s := j.sharing; s != nil {
			from, to = int64(s.place(from)), int64(s.place(to+1))-1
		}
		if j.matches[at] = j.views(one.from, one.to); one.of > 1 {
			j.matches[at] -= j.sharing.leftOut(j, b, &one)
		}
		switch {
		case j.matches[at] > 0:
			j.seen[at] = OutcomeMatched
		case j.views(from, to) > 0:
			j.seen[at] = max(j.seen[at], OutcomeOutside)
		}
	}
}

// leftOut counts the views of the bucket that are between those which share an engagement and were read too late to. The cut at
// hand was looked at last.
func (s *sharing) leftOut(j *Joiner, b *Bucket, one *counted) (n int64) {
	for i := s.closedTree.next(int(one.from), one.since-1); int64(i) <= one.to; i = s.closedTree.next(i+1, one.since-1) {
		if s.closed[i] != unknown && j.p.BucketOf(s.views[i].Time) == b.Index {
			n++
		}
	}
	return n
}
