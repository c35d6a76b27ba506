package attribution

import (
	"cmp"

	"tributary/io/record"
	"tributary/transforms/label"
	"tributary/transforms/sample"
)

// View is one view of a bucket.
type View struct {
	ID        []byte
	Hash      uint64 // hashID(ID)
	Time      int64
	Partition int32
	Offset    int64
	Payload   []byte
	// DedupMarker says that only the view's existence matters here: it lies before the slice,
	// or in an earlier bucket, where it makes later views with its id duplicates.
	DedupMarker bool
	PayloadHash uint64 // of a dedup marker, whose payload is not here
}

// Engagement is one engagement that may refer to views of a bucket.
type Engagement struct {
	Kind      int
	ViewID    []byte
	Hash      uint64 // hashID(ViewID)
	Time      int64
	Partition int32
	Offset    int64
	// Floor: views at or before it had closed when the engagement was read.
	Floor    int64
	ViewTime int64  // record.NoTime if it does not carry one
	EventID  []byte // nil if it has none
	Value    record.Value
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

// Output takes what a joined bucket gives. What it is handed is valid for the call.
type Output interface {
	// Sample takes the samples in order of (view time, view ID).
	Sample(s *sample.Sample)
	// SampledOut counts a negative that was not kept.
	SampledOut()
	// DuplicateView counts a duplicate; differing if its payload was another, chained if it lies
	// further from the view kept than duplicates do: it is a duplicate of the one between.
	DuplicateView(differing, chained bool)
	// ResentView counts a view with the id of an earlier one in the bucket that is none.
	ResentView()
	// Overflow counts sums of a kind that are beyond what a double holds.
	Overflow(kind int, sums int64)
	// PartialOutcome takes what became of an engagement in this bucket.
	PartialOutcome(e *Engagement, s PartialOutcome)
}

// PartialOutcome is what one bucket knows of an engagement. An engagement that carries no
// view time is in several buckets, and only all of them together know its outcome.
type PartialOutcome struct {
	// Home: this is the one bucket that speaks for the engagement even if it saw nothing.
	Owner bool
	// Final: no other bucket has anything to add.
	Final   bool
	Outcome Outcome
	// Matches is how many views of this bucket have the engagement in their window.
	Matches int64
}

// Outcome is what became of an engagement in a bucket; larger ones outrank smaller ones.
type Outcome uint8

// What a bucket can see of an engagement.
const (
	OutcomeNone      Outcome = iota // its view is not here
	OutcomeOutside                  // its view is here, but not with it in the window
	OutcomeDuplicate                // the same event came before, and no view counts this one instead
	OutcomeMatched                  // it counts, or another one was credited in its place
)

// Joiner joins buckets. It keeps its memory from one bucket to the next; not for
// concurrent use.
//
// With n views and m engagements in the bucket: O((n+m) log(n+m)) time however they
// are spread over ids, and about 100 bytes a view beside the payloads.
type Joiner struct {
	p       *Params
	longest int64

	keys     []uint64 // of views, for sorting: time, index
	order    []timed
	ids      index
	next     []int32   // of an engagement: the next one that names the same view, or -1
	group    []int32   // engagements of one id
	seen     []Outcome // of the group
	matches  []int64   // of the group: views that count the engagement
	counting []*Engagement
	sum      valueSum

	// heavies are the ids of many views and engagements (see orderHeavy), by entry.
	heavies   map[int32]*sweep
	heavyFrom int
	times     []int64   // of the views of one
	upTo      []int64   // by place in the bucket, of engagements of heavy ids
	before    []earlier // room
	// steps counts what is done for engagements and values: what the time grows with.
	steps int64

	sample sample.Sample
}

// NewJoiner returns a Joiner for p, which must be valid and not change.
func NewJoiner(p *Params) *Joiner {
	return &Joiner{p: p, longest: p.longestWindow(), sample: sample.Sample{Labels: make([]label.Totals, len(p.Kinds))}, heavies: map[int32]*sweep{}, heavyFrom: heavyFrom}
}

// Join joins the views of b with its engagements. The result does not depend on the
// order in which they stand in b.
func (j *Joiner) Join(b *Bucket, out Output) {
	clear(j.heavies)
	j.insertViews(b, out)
	j.insertEngagements(b)
	j.reportOutcomes(b, out)
	for i := range j.order {
		t := &j.order[i]
		if v := &b.Views[t.index]; !t.duplicate && !v.DedupMarker {
			j.emit(b, v, t.entry, out)
		}
	}
}

func compareLog(partition int32, offset int64, otherPartition int32, otherOffset int64) int {
	return cmp.Or(cmp.Compare(partition, otherPartition), cmp.Compare(offset, otherOffset))
}
