package jsontext

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// readSize is how much is asked of the io.Reader at once.
const readSize = 256 << 10

// Source is a window that moves over the text.
type Source struct {
	r     io.Reader
	limit int // of a record, bytes

	buf        []byte
	start, end int   // the window is buf[start:end]
	Offset     int64 // of the window, in the text
	Line       int64 // lines before the window
	Cut        bool  // the line or row taken last has no line end: it is the text's last
	err        error // why nothing more comes
	marked     bool  // the byte order mark has been looked for
}

// Window returns the text at hand. It is valid until the next Fill.
func (s *Source) Window() []byte { return s.buf[s.start:s.end] }

// Fill makes the window longer. It returns false when there is no more text.
func (s *Source) Fill() bool {
	if s.err != nil {
		return false
	}
	switch {
	case s.start == s.end:
		s.start, s.end = 0, 0
	case s.start > len(s.buf)/2:
		s.end = copy(s.buf, s.buf[s.start:s.end])
		s.start = 0
	}
	if len(s.buf)-s.end < readSize/4 {
		bigger := make([]byte, max(readSize, 2*(s.end-s.start)+readSize/4))
		s.end = copy(bigger, s.buf[s.start:s.end])
		s.start, s.buf = 0, bigger
	}
	// An io.Reader may return nothing a few times, but not for ever.
	for range 100 {
		n, err := s.r.Read(s.buf[s.end:])
		s.end += n
		s.err = err
		if n > 0 {
			return true
		}
		if err != nil {
			return false
		}
	}
	s.err = io.ErrNoProgress
	return false
}

// Advance moves the window's start over n bytes that hold so many line ends.
func (s *Source) Advance(n int, lines int64) {
	s.start += n
	s.Offset += int64(n)
	s.Line += lines
}

var (
	errUTF16 = errors.New("text is UTF-16, not UTF-8")

	markUTF8  = []byte("\xef\xbb\xbf")
	marksWide = [][]byte{[]byte("\xff\xfe"), []byte("\xfe\xff")}
)

// Limit is how many bytes a record may have.
func (s *Source) Limit() int { return s.limit }

// TooLong says that a record is over the limit.
func (s *Source) TooLong() error { return fmt.Errorf("record is longer than %d bytes", s.limit) }

// Err is why nothing more comes; nil while more may.
func (s *Source) Err() error { return s.err }

// skipMark skips a byte order mark at the start of the file.
func (s *Source) skipMark() error {
	if s.marked || s.Offset > 0 {
		return nil
	}
	s.marked = true
	for len(s.Window()) < len(markUTF8) {
		if !s.Fill() {
			break
		}
	}
	for _, mark := range marksWide {
		if bytes.HasPrefix(s.Window(), mark) {
			return errUTF16
		}
	}
	if bytes.HasPrefix(s.Window(), markUTF8) {
		s.Advance(len(markUTF8), 0)
	}
	return nil
}

// NextLine takes the next line, without its end. One over the limit is long, and cut
// to its first bytes. It is valid until the next call. The error is io.EOF at the end.
func (s *Source) NextLine() (line []byte, long bool, err error) {
	seen := 0
	s.Cut = false
	for {
		window := s.Window()
		if n := bytes.IndexByte(window[seen:], '\n'); n >= 0 {
			line = window[:seen+n]
			s.Advance(seen+n+1, 1)
			break
		}
		if seen = len(window); seen > s.limit {
			return s.skipLine()
		}
		if s.Fill() {
			continue
		}
		// A last line without an end is one only if the text really ends there.
		if !errors.Is(s.err, io.EOF) || seen == 0 {
			return nil, false, s.err
		}
		line = s.Window()
		s.Advance(len(line), 1)
		s.Cut = true
		break
	}
	if len(line) > s.limit {
		return line[:s.kept()], true, nil
	}
	return line, false, nil
}

// kept is how much is kept of a line over the limit.
func (s *Source) kept() int { return min(s.limit, rawKept) }

// skipLine takes a line that is over the limit without holding all of it.
func (s *Source) skipLine() (begin []byte, long bool, err error) {
	begin = bytes.Clone(s.Window()[:s.kept()])
	for {
		if n := bytes.IndexByte(s.Window(), '\n'); n >= 0 {
			s.Advance(n+1, 1)
			return begin, true, nil
		}
		s.Advance(len(s.Window()), 0)
		if !s.Fill() {
			if !errors.Is(s.err, io.EOF) {
				return nil, false, s.err
			}
			s.Line++
			s.Cut = true
			return begin, true, nil
		}
	}
}
