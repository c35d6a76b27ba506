package batch

import (
	"context"
	"fmt"
	"math"

	"tributary/io/kafkaio/source"
	"tributary/io/record"
	"tributary/pipelines/job"
	"tributary/pipelines/spec"
	"tributary/transforms/account"
	"tributary/transforms/attribution/rules"
)

// Whole is all that the inputs of a spec hold, for whoever looks at records one by one: it is read as a join reads it, with the watermarks
// of its partitions, and as often as is asked for.
type Whole struct {
	// Params are those of the join of all of it; Sources have the places of Params.Inputs.
	Params  rules.Params
	Sources []job.Source
	// SampleSchema is that of the samples.
	SampleSchema string
	// Watermark is that of the partition which is furthest behind, of those with an order and event times; record.NoTime if there is none.
	Watermark int64
	// Starts says of partitions of topics which begin later than at offset 0 where they do.
	Starts map[string]int64

	plan *plan
}

// WholeOptions are as those of Options.
type WholeOptions struct {
	ViewSchema string
	Kept       Kept
	Progress   func(Progress)
}

// OpenWhole lists the inputs and finds their event times. The error is a problem.List if they do not fit the spec.
func OpenWhole(ctx context.Context, s *spec.Spec, opt WholeOptions) (*Whole, error) {
	again := *s // what was written says nothing of the inputs, and is left alone
	again.Outputs = spec.Outputs{Samples: spec.Output{Path: "samples", Format: spec.Avro, Codec: spec.Snappy}}
	p, err := newPlan(ctx, &again, planOptions{until: source.Stop{At: source.StopAtEnd}, keep: true, viewSchema: opt.ViewSchema, kept: opt.Kept, progress: func(done, total int64) {
		if opt.Progress != nil {
			opt.Progress(Progress{Stage: "scan", Done: done, Total: total})
		}
	}})
	if err != nil {
		return nil, err
	}
	w := &Whole{Params: p.params, Sources: p.sources, SampleSchema: p.sampleSchema, Watermark: record.NoTime, Starts: map[string]int64{}, plan: p}
	w.Params.LogEnd = p.last
	if p.last == record.NoTime {
		w.Params.LogEnd = rules.NoLogEnd
	}
	for _, f := range p.files {
		if f.Range != nil && f.Range.From > 0 {
			w.Starts[f.Path] = f.Range.From
		}
	}
	for _, at := range p.watermarks() {
		if w.Watermark == record.NoTime || at < w.Watermark {
			w.Watermark = at
		}
	}
	return w, nil
}

// watermarks are those at the ends of the partitions that have an order and event times.
func (p *plan) watermarks() (all []int64) {
	ends := map[int32]int64{}
	for _, f := range p.files {
		for r, role := range f.roles {
			if !p.params.Inputs[role.source].Ordered {
				continue
			}
			for i := range f.chunks {
				for _, part := range f.chunks[i].parts[r] {
					clock := part.before
					clock.Append(part.times)
					if at := watermarkAt(&p.params, role.source, clock); clock != record.NoClock {
						ends[part.partition] = max(at, ends[part.partition])
					}
				}
			}
		}
	}
	for _, at := range ends {
		all = append(all, at)
	}
	return all
}

// Source names what a record was read from: a partition of a topic, or one that records name, or a file, by the rank that batches and
// what is rejected have.
func (w *Whole) Source(partition int32) string { return w.plan.partitions[partition] }

// Each reads all batches, those of a partition in order, and what source and format refuse. Both are valid for the call.
func (w *Whole) Each(ctx context.Context, batches func(record.Batch) error, rejected func(record.Rejected)) error {
	ctx, cancel := context.WithCancel(w.plan.cache.in(ctx))
	defer cancel()
	read := readFn{P: w.plan.params, Fields: w.plan.fields(), Reading: w.plan.reading}
	for _, p := range w.plan.pieces(interval{from: math.MinInt64 / 2, to: math.MaxInt64 / 2, first: true}) {
		var failed error
		err := read.ProcessElement(ctx, p, func(b record.Batch) {
			if failed == nil {
				if failed = batches(b); failed != nil {
					cancel()
				}
			}
		}, rejected, func(account.Sheet) {})
		if failed != nil {
			return failed
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", p.File.Path, err)
		}
	}
	return ctx.Err()
}
