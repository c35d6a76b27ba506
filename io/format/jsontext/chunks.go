package jsontext

import (
	"errors"
	"fmt"
	"io"

	"tributary/io/format"
	"tributary/io/format/avro"
	"tributary/io/record"
)

// chunks are the blocks of a Reader as a format gives them.
type chunks struct {
	file    *format.File
	in      io.Closer
	reader  *Reader
	encoder *Encoder // nil for records that stay text
}

// Chunks gives the blocks of r, which reads in, an opening of f. Records are converted to f's schema, if
// it has one; untyped is that of NewEncoder.
func Chunks(f *format.File, in io.Closer, r *Reader, untyped bool) (format.Chunks, error) {
	c := &chunks{file: f, in: in, reader: r}
	if f.Schema == "" {
		return c, nil
	}
	schema, err := avro.ParseSchema(f.Schema)
	if err == nil {
		c.encoder, err = NewEncoder(schema, untyped)
	}
	if err != nil {
		return nil, errors.Join(f.In(err), in.Close())
	}
	return c, nil
}

func (c *chunks) Close() error { return c.in.Close() }

func (c *chunks) Next() (format.Chunk, error) {
	b, err := c.reader.Next()
	if errors.Is(err, io.EOF) {
		return format.Chunk{}, io.EOF
	}
	if err != nil {
		return format.Chunk{}, c.file.In(err)
	}
	out := format.Chunk{Place: b.Place, Size: int64(len(b.Records)), Count: int64(b.Count), Framed: true}
	for _, bad := range b.Bad {
		out.Bad = append(out.Bad, format.Bad{Index: bad.Index, Count: 1, AtLeast: bad.AtLeast, Err: fmt.Errorf("line %d: %w", bad.Line, bad.Err), Record: bad.Raw})
	}
	records := b.Records
	if c.encoder != nil {
		if records, err = c.convert(&out, records); err != nil {
			return format.Chunk{}, c.file.In(err)
		}
	}
	out.Records = func([]byte) ([]byte, error) { return records, nil }
	return out, nil
}

// convert turns the chunk's records into Avro; those that do not fit the schema are bad.
func (c *chunks) convert(out *format.Chunk, records []byte) ([]byte, error) {
	converted := make([]byte, 0, len(records))
	var datum []byte
	for len(records) > 0 {
		distance, text, rest, err := record.NextFramed(records)
		if err != nil {
			return nil, err
		}
		records = rest
		if datum, err = c.encoder.Append(datum[:0], text); err != nil {
			out.Bad = append(out.Bad, format.Bad{Index: out.Index + distance, Count: 1, Err: err, Record: text})
			out.Count--
			continue
		}
		converted = record.AppendFramed(converted, distance, datum)
	}
	return converted, nil
}
