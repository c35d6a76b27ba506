package shuffle

import (
	"bytes"

	"github.com/zeebo/xxh3"

	"tributary/io/record"
	"tributary/transforms/account"
	"tributary/transforms/attribution/bucket"
	"tributary/transforms/attribution/decode"
	"tributary/transforms/attribution/rules"
)

func (k *Packer) addView(r *decode.Reader, c *cursor, rec, id []byte, t int64, by lateness) {
	own := k.own(t)
	if !own && (t < k.p.From-k.bounds.ViewsBefore || t >= k.p.To+k.bounds.ViewsAfter) {
		return
	}
	if late, afterIdle := by.passed(t + k.longest); late {
		if own {
			c.sheet.Views.N[account.Read]++
			c.sheet.Views.N[account.Late]++
			c.input(r).N[account.Read]++
			c.input(r).N[account.Late]++
			const why = "the view had closed: its time plus the longest window is not after the watermark"
			c.sheet.Views.AddReason(why, 1)
			if afterIdle {
				c.sheet.Views.N[account.LateAfterIdle]++
			}
			k.reject(c.late(record.ReasonLate, why, t, by, afterIdle, rec))
		}
		return
	}
	v := bucket.View{ID: id, Hash: rules.HashID(id), Time: t, Partition: c.batch.Partition, Offset: c.offset, Payload: rec}
	if own {
		var err error
		if v.Payload, err = r.Payload(rec); err != nil {
			k.malformed(r, c, t, 1, rec, err)
			return
		}
		c.sheet.Views.N[account.Read]++
		c.input(r).N[account.Read]++
		k.put(v.Hash, k.bucketOf(t), func(w *blockWriter) { w.view(&v, inside(&v)) })
	}
	k.addDedupMarkers(&v, own)
}

// addDedupMarkers tells the buckets after the view's own of it, as far as its duplicates may
// lie there, and its own bucket if the view is not of this interval.
func (k *Packer) addDedupMarkers(v *bucket.View, own bool) {
	first := k.bucketOf(v.Time)
	last := first
	if until := min(v.Time+k.p.DedupWindow, record.MaxTime); until >= k.bucket.to {
		last = k.p.BucketOf(until)
	}
	last = min(last, k.lastBucket)
	if own {
		first++
	}
	first = max(first, k.firstBucket)
	if first > last {
		return
	}
	marker := *v
	marker.DedupMarker, marker.PayloadHash = true, xxh3.Hash(v.Payload)
	for b := first; b <= last; b++ {
		k.put(marker.Hash, b, func(w *blockWriter) { w.view(&marker, -1) })
	}
}

// inside returns where the payload holds the id as it is, or -1. The id then need not
// be carried twice.
func inside(v *bucket.View) int {
	if at := bytes.Index(v.Payload, v.ID); at >= 0 {
		return at
	}
	return -1
}

// bucketSpan is a bucket and its times: [from, to).
type bucketSpan struct{ index, from, to int64 }

// bucketOf is Params.BucketOf, and leaves the bucket at hand: that of the view before, mostly, which spares a
// division.
func (k *Packer) bucketOf(t int64) int64 {
	if t < k.bucket.from || t >= k.bucket.to {
		index := k.p.BucketOf(t)
		k.bucket = bucketSpan{index, index * k.p.Bucket, (index + 1) * k.p.Bucket}
	}
	return k.bucket.index
}
