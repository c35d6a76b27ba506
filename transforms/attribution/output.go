package attribution

import (
	"tributary/io/record"
	"tributary/transforms/account"
	"tributary/transforms/attribution/bucket"
	"tributary/transforms/attribution/outcome"
	"tributary/transforms/attribution/rules"
	"tributary/transforms/sample"
)

// sampleBlockBytes is the size at which a block of samples is emitted.
const sampleBlockBytes = 256 << 10

// output encodes what one joined bucket gives and accounts for it.
type output struct {
	p       *rules.Params
	encoder *sample.Encoder
	shard   int64
	bucket  int64
	emit    func(sample.Block)

	// samples, unchanged and encoded are used again and again: what is emitted is a copy.
	samples   []byte // of the block at hand
	unchanged []byte // likewise, of those that the stage does not give
	withdrawn []byte // likewise, of those that take back
	encoded   []byte
	part      int // of the block at hand
	// stage is the account of the stage; nil in a join without.
	stage *account.Stage
	// corrections are those of the bucket.
	corrections int64
	// joined: an earlier run has emitted the samples, and what is left to give is what later
	// buckets want to know of the bucket.
	joined  bool
	meaning uint64
	// partial outcomes by the owner bucket that will merge them.
	partials map[owner]outcome.Partials
	orphans  []record.Rejected
	sheet    *account.Sheet
	interval *account.Interval
}

// owner is the bucket that tells an engagement's outcome, and the engagement's shard there.
type owner struct{ bucket, shard int64 }

// newOutput begins the output of one bucket's part; meaning is the fingerprint of p's.
func newOutput(p *rules.Params, meaning uint64, encoder *sample.Encoder, shard int64, b *bucket.Bucket, emit func(sample.Block)) *output {
	o := &output{
		p: p, encoder: encoder, shard: shard, bucket: b.Index, corrections: b.Corrections, emit: emit, joined: p.Joined(b.Index, shard), meaning: meaning,
		partials: map[owner]outcome.Partials{}, sheet: p.NewSheet(),
	}
	if len(p.Stages) > 0 {
		o.stage = o.sheet.StageOf(p.Stages[p.Stage].Name)
	}
	return o
}

// Sample implements Output.
func (o *output) Sample(s *sample.Sample, given bool) {
	if o.joined {
		return
	}
	switch {
	case given:
		o.add(s, &o.samples, sample.Header{})
		o.sheet.Bytes.Samples += int64(len(o.encoded))
	case o.p.Marked:
		o.add(s, &o.unchanged, sample.Header{Unchanged: true})
	}
	if o.stage != nil {
		o.countStage(s, given)
	}
	if o.p.Final() {
		o.count(s)
	}
}

// Withdraw implements Output.
func (o *output) Withdraw(s *sample.Sample) {
	if o.joined {
		return
	}
	o.stage.N[account.Withdrawn]++
	o.add(s, &o.withdrawn, sample.Header{Withdrawn: true})
}

// add encodes a sample and adds it to the block of its kind, which the header says.
func (o *output) add(s *sample.Sample, to *[]byte, header sample.Header) {
	o.encoded = o.encoder.Append(o.encoded[:0], s)
	if len(*to)+len(o.encoded) > sampleBlockBytes {
		o.emitBlock(to, header)
	}
	*to = sample.AppendTo(*to, o.encoded)
}

// finish emits the last block. An empty one matters only where a bucket is the interval's own:
// it says that the bucket is finished.
func (o *output) finish() {
	if o.joined {
		return
	}
	if len(o.unchanged) > 0 {
		o.emitBlock(&o.unchanged, sample.Header{Unchanged: true})
	}
	if len(o.withdrawn) > 0 {
		o.emitBlock(&o.withdrawn, sample.Header{Withdrawn: true})
	}
	start := o.bucket * o.p.Bucket
	if own := start < o.p.To && start+o.p.Bucket > o.p.From; own || o.part > 0 || len(o.samples) > 0 {
		o.emitBlock(&o.samples, sample.Header{Last: true})
	}
}

func (o *output) emitBlock(samples *[]byte, header sample.Header) {
	header.Start, header.Shard, header.Part, header.Corrections = o.bucket*o.p.Bucket, o.shard, o.part, o.corrections
	o.emit(sample.NewBlock(header, *samples))
	*samples = (*samples)[:0]
	o.part++
}

// countStage counts what a stage made of a view.
func (o *output) countStage(s *sample.Sample, given bool) {
	n := &o.stage.N
	n[account.Samples]++
	if given {
		n[account.Given]++
	}
	if s.Positive {
		n[account.Positives]++
	}
}

// Corrected implements Output.
func (o *output) Corrected(kind int) {
	if !o.joined {
		o.stage.Correct(o.p.Kinds[kind].Name)
	}
}

func (o *output) count(s *sample.Sample) {
	views := &o.sheet.Views
	views.N[account.Samples]++
	if s.Maturity < o.p.LongestWindow() {
		views.N[account.Immature]++
	}
	if o.interval == nil {
		o.interval = &account.Interval{Positives: map[string]int64{}}
		o.sheet.Timeline[o.bucket*o.p.Bucket] = o.interval
	}
	o.interval.Samples++
	if !s.Positive {
		return
	}
	views.N[account.Positives]++
	at := 0 // the first label of a kind: all have its count and delay
	for i := range o.p.Kinds {
		l := &s.Labels[at]
		at += o.p.Kinds[i].LabelCount()
		if l.Count > 0 {
			kind := o.p.Kinds[i].Name
			e := o.sheet.Engagements[kind]
			e.N[account.Positives]++
			e.Delay.Record(l.Delay)
			o.interval.Positives[kind]++
		}
	}
}

// SampledOut implements Output.
func (o *output) SampledOut() {
	if o.joined {
		return
	}
	if o.stage != nil {
		o.stage.N[account.SampledOut]++
	}
	if o.p.Final() {
		o.sheet.Views.N[account.SampledOut]++
	}
}

// DuplicateView implements Output.
func (o *output) DuplicateView(differing, chained bool) {
	if o.joined {
		return
	}
	if o.stage != nil {
		o.stage.N[account.Duplicates]++
	}
	if !o.p.Final() {
		return
	}
	o.sheet.Views.N[account.Duplicates]++
	if differing {
		o.sheet.Views.N[account.DuplicatesDiffering]++
	}
	if chained {
		o.sheet.Views.N[account.DuplicatesChained]++
	}
}

// ResentView implements Output.
func (o *output) ResentView() {
	if o.p.Final() {
		o.sheet.Views.N[account.Resent]++
	}
}

// Overflow implements Output.
func (o *output) Overflow(kind int, sums int64) {
	if o.p.Final() {
		o.sheet.Engagements[o.p.Kinds[kind].Name].N[account.Overflows] += sums
	}
}

// PartialOutcome implements Output.
func (o *output) PartialOutcome(g *bucket.Engagement, s bucket.PartialOutcome) {
	if g.Time < o.p.From || g.Time >= o.p.To {
		return // another interval accounts for it
	}
	at := owner{bucket: o.p.BucketOf(o.p.SpanOf(g.Kind, g.Time, g.ViewTime).FoundTo)}
	e := o.sheet.Engagements[o.p.Kinds[g.Kind].Name]
	e.N[account.Matches] += s.Matches
	at.shard = o.p.ShardOf(g.Hash, at.bucket)
	if o.p.Joined(at.bucket, at.shard) || o.p.Open(at.bucket) {
		return // an earlier run has counted its outcome, or a later one will
	}
	if !s.Final {
		partials, begun := o.partials[at]
		if !begun {
			partials = outcome.NewPartials(o.meaning)
		}
		o.partials[at] = partials.Append(o.p, g, s)
		return
	}
	outcome.CountFinal(o.p, e, g, s.Outcome, func(r record.Rejected) { o.orphans = append(o.orphans, r) })
}
