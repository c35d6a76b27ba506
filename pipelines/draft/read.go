package draft

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"tributary/io/fileio"
	"tributary/io/format"
	"tributary/io/format/avro"
	"tributary/io/packed"
	"tributary/io/record"
	"tributary/pipelines/spec"
)

// tableEnding is of tables whose cells are not between commas, and whose format no ending tells.
var tableEnding = regexp.MustCompile(`\.(tsv|tab|psv)$`)

// formatOf tells the format of a file by its ending, or else by its content. told says that
// the ending told it.
func formatOf(ctx context.Context, path string) (files format.Files, told bool, err error) {
	if files = format.Of(path); files != nil {
		return files, true, nil
	}
	if plain, _ := packed.Cut(path); tableEnding.MatchString(plain) {
		files, err = format.Get[format.Files](string(spec.CSV))
		return files, false, err
	}
	r, err := fileio.Open(ctx, path)
	if err != nil {
		return nil, false, err
	}
	defer func() { _ = r.Close() }() // only read
	start, err := bufio.NewReader(packed.NewReader(path, r)).Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, false, fmt.Errorf("%s: %w", path, err)
	}
	if files = format.Sniff(start); files != nil {
		return files, false, nil
	}
	return nil, false, fmt.Errorf("%s: neither its ending nor its content is that of a format which is read (%s)", path, strings.Join(format.Names[format.Files](), ", "))
}

// source is a file as its format reads it, a table with that delimiter.
func source(ctx context.Context, path string, files format.Files, delimiter format.Delimiter) (*format.File, error) {
	stat, err := fileio.Stat(ctx, path)
	if err != nil {
		return nil, err
	}
	return &format.File{Path: path, Size: stat.Size, Delimiter: delimiter, Open: func(offset int64) (io.ReadCloser, error) {
		if files.Text() {
			return fileio.OpenText(ctx, path, offset)
		}
		return fileio.OpenAt(ctx, path, offset)
	}}, nil
}

// eachRecord visits the first records of a file as JSON, until visit returns errEnough, and
// returns what the file says of them. Bad records are passed over; without a good one the
// error tells what is wrong.
func eachRecord(ctx context.Context, path string, files format.Files, delimiter format.Delimiter, limit int, visit func(text []byte) error) (contents, error) {
	v := visitor{limit: limit, visit: visit}
	file, err := source(ctx, path, files, delimiter)
	if err != nil {
		return v.contents, err
	}
	err = v.read(file, files)
	switch {
	case err == nil && v.seen == 0:
		err = v.bad
	case errors.Is(err, errEnough), v.seen > 0 && ctx.Err() == nil:
		err = nil
	}
	return v.contents, err
}

// each visits the first records of a file of the group, those of its kinds.
func (g *group) each(ctx context.Context, path string, records int, visit func(text []byte) error) (contents, error) {
	return eachRecord(ctx, path, g.format, g.delimiter, records, g.only.of(visit))
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
