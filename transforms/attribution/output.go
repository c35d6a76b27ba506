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

	// samples and encoded are used again and again: what is emitted is a copy.
	samples []byte // of the block at hand
	encoded []byte
	part    int // of the block at hand
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
func newOutput(p *rules.Params, meaning uint64, encoder *sample.Encoder, shard, bucket int64, emit func(sample.Block)) *output {
	return &output{
		p: p, encoder: encoder, shard: shard, bucket: bucket, emit: emit, joined: p.Joined(bucket, shard), meaning: meaning,
		partials: map[owner]outcome.Partials{}, sheet: p.NewSheet(),
	}
}

// Sample implements Output.
func (o *output) Sample(s *sample.Sample) {
	if o.joined {
		return
	}
	o.encoded = o.encoder.Append(o.encoded[:0], s)
	if len(o.samples)+len(o.encoded) > sampleBlockBytes {
		o.emitBlock(false)
	}
	o.samples = sample.AppendTo(o.samples, o.encoded)
	o.count(s)
}

// finish emits the last block. An empty one matters only where a bucket is the interval's own:
// it says that the bucket is finished.
func (o *output) finish() {
	if o.joined {
		return
	}
	start := o.bucket * o.p.Bucket
	if own := start < o.p.To && start+o.p.Bucket > o.p.From; own || o.part > 0 || len(o.samples) > 0 {
		o.emitBlock(true)
	}
}

func (o *output) emitBlock(last bool) {
	header := sample.Header{Start: o.bucket * o.p.Bucket, Shard: o.shard, Part: o.part, Last: last}
	o.emit(sample.NewBlock(header, o.samples))
	o.samples = o.samples[:0]
	o.part++
}

func (o *output) count(s *sample.Sample) {
	views := &o.sheet.Views
	views.N[account.Samples]++
	o.sheet.Bytes.Samples += int64(len(o.encoded))
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
	for i := range s.Labels {
		if l := &s.Labels[i]; l.Count > 0 {
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
	if !o.joined {
		o.sheet.Views.N[account.SampledOut]++
	}
}

// DuplicateView implements Output.
func (o *output) DuplicateView(differing, chained bool) {
	if o.joined {
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
func (o *output) ResentView() { o.sheet.Views.N[account.Resent]++ }

// Overflow implements Output.
func (o *output) Overflow(kind int, sums int64) {
	o.sheet.Engagements[o.p.Kinds[kind].Name].N[account.Overflows] += sums
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
