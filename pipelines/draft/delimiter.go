package draft

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"

	"tributary/io/fileio"
	"tributary/io/format"
	"tributary/pipelines/spec"
)

// delimiterBytes is how much of a table its delimiter is guessed from.
const delimiterBytes = 64 << 10

// guessDelimiter finds the delimiter with which a table has the most columns, the same in nearly all of the rows that are looked at; empty
// for a comma, for files that are no tables, and where nothing tells.
func guessDelimiter(ctx context.Context, path string, files format.Files) (format.Delimiter, error) {
	if files.Name() != string(spec.CSV) {
		return "", nil
	}
	r, err := fileio.OpenText(ctx, path, 0)
	if err != nil {
		return "", err
	}
	defer func() { _ = r.Close() }() // only read
	start := make([]byte, delimiterBytes)
	n, err := io.ReadFull(r, start)
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
	case err != nil:
		return "", fmt.Errorf("%s: %w", path, err)
	default:
		n = bytes.LastIndexByte(start, '\n') + 1 // the row behind it is cut off
	}
	best, most := format.Delimiter(""), 1
	for _, d := range format.Delimiters() {
		if columns := columnsOf(start[:n], d); columns > most {
			best, most = d, columns
		}
	}
	if best == format.Comma {
		best = ""
	}
	return best, nil
}

// columnsOf is how many columns the header of a table has with a delimiter; 0 if one row in ten or more has another number of them.
func columnsOf(table []byte, d format.Delimiter) (columns int) {
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(table, []byte("\ufeff"))))
	r.Comma, r.FieldsPerRecord, r.ReuseRecord = rune(d.Byte()), -1, true
	rows, others := 0, 0
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if rows++; rows == 1 {
			columns = len(row)
		}
		if err != nil || len(row) != columns {
			others++
		}
	}
	if others*10 >= rows {
		return 0
	}
	return columns
}
