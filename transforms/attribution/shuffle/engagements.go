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
	if k.p.CountLate {
		by.watermark, by.log = record.NoTime, record.NoTime
	}
	e := k.engagements(r, c)
	s := k.p.SpanOf(g.Kind, g.Time, g.ViewTime)
	closedThrough := k.final.closedThrough(by)
	_, afterIdle := by.passed(s.CountsTo + k.final.longest)
	if closedThrough < s.CountsTo {
		_, afterIdle = by.passed(s.CountsFrom + k.final.longest)
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
			if k.watch != nil {
				k.seenEngagement(r, c, g, &s, by, account.Outside)
			}
		}
		return
	case closedThrough >= s.CountsTo:
		if own {
			e.N[account.Late]++
			c.input(r).N[account.Late]++
			e.AddReason(lateEngagement, 1)
			if k.watch != nil {
				k.seenEngagement(r, c, g, &s, by, account.Late)
			}
			k.reject(c.late(record.ReasonLate, lateEngagement, g.Time, by, afterIdle, rec))
		}
		return
	case closedThrough >= s.CountsFrom && own:
		e.N[account.PartlyLate]++
		k.reject(c.late(record.ReasonPartlyLate, "some views it may refer to had closed; it was joined with the others", g.Time, by, afterIdle, rec))
	}
	if k.watch != nil && !k.seenEngagement(r, c, g, &s, by, account.Read) {
		return
	}
	g.Hash = rules.HashID(g.ViewID)
	k.final.addEngagement(g, &s, closedThrough)
	for _, to := range k.routes[:len(k.routes)-1] {
		s, closedThrough := to.p.SpanOf(g.Kind, g.Time, g.ViewTime), to.closedThrough(by)
		if s.CountsFrom <= s.CountsTo && closedThrough < s.CountsTo {
			to.addEngagement(g, &s, closedThrough)
		}
	}
}

const lateEngagement = "every view it may refer to had closed"

// addEngagement puts an engagement into every bucket that may hold its view, or a duplicate of it that counts.
func (t *route) addEngagement(g *bucket.Engagement, s *rules.Span, closedThrough int64) {
	from, to := s.FoundFrom, s.DuplicatesTo
	if window := t.windowAfter[g.Kind]; window > 0 { // the views of what counts after it, or does not
		from, to = min(from, max(g.Time-window, t.begins)), max(to, min(g.Time+window+2*t.p.ClockSkew, record.MaxTime))
	}
	if g.ClosedThrough = record.NoTime; closedThrough != math.MinInt64 && closedThrough+t.ahead >= min(from, s.CountsFrom) {
		g.ClosedThrough = closedThrough
	}
	first, last := t.firstBucket, t.lastBucket
	if g.Time >= t.p.To {
		// Its outcome is counted elsewhere and it makes no earlier one a duplicate: it matters
		// for the labels of this interval's views only.
		first, last = t.ownFirst, t.ownLast
	}
	first = max(first, t.p.BucketOf(max(from, closedThrough+1)))
	last = min(last, t.p.BucketOf(to))
	for b := first; b <= last; b++ {
		t.put(g.Hash, b, func(w *blockWriter) { w.engagement(g) })
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
	} else if r.WithoutValue() {
		e.N[account.WithoutValue]++
	}
}
