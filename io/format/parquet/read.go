package parquet

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go"
	meta "github.com/parquet-go/parquet-go/format"

	"tributary/io/format"
)

const magic = "PAR1"

// Endings is .parquet alone.
func (files) Endings() []string { return []string{".parquet"} }

// Sniff knows the magic.
func (files) Sniff(start []byte) bool { return string(start) == magic }

// Text is false: files are compressed inside.
func (files) Text() bool { return false }

// Columnar says that columns are read apart.
func (files) Columnar() {}

// Head reads the footer, which is the Decoder too.
func (files) Head(f *format.File) (format.Head, error) {
	o, err := open(f, nil)
	if err != nil {
		return format.Head{}, err
	}
	head := format.Head{Refused: o.refused, Decoder: o.footer}
	if head.Schema, err = o.schema(); err != nil {
		return format.Head{}, f.In(err)
	}
	return head, nil
}

// Chunks reads row groups.
func (files) Chunks(f *format.File, head format.Head, at format.Place) (format.Chunks, error) {
	footer, _ := head.Decoder.(*span)
	o, err := open(f, footer)
	if err != nil {
		return nil, err
	}
	from := slices.IndexFunc(o.groups, func(g rowGroup) bool { return g.offset >= at.Offset })
	if from < 0 {
		from = len(o.groups)
	}
	return &chunks{opened: o, next: from}, nil
}

// tailBytes is how much of a file is read for its footer: that of a usual file, and small files whole.
const tailBytes = 256 << 10

// maxGroupBytes is how large the records of a row group may be as Avro.
const maxGroupBytes = 1 << 30

// opened is a file whose footer is read.
type opened struct {
	file    *format.File
	bytes   *source
	columns *parquet.File
	root    *tree // its fields are those that are read
	refused []format.Refused
	footer  *span
	groups  []rowGroup
}

// rowGroup is one, by what the footer says.
type rowGroup struct {
	index, rows  int64 // index counts the rows before it
	offset, size int64 // size is that of the columns that are read
	parts        []meta.ColumnMetaData
}

// open reads the footer of a file, or takes it from an earlier reading. What is not of the format is an *format.OtherError.
func open(f *format.File, footer *span) (*opened, error) {
	o := &opened{file: f, bytes: &source{file: f}, footer: footer}
	other := func(err error) error {
		if o.bytes.failed != nil {
			return f.In(o.bytes.failed)
		}
		return &format.OtherError{Err: f.In(fmt.Errorf("not a Parquet file, or cut off: %w", err))}
	}
	if footer == nil {
		if err := o.readFooter(); err != nil {
			return nil, other(err)
		}
	} else {
		o.bytes.spans = []span{*footer}
	}
	err := safely(func() (err error) {
		o.columns, err = parquet.OpenFile(o.bytes, f.Size, parquet.SkipMagicBytes(true), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
		return err
	})
	if err != nil {
		return nil, other(err)
	}
	m := o.columns.Metadata()
	if o.root, err = treeOf(m.Schema); err == nil {
		columns := o.root.end
		o.choose(f.Fields)
		err = o.plan(m, columns)
	}
	if err != nil {
		return nil, other(err)
	}
	return o, nil
}

// readFooter reads the end of the file, and keeps the footer.
func (o *opened) readFooter() error {
	size := o.file.Size
	if size < int64(len(magic))+8 {
		return fmt.Errorf("it has %d bytes", size)
	}
	from := max(0, size-tailBytes)
	if err := o.bytes.load(from, size-from); err != nil {
		return err
	}
	tail := o.bytes.spans[0].content
	end := tail[len(tail)-8:]
	if string(end[4:]) != magic {
		if string(end[4:]) == "PARE" {
			return errors.New("it is encrypted")
		}
		return fmt.Errorf("it ends in %q, where %s is to be", end[4:], magic)
	}
	start := size - 8 - int64(binary.LittleEndian.Uint32(end))
	if start < int64(len(magic)) {
		return errors.New("its footer is longer than the file")
	}
	if start < from {
		o.bytes.spans = nil
		if err := o.bytes.load(start, size-start); err != nil {
			return err
		}
		from, tail = start, o.bytes.spans[0].content
	}
	o.footer = &span{start, bytes.Clone(tail[start-from:])}
	return nil
}

// choose leaves the fields that are to be read: all that can be, if fields is nil.
func (o *opened) choose(fields []string) {
	var kept []*tree
	for _, f := range o.root.below {
		switch {
		case f.refused != nil:
			o.refused = append(o.refused, format.Refused{Field: f.name, Err: f.refused})
		case fields == nil || slices.Contains(fields, f.name):
			kept = append(kept, f)
		}
	}
	o.root.below = kept
}

// plan finds the row groups, each behind the one before it.
func (o *opened) plan(m *meta.FileMetaData, columns int) error {
	index, end := int64(0), int64(0)
	for i := range m.RowGroups {
		rg := &m.RowGroups[i]
		if len(rg.Columns) != columns {
			return fmt.Errorf("row group %d has %d columns, and its schema %d", i, len(rg.Columns), columns)
		}
		if rg.NumRows < 0 || rg.NumRows > math.MaxInt32 {
			return fmt.Errorf("row group %d has %d rows", i, rg.NumRows)
		}
		g := rowGroup{index: index, rows: rg.NumRows, offset: math.MaxInt64, parts: make([]meta.ColumnMetaData, columns)}
		last := int64(0)
		for c := range rg.Columns {
			part := rg.Columns[c].MetaData
			if rg.Columns[c].FilePath != "" {
				return fmt.Errorf("row group %d: column %d lies in another file", i, c)
			}
			from := startOf(&part)
			if from < 0 || part.TotalCompressedSize < 0 || from > o.file.Size-part.TotalCompressedSize || part.DataPageOffset < from {
				return fmt.Errorf("row group %d: column %d lies outside of the file", i, c)
			}
			g.parts[c], g.offset, last = part, min(g.offset, from), max(last, from+part.TotalCompressedSize)
		}
		for _, f := range o.root.below {
			for c := f.first; c < f.end; c++ {
				g.size += g.parts[c].TotalCompressedSize
			}
		}
		if g.rows > 0 {
			if g.offset < end || g.offset == 0 {
				return fmt.Errorf("row group %d lies within the one before it", i)
			}
			end = last
			o.groups = append(o.groups, g)
		}
		if index += g.rows; index < 0 {
			return errors.New("it has more rows than can be counted")
		}
	}
	return nil
}

func startOf(part *meta.ColumnMetaData) int64 {
	if part.DictionaryPageOffset > 0 {
		return part.DictionaryPageOffset
	}
	return part.DataPageOffset
}

// schema is the Avro schema of the fields that are read.
func (o *opened) schema() (string, error) {
	if len(o.root.below) == 0 {
		why := []string{"it has no columns"}
		for _, r := range o.refused {
			why[0] = "none of its columns can be read"
			why = append(why, r.Err.Error())
		}
		return "", errors.New(strings.Join(why, "; "))
	}
	text, err := json.Marshal(recordOf(rowName, o.root.below))
	return string(text), err
}

// chunks are the row groups of a file.
type chunks struct {
	*opened

	next int
}

// Next reads the columns of the next row group as they are stored.
func (c *chunks) Next() (format.Chunk, error) {
	if c.next == len(c.groups) {
		return format.Chunk{}, io.EOF
	}
	g := &c.groups[c.next]
	if err := c.load(g); err != nil {
		return format.Chunk{}, c.file.In(err)
	}
	c.next++
	return format.Chunk{
		Place: format.Place{Offset: g.offset, Index: g.index}, Size: max(g.size, 1), Count: g.rows,
		Records: func(dst []byte) ([]byte, error) {
			out := dst[:0]
			err := safely(func() (err error) {
				out, err = c.rows(g, out)
				return err
			})
			if err != nil {
				return dst[:0], &damageError{fmt.Errorf("row group at byte %d: %w", g.offset, err), g.rows}
			}
			return out, nil
		},
	}, nil
}

// Close has nothing open.
func (c *chunks) Close() error { return nil }

// load reads what is stored of the wanted columns, those that lie beside each other at once.
func (c *chunks) load(g *rowGroup) error {
	type stretch struct{ from, to int64 }
	var wanted []stretch
	for _, f := range c.root.below {
		for i := f.first; i < f.end; i++ {
			from := startOf(&g.parts[i])
			wanted = append(wanted, stretch{from, from + g.parts[i].TotalCompressedSize})
		}
	}
	slices.SortFunc(wanted, func(a, b stretch) int { return int(min(max(a.from-b.from, -1), 1)) })
	c.bytes.keep(g.offset)
	for i := 0; i < len(wanted); {
		s := wanted[i]
		for i++; i < len(wanted) && wanted[i].from <= s.to; i++ {
			s.to = max(s.to, wanted[i].to)
		}
		if err := c.bytes.load(s.from, s.to-s.from); err != nil {
			return err
		}
	}
	return nil
}

// rows appends the records of a row group, whose columns are loaded.
func (c *chunks) rows(g *rowGroup, dst []byte) ([]byte, error) {
	a := assembler{columns: make([]*cursor, len(g.parts))}
	defer func() {
		for _, column := range a.columns {
			if column != nil {
				column.close()
			}
		}
	}()
	stored := c.columns.RowGroups()[c.ordinal(g)].ColumnChunks()
	for _, f := range c.root.below {
		if err := a.openColumns(f, f.name, g, stored); err != nil {
			return dst, err
		}
	}
	for row := range g.rows {
		var err error
		if dst, err = a.add(dst, c.root, 0); err != nil {
			return dst, fmt.Errorf("row %d of %d: %w", row+1, g.rows, err)
		}
		if len(dst) > maxGroupBytes {
			return dst, fmt.Errorf("its first %d of %d rows take more than %d MiB: it is to be written in smaller row groups", row+1, g.rows, maxGroupBytes>>20)
		}
	}
	for _, column := range a.columns {
		if column == nil {
			continue
		}
		if _, err := column.next(); err == nil {
			return dst, fmt.Errorf("column %s: it has more values than the row group has rows", column.name)
		} else if !errors.Is(err, io.EOF) {
			return dst, column.in(err)
		}
	}
	return dst, nil
}

// ordinal is the number of a group among those of the file, the empty ones too.
func (c *chunks) ordinal(g *rowGroup) int {
	m, index := c.columns.Metadata(), int64(0)
	for i := range m.RowGroups {
		if m.RowGroups[i].NumRows > 0 && index == g.index {
			return i
		}
		index += m.RowGroups[i].NumRows
	}
	return 0
}

// openColumns opens those of a tree.
func (a *assembler) openColumns(t *tree, path string, g *rowGroup, stored []parquet.ColumnChunk) error {
	if t.kind != treeLeaf {
		for _, below := range t.below {
			if err := a.openColumns(below, path+"."+below.name, g, stored); err != nil {
				return err
			}
		}
		return nil
	}
	if got := g.parts[t.first].Type; got != t.physical {
		return fmt.Errorf("column %s: it is of type %s, and of %s by the schema", path, got, t.physical)
	}
	a.columns[t.first] = &cursor{name: path, pages: stored[t.first].Pages(), read: make([]parquet.Value, 0, cursorValues)}
	return nil
}

// damageError is what is wrong with a row group, and how many rows are lost to it.
type damageError struct {
	err  error
	rows int64
}

// Error tells the row group.
func (d *damageError) Error() string { return d.err.Error() }

// Unwrap returns what is wrong.
func (d *damageError) Unwrap() error { return d.err }

// Lost are all rows of the group: values of columns stand apart, so that none is sure.
func (d *damageError) Lost() (count int64, atLeast bool) { return d.rows, false }

// safely has what is thrown be an error: the bytes may be anything, and not all that reads them looks before it counts.
func safely(do func() error) (err error) {
	defer func() {
		if thrown := recover(); thrown != nil {
			err = fmt.Errorf("its bytes make no sense: %v", thrown)
		}
	}()
	return do()
}

// span is bytes of a file from one on.
type span struct {
	from    int64
	content []byte
}

// source are the bytes of a file that were loaded.
type source struct {
	file   *format.File
	spans  []span
	failed error // of reading
}

// load reads bytes, unless they are there.
func (s *source) load(from, size int64) error {
	if s.find(from, size) != nil {
		return nil
	}
	in, err := s.file.Open(from)
	if err != nil {
		s.failed = err
		return err
	}
	content := make([]byte, size)
	_, err = io.ReadFull(in, content)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = fmt.Errorf("it ends before byte %d: it has changed", from+size)
	}
	if err = errors.Join(err, in.Close()); err != nil {
		s.failed = err
		return err
	}
	s.spans = append(s.spans, span{from, content})
	return nil
}

// keep lets go of what ends before that byte.
func (s *source) keep(from int64) {
	s.spans = slices.DeleteFunc(s.spans, func(have span) bool { return have.from+int64(len(have.content)) <= from })
}

func (s *source) find(from, size int64) []byte {
	for _, have := range s.spans {
		if at := from - have.from; at >= 0 && at <= int64(len(have.content))-size {
			return have.content[at : at+size]
		}
	}
	return nil
}

// ReadAt reads bytes that are loaded; others are none of what is read.
func (s *source) ReadAt(p []byte, at int64) (int, error) {
	content := s.find(at, int64(len(p)))
	if content == nil {
		for _, have := range s.spans {
			if from := at - have.from; from >= 0 && from < int64(len(have.content)) {
				return copy(p, have.content[from:]), io.EOF
			}
		}
		return 0, fmt.Errorf("bytes from %d on are none of its columns", at)
	}
	return copy(p, content), nil
}

var _ format.Columnar = files{}
