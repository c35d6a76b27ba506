package attribution

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"tributary/io/record"
	"tributary/transforms/account"
	"tributary/transforms/attribution/bucket"
	"tributary/transforms/attribution/outcome"
	"tributary/transforms/attribution/rules"
	"tributary/transforms/attribution/shuffle"
	"tributary/transforms/sample"
)

// Explainer joins records as a join does, in memory, and says of each what became of it: those of a few ids, as all that it is to
// explain is kept. Not for concurrent use.
type Explainer struct {
	p      rules.Params
	packer *shuffle.Packer
	sheet  *account.Sheet
	blocks []map[int64][]shuffle.Block // by stage and bucket
}

// NewExplainer returns an Explainer of the records that watch returns true for, see shuffle.Packer.Watch.
func NewExplainer(p rules.Params, watch func(*shuffle.Seen) bool) *Explainer {
	p.Shards, p.Earlier, p.Stages = 1, nil, slices.Clone(p.Stages)
	for i := range p.Stages {
		p.Stages[i].Shards, p.Stages[i].Earlier = 1, nil
	}
	e := &Explainer{p: p, sheet: p.NewSheet()}
	for range p.StageCount() {
		e.blocks = append(e.blocks, map[int64][]shuffle.Block{})
	}
	e.packer = shuffle.NewPacker(&e.p, func(at shuffle.Place, block shuffle.Block) {
		e.blocks[at.Stage][at.Bucket] = append(e.blocks[at.Stage][at.Bucket], block)
	}, func(record.Rejected) {}) // watch is told of them
	e.packer.Watch(watch)
	return e
}

// Add takes the records of one batch, in any order. An error means a batch of an unknown input or schema.
func (e *Explainer) Add(b record.Batch) error { return e.packer.Add(b) }

// EventPlace is where an event stands in the log, and of which kind it is there.
type EventPlace struct {
	Partition int32
	Offset    int64
	// Element is the place in its list, from 0, of an event of a record that holds several.
	Element int32
	// Kind is rules.Views for a view.
	Kind int
}

// Explained is what became of records that went into buckets.
type Explained struct {
	// Views are in order of stage, time and place; Engagements of time and place.
	Views       []ExplainedView
	Engagements []ExplainedEngagement
	// Sheet counts all records, those that were not watched as far as they were packed.
	Sheet *account.Sheet
}

// ExplainedView is what a stage made of a view.
type ExplainedView struct {
	At    EventPlace
	Stage int
	// Bucket is its index, Hash what its shard is told by.
	Bucket  int64
	Hash    uint64
	ID, Key string
	Time    int64
	// Fate is account.Samples, SampledOut or Duplicates.
	Fate account.Count
	// Of is what it is a duplicate of, at a time; nil where that is known by its hash alone.
	Of     *EventPlace
	OfTime int64
	// Given says that the stage gives the sample, Withdrawn that it takes back an earlier one.
	Given, Withdrawn bool
	Positive         bool
	Maturity         int64
	// Sample is encoded; nil where there is none.
	Sample []byte
	Pairs  []ExplainedPair
}

// ExplainedPair is what an engagement is to a view.
type ExplainedPair struct {
	At   EventPlace
	Time int64
	Fate bucket.PairFate
	// Parts is in how many parts what counts is shared out, of which the view has one.
	Parts int32
	// Of is as bucket.Explainer has it; Instead is the view that the engagement counts for instead, with its id and time.
	Of          *EventPlace
	Instead     *EventPlace
	InsteadID   string
	InsteadTime int64
}

// ExplainedEngagement is what the join made of an engagement in the end.
type ExplainedEngagement struct {
	At   EventPlace
	Time int64
	// Fate is account.Matched, Outside, Duplicates, Late or Orphans; Why says more of it.
	Fate account.Count
	Why  string
	Of   *EventPlace
}

// Asked says which pairs of views and engagements are told; nil for all. Where a key has many of both, all their pairs are far more.
type Asked struct {
	// View says whether those of a view at a time are told at all, Pair whether one of these is.
	View func(at EventPlace, time int64) bool
	Pair func(view, engagement EventPlace) bool
}

// Explain joins what was added, and says what became of it.
func (e *Explainer) Explain(asked *Asked) (*Explained, error) {
	e.packer.Flush(func(l account.Sheet) { e.sheet.Merge(&l) })
	all := &explaining{out: &Explained{Sheet: e.sheet}, engagements: map[EventPlace]*joinedEngagement{}, asked: asked}
	for stage := range e.blocks {
		if err := all.stage(e.p.OfStage(stage), e.blocks[stage]); err != nil {
			return nil, err
		}
	}
	for at, g := range all.engagements {
		fate, why := outcome.Of(&e.p, &g.engagement, g.outcome)
		one := ExplainedEngagement{At: at, Time: g.engagement.Time, Fate: fate, Why: why}
		if fate == account.Duplicates {
			one.Of = g.of
		}
		all.out.Engagements = append(all.out.Engagements, one)
	}
	slices.SortFunc(all.out.Views, func(v, w ExplainedView) int {
		return cmp.Or(cmp.Compare(v.Stage, w.Stage), cmp.Compare(v.Time, w.Time), v.At.compare(w.At))
	})
	slices.SortFunc(all.out.Engagements, func(g, h ExplainedEngagement) int { return cmp.Or(cmp.Compare(g.Time, h.Time), g.At.compare(h.At)) })
	return all.out, nil
}

func (at EventPlace) compare(other EventPlace) int {
	return cmp.Or(cmp.Compare(at.Partition, other.Partition), cmp.Compare(at.Offset, other.Offset), cmp.Compare(at.Element, other.Element), cmp.Compare(at.Kind, other.Kind))
}

// explaining takes what joined buckets give, as bucket.Output and bucket.Explainer.
type explaining struct {
	out         *Explained
	engagements map[EventPlace]*joinedEngagement
	asked       *Asked

	// Of the bucket at hand; of its views, in the order of the join, whether they have a sample.
	p       *rules.Params
	encoder *sample.Encoder
	bucket  int64
	samples []*joinedSample
	view    *ExplainedView
}

// joinedEngagement is the most that a bucket saw of an engagement.
type joinedEngagement struct {
	engagement bucket.Engagement // without what it points to
	outcome    bucket.Outcome
	of         *EventPlace
}

type joinedSample struct {
	encoded          []byte
	given, withdrawn bool
	positive         bool
	maturity         int64
}

// stage joins the buckets of one, in order.
func (x *explaining) stage(p rules.Params, blocks map[int64][]shuffle.Block) error {
	join := joinFn{P: p}
	join.Setup()
	x.p, x.encoder = &p, &join.encoder
	var b bucket.Bucket
	for _, index := range slices.Sorted(maps.Keys(blocks)) {
		b.Reset(index)
		for _, block := range blocks[index] {
			if err := block.AddTo(&b, join.meaning, p.Bucket); err != nil {
				return fmt.Errorf("explain: %w", err)
			}
		}
		x.bucket, x.samples = index, nil
		join.joiner.Join(&b, x)
		join.joiner.Explain(&b, x)
	}
	return nil
}

func (x *explaining) joined(s *sample.Sample, given, withdrawn bool) *joinedSample {
	return &joinedSample{x.encoder.Append(nil, s), given, withdrawn, s.Positive, s.Maturity}
}

// Sample implements bucket.Output.
func (x *explaining) Sample(s *sample.Sample, given bool) {
	x.samples = append(x.samples, x.joined(s, given, false))
}

// SampledOut implements bucket.Output: such a view has no sample.
func (x *explaining) SampledOut() { x.samples = append(x.samples, nil) }

// Withdraw implements bucket.Output: the view was sampled out.
func (x *explaining) Withdraw(s *sample.Sample) {
	x.samples[len(x.samples)-1] = x.joined(s, true, true)
}

// PartialOutcome implements bucket.Output.
func (x *explaining) PartialOutcome(g *bucket.Engagement, s bucket.PartialOutcome) {
	if g.Time < x.p.From || g.Time >= x.p.To {
		return // another interval accounts for it
	}
	one := x.engagement(g)
	one.outcome = max(one.outcome, s.Outcome)
}

// engagement is what is known of one.
func (x *explaining) engagement(g *bucket.Engagement) *joinedEngagement {
	at := placeOfEngagement(g)
	one := x.engagements[at]
	if one == nil {
		one = &joinedEngagement{engagement: *g}
		one.engagement.ViewID, one.engagement.EventID, one.engagement.Value = nil, nil, record.Value{}
		x.engagements[at] = one
	}
	return one
}

// take begins what is told of a view.
func (x *explaining) take(v *bucket.View, fate account.Count) *ExplainedView {
	x.out.Views = append(x.out.Views, ExplainedView{
		At: placeOfView(v), Stage: x.p.Stage, Bucket: x.bucket, Hash: v.Hash, ID: string(v.ID), Key: string(v.Key), Time: v.Time, Fate: fate,
	})
	x.view = &x.out.Views[len(x.out.Views)-1]
	return x.view
}

// Duplicate implements bucket.Explainer.
func (x *explaining) Duplicate(v, of *bucket.View) {
	one := x.take(v, account.Duplicates)
	if of != nil {
		at := placeOfView(of)
		one.Of, one.OfTime = &at, of.Time
	}
}

// View implements bucket.Explainer.
func (x *explaining) View(v *bucket.View, nth int) (pairs bool) {
	one := x.take(v, account.SampledOut)
	if s := x.samples[nth]; s != nil {
		one.Given, one.Withdrawn, one.Positive, one.Maturity, one.Sample = s.given, s.withdrawn, s.positive, s.maturity, s.encoded
		if !s.withdrawn {
			one.Fate = account.Samples
		}
	}
	return x.asked == nil || x.asked.View(one.At, one.Time)
}

// Pair implements bucket.Explainer.
func (x *explaining) Pair(_ *bucket.View, g *bucket.Engagement, fate bucket.PairFate, of *bucket.Engagement, instead *bucket.View) {
	one := ExplainedPair{At: placeOfEngagement(g), Time: g.Time, Fate: fate}
	if x.asked != nil && !x.asked.Pair(x.view.At, one.At) {
		return
	}
	if fate == bucket.PairCounts {
		one.Parts = g.Parts()
	}
	if of != nil {
		at := placeOfEngagement(of)
		one.Of = &at
	}
	if instead != nil {
		at := placeOfView(instead)
		one.Instead, one.InsteadID, one.InsteadTime = &at, string(instead.ID), instead.Time
	}
	x.view.Pairs = append(x.view.Pairs, one)
}

// Repeated implements bucket.Explainer. The bucket that is the last to have an engagement knows all that it may be a duplicate of.
func (x *explaining) Repeated(g, of *bucket.Engagement) {
	if one := x.engagements[placeOfEngagement(g)]; one != nil && x.p.Final() {
		at := placeOfEngagement(of)
		one.of = &at
	}
}

func placeOfView(v *bucket.View) EventPlace {
	return EventPlace{v.Partition, v.Offset, v.Element, rules.Views}
}

func placeOfEngagement(g *bucket.Engagement) EventPlace {
	return EventPlace{g.Partition, g.Offset, g.Element, g.Kind}
}

// Corrected implements bucket.Output.
func (x *explaining) Corrected(int) {}

// DuplicateView implements bucket.Output: View tells of it.
func (x *explaining) DuplicateView(bool, bool) {}

// ResentView implements bucket.Output.
func (x *explaining) ResentView() {}

// Overflow implements bucket.Output.
func (x *explaining) Overflow(int, int64) {}
