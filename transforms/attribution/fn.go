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

	packer *shuffle.Packer
	now    beam.EventTime
	// first is the earliest event time of the bundle.
	first beam.EventTime
	// The emitters of the element at hand: the packer's callbacks outlive it.
	blocks   func(beam.EventTime, int64, shuffle.Block)
	rejected func(beam.EventTime, record.Rejected)
}

func (f *packFn) Setup() {
	f.packer = shuffle.NewPacker(&f.P,
		func(shard, bucket int64, block shuffle.Block) {
			f.blocks(mtime.FromMilliseconds(f.P.EventTime(bucket)), shard, block)
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

// joinFn joins the blocks of one (shard, bucket).
type joinFn struct {
	P rules.Params

	joiner  *bucket.Joiner
	meaning uint64
	encoder sample.Encoder
	bucket  bucket.Bucket
	// samples and encoded are room for output, kept from one bucket to the next.
	samples, encoded []byte
}

func (f *joinFn) Setup() {
	f.joiner, f.meaning = bucket.NewJoiner(&f.P), f.P.Meaning().Fingerprint()
	f.encoder = sample.Encoder{JSONViews: f.P.ViewSchema == "", SpecVersion: f.P.SpecVersion}
	for _, k := range f.P.Kinds {
		f.encoder.Columns = append(f.encoder.Columns, sample.Column{Kind: k.Name, Func: k.Label})
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
	out := newOutput(&f.P, f.meaning, &f.encoder, shard, f.bucket.Index, samples)
	out.samples, out.encoded = f.samples[:0], f.encoded
	f.joiner.Join(&f.bucket, out)
	out.finish()
	f.samples, f.encoded = out.samples, out.encoded
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
