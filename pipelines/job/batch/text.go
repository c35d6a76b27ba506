package batch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"tributary/io/fileio"
	"tributary/io/format/avro"
	"tributary/io/format/csv"
	"tributary/io/format/jsonl"
	"tributary/io/format/jsontext"
	"tributary/io/record"
	"tributary/pipelines/spec"
)

// openText opens a file of JSON lines or CSV at a chunk found before. What is
// compressed has to be read from its start again; the rest is reached directly.
func openText(ctx context.Context, f *file, at place, copied io.Writer) (*chunkReader, error) {
	opt := jsontext.Options{}
	var (
		columns []string
		r       io.ReadCloser
		err     error
	)
	if at.Offset > 0 {
		opt.Start = jsontext.Position(at)
		if f.Format == spec.CSV {
			if columns, err = columnsIn(ctx, f); err != nil {
				return nil, err
			}
		}
	}
	compressed := strings.HasSuffix(f.Path, ".gz")
	if compressed {
		r, err = fileio.Open(ctx, f.Path)
	} else {
		r, err = fileio.OpenAt(ctx, f.Path, at.Offset)
	}
	if err != nil {
		return nil, err
	}
	plain := fileio.Decompress(f.Path, tee(r, copied))
	if compressed && at.Offset > 0 {
		if _, err := io.CopyN(io.Discard, plain, at.Offset); err != nil {
			return nil, errors.Join(fmt.Errorf("%s: skip to byte %d of the text: %w", f.Path, at.Offset, err), r.Close())
		}
	}
	reader := jsonl.NewReader(plain, opt)
	if f.Format == spec.CSV {
		reader = csv.NewReader(plain, opt, columns).Reader
	}
	next, err := textChunks(f, reader)
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return &chunkReader{next: next, close: r.Close}, nil
}

func columnsIn(ctx context.Context, f *file) ([]string, error) {
	r, err := fileio.Open(ctx, f.Path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }() // only read
	columns, err := csv.NewReader(fileio.Decompress(f.Path, r), jsontext.Options{}, nil).Columns()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Path, err)
	}
	return columns, nil
}

func textChunks(f *file, r *jsontext.Reader) (func() (chunk, error), error) {
	var encoder *jsontext.Encoder
	if f.Convert != "" {
		schema, err := avro.ParseSchema(f.Convert)
		if err == nil {
			encoder, err = jsontext.NewEncoder(schema, f.Format == spec.CSV)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Path, err)
		}
	}
	return func() (chunk, error) {
		b, err := r.Next()
		if errors.Is(err, io.EOF) {
			return chunk{}, io.EOF
		}
		if err != nil {
			return chunk{}, fmt.Errorf("%s: %w", f.Path, err)
		}
		c := chunk{place: place(b.Position), Size: int64(len(b.Records)), Count: int64(b.Count), framed: true}
		for _, bad := range b.Bad {
			c.Bad = append(c.Bad, badRecord{Index: bad.Index, Count: 1, AtLeast: bad.AtLeast, Err: fmt.Errorf("line %d: %w", bad.Line, bad.Err), Record: bad.Raw})
		}
		records := b.Records
		if encoder != nil {
			if records, err = convert(&c, encoder, records); err != nil {
				return chunk{}, fmt.Errorf("%s: %w", f.Path, err)
			}
		}
		c.plain = func() ([]byte, error) { return records, nil }
		return c, nil
	}, nil
}

// convert turns the chunk's records into Avro; those that do not fit the schema are bad.
func convert(c *chunk, encoder *jsontext.Encoder, records []byte) ([]byte, error) {
	converted := make([]byte, 0, len(records))
	var datum []byte
	for len(records) > 0 {
		distance, text, rest, err := record.NextFramed(records)
		if err != nil {
			return nil, err
		}
		records = rest
		if datum, err = encoder.Append(datum[:0], text); err != nil {
			c.Bad = append(c.Bad, badRecord{Index: c.Index + distance, Count: 1, Err: err, Record: text})
			c.Count--
			continue
		}
		converted = record.AppendFramed(converted, distance, datum)
	}
	return converted, nil
}
