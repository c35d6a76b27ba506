// Package csv reads and writes tables whose cells stand between commas, or another delimiter, by RFC 4180 and as strictly as
// encoding/csv. That is not used because a quote that is never closed makes it hold the rest of the
// file in memory and then report all of that as one bad record. Here the line with the quote is bad, and
// reading goes on with the next line.
package csv

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"tributary/io/format"
	"tributary/io/format/jsontext"
)

// Reader reads rows, each as an object of strings under the names of the columns.
type Reader struct {
	*jsontext.Reader
	rows *rows
}

// NewReader returns a Reader of decompressed text. columns are the names of the columns of a file that is
// read from a later place than its start, where no header is; nil for one with its header.
func NewReader(r io.Reader, opt jsontext.Options, columns []string) *Reader {
	return newReader(r, opt, &rows{given: columns, delimiter: format.Comma.Byte()})
}

func newReader(r io.Reader, opt jsontext.Options, rows *rows) *Reader {
	rows.middle = opt.Start.Offset > 0
	return &Reader{jsontext.NewReader(r, rows, opt), rows}
}

// Columns returns the names in the header, reading it if need be; none for an empty file.
func (r *Reader) Columns() ([]string, error) {
	if err := r.Start(); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return r.rows.columns, nil
}

// rows is the layout: a line with the names of columns, then a row a record.
type rows struct {
	delimiter byte
	// guarded is the delimiter if a header with another one is refused.
	guarded format.Delimiter
	given   []string
	middle  bool // of a file, where no header is
	columns []string
	keys    [][]byte // the columns as JSON text: `"name":`
	cells   []cell
	object  []byte // the row as JSON
	clean   []byte // see cellText
}

// Start reads the header.
func (r *rows) Start(in *jsontext.Reader) error {
	switch {
	case r.columns != nil:
		return nil
	case r.given != nil:
		return r.setColumns(r.given)
	case r.middle:
		return errors.New("read CSV from its middle: its columns were not given")
	}
	row, line, bad, err := r.nextRow(&in.Source)
	if err != nil {
		return err
	}
	if bad == nil {
		bad = jsontext.CheckUTF8(row)
	}
	if bad != nil {
		return fmt.Errorf("header in line %d: %w", line+1, bad)
	}
	if err := r.otherDelimiter(row); err != nil {
		return err
	}
	names := make([]string, len(r.cells))
	for i, c := range r.cells {
		names[i] = string(r.cellText(row, c))
	}
	return r.setColumns(names)
}

// otherDelimiter is an error if the header is one cell without quotes that holds another delimiter: no table is joined by
// one column.
func (r *rows) otherDelimiter(row []byte) error {
	if r.guarded == "" || len(r.cells) != 1 || row[0] == '"' {
		return nil
	}
	text := r.cellText(row, r.cells[0])
	for _, d := range format.Delimiters() {
		if bytes.IndexByte(text, d.Byte()) >= 0 {
			return &format.OtherError{Err: fmt.Errorf("header: the only column is %q: cells are separated by %s here, and by %s it seems", text, r.guarded, d)}
		}
	}
	return nil
}

// setColumns takes the names of the columns, which must all differ. One may have no name:
// tables are often written with a column of row numbers that has none.
func (r *rows) setColumns(names []string) error {
	var errs []error
	first := map[string]int{}
	for i, name := range names {
		if before, ok := first[name]; ok {
			errs = append(errs, fmt.Errorf("header: columns %d and %d are both named %q", before+1, i+1, name))
			continue
		}
		first[name] = i
		r.keys = append(r.keys, append(jsontext.AppendString(nil, []byte(name)), ':'))
	}
	r.columns = names
	return errors.Join(errs...)
}

// Read reads one row into the block.
func (r *rows) Read(in *jsontext.Reader, b *jsontext.Block) error {
	row, line, bad, err := r.nextRow(&in.Source)
	if err != nil {
		return err
	}
	switch {
	case bad != nil:
	case len(r.cells) != len(r.columns):
		bad = fmt.Errorf("%d fields, but the header has %d", len(r.cells), len(r.columns))
	default:
		bad = jsontext.CheckUTF8(row)
	}
	if bad != nil {
		in.Bad(b, line, trimLineEnd(row), bad, errors.Is(bad, errOpenQuote))
		return nil
	}
	r.object = append(r.object[:0], '{')
	for i, c := range r.cells {
		if i > 0 {
			r.object = append(r.object, ',')
		}
		r.object = append(r.object, r.keys[i]...)
		r.object = jsontext.AppendString(r.object, r.cellText(row, c))
	}
	r.object = append(r.object, '}')
	in.Good(b, r.object)
	return nil
}
