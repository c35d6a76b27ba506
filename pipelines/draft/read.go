package draft

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"tributary/io/fileio"
	"tributary/io/format"
	"tributary/io/format/avro"
	"tributary/io/record"
)

// formatOf tells the format of a file by its ending, or else by its content. told says that
// the ending told it.
func formatOf(ctx context.Context, path string) (files format.Files, told bool, err error) {
	if files = format.Of(path); files != nil {
		return files, true, nil
	}
	r, err := fileio.Open(ctx, path)
	if err != nil {
		return nil, false, err
	}
	defer func() { _ = r.Close() }() // only read
	start, err := bufio.NewReader(fileio.Decompress(path, r)).Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, false, fmt.Errorf("%s: %w", path, err)
	}
	if files = format.Sniff(start); files != nil {
		return files, false, nil
	}
	return nil, false, fmt.Errorf("%s: neither its ending nor its content is that of a format which is read (%s)", path, strings.Join(format.Names[format.Files](), ", "))
}

// source is a file as its format reads it, from its start.
func source(ctx context.Context, path string, files format.Files) *format.File {
	return &format.File{Path: path, Open: func(int64) (io.ReadCloser, error) {
		if files.Text() {
			return fileio.OpenText(ctx, path, 0)
		}
		return fileio.Open(ctx, path)
	}}
}

// eachRecord visits the first records of a file as JSON, until visit returns errEnough, and
// returns what the file says of them. Bad records are passed over; without a good one the
// error tells what is wrong.
func eachRecord(ctx context.Context, path string, files format.Files, limit int, visit func(text []byte) error) (contents, error) {
	v := visitor{limit: limit, visit: visit}
	err := v.read(source(ctx, path, files), files)
	switch {
	case err == nil && v.seen == 0:
		err = v.bad
	case errors.Is(err, errEnough), v.seen > 0 && ctx.Err() == nil:
		err = nil
	}
	return v.contents, err
}

// contents is what a file says of its records.
type contents struct {
	schema    *avro.Schema // nil for text
	anyFields bool         // each names its own
}

// visitor goes through the records of a file.
type visitor struct {
	limit, seen int
	visit       func(text []byte) error
	contents    contents
	asJSON      *avro.JSONWriter
	bad         error // the first record that is
}

func (v *visitor) read(f *format.File, files format.Files) error {
	head, err := files.Head(f)
	if err != nil {
		return err
	}
	v.contents.anyFields = head.AnyFields
	if head.Schema != "" {
		if v.contents.schema, err = avro.ParseSchema(head.Schema); err == nil {
			v.asJSON, err = avro.NewJSON(v.contents.schema)
		}
		if err != nil {
			return f.In(err)
		}
	}
	chunks, err := files.Chunks(f, head, format.Place{})
	if err != nil {
		return err
	}
	defer func() { _ = chunks.Close() }() // only read
	for {
		c, err := chunks.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if len(c.Bad) > 0 && v.bad == nil {
			v.bad = f.In(c.Bad[0].Err)
		}
		if c.Count == 0 {
			continue
		}
		records, err := c.Records(nil)
		if err == nil {
			err = v.each(&c, records)
		}
		if errors.Is(err, errEnough) {
			return err
		}
		if err != nil && v.bad == nil {
			v.bad = f.In(err)
		}
	}
}

// each visits the records of a chunk.
func (v *visitor) each(c *format.Chunk, rest []byte) (err error) {
	var text []byte
	for range c.Count {
		rec := rest
		if c.Framed {
			if _, rec, rest, err = record.NextFramed(rest); err != nil {
				return err
			}
		}
		text = rec
		if v.asJSON != nil {
			var n int
			if text, n, err = v.asJSON.Append(nil, rec); err != nil {
				return err
			}
			if !c.Framed {
				rest = rest[n:]
			}
		}
		if v.seen++; v.seen > v.limit {
			return errEnough
		}
		if err := v.visit(text); err != nil {
			return err
		}
	}
	return nil
}
