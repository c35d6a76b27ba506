package bucket

import (
	"cmp"

	"tributary/transforms/attribution/rules"
	"tributary/transforms/label"
	"tributary/transforms/sample"
)

// Joiner joins buckets. It keeps its memory from one bucket to the next; not for
// concurrent use.
//
// With n views and m engagements in the bucket: O((n+m) log(n+m)) time however they
// are spread over ids, and about 100 bytes a view beside the payloads.
type Joiner struct {
	p       *rules.Params
	longest int64

	keys     []uint64 // of views, for sorting: time, index
	room     []uint64 // for sorting them
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
	HeavyFrom int
	times     []int64   // of the views of one
	upTo      []int64   // by index in the bucket, of engagements of heavy ids
	before    []earlier // room
	// steps counts what is done for engagements and values: what the time grows with.
	steps int64

	sample sample.Sample
}

// NewJoiner returns a Joiner for p, which must be valid and not change.
func NewJoiner(p *rules.Params) *Joiner {
	return &Joiner{p: p, longest: p.LongestWindow(), sample: sample.Sample{Labels: make([]label.Totals, len(p.Kinds))}, heavies: map[int32]*sweep{}, HeavyFrom: heavyFrom}
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
