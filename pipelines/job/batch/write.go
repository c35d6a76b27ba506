package batch

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	"github.com/klauspost/compress/gzip"

	"tributary/io/dofn"
	"tributary/io/fileio"
	"tributary/io/format/avro"
	"tributary/pipelines/spec"
	"tributary/transforms/account"
	"tributary/transforms/attribution"
	"tributary/transforms/sample"
)

func init() {
	dofn.Register(dofn.Method4x1((*writeSamplesFn).ProcessElement))
	register.Iter1[[]byte]()
}

// writeSamplesFn writes all samples of a slice to one file, in order of (view time, view
// ID). The file appears whole, in place of an older one, or not at all.
type writeSamplesFn struct {
	Path   string
	Format spec.Format
	Codec  spec.Codec
	// Schema is that of the samples; JSONViews says that a sample's view is JSON text.
	Schema    string
	JSONViews bool
	From, To  int64
}

// sampleWriter writes encoded samples in one format.
type sampleWriter interface {
	Append(encoded []byte) error
	Close() error
}

func (f *writeSamplesFn) ProcessElement(ctx context.Context, _ int, blocks func(*[]byte) bool, ledgers func(account.Sheet)) (err error) {
	var all [][]byte
	var block []byte
	for blocks(&block) {
		_, samples, err := sample.ReadHeader(block)
		if err != nil {
			return err
		}
		if len(samples) > 0 {
			all = append(all, block)
		}
	}
	if len(all) == 0 {
		return nil // no file, then
	}
	file, err := fileio.Create(ctx, f.Path)
	if err != nil {
		return failed(ctx, "samples", f.Path, err)
	}
	defer func() {
		if err != nil {
			if file.Err() != nil {
				err = failed(ctx, "samples", f.Path, err)
			}
			file.Abort()
			err = fmt.Errorf("write samples: %w", err)
		}
	}()
	schema, err := avro.ParseSchema(f.Schema)
	if err != nil {
		return err
	}
	w, err := f.open(file, schema)
	if err != nil {
		return err
	}
	asJSON, err := sample.NewJSON(schema, f.JSONViews)
	if err != nil {
		return err
	}
	account := account.New()
	account.From, account.To = f.From, f.To
	var text []byte
	err = sample.Merge(all, func(encoded []byte) error {
		if attribution.InSample(sampleID(encoded)) {
			var failed error
			if text, failed = asJSON.Append(text[:0], encoded); failed == nil { // or it is only Avro's
				account.Bytes.JSON += int64(len(text)+1) * attribution.SampleOf
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
		return failed(ctx, "samples", f.Path, err)
	}
	account.Bytes.Out = file.Size()
	account.Files = writtenAs("samples", file)
	ledgers(*account)
	return nil
}

func sampleID(encoded []byte) []byte {
	id, _, err := sample.Key(encoded)
	if err != nil {
		return nil // Merge has read the same key
	}
	return id
}

func (f *writeSamplesFn) open(w io.Writer, schema *avro.Schema) (sampleWriter, error) {
	if f.Format == spec.Avro {
		return avro.NewWriter(w, schema, avro.WriterOptions{Codec: string(f.Codec)})
	}
	asJSON, err := sample.NewJSON(schema, f.JSONViews)
	if err != nil {
		return nil, err
	}
	lines := &lineWriter{samples: asJSON}
	if f.Codec == spec.Gzip {
		lines.zip = gzip.NewWriter(w)
		w = lines.zip
	}
	lines.out = bufio.NewWriterSize(w, 256<<10)
	return lines, nil
}

// lineWriter writes samples as JSON lines.
type lineWriter struct {
	samples *sample.JSON
	out     *bufio.Writer
	zip     *gzip.Writer
	line    []byte
}

func (l *lineWriter) Append(encoded []byte) (err error) {
	if l.line, err = l.samples.Append(l.line[:0], encoded); err != nil {
		return err
	}
	_, err = l.out.Write(append(l.line, '\n'))
	return err
}

func (l *lineWriter) Close() error {
	err := l.out.Flush()
	if l.zip != nil {
		err = errors.Join(err, l.zip.Close())
	}
	return err
}
