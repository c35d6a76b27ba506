package batch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"tributary/io/fileio"
	"tributary/io/format/avro"
	"tributary/io/kafkaio/source"
	"tributary/io/pool"
	"tributary/io/record"
	"tributary/pipelines/spec"
)

// file is one input file, as far as reading it needs to know. It travels to workers.
type file struct {
	Path string
	// Size in bytes, and what tells this content from another under the same path.
	Size    int64
	Version string
	// Content is a hash of its bytes, from the scan: the same size and time of change may
	// be those of another content.
	Content uint64
	Format  spec.Format
	// Schema is the fingerprint of the schema of the records that come out: the writer's
	// for Avro, that of Convert for text, 0 for text that stays JSON.
	Schema uint64
	// Convert is the Avro schema that text is converted to; empty for none.
	Convert string
	// Range is what is read of a partition of a topic, which has no more than a Path, its name,
	// beside that; nil for a file.
	Range *source.Range
}

// place is where a chunk is: enough to go on reading there.
type place struct {
	// Offset in the file; in the plain text, for text.
	Offset int64
	// Index is how many records come before it in the file, Line how many lines of text.
	Index, Line int64
}

// chunk is a run of records that are stored together: a block of an Avro file, or some
// lines of text. It is the unit in which files are planned and read.
type chunk struct {
	place
	// Size is its stored size in bytes.
	Size int64
	// Count is how many records it has beside the bad ones.
	Count int64
	// Bad are records that could not be told apart or converted.
	Bad []badRecord

	framed bool
	plain  func() ([]byte, error)
}

// badRecord is a record, or Count of them lost together. AtLeast says that more may be lost:
// how many is not known then.
type badRecord struct {
	Index, Count int64
	AtLeast      bool
	Err          error
	Record       []byte
}

// batch gives the chunk's records as a batch of no input yet. An error is damage.
func (c *chunk) batch(f *file) (record.Batch, error) {
	b := record.Batch{Schema: f.Schema, Offset: c.Index, Count: int32(c.Count), MaxTime: record.NoTime, SecondTime: record.NoTime, Framed: c.framed}
	if c.Count == 0 {
		return b, nil
	}
	var err error
	b.Records, err = c.plain()
	return b, err
}

// lost stands for all records of the chunk, which err keeps from being read.
func (c *chunk) lost(err error) badRecord {
	lost := badRecord{Index: c.Index, Count: c.Count, Err: err}
	if damage := (*avro.DamageError)(nil); errors.As(err, &damage) {
		lost.Count, lost.AtLeast = damage.Count, damage.AtLeast
	}
	return lost
}

// chunkReader reads a file chunk by chunk. next returns io.EOF at the end; damage is a
// chunk of its own, with nothing but a bad record. A chunk is valid until the next one.
type chunkReader struct {
	next  func() (chunk, error)
	close func() error
}

// openChunks opens a file at a chunk that an earlier reading found, or at its start. What is
// read of its bytes is written to copied, if that is not nil.
func openChunks(ctx context.Context, f *file, at place, copied io.Writer) (*chunkReader, error) {
	if f.Format != spec.Avro {
		return openText(ctx, f, at, copied)
	}
	if at.Offset > 0 {
		header, err := headerOf(ctx, f)
		if err != nil {
			return nil, err
		}
		r, err := fileio.OpenAt(ctx, f.Path, at.Offset)
		if err != nil {
			return nil, err
		}
		return &chunkReader{next: avroChunks(avro.ResumeReader(header, r, at.Offset), at.Index), close: r.Close}, nil
	}
	r, err := fileio.Open(ctx, f.Path)
	if err != nil {
		return nil, err
	}
	container, err := avro.NewReader(tee(r, copied))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", f.Path, err), r.Close())
	}
	return &chunkReader{next: avroChunks(container, 0), close: r.Close}, nil
}

func tee(r io.Reader, copied io.Writer) io.Reader {
	if copied == nil {
		return r
	}
	return io.TeeReader(r, copied)
}

// formatError says that a file can be read, and is not of its format.
type formatError struct{ error }

func (e *formatError) Unwrap() error { return e.error }

// headers are what files begin with, by path and version: every piece of a file wants it.
var headers = &pool.Pool[[2]string, avro.Header]{Idle: 10 * time.Minute, Close: func(avro.Header) {}, Single: true}

func headerOf(ctx context.Context, f *file) (avro.Header, error) {
	key := [2]string{f.Path, f.Version}
	h, err := headers.Take(ctx, key, func() (avro.Header, error) { return readHeader(ctx, f) })
	if err != nil {
		return avro.Header{}, err
	}
	headers.Give(key, h) // nobody changes it
	return h, nil
}

func readHeader(ctx context.Context, f *file) (avro.Header, error) {
	r, err := fileio.Open(ctx, f.Path)
	if err != nil {
		return avro.Header{}, err
	}
	defer func() { _ = r.Close() }() // only read
	container, err := avro.NewReader(r)
	if err != nil {
		err = fmt.Errorf("%s: %w", f.Path, err)
		if failed := (*fs.PathError)(nil); !errors.As(err, &failed) && ctx.Err() == nil {
			err = &formatError{err}
		}
		return avro.Header{}, err
	}
	return container.Header(), nil
}

func avroChunks(r *avro.Reader, index int64) func() (chunk, error) {
	return func() (chunk, error) {
		b, err := r.Next()
		if damage := (*avro.DamageError)(nil); errors.As(err, &damage) {
			lost := badRecord{Index: index, Count: damage.Count, AtLeast: damage.AtLeast, Err: damage}
			index += lost.Count
			return chunk{place: place{Offset: damage.Offset, Index: lost.Index}, Size: damage.Size, Bad: []badRecord{lost}}, nil
		}
		if err != nil {
			return chunk{}, err
		}
		c := chunk{place: place{Offset: b.Offset, Index: index}, Size: b.Size, Count: b.Count, plain: func() ([]byte, error) { return b.Records(nil) }}
		index += b.Count
		return c, nil
	}
}
