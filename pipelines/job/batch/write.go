package batch

import (
	"context"
	"fmt"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"tributary/io/dofn"
	"tributary/io/fileio"
	"tributary/io/format"
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
	// Key is what accounts call the files.
	Key string
	// Final leaves out what takes back samples of earlier stages.
	Final bool
	// Files are those of the intervals, by the key of their samples.
	Files  []sampleFile
	Format job.SampleFormat
	// Spool writes a spool instead, which accounts know no size of.
	Spool bool `json:",omitempty"`
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
		if len(samples) > 0 && f.takes(&header) {
			block := block
			all = append(all, sample.Source{Start: header.Start, Load: func() (sample.Block, error) { return block, nil }})
		}
	}
	return f.write(ctx, interval, all, accounts)
}

// takes tells whether a block is of samples that are written.
func (f *writeSamplesFn) takes(h *sample.Header) bool {
	return !h.Unchanged && (!f.Final || !h.Withdrawn)
}

// write writes the samples of an interval; without any there is no file.
func (f *writeSamplesFn) write(ctx context.Context, interval int, all []sample.Source, accounts func(account.Sheet)) error {
	if len(all) == 0 {
		return nil
	}
	file, err := f.begin(ctx, interval)
	if err != nil {
		return err
	}
	defer file.abort()
	if err := sample.MergeSources(all, func(encoded []byte) error { return file.append(ctx, encoded) }); err != nil {
		return file.failed(ctx, err)
	}
	written, err := file.commit(ctx)
	if err == nil {
		accounts(*written)
	}
	return err
}

// samplesWriter writes the file of an interval.
type samplesWriter struct {
	key     string
	to      sampleFile
	file    *fileio.Writer
	records format.Records
	spool   bool
	asJSON  *sample.JSON
	account *account.Sheet
	text    []byte
}

// begin begins the file of an interval.
func (f *writeSamplesFn) begin(ctx context.Context, interval int) (*samplesWriter, error) {
	w := &samplesWriter{key: f.Key, to: f.Files[interval], account: account.New()}
	w.account.From, w.account.To = w.to.From, w.to.To
	var err error
	if w.file, err = fileio.Create(ctx, w.to.Path); err != nil {
		return nil, failed(ctx, samplesKey, w.to.Path, err)
	}
	if f.Spool {
		w.records, w.spool = newSpool(w.file), true
	} else {
		w.records, err = f.Format.Begin(w.file)
	}
	if err == nil {
		w.asJSON, err = f.Format.JSON()
	}
	if err != nil {
		defer w.abort()
		return nil, w.failed(ctx, err)
	}
	return w, nil
}

// append writes a sample; they come in order of (view time, view ID).
func (w *samplesWriter) append(ctx context.Context, encoded []byte) error {
	if rules.InSample(sampleID(encoded)) {
		var failed error
		if w.text, failed = w.asJSON.Append(w.text[:0], encoded); failed == nil { // or it is only Avro's
			w.account.Bytes.JSON += int64(len(w.text)+1) * rules.SampleOf
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return w.records.Append(encoded)
}

// commit makes the file appear, and returns the accounts of it.
func (w *samplesWriter) commit(ctx context.Context) (*account.Sheet, error) {
	err := w.records.Close()
	if err == nil {
		err = w.file.Commit()
	}
	if err != nil {
		w.abort()
		return nil, w.failed(ctx, err)
	}
	if !w.spool {
		w.account.Bytes.Out = w.file.Size()
	}
	w.account.Files = writtenAs(w.key, w.file)
	return w.account, nil
}

// abort undoes the writing, unless it has ended.
func (w *samplesWriter) abort() { w.file.Abort() }

// failed is err as a problem of the output, where it is one.
func (w *samplesWriter) failed(ctx context.Context, err error) error {
	if w.file.Err() != nil {
		err = failed(ctx, samplesKey, w.to.Path, err)
	}
	return fmt.Errorf("write samples: %w", err)
}

func sampleID(encoded []byte) []byte {
	id, _, err := sample.Key(encoded)
	if err != nil {
		return nil // Merge has read the same key
	}
	return id
}
