package attribution

import (
	"slices"

	"tributary/io/record"
)

// Part is a shard's part of a bucket.
type Part struct {
	Bucket int64 // its start in ms
	Shard  int64
}

// Layout is the number of shards of buckets that start before Until.
type Layout struct {
	Until  int64
	Shards int
}

// shardOf returns the shard of a view's hash in bucket b.
func (p *Params) shardOf(hash uint64, b int64) int64 { return int64(hash % uint64(p.shardsOf(b))) }

// shardsOf returns the number of shards of bucket b.
func (p *Params) shardsOf(b int64) int {
	for _, l := range p.Earlier {
		if b*p.Bucket < l.Until {
			return l.Shards
		}
	}
	return p.Shards
}

// joined tells whether an earlier run has joined that shard's part of bucket b.
func (p *Params) joined(b, shard int64) bool {
	return b*p.Bucket < p.Since || slices.Contains(p.Kept, Part{b * p.Bucket, shard})
}

// open tells whether bucket b is left to a later run.
func (p *Params) open(b int64) bool { return p.Until != 0 && b*p.Bucket >= p.Until }

// ClosedBy returns the start of the first bucket, with the ends of all windows of its views, that a
// log whose watermark is that has not come past: the Until of a join that ends there.
func (p *Params) ClosedBy(watermark int64) int64 {
	const none = -1 // before all events, whose times are not negative
	if watermark == record.NoTime || watermark-p.longestWindow() < p.Bucket {
		return none
	}
	return p.bucketOf(watermark-p.longestWindow()) * p.Bucket
}

// bucketOf returns the index of the bucket that holds event time t.
func (p *Params) bucketOf(t int64) int64 { return floorDiv(t, p.Bucket) }

// eventTime is the event time of whatever belongs to bucket b, and with it its window:
// the last millisecond at which an engagement may count for a view of the bucket.
func (p *Params) eventTime(b int64) int64 { return (b+1)*p.Bucket + p.longestWindow() - 1 }

// bucketIn is the bucket whose eventTime lies in the same window of a bucket's length as t.
func (p *Params) bucketIn(t int64) int64 {
	return floorDiv(t, p.Bucket) - 1 - floorDiv(p.longestWindow()-1, p.Bucket)
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
