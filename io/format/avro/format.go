package avro

import (
	"errors"
	"io"

	"tributary/io/format"
)

func init() { format.Register(files{}) }

// files is the format as the registry knows it.
type files struct{}

// Name is avro.
func (files) Name() string { return "avro" }

// Endings is .avro alone.
func (files) Endings() []string { return []string{".avro"} }

// Sniff knows the magic of container files.
func (files) Sniff(start []byte) bool { return string(start) == magic }

// Text is false: files are compressed inside.
func (files) Text() bool { return false }

// Head reads the header, which is the Decoder too.
func (files) Head(f *format.File) (format.Head, error) {
	in, err := f.Open(0)
	if err != nil {
		return format.Head{}, err
	}
	defer func() { _ = in.Close() }() // only read
	r, err := NewReader(in)
	if err != nil {
		return format.Head{}, &format.OtherError{Err: f.In(err)}
	}
	return format.Head{Schema: r.Header().Schema.String(), Decoder: r.Header()}, nil
}

// Chunks reads blocks.
func (files) Chunks(f *format.File, head format.Head, at format.Place) (format.Chunks, error) {
	in, err := f.Open(at.Offset)
	if err != nil {
		return nil, err
	}
	if at.Offset > 0 {
		header, _ := head.Decoder.(Header)
		return &chunks{ResumeReader(header, in, at.Offset), in, at.Index}, nil
	}
	r, err := NewReader(in)
	if err != nil {
		return nil, errors.Join(f.In(err), in.Close())
	}
	return &chunks{r, in, 0}, nil
}

// chunks are the blocks of a file, and what is damaged between them.
type chunks struct {
	reader *Reader
	file   io.Closer
	index  int64 // of the next record
}

func (c *chunks) Next() (format.Chunk, error) {
	b, err := c.reader.Next()
	if damage := (*DamageError)(nil); errors.As(err, &damage) {
		lost := format.Bad{Index: c.index, Count: damage.Count, AtLeast: damage.AtLeast, Err: damage}
		c.index += lost.Count
		return format.Chunk{Place: format.Place{Offset: damage.Offset, Index: lost.Index}, Size: damage.Size, Bad: []format.Bad{lost}}, nil
	}
	if err != nil {
		return format.Chunk{}, err
	}
	chunk := format.Chunk{
		Place: format.Place{Offset: b.Offset, Index: c.index}, Size: b.Size, Count: b.Count,
		Records: func(dst []byte) ([]byte, error) { return b.Records(dst[:0]) },
	}
	c.index += b.Count
	return chunk, nil
}

func (c *chunks) Close() error { return c.file.Close() }

// Schemas is true.
func (files) Schemas() bool { return true }

// Record returns what is no text.
func (files) Record(value []byte) ([]byte, error) { return value, nil }

// SchemaType is that of Avro.
func (files) SchemaType() string { return "AVRO" }

// Alone is true: a spec may name the one schema that all values have.
func (files) Alone() bool { return true }

// Codecs begins with what every tool reads that reads Avro, and fast.
func (files) Codecs() []string {
	return []string{CodecSnappy, CodecZstandard, CodecDeflate, CodecNull}
}

// Ending does not depend on the codec.
func (files) Ending(string) string { return ".avro" }

// Write begins a container file.
func (files) Write(w io.Writer, opt format.WriteOptions) (format.Records, error) {
	schema, err := ParseSchema(opt.Schema)
	if err != nil {
		return nil, err
	}
	return NewWriter(w, schema, WriterOptions{Codec: opt.Codec})
}
