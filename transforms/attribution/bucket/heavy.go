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

// orderHeavy puts the gathered group of an entry in order and judges it by all views, if it is
// heavy. j.seen knows the duplicates already.
func (j *Joiner) orderHeavy(b *Bucket, at int32) (heavily bool) {
	j.times = j.times[:0] // of the views that are judged here
	for t := j.ids.entries[at].firstView; t >= 0; t = j.order[t].next {
		if v := &b.Views[j.order[t].index]; !j.order[t].duplicate && j.p.BucketOf(v.Time) == b.Index {
			j.times = append(j.times, v.Time)
		}
	}
	if len(j.times)*len(j.group) < j.HeavyFrom {
		return false
	}
	j.findUpTo(b)
	counts := make([]counted, 0, len(j.group))
	for at, i := range j.group {
		g := &b.Engagements[i]
		seen, matches, c := j.seeAny(g, j.upTo[i])
		j.seen[at], j.matches[at] = max(j.seen[at], seen), matches
		if matches > 0 {
			c.index = i
			counts = append(counts, c)
		}
	}
	j.heavies[at] = j.newSweep(b, counts)
	return true
}

// findUpTo sets j.upTo for the gathered group: the time of the last view for which the engagement
// is no duplicate.
func (j *Joiner) findUpTo(b *Bucket) {
	j.upTo = slices.Grow(j.upTo[:0], len(b.Engagements))[:len(b.Engagements)]
	before := j.before[:0] // by time, and by closedThrough: the first has the smallest
	for at, i := range j.group {
		g := &b.Engagements[i]
		if at > 0 && compareEvents(&b.Engagements[j.group[at-1]], g) != 0 {
			before = before[:0]
		}
		for len(before) > 0 && g.Time-before[0].time > j.p.DedupWindow {
			before = before[1:]
		}
		j.upTo[i] = math.MaxInt64
		if len(before) > 0 {
			j.upTo[i] = before[0].closedThrough
		}
		for len(before) > 0 && before[len(before)-1].closedThrough >= g.ClosedThrough {
			before = before[:len(before)-1]
		}
		before = append(before, earlier{g.Time, g.ClosedThrough})
	}
	j.before = before[:0]
}

// seeAny judges an engagement by all views in j.times, as seeAll does, and counts those that count
// it: they are those of the times in c.
func (j *Joiner) seeAny(g *Engagement, upTo int64) (seen Outcome, matches int64, c counted) {
	j.steps++
	s := j.p.SpanOf(g.Kind, g.Time, g.ViewTime)
	from, to := max(s.FoundFrom, g.ClosedThrough+1), min(s.FoundTo, upTo)
	views := func(from, to int64) int64 {
		i, _ := slices.BinarySearch(j.times, from)
		k, _ := slices.BinarySearch(j.times, to+1)
		return int64(max(0, k-i))
	}
	c.from, c.to = max(from, g.Time-j.p.Kinds[g.Kind].Window+1), min(to, g.Time+j.p.ClockSkew)
	matches = views(c.from, c.to)
	switch {
	case matches > 0:
		return OutcomeMatched, matches, c
	case views(from, to) > 0:
		return OutcomeOutside, 0, c
	default:
		return OutcomeNone, 0, c
	}
}
