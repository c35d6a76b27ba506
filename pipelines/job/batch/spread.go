package batch

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"tributary/io/dofn"
	"tributary/runners"
	"tributary/transforms/sample"
)

func init() {
	dofn.Register(dofn.Method2x1((*bySliceFn).ProcessElement))
	register.Emitter2[int, sample.Block]()
}

// A runner with several machines joins all slices in one pipeline: pieces are spread over its workers before they
// are read, and each slice's samples meet again to become its file. So nothing is read twice, and no slice is too
// large. What is in no sample, and the accounts, are of the whole.

// spread joins the slices on a runner, if they are to be joined.
func (r *runner) spread(ctx context.Context, on runners.Runner, todo []fingerprinted, all []slice) error {
	if len(todo) == 0 {
		return nil
	}
	whole := todo[0]
	r.records, r.before = r.plan.recordsIn(whole.slice), recordsRead.Load()
	job, err := on.Start(ctx, r.plan.pipeline(whole.slice, all, whole.fingerprint, true))
	if err != nil {
		return err
	}
	err = job.Wait(ctx, false, func(runners.Status) { r.tell() })
	if err = errors.Join(err, job.Close(context.WithoutCancel(ctx))); err != nil {
		return err
	}
	return r.finish(ctx, whole.slice)
}

// bySliceFn gives blocks of samples the number of the slice that they are of, and cuts those that are of several.
type bySliceFn struct {
	// Ends are those of the slices, in order, in ms.
	Ends []int64
}

func (f *bySliceFn) ProcessElement(block sample.Block, emit func(int, sample.Block)) error {
	header, samples, err := block.Open()
	if err != nil {
		return err
	}
	parts := map[int][]byte{}
	for len(samples) > 0 {
		encoded, rest, err := sample.Next(samples)
		if err != nil {
			return err
		}
		_, at, err := sample.Key(encoded)
		if err != nil {
			return err
		}
		i, met := slices.BinarySearch(f.Ends, at)
		if met {
			i++ // the end is the next one's
		}
		if i == len(f.Ends) {
			return fmt.Errorf("a sample of %s is behind all slices", timeOf(at))
		}
		parts[i] = append(parts[i], samples[:len(samples)-len(rest)]...)
		samples = rest
	}
	for i, part := range parts {
		emit(i, sample.NewBlock(header, part))
	}
	return nil
}

// bySlice keys blocks of samples by slice; all have one key where there is one slice.
func bySlice(s beam.Scope, all []slice, blocks beam.PCollection) beam.PCollection {
	if len(all) == 1 {
		return beam.AddFixedKey(s, blocks)
	}
	f := &bySliceFn{}
	for _, one := range all {
		f.Ends = append(f.Ends, one.to)
	}
	return beam.ParDo(s, f, blocks)
}
