package batch

import (
	"context"
	"fmt"

	"tributary/io/dofn"
	"tributary/transforms/account"
	"tributary/transforms/sample"
)

func init() {
	dofn.Register(
		dofn.Method1x0((*writeInOrderFn).StartBundle),
		dofn.Method3x1((*writeInOrderFn).ProcessElement),
		dofn.Method2x1((*writeInOrderFn).FinishBundle),
		dofn.Method0x0((*writeInOrderFn).Teardown),
	)
}

// writeInOrderFn writes the samples of a unit, whose buckets come in order of time and in one bundle, to a file for
// each interval. It has one bucket in memory.
type writeInOrderFn struct {
	Write writeSamplesFn
	// Ends are those of the intervals, in order, in ms.
	Ends []int64

	bucket   int64 // the start of that of the blocks
	blocks   []sample.Source
	file     *samplesWriter
	interval int // of the file
}

func (f *writeInOrderFn) StartBundle(func(account.Sheet)) { f.Teardown() }

func (f *writeInOrderFn) ProcessElement(ctx context.Context, block sample.Block, accounts func(account.Sheet)) error {
	header, samples, err := block.Open()
	if err != nil || len(samples) == 0 || !f.Write.takes(&header) {
		return err
	}
	if len(f.blocks) > 0 && f.bucket != header.Start {
		if header.Start < f.bucket {
			return fmt.Errorf("samples of %s come after those of %s: the runner does not keep the order", timeOf(header.Start), timeOf(f.bucket))
		}
		if err := f.flush(ctx, accounts); err != nil {
			return err
		}
	}
	f.bucket = header.Start
	f.blocks = append(f.blocks, sample.Source{Start: header.Start, Load: func() (sample.Block, error) { return block, nil }})
	return nil
}

// flush writes the bucket.
func (f *writeInOrderFn) flush(ctx context.Context, accounts func(account.Sheet)) error {
	blocks := f.blocks
	f.blocks = f.blocks[:0]
	return sample.MergeSources(blocks, func(encoded []byte) error {
		_, at, err := sample.Key(encoded)
		if err != nil {
			return err
		}
		if f.file != nil && at >= f.Ends[f.interval] {
			if err := f.commit(ctx, accounts); err != nil {
				return err
			}
		}
		if f.file == nil {
			if f.interval, err = intervalAt(f.Ends, at); err != nil {
				return err
			}
			if f.file, err = f.Write.begin(ctx, f.interval); err != nil {
				return err
			}
		}
		return f.file.append(ctx, encoded)
	})
}

// commit ends the file of an interval.
func (f *writeInOrderFn) commit(ctx context.Context, accounts func(account.Sheet)) error {
	file := f.file
	f.file = nil
	if file == nil {
		return nil
	}
	written, err := file.commit(ctx)
	if err == nil {
		accounts(*written)
	}
	return err
}

func (f *writeInOrderFn) FinishBundle(ctx context.Context, accounts func(account.Sheet)) error {
	if err := f.flush(ctx, accounts); err != nil {
		return err
	}
	return f.commit(ctx, accounts)
}

// Teardown undoes what was not finished.
func (f *writeInOrderFn) Teardown() {
	if f.file != nil {
		f.file.abort()
	}
	f.file, f.blocks, f.bucket = nil, f.blocks[:0], 0
}
