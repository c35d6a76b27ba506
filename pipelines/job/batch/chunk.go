package batch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"tributary/io/fileio"
	"tributary/io/format"
	"tributary/io/kafkaio/source"
	"tributary/io/packed"
	"tributary/io/pool"
	"tributary/io/record"
	"tributary/pipelines/spec"
)

// file is one input file, as far as reading it needs to know. It travels to workers.
type file struct {
	Path string
	// Copied is where its bytes are, if that is not its path.
	Copied string
	// Size in bytes, and what tells this content from another under the same path.
	Size    int64
	Version string
	// Content is a hash of its bytes, from the scan: the same size and time of change may
	// be those of another content.
	Content uint64
	Format  spec.Format
	// Schema is the ID of the schema of the records that come out: the writer's
	// for Avro, that of Convert for text, 0 for text that stays JSON.
	Schema uint64
	// Convert is the Avro schema that text is converted to; empty for none.
	Convert string
	// Delimiter is that of a table, as the spec has it.
	Delimiter format.Delimiter
	// Fields are those of the top level that are read of a file that stores them apart, with fieldsBetween between them: files are
	// compared. Empty for all.
	Fields string
	// Range is what is read of a partition of a topic, which has no more than a Path, its name,
	// beside that; nil for a file.
	Range *source.Range
}

// fieldsBetween is in the name of no field, but of one that nobody can write in a spec.
const fieldsBetween = "\x00"

// reads returns the file's format, which the spec has named.
func (f *file) reads() format.Files {
	files, err := format.Get[format.Files](string(f.Format))
	if err != nil {
		panic(fmt.Sprintf("%s: %v", f.Path, err))
	}
	return files
}

// batchOf gives a chunk's records as a batch of no input yet, in room if they fit it. An error is damage.
func batchOf(c *format.Chunk, f *file, room []byte) (record.Batch, error) {
	b := record.Batch{Schema: f.Schema, Offset: c.Index, Count: int32(c.Count), MaxTime: record.NoTime, SecondTime: record.NoTime, Framed: c.Framed}
	if c.Count == 0 {
		return b, nil
	}
	var err error
	b.Records, err = c.Records(room)
	return b, err
}

// lostOf stands for all records of a chunk, which err keeps from being read.
func lostOf(c *format.Chunk, err error) format.Bad {
	lost := format.Bad{Index: c.Index, Count: c.Count, Err: err}
	var damage format.Damage
	if errors.As(err, &damage) {
		lost.Count, lost.AtLeast = damage.Lost()
	}
	return lost
}

// openChunks opens a file at a chunk that an earlier reading found, or at its start. What is
// read of its bytes is written to copied, if that is not nil.
func openChunks(ctx context.Context, f *file, at format.Place, copied io.Writer) (format.Chunks, error) {
	head := format.Head{}
	if at.Offset > 0 {
		var err error
		if head, err = headOf(ctx, f); err != nil {
			return nil, err
		}
	}
	return f.reads().Chunks(f.source(ctx, copied), head, at)
}

// source is the file as its format reads it.
func (f *file) source(ctx context.Context, copied io.Writer) *format.File {
	var fields []string
	if f.Fields != "" {
		fields = strings.Split(f.Fields, fieldsBetween)
	}
	return &format.File{Path: f.Path, Size: f.Size, Schema: f.Convert, Delimiter: f.Delimiter, Fields: fields, Open: func(offset int64) (io.ReadCloser, error) {
		path := cmp.Or(f.Copied, f.Path)
		if f.reads().Text() && packed.Is(path) {
			return openZipped(ctx, f.Path, path, offset, copied)
		}
		r, err := fileio.OpenAt(ctx, path, offset)
		if err != nil {
			return nil, err
		}
		return tee{r, r, copied}, nil
	}}
}

// openZipped opens a compressed file, which errors call name, at a byte of its text, all before which has to be read.
func openZipped(ctx context.Context, name, path string, offset int64, copied io.Writer) (io.ReadCloser, error) {
	r, err := fileio.Open(ctx, path)
	if err != nil {
		return nil, err
	}
	plain := packed.NewReaderOf(name, path, tee{r, r, copied})
	if _, err := io.CopyN(io.Discard, plain, offset); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: skip to byte %d of the text: %w", name, offset, err), r.Close())
	}
	return tee{Reader: plain, Closer: r}, nil
}

// tee writes what it reads to copied, if there is such.
type tee struct {
	io.Reader
	io.Closer
	copied io.Writer
}

func (t tee) Read(p []byte) (n int, err error) {
	n, err = t.Reader.Read(p)
	if n > 0 && t.copied != nil {
		if _, failed := t.copied.Write(p[:n]); failed != nil {
			return n, failed
		}
	}
	return n, err
}

// heads are what files say before their records, by format, delimiter, path, version and fields: every piece of a file wants it.
var heads = &pool.Pool[[5]string, format.Head]{Idle: 10 * time.Minute, Close: func(format.Head) {}, Single: true}

func headOf(ctx context.Context, f *file) (format.Head, error) {
	key := [5]string{string(f.Format), string(f.Delimiter), f.Path, f.Version, f.Fields}
	head, err := heads.Take(ctx, key, func() (format.Head, error) { return f.reads().Head(f.source(ctx, nil)) })
	if err != nil {
		return format.Head{}, err
	}
	heads.Give(key, head) // nobody changes it
	return head, nil
}
