package shuffle

import (
	"math"

	"tributary/io/record"
	"tributary/transforms/account"
	"tributary/transforms/attribution/bucket"
	"tributary/transforms/attribution/decode"
	"tributary/transforms/attribution/rules"
)

func (k *Packer) addEngagement(r *decode.Reader, c *cursor, rec []byte, g *bucket.Engagement, by lateness) {
	own := k.own(g.Time)
	if !own && (g.Time < k.p.From-k.bounds.EngagementsBefore || g.Time >= k.p.To+k.bounds.EngagementsAfter) {
		return
	}
	e := k.engagements(r, c)
	s := k.p.SpanOf(g.Kind, g.Time, g.ViewTime)
	closedThrough := int64(math.MinInt64)
	if by.watermark != record.NoTime {
		closedThrough = by.watermark - k.longest
	}
	_, afterIdle := by.passed(s.CountsTo + k.longest)
	if closedThrough < s.CountsTo {
		_, afterIdle = by.passed(s.CountsFrom + k.longest)
	}
	if own && afterIdle && s.CountsFrom <= s.CountsTo {
		e.N[account.LateAfterIdle]++
	}
	if own {
		e.N[account.Read]++
		c.input(r).N[account.Read]++
	}
	switch {
	case s.CountsFrom > s.CountsTo:
		// By the view's time that it carries it cannot count, whether the view is there or not.
		if own {
			e.N[account.Outside]++
		}
		return
	case closedThrough >= s.CountsTo:
		if own {
			e.N[account.Late]++
			c.input(r).N[account.Late]++
			const why = "every view it may refer to had closed"
			e.AddReason(why, 1)
			k.reject(c.late(record.ReasonLate, why, g.Time, by, afterIdle, rec))
		}
		return
	case closedThrough >= s.CountsFrom && own:
		e.N[account.PartlyLate]++
		k.reject(c.late(record.ReasonPartlyLate, "some views it may refer to had closed; it was joined with the others", g.Time, by, afterIdle, rec))
	}
	if closedThrough >= min(s.FoundFrom, s.CountsFrom) {
		g.ClosedThrough = closedThrough
	}
	g.Hash = rules.HashID(g.ViewID)
	first, last := k.firstBucket, k.lastBucket
	if g.Time >= k.p.To {
		// Its outcome is counted elsewhere and it makes no earlier one a duplicate: it matters
		// for the labels of this interval's views only.
		first, last = k.ownFirst, k.ownLast
	}
	first = max(first, k.p.BucketOf(max(s.FoundFrom, closedThrough+1)))
	last = min(last, k.p.BucketOf(s.DuplicatesTo))
	for b := first; b <= last; b++ {
		k.put(g.Hash, b, func(w *blockWriter) { w.engagement(g) })
	}
}

// countMissing counts the optional fields that an engagement does not have.
func (k *Packer) countMissing(r *decode.Reader, c *cursor, g *bucket.Engagement, bad bool) {
	e := k.engagements(r, c)
	if r.Input.EventID != "" && g.EventID == nil {
		e.N[account.WithoutID]++
	}
	if bad {
		e.N[account.BadValues]++
	} else if r.Input.Value != "" && g.Value.Kind == record.Null {
		e.N[account.WithoutValue]++
	}
}
