// Package bucket joins the views of one (shard, bucket) with their engagements, in memory. It knows
// nothing of where they come from.
//
//	bucket.go       what a bucket holds; output.go: what joining it gives
//	joiner.go       joins one, in these steps:
//	  views.go        its views in order, and their duplicates (index.go finds ids, sort.go sorts by time)
//	  engagements.go  its engagements by the id they name, and their duplicates
//	  outcomes.go     what the bucket saw of each engagement
//	  label.go        credit and labels: the samples (sum.go adds exactly)
//	  heavy.go        ids with many engagements, in order of time; sweep.go: running sums over them
package bucket

import "tributary/io/record"

// View is one view of a bucket.
type View struct {
	ID        []byte
	Hash      uint64 // HashID(ID)
	Time      int64
	Partition int32
	Offset    int64
	Payload   []byte
	// DedupMarker says that only the view's existence matters here: it lies before the interval,
	// or in an earlier bucket, where it makes later views with its id duplicates.
	DedupMarker bool
	PayloadHash uint64 // of a dedup marker, whose payload is not here
}

// Engagement is one engagement that may refer to views of a bucket.
type Engagement struct {
	Kind      int
	ViewID    []byte
	Hash      uint64 // HashID(ViewID)
	Time      int64
	Partition int32
	Offset    int64
	// ClosedThrough: views at or before it had closed when the engagement was read.
	ClosedThrough int64
	ViewTime      int64  // record.NoTime if it does not carry one
	EventID       []byte // nil if it has none
	Value         record.Value
}

// Bucket is all that one (shard, bucket) holds, in any order.
type Bucket struct {
	Index       int64
	Views       []View
	Engagements []Engagement
}

// Reset empties the bucket and keeps its memory.
func (b *Bucket) Reset(index int64) {
	b.Index, b.Views, b.Engagements = index, b.Views[:0], b.Engagements[:0]
}
