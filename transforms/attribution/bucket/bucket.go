// Package bucket joins the views of one (shard, bucket) with their engagements, in memory. It knows
// nothing of where they come from.
//
//	bucket.go       what a bucket holds; output.go: what joining it gives
//	joiner.go       joins one, in these steps:
//	  views.go        its views in order, and their duplicates (index.go finds ids, sort.go sorts by time)
//	  share.go        for which views of a key an engagement counts; maxtree.go: the next with a larger value
//	  after.go        for which, of those that have had another kind
//	  engagements.go  its engagements by the id they name, and their duplicates
//	  outcomes.go     what the bucket saw of each engagement
//	  columns.go      where the labels of kinds stand; values.go: values for several labels of a kind
//	  label.go        credit and labels: the samples (sum.go adds exactly)
//	  said.go         what earlier stages have said of a view, and what this one gives
//	  explain.go      what an engagement is to a view, for whoever asks
//	  heavy.go        ids with many engagements, in order of time; sweep.go: running sums over them
package bucket

import "tributary/io/record"

// View is one view of a bucket.
type View struct {
	ID []byte
	// Key is what engagements name instead of the id, nil if they name that.
	Key       []byte
	Hash      uint64 // HashID(Name())
	Time      int64
	Partition int32
	// Element is the place in its list, from 0, of an event of a record that holds several.
	Element int32
	Offset  int64
	Payload []byte
	// DedupMarker says that only the view's existence matters here: it lies before the interval,
	// or in an earlier bucket, where it makes later views with its id duplicates.
	DedupMarker bool
	PayloadHash uint64 // of a dedup marker, whose payload is not here
	// Known says of a dedup marker that it is here for what its view shares with others, and lies too far off for duplicates: it has
	// no hash of its payload.
	Known bool
	// InTimeFrom is the first stage that the view was not late for.
	InTimeFrom int
	// ClosedThrough: views at or before it had closed when the view was read, where views share engagements; record.NoTime where
	// that does not matter.
	ClosedThrough int64

	place int32 // among the sharers of its key
	twin  int32 // the position in order of the view with its id before it, or -1; where views share engagements
}

// Name is what engagements name the view by.
func (v *View) Name() []byte {
	if v.Key != nil {
		return v.Key
	}
	return v.ID
}

// Marker says that a view existed in a bucket before, by its hash alone: in an early stage it makes a view of that hash a
// duplicate. Where ids of one hash tell them apart, a later stage knows, see said.go.
type Marker struct {
	Hash uint64
	Time int64
}

// Engagement is one engagement that may refer to views of a bucket.
type Engagement struct {
	Kind      int
	ViewID    []byte // or the key
	Hash      uint64 // HashID(ViewID)
	Time      int64
	Partition int32
	Element   int32 // as of a view
	Offset    int64
	// ClosedThrough: views at or before it had closed when the engagement was read.
	ClosedThrough int64
	ViewTime      int64        // record.NoTime if it does not carry one
	EventID       []byte       // nil if it has none
	Value         record.Value // see Pack for several

	of int32 // among how many the view at hand shares it, 0 and 1 for none else
}

// Bucket is all that one (shard, bucket) holds, in any order.
type Bucket struct {
	Index       int64
	Views       []View
	Engagements []Engagement
	// Markers are of views in buckets before, for a stage but the last.
	Markers []Marker
	// Corrections counts how often what the stage before gave of the views was corrected.
	Corrections int64
}

// Reset empties the bucket and keeps its memory.
func (b *Bucket) Reset(index int64) {
	b.Index, b.Views, b.Engagements, b.Markers, b.Corrections = index, b.Views[:0], b.Engagements[:0], b.Markers[:0], 0
}

// kindBits is how much of KindAndElement is the kind.
const kindBits = 16

// KindAndElement are the kind and the element as one number: the kind alone, where the record holds one event.
func (g *Engagement) KindAndElement() uint64 { return uint64(g.Element)<<kindBits | uint64(g.Kind) }

// SplitKind takes a KindAndElement apart.
func SplitKind(n uint64) (kind int, element int32) {
	return int(n & (1<<kindBits - 1)), int32(n >> kindBits)
}
