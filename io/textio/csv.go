package textio

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"unicode/utf8"
)

// CSV is read by RFC 4180, strictly: encoding/csv accepts the same. It is not used
// because a quote that is never closed makes it hold the rest of the file in memory
// and then report all of that as one bad record. Here the line with the quote is bad, and
// reading goes on with the next line.

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

// parseRow splits the row at the start of text into r.cells and returns its length and
// how many lines it takes. The error is errMore if the row does not end in text and
// more may come; n is 0 for any error.
func (r *Reader) parseRow(text []byte, last bool) (n int, lines int64, err error) {
	r.cells = r.cells[:0]
	for i := 0; ; {
		if i < len(text) && text[i] == '"' {
			from, unclean := i+1, false
			for i++; ; i++ {
				step := bytes.IndexByte(text[i:], '"')
				if step < 0 {
					if last {
						return 0, 0, errOpenQuote
					}
					return 0, 0, errMore
				}
				inside := text[i : i+step]
				ends := bytes.Count(inside, newline)
				lines += int64(ends)
				unclean = unclean || ends > 0 && bytes.IndexByte(inside, '\r') >= 0
				i += step
				if i+1 == len(text) && !last {
					return 0, 0, errMore
				}
				if i+1 == len(text) || text[i+1] != '"' {
					break
				}
				unclean = true
				i++
			}
			r.cells = append(r.cells, cell{from, i, unclean})
			i++
		} else {
			from := i
			i = endOfCell(text, i)
			if i < len(text) && text[i] == '"' {
				return 0, 0, errBareQuote
			}
			to := i
			if i < len(text) && text[i] == '\n' || i == len(text) && last {
				if to > from && text[to-1] == '\r' {
					to--
				}
			}
			r.cells = append(r.cells, cell{from, to, false})
		}
		if i < len(text) && text[i] == '\r' && (i+1 < len(text) && text[i+1] == '\n' || i+1 == len(text) && last) {
			i++
		}
		switch {
		case i == len(text) && last:
			return i, lines + 1, nil
		case i == len(text), i+1 == len(text) && text[i] == '\r' && !last:
			return 0, 0, errMore
		case text[i] == '\n':
			return i + 1, lines + 1, nil
		case text[i] == ',':
			i++
		default:
			return 0, 0, errAfterQuote
		}
	}
}

var newline = []byte{'\n'}

// endOfCell finds the comma, line end or quote that a field without quotes runs up to.
func endOfCell(text []byte, i int) int {
	for ; i+8 <= len(text); i += 8 {
		w := binary.LittleEndian.Uint64(text[i:])
		if marks := (marked(w, ',') | marked(w, '\n') | marked(w, '"')) & highs; marks != 0 {
			return i + bits.TrailingZeros64(marks)/8
		}
	}
	for i < len(text) && text[i] != ',' && text[i] != '\n' && text[i] != '"' {
		i++
	}
	return i
}

// cellText returns what a cell stands for: a quote that is written twice is one, and
// lines inside of quotes end in \n however those of the file do. It is valid until the
// next call.
func (r *Reader) cellText(text []byte, c cell) []byte {
	text = text[c.from:c.to]
	if !c.unclean {
		return text
	}
	r.clean = r.clean[:0]
	for i := 0; i < len(text); i++ {
		if i+1 < len(text) && (text[i] == '"' || text[i] == '\r' && text[i+1] == '\n') {
			i++ // the second quote, or the line feed
		}
		r.clean = append(r.clean, text[i])
	}
	return r.clean
}

// nextRow takes the next row that is not blank into r.cells, which are of text. If the
// row is bad, bad says why and text is what of it was taken. The error is io.EOF at
// the end.
func (r *Reader) nextRow() (text []byte, line int64, bad, err error) {
	s := &r.src
	for {
		window := s.window()
		if len(window) == 0 {
			if !s.fill() {
				return nil, 0, nil, s.err
			}
			continue
		}
		if n := blankLine(window, errors.Is(s.err, io.EOF)); n > 0 {
			s.advance(n, 1)
			continue
		}
		// What a row is must not depend on how much happens to be in the window.
		text, last := window, errors.Is(s.err, io.EOF)
		if most := s.limit + 2; len(text) > most { // its line end included
			text, last = text[:most], false
		}
		n, lines, bad := r.parseRow(text, last)
		if errors.Is(bad, errMore) && len(text) < s.limit+2 {
			// Twice as much each time, so that a long row is not looked at over and over.
			for want := 2 * len(window); len(s.window()) < want; {
				if !s.fill() {
					break
				}
			}
			if s.err != nil && !errors.Is(s.err, io.EOF) {
				return nil, 0, nil, s.err
			}
			continue
		}
		if bad == nil && len(trimLineEnd(text[:n])) > s.limit {
			bad = errMore
		}
		line = s.line
		if bad == nil {
			s.advance(n, lines)
			s.cut = !bytes.HasSuffix(text[:n], newline)
			return text[:n], line, nil, nil
		}
		text, long, err := s.nextLine()
		switch {
		case long:
			bad = r.tooLong()
		case errors.Is(bad, errMore):
			bad = errOpenQuote
		}
		return trimLineEnd(text), line, bad, err
	}
}

func trimLineEnd(text []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(text, newline), []byte{'\r'})
}

// blankLine returns the length of the empty line at the start of text, 0 if there is none.
func blankLine(text []byte, last bool) int {
	switch {
	case text[0] == '\n':
		return 1
	case len(text) > 1 && text[0] == '\r' && text[1] == '\n':
		return 2
	case len(text) == 1 && text[0] == '\r' && last:
		return 1
	default:
		return 0
	}
}

// readRow reads one row into the block.
func (r *Reader) readRow(b *Block) error {
	text, line, bad, err := r.nextRow()
	if err != nil {
		return err
	}
	switch {
	case bad != nil:
	case len(r.cells) != len(r.columns):
		bad = fmt.Errorf("%d fields, but the header has %d", len(r.cells), len(r.columns))
	case !utf8.Valid(text):
		bad = notUTF8(text, 0)
	}
	if bad != nil {
		r.bad(b, line, trimLineEnd(text), bad)
		return nil
	}
	r.object = append(r.object[:0], '{')
	for i, c := range r.cells {
		if i > 0 {
			r.object = append(r.object, ',')
		}
		r.object = append(r.object, r.keys[i]...)
		r.object = appendString(r.object, r.cellText(text, c))
	}
	r.object = append(r.object, '}')
	r.good(b, r.object)
	return nil
}

// readHeader reads the names of the columns from the first row.
func (r *Reader) readHeader() error {
	text, line, bad, err := r.nextRow()
	if err != nil {
		return err
	}
	if bad == nil && !utf8.Valid(text) {
		bad = notUTF8(text, 0)
	}
	if bad != nil {
		return fmt.Errorf("header in line %d: %w", line+1, bad)
	}
	names := make([]string, len(r.cells))
	for i, c := range r.cells {
		names[i] = string(r.cellText(text, c))
	}
	return r.setColumns(names)
}

// setColumns takes the names of the columns, which must all differ. One may have no name:
// tables are often written with a column of row numbers that has none.
func (r *Reader) setColumns(names []string) error {
	var errs []error
	first := map[string]int{}
	for i, name := range names {
		if before, ok := first[name]; ok {
			errs = append(errs, fmt.Errorf("header: columns %d and %d are both named %q", before+1, i+1, name))
			continue
		}
		first[name] = i
		r.keys = append(r.keys, append(appendString(nil, []byte(name)), ':'))
	}
	r.columns = names
	return errors.Join(errs...)
}
