package rules

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

// ShardOf returns the shard of a view's hash in bucket b.
func (p *Params) ShardOf(hash uint64, b int64) int64 { return int64(hash % uint64(p.ShardsOf(b))) }

// ShardsOf returns the number of shards of bucket b.
func (p *Params) ShardsOf(b int64) int {
	for _, l := range p.Earlier {
		if b*p.Bucket < l.Until {
			return l.Shards
		}
	}
	return p.Shards
}

// Joined tells whether an earlier run has joined that shard's part of bucket b.
func (p *Params) Joined(b, shard int64) bool {
	return b*p.Bucket < p.Since || slices.Contains(p.Kept, Part{b * p.Bucket, shard})
}

// Open tells whether bucket b is left to a later run.
func (p *Params) Open(b int64) bool { return p.Until != 0 && b*p.Bucket >= p.Until }

// ClosedBy returns the start of the first bucket, with the ends of all windows of its views, that a
// log whose watermark is that has not come past: the Until of a join that ends there.
func (p *Params) ClosedBy(watermark int64) int64 {
	const none = -1 // before all events, whose times are not negative
	if watermark == record.NoTime || watermark-p.delay() < p.Bucket {
		return none
	}
	return p.BucketOf(watermark-p.delay()) * p.Bucket
}

// BucketOf returns the index of the bucket that holds event time t.
func (p *Params) BucketOf(t int64) int64 { return floorDiv(t, p.Bucket) }

// BucketStart is the start of the bucket of that length that holds event time t.
func BucketStart(t, length int64) int64 { return floorDiv(t, length) * length }

// InBucket tells whether bucket b holds event time t, without a division.
func (p *Params) InBucket(b, t int64) bool { return t >= b*p.Bucket && t-b*p.Bucket < p.Bucket }

// EventTime is the event time of whatever belongs to bucket b, and with it its window:
// the last millisecond at which an engagement may count for a view of the bucket, less the Shift of a stage.
func (p *Params) EventTime(b int64) int64 { return (b+1)*p.Bucket + p.delay() - 1 }

// delay is how far the watermark of a runner is beyond a view when that closes.
func (p *Params) delay() int64 {
	return p.LongestWindow() - p.Shift
}

// Begins is the time of the first view that a stage takes, which is late for it before: an event time before the epoch is none
// that windows are made for.
func (p *Params) Begins() int64 {
	if p.Shift == 0 { // no window is negative; engagements ask for every copy of them
		return record.MinTime
	}
	return max(record.MinTime, -p.delay())
}

// BucketIn is the bucket whose EventTime lies in the same window of a bucket's length as t.
func (p *Params) BucketIn(t int64) int64 {
	return floorDiv(t, p.Bucket) - 1 - floorDiv(p.delay()-1, p.Bucket)
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
