package bucket

import (
	"cmp"

	"tributary/io/record"
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
	// now is how this stage looks at engagements, before are those whose samples it goes on from.
	now    cut
	before []cut
	// overruling is the last of them that gives more than positives, or the first.
	overruling int
	given      rules.Emit
	said       said
	columns    columns

	keys     []uint64 // of views, for sorting: time, index
	room     []uint64 // for sorting them
	order    []timed
	ids      index
	keyed    bool
	own      index     // ids within keys, if keyed
	sharing  *sharing  // nil where all views of an engagement have it
	next     []int32   // of an engagement: the next one that names the same view, or -1
	group    []int32   // engagements of one id
	seen     []Outcome // of the group
	matches  []int64   // of the group: views that count the engagement
	counting []*Engagement
	values   []record.Value // of engagements whose kind has several labels, by label
	unpacked []record.Value // room for those of one of them
	sum      valueSum

	// heavies are the ids of many views and engagements (see orderHeavy), by entry: a sweep for now, and one for each cut before.
	heavies   map[int32][]*sweep
	HeavyFrom int
	times     []int64   // of the views of one
	upTo      []int64   // by index in the bucket, of engagements of heavy ids
	like      []earlier // room
	// steps counts what is done for engagements and values: what the time grows with.
	steps int64

	sample sample.Sample
}

// NewJoiner returns a Joiner for p, which must be valid and not change.
func NewJoiner(p *rules.Params) *Joiner {
	j := &Joiner{p: p, longest: p.LongestWindow(), columns: columnsOf(p), heavies: map[int32][]*sweep{}, HeavyFrom: heavyFrom}
	j.now, j.given = cut{window: j.longest}, p.Emits()
	n := len(j.columns.kinds)
	j.sample.Labels, j.said.labels, j.said.spare = make([]label.Totals, n), make([]label.Totals, n), make([]label.Totals, n)
	for i, s := range p.SaidBefore() {
		j.before = append(j.before, cut{at: i + 1, window: s.Window, ahead: s.Ahead, stage: s.Stage, given: s.Emit, bucket: s.Bucket})
		if j.before[i].overrules() {
			j.overruling = i
		}
	}
	if j.keyed = p.Keyed(); p.Shares() {
		j.sharing = newSharing(p, 1+len(j.before))
	}
	for _, c := range p.Columns() {
		j.said.functions = append(j.said.functions, c.Func.Definition())
	}
	return j
}

// Join joins the views of b with its engagements. The result does not depend on the
// order in which they stand in b.
func (j *Joiner) Join(b *Bucket, out Output) {
	clear(j.heavies)
	if j.sharing != nil {
		j.sharing.reset(len(b.Engagements))
	}
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

// compareLog orders views by their places in the log.
func (v *View) compareLog(w *View) int {
	return cmp.Or(cmp.Compare(v.Partition, w.Partition), cmp.Compare(v.Offset, w.Offset), cmp.Compare(v.Element, w.Element))
}

// compareLog orders engagements by their places in the log.
func (g *Engagement) compareLog(h *Engagement) int {
	return cmp.Or(cmp.Compare(g.Partition, h.Partition), cmp.Compare(g.Offset, h.Offset), cmp.Compare(g.Element, h.Element))
}
