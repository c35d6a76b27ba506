package batch

import (
	"context"
	"errors"
	"fmt"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"tributary/io/dofn"
	"tributary/io/fileio"
	"tributary/pipelines/job"
	"tributary/transforms/account"
	"tributary/transforms/attribution/rules"
	"tributary/transforms/sample"
)

func init() {
	dofn.Register(dofn.Method4x1((*writeSamplesFn).ProcessElement))
	register.Iter1[sample.Block]()
}

// writeSamplesFn writes all samples of an interval to one file, in order of (view time, view
// ID). The file appears whole, in place of an older one, or not at all.
type writeSamplesFn struct {
	// Files are those of the intervals, by the key of their samples.
	Files  []sampleFile
	Format job.SampleFormat
}

// sampleFile is the file of the samples of an interval.
type sampleFile struct {
	Path     string
	From, To int64
}

func (f *writeSamplesFn) ProcessElement(ctx context.Context, interval int, blocks func(*sample.Block) bool, accounts func(account.Sheet)) error {
	var all []sample.Source
	var block sample.Block
	for blocks(&block) {
		header, samples, err := block.Open()
		if err != nil {
			return err
		}
		if len(samples) > 0 {
			block := block
			all = append(all, sample.Source{Start: header.Start, Load: func() (sample.Block, error) { return block, nil }})
		}
	}
	return f.write(ctx, interval, all, accounts)
}

// write writes the samples of an interval; without any there is no file.
func (f *writeSamplesFn) write(ctx context.Context, interval int, all []sample.Source, accounts func(account.Sheet)) (err error) {
	to := f.Files[interval]
	if len(all) == 0 {
		return nil
	}
	file, err := fileio.Create(ctx, to.Path)
	if err != nil {
		return failed(ctx, "samples", to.Path, err)
	}
	defer func() {
		if err != nil {
			if file.Err() != nil {
				err = failed(ctx, "samples", to.Path, err)
			}
			file.Abort()
			err = fmt.Errorf("write samples: %w", err)
		}
	}()
	w, err := f.Format.Begin(file)
	if err != nil {
		return err
	}
	asJSON, err := f.Format.JSON()
	if err != nil {
		return err
	}
	account := account.New()
	account.From, account.To = to.From, to.To
	var text []byte
	err = sample.MergeSources(all, func(encoded []byte) error {
		if rules.InSample(sampleID(encoded)) {
			var failed error
			if text, failed = asJSON.Append(text[:0], encoded); failed == nil { // or it is only Avro's
				account.Bytes.JSON += int64(len(text)+1) * rules.SampleOf
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		return w.Append(encoded)
	})
	if err = errors.Join(err, w.Close()); err != nil {
		return err
	}
	if err := file.Commit(); err != nil {
		return failed(ctx, "samples", to.Path, err)
	}
	account.Bytes.Out = file.Size()
	account.Files = writtenAs("samples", file)
	accounts(*account)
	return nil
}

func sampleID(encoded []byte) []byte {
	id, _, err := sample.Key(encoded)
	if err != nil {
		return nil // Merge has read the same key
	}
	return id
}
