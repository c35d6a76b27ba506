package csv

import (
	"cmp"

	"tributary/io/format"
	"tributary/io/format/jsontext"
)

func init() { format.Register(files{}) }

// files is the format as the registry knows it.
type files struct{}

// Name is csv.
func (files) Name() string { return "csv" }

// Endings is .csv alone.
func (files) Endings() []string { return []string{".csv"} }

// Sniff knows no beginning: any line may be a header.
func (files) Sniff([]byte) bool { return false }

// Text is true.
func (files) Text() bool { return true }

// Head reads the header; an empty file has no columns.
func (files) Head(f *format.File) (format.Head, error) {
	in, err := f.Open(0)
	if err != nil {
		return format.Head{}, err
	}
	defer func() { _ = in.Close() }() // only read
	columns, err := newReader(in, jsontext.Options{}, rowsOf(f)).Columns()
	if err != nil {
		return format.Head{}, f.In(err)
	}
	return format.Head{Columns: columns}, nil
}

// Chunks reads rows.
func (files) Chunks(f *format.File, head format.Head, at format.Place) (format.Chunks, error) {
	in, err := f.Open(at.Offset)
	if err != nil {
		return nil, err
	}
	rows := rowsOf(f)
	if at.Offset > 0 {
		rows.given = head.Columns
	}
	return jsontext.Chunks(f, in, newReader(in, jsontext.Options{Start: at}, rows).Reader, true)
}

func rowsOf(f *format.File) *rows {
	return &rows{delimiter: f.Delimiter.Byte(), guarded: cmp.Or(f.Delimiter, format.Comma)}
}
