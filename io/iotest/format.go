package iotest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/io/format"
	"tributary/io/format/avro"
	"tributary/io/format/jsontext"
	"tributary/io/record"
)

// Row is a record of the files that the suite of formats has written.
type Row struct {
	N    int64  // field n
	Text string // field text
}

// FormatHarness is what the suite needs to know of a format of files.
type FormatHarness struct {
	Format format.Files
	// Write returns a file of the rows, in order, in chunks of some kilobytes if their size is the
	// writer's to choose.
	Write func(t testing.TB, rows []Row) []byte
	// Spoil returns the file with damage that one record of it, or one chunk, is lost to, and how many
	// records are.
	Spoil func(t testing.TB, file []byte) (spoiled []byte, lost int)
	// Whole tells whether a file cut off there may be whole to whoever does not know the rest: behind a
	// record, or where one looks complete.
	Whole func(file []byte, cut int) bool
}

// RunFormat runs the suite that every format of files passes:
//
//   - records come in the order of the file, each with its index, whatever their size;
//   - reading begins at any chunk as if it had come there from the start;
//   - a bad record is told with its place, and those around it are kept;
//   - a file without records has none; one that is cut off gives those before the cut, and is told to
//     be cut off;
//   - how the bytes arrive makes no difference, and an error of reading is returned after the records
//     before it, never for the end;
//   - text is the same compressed, and converted to a schema record by record;
//   - what a format that is written, too, has written is read back.
func RunFormat(t *testing.T, h FormatHarness) {
	t.Run("order", h.order)
	t.Run("resume", h.resume)
	t.Run("arrival", h.arrival)
	t.Run("empty", h.empty)
	t.Run("huge record", h.huge)
	t.Run("bad record", h.bad)
	t.Run("cut off", h.cutOff)
	t.Run("failing reader", h.failing)
	if h.Format.Text() {
		t.Run("packed", h.packed)
		t.Run("schema", h.schema)
	}
	if w, ok := h.Format.(format.Writer); ok {
		t.Run("write", func(t *testing.T) { h.write(t, w) })
	}
}

// rowsOf are n rows with text of sizes that differ, and of letters that need care.
func rowsOf(n int) []Row {
	rows := make([]Row, n)
	for i := range rows {
		rows[i] = Row{int64(i), fmt.Sprintf("é\"%d\",\\ %0*d", i, i%97, i)}
	}
	return rows
}

// fileOf is a file in memory; arrive changes how its bytes arrive, if it is not nil.
func fileOf(content []byte, arrive func(io.Reader) io.Reader) *format.File {
	return &format.File{Path: "file", Size: int64(len(content)), Open: func(offset int64) (io.ReadCloser, error) {
		var r io.Reader = bytes.NewReader(content[min(offset, int64(len(content))):])
		if arrive != nil {
			r = arrive(r)
		}
		return io.NopCloser(r), nil
	}}
}

// reading is what came of reading a file.
type reading struct {
	rows    []Row
	indexes []int64 // of the rows
	bad     []format.Bad
	chunks  []format.Chunk
	records [][]byte // of each chunk
	err     error    // nil at the end of the file
}

// read reads a file from a place.
func (h FormatHarness) read(t testing.TB, f *format.File, at format.Place) (out reading) {
	t.Helper()
	head, err := h.Format.Head(f)
	if err != nil {
		return reading{err: err}
	}
	chunks, err := h.Format.Chunks(f, head, at)
	if err != nil {
		return reading{err: err}
	}
	defer func() { require.NoError(t, chunks.Close()) }()
	extract := extractor(t, f, head)
	for {
		c, err := chunks.Next()
		if err != nil {
			if !errors.Is(err, io.EOF) {
				out.err = err
			}
			return out
		}
		var records []byte
		if c.Count > 0 {
			if records, err = c.Records(nil); err != nil {
				lost := format.Bad{Index: c.Index, Count: c.Count, Err: err}
				var damage format.Damage
				require.ErrorAs(t, err, &damage, "what is wrong with records is damage")
				lost.Count, lost.AtLeast = damage.Lost()
				c.Bad, c.Count = append(c.Bad, lost), 0
			}
		}
		out.chunks, out.records, out.bad = append(out.chunks, c), append(out.records, bytes.Clone(records)), append(out.bad, c.Bad...)
		index := c.Index
		for range c.Count {
			rec, size := records, 0
			if c.Framed {
				distance, framed, rest, err := record.NextFramed(records)
				require.NoError(t, err)
				index, rec, size = c.Index+distance, framed, len(records)-len(rest)
			}
			row, n := extract(rec)
			if size == 0 {
				size = n
			}
			records = records[size:]
			out.rows, out.indexes = append(out.rows, row), append(out.indexes, index)
			index++
		}
		require.Empty(t, records, "more records than the chunk counts")
	}
}

// extractor reads a row of a record, and how many bytes it takes.
func extractor(t testing.TB, f *format.File, head format.Head) func(rec []byte) (Row, int) {
	t.Helper()
	schema := head.Schema
	if f.Schema != "" {
		schema = f.Schema
	}
	e := jsontext.NewExtractor([]string{"n", "text"})
	if schema != "" {
		parsed, err := avro.ParseSchema(schema)
		require.NoError(t, err)
		e, err = avro.ProjectChecked(parsed, []string{"n", "text"})
		require.NoError(t, err)
	}
	values := make([]record.Value, 2)
	return func(rec []byte) (Row, int) {
		n, err := e.Extract(rec, values)
		require.NoError(t, err, "%q", rec)
		id, err := values[0].AppendID(nil) // a number, or text where all is text
		require.NoError(t, err)
		number, err := strconv.ParseInt(string(id), 10, 64)
		require.NoError(t, err)
		return Row{number, string(values[1].Text)}, n
	}
}
