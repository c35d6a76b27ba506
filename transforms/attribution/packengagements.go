package attribution

import (
	"math"

	"tributary/io/record"
	"tributary/transforms/account"
)

func (k *packer) addEngagement(r *reader, c *cursor, rec []byte, g *Engagement, by lateness) {
	own := k.own(g.Time)
	if !own && (g.Time < k.p.From-k.reach.EngagementsBefore || g.Time >= k.p.To+k.reach.EngagementsAfter) {
		return
	}
	e := k.engagements(r, c)
	s := k.p.spanOf(g.Kind, g.Time, g.ViewTime)
	floor := int64(math.MinInt64)
	if by.watermark != record.NoTime {
		floor = by.watermark - k.longest
	}
	_, afterIdle := by.passed(s.countsTo + k.longest)
	if floor < s.countsTo {
		_, afterIdle = by.passed(s.countsFrom + k.longest)
	}
	if own && afterIdle && s.countsFrom <= s.countsTo {
		e.N[account.LateAfterIdle]++
	}
	if own {
		e.N[account.Read]++
		c.input(r).N[account.Read]++
	}
	switch {
	case s.countsFrom > s.countsTo:
		// By the view's time that it carries it cannot count, whether the view is there or not.
		if own {
			e.N[account.Outside]++
		}
		return
	case floor >= s.countsTo:
		if own {
			e.N[account.Late]++
			c.input(r).N[account.Late]++
			const why = "every view it may refer to had closed"
			e.AddReason(why, 1)
			k.reject(c.late(record.ReasonLate, why, g.Time, by, afterIdle, rec))
		}
		return
	case floor >= s.countsFrom && own:
		e.N[account.PartlyLate]++
		k.reject(c.late(record.ReasonPartlyLate, "some views it may refer to had closed; it was joined with the others", g.Time, by, afterIdle, rec))
	}
	if floor >= min(s.foundFrom, s.countsFrom) {
		g.Floor = floor
	}
	g.Hash = hashID(g.ViewID)
	first, last := k.firstBucket, k.lastBucket
	if g.Time >= k.p.To {
		// Its outcome is told elsewhere and it makes no earlier one a duplicate: it matters
		// for the labels of this slice's views only.
		first, last = k.ownFirst, k.ownLast
	}
	first = max(first, k.p.bucketOf(max(s.foundFrom, floor+1)))
	last = min(last, k.p.bucketOf(s.shadowTo))
	for b := first; b <= last; b++ {
		k.put(g.Hash, b, func(w *blockWriter) { w.engagement(g) })
	}
}

// countMissing counts the optional fields that an engagement does not have.
func (k *packer) countMissing(r *reader, c *cursor, g *Engagement, bad bool) {
	e := k.engagements(r, c)
	if r.in.EventID != "" && g.EventID == nil {
		e.N[account.WithoutID]++
	}
	if bad {
		e.N[account.BadValues]++
	} else if r.in.Value != "" && g.Value.Kind == record.Null {
		e.N[account.WithoutValue]++
	}
}
