package bucket

import (
	"slices"

	"tributary/io/record"
)

// reportOutcomes says of every engagement what this bucket saw of it, if the stage is the last, and puts those of heavy ids in
// order.
func (j *Joiner) reportOutcomes(b *Bucket, out Output) {
	for i := range j.ids.entries {
		e := &j.ids.entries[i]
		if e.engagements < 0 {
			continue
		}
		j.gather(b, e)
		if j.sharing != nil {
			j.shareOut(b, e)
		}
		if !j.p.Final() {
			j.orderHeavy(b, int32(i))
			continue
		}
		j.seen = slices.Grow(j.seen[:0], len(j.group))[:len(j.group)]
		clear(j.seen)
		j.matches = slices.Grow(j.matches[:0], len(j.group))[:len(j.group)]
		clear(j.matches)
		j.each(b, record.MaxTime, &j.now, func(at int, _ *Engagement, duplicate bool) {
			if duplicate {
				j.seen[at] = OutcomeDuplicate
			}
		})
		if j.orderHeavy(b, int32(i)) {
			j.seeAny(b)
		} else {
			j.seeAll(b, e)
		}
		for at, index := range j.group {
			j.report(b, &b.Engagements[index], j.seen[at], j.matches[at], out)
		}
	}
}

// seeAll judges the gathered group by all views with the id.
func (j *Joiner) seeAll(b *Bucket, e *entry) {
	for t := e.firstView; t >= 0; t = j.order[t].next {
		// A dedup marker of an earlier bucket is judged there.
		v := &b.Views[j.order[t].index]
		if j.order[t].duplicate || !j.p.InBucket(b.Index, v.Time) {
			continue
		}
		j.each(b, v.Time, &j.now, func(at int, g *Engagement, duplicate bool) {
			if duplicate {
				return
			}
			seen := j.classify(v, g)
			if seen == OutcomeMatched && j.sharing != nil && j.sharing.credits(v, j.group[at], &j.now) == 0 {
				seen = OutcomeOutside
			}
			j.seen[at] = max(j.seen[at], seen)
			if seen == OutcomeMatched {
				j.matches[at]++
			}
		})
	}
}

// see judges one engagement by one view with the id it names that had not closed.
func (j *Joiner) classify(v *View, g *Engagement) Outcome {
	s := j.p.SpanOf(g.Kind, g.Time, g.ViewTime)
	switch {
	case v.Time < s.FoundFrom || v.Time > s.FoundTo:
		return OutcomeNone
	case v.Time-j.p.ClockSkew <= g.Time && g.Time < v.Time+j.p.Kinds[g.Kind].Window:
		return OutcomeMatched
	default:
		return OutcomeOutside
	}
}

func (j *Joiner) report(b *Bucket, g *Engagement, seen Outcome, matches int64, out Output) {
	s := j.p.SpanOf(g.Kind, g.Time, g.ViewTime)
	owner := j.p.InBucket(b.Index, s.FoundTo)
	if !owner && (seen == OutcomeNone || seen == OutcomeDuplicate) {
		return // the owner knows as much: duplicates meet there
	}
	alone := j.p.InBucket(b.Index, max(s.FoundFrom, g.ClosedThrough+1))
	out.PartialOutcome(g, PartialOutcome{Owner: owner, Final: owner && (alone || seen == OutcomeMatched), Outcome: seen, Matches: matches})
}
