package batch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"tributary/io/dofn"
	"tributary/io/fileio"
	"tributary/io/spill"
	"tributary/runners"
	"tributary/transforms/account"
	"tributary/transforms/sample"
)

func init() {
	dofn.Register(
		dofn.Method1x0((*keepSamplesFn).StartBundle),
		dofn.Method3x1((*keepSamplesFn).ProcessElement),
		dofn.Method2x1((*keepSamplesFn).FinishBundle),
		dofn.Method0x0((*keepSamplesFn).Teardown),
	)
	dofn.Register(dofn.Method4x1((*writeKeptFn).ProcessElement))
	dofn.Element(spill.EncodeRef, spill.DecodeRef)
	register.Emitter2[int, spill.Ref]()
	register.Iter1[spill.Ref]()
}

// A runner with several machines joins all intervals in one pipeline: pieces are spread over its workers before they
// are read, and each interval's samples meet again to become its file. So nothing is read twice, and no interval is too
// large. What is in no sample, and the accounts, are of the whole.
//
// Blocks and samples do not go through the runner's shuffle but are in files of a folder (package spill), which
// goes with the run. The writer of an interval has one bucket of it in memory at a time.

// spread joins the intervals on a runner, if they are to be joined.
func (r *runner) spread(ctx context.Context, on runners.Runner, todo []fingerprinted) (returned error) {
	if len(todo) == 0 {
		return nil
	}
	whole := todo[0]
	kept := r.plan.keptFolder()
	if err := fileio.RemoveAll(ctx, kept); err != nil { // of a run that was killed
		return err
	}
	defer func() { returned = errors.Join(returned, fileio.RemoveAll(context.WithoutCancel(ctx), kept)) }()
	r.records, r.before = r.plan.recordsIn(whole.interval), recordsRead.Load()
	job, err := on.Start(ctx, r.plan.pipeline(whole.interval, whole.fingerprint, kept, true))
	if err != nil {
		return err
	}
	err = job.Wait(ctx, false, func(runners.Status) { r.reportProgress() })
	if err = errors.Join(err, job.Close(context.WithoutCancel(ctx))); err != nil {
		return err
	}
	r.before = recordsRead.Load() - r.records // workers elsewhere have not counted here
	return r.finish(ctx, whole.interval)
}

// keptFolder is where the pipeline keeps what it shuffles: beside the accounts, which all workers reach.
func (p *plan) keptFolder() string {
	return strings.TrimSuffix(p.spec.Outputs.Accounts, "/") + "/.shuffle"
}

// writeSpread writes the samples of all intervals, each to its file, and returns accounts of the files.
func writeSpread(s beam.Scope, all []interval, kept string, write writeSamplesFn, blocks beam.PCollection) beam.PCollection {
	keep := &keepSamplesFn{Folder: kept, Ends: endsOf(all), Write: write}
	return beam.ParDo(s, &writeKeptFn{Folder: kept, Write: write}, beam.GroupByKey(s, beam.ParDo(s, keep, blocks)))
}

// keepSamplesFn keeps blocks of samples, cut where they are of several intervals, in a file for each bundle, and emits
// where they are, by the number of the interval, when that ends.
type keepSamplesFn struct {
	Folder string
	// Ends are those of the intervals, in order, in ms.
	Ends []int64
	// Write is how they will be written.
	Write writeSamplesFn

	keeper spill.Keeper[int]
}

func (f *keepSamplesFn) StartBundle(func(int, spill.Ref)) { f.keeper.Abort() }

func (f *keepSamplesFn) ProcessElement(ctx context.Context, block sample.Block, _ func(int, spill.Ref)) error {
	header, samples, err := block.Open()
	if err != nil || !f.Write.takes(&header) {
		return err
	}
	begun, interval := samples, -1
	keep := func(rest []byte) error {
		if len(begun) == len(rest) {
			return nil
		}
		part := sample.NewBlock(header, begun[:len(begun)-len(rest)])
		begun = rest
		return f.keeper.Keep(ctx, f.Folder, interval, sample.EncodeBlock(part))
	}
	for len(samples) > 0 {
		encoded, rest, err := sample.Next(samples)
		if err != nil {
			return err
		}
		_, at, err := sample.Key(encoded)
		if err != nil {
			return err
		}
		if interval < 0 || at >= f.Ends[interval] { // they are in order of time
			if err := keep(samples); err != nil {
				return err
			}
			if interval, err = intervalAt(f.Ends, at); err != nil {
				return err
			}
		}
		samples = rest
	}
	return keep(nil)
}

// endsOf are the ends of intervals.
func endsOf(all []interval) []int64 {
	ends := make([]int64, len(all))
	for i, one := range all {
		ends[i] = one.to
	}
	return ends
}

// intervalAt is the number of the interval that a time is in, by the ends of intervals.
func intervalAt(ends []int64, at int64) (int, error) {
	i, met := slices.BinarySearch(ends, at)
	if met {
		i++ // the end is the next one's
	}
	if i == len(ends) {
		return 0, fmt.Errorf("a sample of %s is behind all intervals", timeOf(at))
	}
	return i, nil
}

func (f *keepSamplesFn) FinishBundle(_ context.Context, emit func(int, spill.Ref)) error {
	return f.keeper.Commit(emit)
}

func (f *keepSamplesFn) Teardown() { f.keeper.Abort() }

// writeKeptFn writes samples that were kept.
type writeKeptFn struct {
	Folder string
	Write  writeSamplesFn
}

func (f *writeKeptFn) ProcessElement(ctx context.Context, interval int, refs func(*spill.Ref) bool, accounts func(account.Sheet)) error {
	var all []sample.Source
	var ref spill.Ref
	for refs(&ref) {
		head, err := sample.DecodeBlock(ref.Head)
		if err != nil {
			return err
		}
		header, _, err := head.Open()
		if err != nil {
			return err
		}
		at := ref
		all = append(all, sample.Source{Start: header.Start, Load: func() (sample.Block, error) {
			encoded, err := spill.Get(ctx, f.Folder, at)
			if err != nil {
				return sample.Block{}, err
			}
			return sample.DecodeBlock(encoded)
		}})
	}
	return f.Write.write(ctx, interval, all, accounts)
}
