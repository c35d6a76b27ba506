package shuffle

import (
	"bytes"
	"math"

	"github.com/zeebo/xxh3"

	"tributary/io/record"
	"tributary/transforms/account"
	"tributary/transforms/attribution/bucket"
	"tributary/transforms/attribution/decode"
	"tributary/transforms/attribution/rules"
)

func (k *Packer) addView(r *decode.Reader, c *cursor, rec, id, key []byte, t int64, by lateness) {
	own := k.own(t)
	if !own && (t < k.p.From-k.bounds.ViewsBefore || t >= k.p.To+k.bounds.ViewsAfter) {
		return
	}
	if late, afterIdle := by.passed(t + k.final.longest); late {
		if own {
			c.sheet.Views.N[account.Read]++
			c.sheet.Views.N[account.Late]++
			c.input(r).N[account.Read]++
			c.input(r).N[account.Late]++
			c.sheet.Views.AddReason(lateView, 1)
			if afterIdle {
				c.sheet.Views.N[account.LateAfterIdle]++
			}
			if k.watch != nil {
				k.seenView(r, c, &bucket.View{ID: id, Key: key, Time: t}, by, account.Late)
			}
			k.reject(c.late(record.ReasonLate, lateView, t, by, afterIdle, rec))
		}
		return
	}
	v := bucket.View{ID: id, Key: key, Time: t, Partition: c.batch.Partition, Element: c.element, Offset: c.offset, Payload: rec, InTimeFrom: k.inTimeFrom(t, by)}
	v.Hash, v.ClosedThrough = rules.HashID(v.Name()), record.NoTime
	var at inside
	if own {
		var err error
		if v.Payload, err = r.Payload(rec); err != nil {
			k.malformed(r, c, t, 1, rec, err)
			return
		}
		c.sheet.Views.N[account.Read]++
		c.input(r).N[account.Read]++
		if len(k.p.Stages) > 0 {
			k.countStages(c, v.InTimeFrom)
		}
		at = insideOf(&v)
	} else if k.p.Shape != nil { // what it is held against is shaped, too
		if payload, err := r.Payload(rec); err == nil {
			v.Payload = payload
		}
	}
	if k.watch != nil && !k.seenView(r, c, &v, by, account.Read) {
		return
	}
	for _, to := range k.routes[v.InTimeFrom:] {
		if to.shares {
			to.shareView(&v, at, own, to.closedThrough(by))
			continue
		}
		if own {
			to.put(v.Hash, to.bucketOf(t), func(w *blockWriter) { w.view(&v, at) })
		}
		to.addDedupMarkers(&v, own)
	}
}

const lateView = "the view had closed: its time plus the longest window is not after the watermark"

// inTimeFrom is the first stage that a view is not late for, which is so for all after it.
func (k *Packer) inTimeFrom(t int64, by lateness) (stage int) {
	for _, to := range k.routes[:len(k.routes)-1] {
		if t > to.closedThrough(by) && t >= to.begins {
			break
		}
		stage++
	}
	return stage
}

// addDedupMarkers tells the buckets after the view's own of it, as far as its duplicates may
// lie there, and its own bucket if the view is not of this interval.
func (t *route) addDedupMarkers(v *bucket.View, own bool) {
	first := t.bucketOf(v.Time)
	last := first
	if until := min(v.Time+t.p.DedupWindow, record.MaxTime); until >= t.bucket.to {
		last = t.p.BucketOf(until)
	}
	last = min(last, t.lastBucket)
	if own {
		first++
	}
	first = max(first, t.firstBucket)
	if first > last {
		return
	}
	// A bucket of the last stage tells all ids apart, and any stage those of its own bucket. Where views have keys all do.
	exact := last
	if !t.p.Final() && v.Key == nil {
		exact = min(last, t.bucket.index)
		t.addMarkers(v, own, max(first, exact+1), last)
	}
	if first > exact {
		return
	}
	marker := *v
	marker.DedupMarker, marker.PayloadHash = true, xxh3.Hash(v.Payload)
	for b := first; b <= exact; b++ {
		t.put(marker.Hash, b, func(w *blockWriter) { w.view(&marker, inside{}) })
	}
}

// shareView puts a view into its bucket, and tells all buckets of it whose views may share engagements with it, or be
// duplicates of it or of one of those. closedThrough is the time through which the views of the stage had closed when it was read.
// Where all engagements count for the first view, those before it need not know it.
func (t *route) shareView(v *bucket.View, at inside, own bool, closedThrough int64) {
	reach := t.longest + t.p.ClockSkew
	one := *v
	if closedThrough != math.MinInt64 && closedThrough+t.ahead >= v.Time-reach {
		one.ClosedThrough = closedThrough
	}
	marker := one
	marker.DedupMarker, marker.PayloadHash = true, xxh3.Hash(v.Payload)
	its := t.bucketOf(v.Time)
	earliest := v.Time - reach
	if t.sharesFirst {
		earliest = v.Time
	}
	first := max(t.firstBucket, t.p.BucketOf(max(earliest, closedThrough+1, t.begins)))
	duplicates := t.p.BucketOf(min(v.Time+t.p.DedupWindow, record.MaxTime))
	last := min(t.lastBucket, t.p.BucketOf(min(v.Time+reach+t.p.DedupWindow, record.MaxTime)))
	for b := first; b <= last; b++ {
		if own && b == its {
			t.put(one.Hash, b, func(w *blockWriter) { w.view(&one, at) })
			continue
		}
		marker.Known = b < its || b > duplicates
		t.put(marker.Hash, b, func(w *blockWriter) { w.view(&marker, inside{}) })
	}
}

// inside says where the payload of a view holds its id and its key as they are, plus one; 0 for nowhere. They then need not be
// carried twice.
type inside struct{ id, key int }

func insideOf(v *bucket.View) (at inside) {
	at.id = bytes.Index(v.Payload, v.ID) + 1
	if v.Key != nil {
		at.key = bytes.Index(v.Payload, v.Key) + 1
	}
	return at
}
