package csv

import (
	"bytes"
	"errors"
	"io"

	"tributary/io/format/jsontext"
)

// cell is the text of one field in the window. One with quotes or line ends written
// twice still has to be cleaned (see cellText).
type cell struct {
	from, to int
	unclean  bool
}

var (
	errMore       = errors.New("more text is needed")
	errBareQuote  = errors.New(`quote (") in a field that does not begin with one`)
	errAfterQuote = errors.New(`text after the closing quote of a field; a quote inside is written twice ("")`)
	errOpenQuote  = errors.New(`field begins with a quote (") that is not closed in as much as a record may have`)
)

// parseRow splits the row at the start of row into r.cells and returns its length and
// how many lines it takes. The error is errMore if it does not end there and
// more may come; n is 0 for any error.
func (r *rows) parseRow(row []byte, last bool) (n int, lines int64, err error) {
	r.cells = r.cells[:0]
	for i := 0; ; {
		if i < len(row) && row[i] == '"' {
			from, unclean := i+1, false
			for i++; ; i++ {
				step := bytes.IndexByte(row[i:], '"')
				if step < 0 {
					if last {
						return 0, 0, errOpenQuote
					}
					return 0, 0, errMore
				}
				inside := row[i : i+step]
				ends := bytes.Count(inside, newline)
				lines += int64(ends)
				unclean = unclean || ends > 0 && bytes.IndexByte(inside, '\r') >= 0
				i += step
				if i+1 == len(row) && !last {
					return 0, 0, errMore
				}
				if i+1 == len(row) || row[i+1] != '"' {
					break
				}
				unclean = true
				i++
			}
			r.cells = append(r.cells, cell{from, i, unclean})
			i++
		} else {
			from := i
			i = jsontext.IndexAny(row, i, r.delimiter, '\n', '"')
			if i < len(row) && row[i] == '"' {
				return 0, 0, errBareQuote
			}
			to := i
			if i < len(row) && row[i] == '\n' || i == len(row) && last {
				if to > from && row[to-1] == '\r' {
					to--
				}
			}
			r.cells = append(r.cells, cell{from, to, false})
		}
		if i < len(row) && row[i] == '\r' && (i+1 < len(row) && row[i+1] == '\n' || i+1 == len(row) && last) {
			i++
		}
		switch {
		case i == len(row) && last:
			return i, lines + 1, nil
		case i == len(row), i+1 == len(row) && row[i] == '\r' && !last:
			return 0, 0, errMore
		case row[i] == '\n':
			return i + 1, lines + 1, nil
		case row[i] == r.delimiter:
			i++
		default:
			return 0, 0, errAfterQuote
		}
	}
}

var newline = []byte{'\n'}

// cellText returns what a cell stands for: a quote that is written twice is one, and
// lines inside of quotes end in \n however those of the file do. It is valid until the
// next call.
func (r *rows) cellText(row []byte, c cell) []byte {
	row = row[c.from:c.to]
	if !c.unclean {
		return row
	}
	r.clean = r.clean[:0]
	for i := 0; i < len(row); i++ {
		if i+1 < len(row) && (row[i] == '"' || row[i] == '\r' && row[i+1] == '\n') {
			i++ // the second quote, or the line feed
		}
		r.clean = append(r.clean, row[i])
	}
	return r.clean
}

// nextRow takes the next row that is not blank into r.cells, which are of row. If it
// is bad, bad says why and row is what of it was taken. The error is io.EOF at
// the end.
func (r *rows) nextRow(s *jsontext.Source) (row []byte, line int64, bad, err error) {
	for {
		window := s.Window()
		if len(window) == 0 {
			if !s.Fill() {
				return nil, 0, nil, s.Err()
			}
			continue
		}
		if n := blankLine(window, errors.Is(s.Err(), io.EOF)); n > 0 {
			s.Advance(n, 1)
			continue
		}
		// What a row is must not depend on how much happens to be in the window.
		row, last := window, errors.Is(s.Err(), io.EOF)
		if most := s.Limit() + 2; len(row) > most { // its line end included
			row, last = row[:most], false
		}
		n, lines, bad := r.parseRow(row, last)
		if errors.Is(bad, errMore) && len(row) < s.Limit()+2 {
			// Twice as much each time, so that a long row is not looked at over and over.
			for want := 2 * len(window); len(s.Window()) < want; {
				if !s.Fill() {
					break
				}
			}
			if s.Err() != nil && !errors.Is(s.Err(), io.EOF) {
				return nil, 0, nil, s.Err()
			}
			continue
		}
		if bad == nil && len(trimLineEnd(row[:n])) > s.Limit() {
			bad = errMore
		}
		line = s.Line
		if bad == nil {
			s.Advance(n, lines)
			s.Cut = !bytes.HasSuffix(row[:n], newline)
			return row[:n], line, nil, nil
		}
		row, long, err := s.NextLine()
		switch {
		case long:
			bad = s.TooLong()
		case errors.Is(bad, errMore):
			bad = errOpenQuote
		}
		return trimLineEnd(row), line, bad, err
	}
}

func trimLineEnd(row []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(row, newline), []byte{'\r'})
}

// blankLine returns the length of the empty line at the start of text, 0 if there is none.
func blankLine(row []byte, last bool) int {
	switch {
	case row[0] == '\n':
		return 1
	case len(row) > 1 && row[0] == '\r' && row[1] == '\n':
		return 2
	case len(row) == 1 && row[0] == '\r' && last:
		return 1
	default:
		return 0
	}
}
