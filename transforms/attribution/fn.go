package attribution

import (
	"bytes"
	"context"
	"fmt"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/graph/mtime"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"tributary/io/dofn"
	"tributary/io/record"
	"tributary/transforms/account"
	"tributary/transforms/attribution/bucket"
	"tributary/transforms/attribution/outcome"
	"tributary/transforms/attribution/rules"
	"tributary/transforms/attribution/shuffle"
	"tributary/transforms/sample"
)

func init() {
	dofn.Register(
		dofn.Method0x0((*packFn).Setup),
		dofn.Method3x0((*packFn).StartBundle),
		dofn.Method6x1((*packFn).ProcessElement),
		dofn.Method4x0((*packFn).FinishBundle),
	)
	dofn.Register(dofn.Method4x0((*pickFn).ProcessElement))
	dofn.Register(dofn.Method0x0((*followFn).Setup), dofn.Method2x0((*followFn).ProcessElement))
	dofn.Element(sample.EncodeCorrection, sample.DecodeCorrection)
	dofn.Register(dofn.Method0x0((*joinFn).Setup), dofn.Method6x1((*joinFn).ProcessElement))
	dofn.Register(dofn.Method0x0((*tallyFn).Setup), dofn.Method5x1((*tallyFn).ProcessElement))
	dofn.Element(record.EncodeBatch, record.DecodeBatch)
	dofn.Element(record.EncodeRejected, record.DecodeRejected)
	dofn.Element(account.EncodeSheet, account.DecodeSheet)
	dofn.Element(shuffle.EncodeBlock, shuffle.DecodeBlock)
	dofn.Element(outcome.EncodePartials, outcome.DecodePartials)
	dofn.Element(sample.EncodeBlock, sample.DecodeBlock)
	register.Emitter3[beam.EventTime, int64, shuffle.Block]()
	register.Emitter3[beam.EventTime, int64, outcome.Partials]()
	register.Emitter2[beam.EventTime, record.Rejected]()
	register.Emitter2[beam.EventTime, account.Sheet]()
	register.Emitter1[sample.Block]()
	register.Emitter1[record.Rejected]()
	register.Emitter1[account.Sheet]()
	register.Iter1[shuffle.Block]()
	register.Iter1[outcome.Partials]()
}

// packFn packs batches into blocks of (shard, bucket).
type packFn struct {
	P rules.Params

	stages []rules.Params
	packer *shuffle.Packer
	now    beam.EventTime
	// first is the earliest event time of the bundle.
	first beam.EventTime
	// The emitters of the element at hand: the packer's callbacks outlive it.
	blocks   func(beam.EventTime, int64, shuffle.Block)
	rejected func(beam.EventTime, record.Rejected)
}

func (f *packFn) Setup() {
	f.stages = nil
	for stage := range f.P.StageCount() {
		f.stages = append(f.stages, f.P.OfStage(stage))
	}
	f.packer = shuffle.NewPacker(&f.P,
		func(at shuffle.Place, block shuffle.Block) {
			f.blocks(mtime.FromMilliseconds(f.stages[at.Stage].EventTime(at.Bucket)), keyOf(at), block)
		},
		func(r record.Rejected) {
			r.Record = bytes.Clone(r.Record) // or it would keep the whole batch alive
			f.rejected(f.now, r)
		})
}

func (f *packFn) StartBundle(func(beam.EventTime, int64, shuffle.Block), func(beam.EventTime, record.Rejected), func(beam.EventTime, account.Sheet)) {
	f.first = mtime.MaxTimestamp
}

func (f *packFn) ProcessElement(_ context.Context, at beam.EventTime, b record.Batch, blocks func(beam.EventTime, int64, shuffle.Block), rejected func(beam.EventTime, record.Rejected), _ func(beam.EventTime, account.Sheet)) error {
	f.now, f.first, f.blocks, f.rejected = at, min(f.first, at), blocks, rejected
	return f.packer.Add(b)
}

// FinishBundle emits what is left. A bundle's output has event time 0 unless it is given
// one, so all three emitters take it. Accounts have the earliest: the watermark must not pass
// what they are of before they are written.
func (f *packFn) FinishBundle(_ context.Context, blocks func(beam.EventTime, int64, shuffle.Block), rejected func(beam.EventTime, record.Rejected), accounts func(beam.EventTime, account.Sheet)) {
	at := f.first
	if at == mtime.MaxTimestamp { // nothing came, which is counted as well
		at = f.now
	}
	f.blocks, f.rejected = blocks, rejected
	f.packer.Flush(func(l account.Sheet) { accounts(at, l) })
}

// keyOf is the key of a block before it is known for which stage it is: its shard, and in a join without stages no more.
func keyOf(at shuffle.Place) int64 { return int64(at.Stage)<<stageBits | at.Shard }

// stageBits is where the stage begins in a key.
const stageBits = 32

// pickFn takes the blocks of one stage.
type pickFn struct{ Stage int64 }

func (f *pickFn) ProcessElement(at beam.EventTime, key int64, block shuffle.Block, emit func(beam.EventTime, int64, shuffle.Block)) {
	if key>>stageBits == f.Stage {
		emit(at, key&(1<<stageBits-1), block)
	}
}

// followFn turns corrections of what a stage gave into blocks of the buckets of the next one that hold the same views.
type followFn struct {
	P     rules.Params // of the join
	Stage int          // the next one

	from, to rules.Params
	meaning  uint64
}

func (f *followFn) Setup() {
	f.from, f.to = f.P.OfStage(f.Stage-1), f.P.OfStage(f.Stage)
	f.meaning = f.to.Meaning().Fingerprint()
}

func (f *followFn) ProcessElement(c sample.Correction, emit func(beam.EventTime, int64, shuffle.Block)) {
	at, shards := followed(&f.from, &f.to, c)
	if f.to.Open(at) { // a later run joins it
		return
	}
	block, time := shuffle.NewCorrection(f.meaning, at, c.Times), mtime.FromMilliseconds(f.to.EventTime(at))
	for _, shard := range shards {
		emit(time, shard, block)
	}
}

// followed is the bucket of a stage that holds the views of a correction of the stage before, and its shards that may have them.
func followed(from, to *rules.Params, c sample.Correction) (bucket int64, shards []int64) {
	bucket = to.BucketOf(c.Start)
	n := to.ShardsOf(bucket)
	if n == from.ShardsOf(from.BucketOf(c.Start)) {
		return bucket, []int64{c.Shard}
	}
	for shard := range n {
		shards = append(shards, int64(shard))
	}
	return bucket, shards
}

// corrections are those of what earlier runs have written of the stage before, as far as this one does not join it.
func corrections(p *rules.Params, stage int) (all []rules.Corrected) {
	if stage == 0 {
		return nil
	}
	from, to := p.OfStage(stage-1), p.OfStage(stage)
	for _, c := range p.Stages[stage-1].Corrected {
		bucket, shards := followed(&from, &to, sample.Correction{Start: c.Bucket, Shard: c.Shard, Times: c.Times})
		for _, shard := range shards {
			all = append(all, rules.Corrected{Part: rules.Part{Bucket: bucket * to.Bucket, Shard: shard}, Times: c.Times})
		}
	}
	return all
}

// joinFn joins the blocks of one (shard, bucket).
type joinFn struct {
	P rules.Params
	// Corrected is what is not told by blocks: see corrections.
	Corrected []rules.Corrected `json:",omitempty"`

	joiner  *bucket.Joiner
	meaning uint64
	encoder sample.Encoder
	bucket  bucket.Bucket
	// samples and encoded are room for output, kept from one bucket to the next.
	samples, unchanged, encoded []byte
}

func (f *joinFn) Setup() {
	f.joiner, f.meaning = bucket.NewJoiner(&f.P), f.P.Meaning().Fingerprint()
	f.encoder = sample.Encoder{JSONViews: f.P.ViewSchema == "" && f.P.Shape == nil, SpecVersion: f.P.SpecVersion, Columns: f.P.Columns()}
	if len(f.P.Stages) > 0 {
		f.encoder.Stage = &sample.Stage{Name: f.P.Stages[f.P.Stage].Name, Version: int32(f.P.Stage), Final: f.P.Final()}
	}
}

func (f *joinFn) ProcessElement(shard int64, blocks func(*shuffle.Block) bool, samples func(sample.Block), partials func(beam.EventTime, int64, outcome.Partials), rejected func(record.Rejected), accounts func(account.Sheet)) error {
	next := func(block *shuffle.Block) (bool, error) { return blocks(block), nil }
	return f.join(shard, next, samples, partials, rejected, accounts)
}

// join joins the blocks that next gives for as long as it returns true.
func (f *joinFn) join(shard int64, next func(*shuffle.Block) (bool, error), samples func(sample.Block), partials func(beam.EventTime, int64, outcome.Partials), rejected func(record.Rejected), accounts func(account.Sheet)) error {
	var block shuffle.Block
	for first := true; ; first = false {
		more, err := next(&block)
		if err != nil {
			return err
		}
		if !more {
			break
		}
		index, err := block.Bucket()
		if err != nil {
			return err
		}
		if first {
			f.bucket.Reset(index)
		} else if index != f.bucket.Index {
			return fmt.Errorf("shard %d: blocks of buckets %d and %d in one window", shard, f.bucket.Index, index)
		}
		if err := block.AddTo(&f.bucket, f.meaning, f.P.Bucket); err != nil {
			return err
		}
	}
	for _, c := range f.Corrected {
		if c.Bucket == f.bucket.Index*f.P.Bucket && c.Shard == shard {
			f.bucket.Corrections += c.Times
		}
	}
	out := newOutput(&f.P, f.meaning, &f.encoder, shard, &f.bucket, samples)
	out.samples, out.unchanged, out.encoded = f.samples[:0], f.unchanged[:0], f.encoded
	f.joiner.Join(&f.bucket, out)
	out.finish()
	f.samples, f.unchanged, f.encoded = out.samples, out.unchanged, out.encoded
	for _, r := range out.orphans {
		rejected(r)
	}
	for to, b := range out.partials {
		partials(mtime.FromMilliseconds(f.P.EventTime(to.bucket)), to.shard, b)
	}
	if !out.joined {
		out.sheet.Origin = f.P.Origin(account.StepJoined, shard, f.bucket.Index)
		accounts(*out.sheet)
	}
	return nil
}

// tallyFn merges what buckets know of the engagements of one shard that have one owner bucket. It, the
// other DoFns and their scopes keep their names: a runner finds state by the names of operators.
type tallyFn struct {
	P rules.Params

	merger *outcome.Merger
}

func (f *tallyFn) Setup() { f.merger = outcome.NewMerger(&f.P) }

func (f *tallyFn) ProcessElement(at beam.EventTime, shard int64, partials func(*outcome.Partials) bool, accounts func(account.Sheet), rejected func(record.Rejected)) error {
	var b outcome.Partials
	for partials(&b) {
		if err := f.merger.Add(b); err != nil {
			return err
		}
	}
	counted := f.P.NewSheet()
	f.merger.Merge(counted, rejected)
	counted.Origin = f.P.Origin(account.StepMerged, shard, f.P.BucketIn(at.Milliseconds()))
	accounts(*counted)
	return nil
}
