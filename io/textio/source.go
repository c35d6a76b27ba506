package textio

import (
	"bytes"
	"errors"
	"io"
)

// readSize is how much is asked of the io.Reader at once.
const readSize = 256 << 10

// source is a window that moves over the text.
type source struct {
	r     io.Reader
	limit int // of a record, bytes

	buf        []byte
	start, end int   // the window is buf[start:end]
	offset     int64 // of the window, in the text
	line       int64 // lines before the window
	cut        bool  // the line or row taken last has no line end: it is the text's last
	err        error // why nothing more comes
	marked     bool  // the byte order mark has been looked for
}

// window returns the text at hand. It is valid until the next fill.
func (s *source) window() []byte { return s.buf[s.start:s.end] }

// fill makes the window longer. It returns false when there is no more text.
func (s *source) fill() bool {
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

// advance moves the window's start over n bytes that hold so many line ends.
func (s *source) advance(n int, lines int64) {
	s.start += n
	s.offset += int64(n)
	s.line += lines
}

var (
	errUTF16 = errors.New("text is UTF-16, not UTF-8")

	markUTF8  = []byte("\xef\xbb\xbf")
	marksWide = [][]byte{[]byte("\xff\xfe"), []byte("\xfe\xff")}
)

// skipMark skips a byte order mark at the start of the file.
func (s *source) skipMark() error {
	if s.marked || s.offset > 0 {
		return nil
	}
	s.marked = true
	for len(s.window()) < len(markUTF8) {
		if !s.fill() {
			break
		}
	}
	for _, mark := range marksWide {
		if bytes.HasPrefix(s.window(), mark) {
			return errUTF16
		}
	}
	if bytes.HasPrefix(s.window(), markUTF8) {
		s.advance(len(markUTF8), 0)
	}
	return nil
}

// nextLine takes the next line, without its end. One over the limit is long, and cut
// to its first bytes. It is valid until the next call. The error is io.EOF at the end.
func (s *source) nextLine() (line []byte, long bool, err error) {
	seen := 0
	s.cut = false
	for {
		window := s.window()
		if n := bytes.IndexByte(window[seen:], '\n'); n >= 0 {
			line = window[:seen+n]
			s.advance(seen+n+1, 1)
			break
		}
		if seen = len(window); seen > s.limit {
			return s.skipLine()
		}
		if s.fill() {
			continue
		}
		// A last line without an end is one only if the text really ends there.
		if !errors.Is(s.err, io.EOF) || seen == 0 {
			return nil, false, s.err
		}
		line = s.window()
		s.advance(len(line), 1)
		s.cut = true
		break
	}
	if len(line) > s.limit {
		return line[:s.kept()], true, nil
	}
	return line, false, nil
}

// kept is how much is kept of a line over the limit.
func (s *source) kept() int { return min(s.limit, rawKept) }

// skipLine takes a line that is over the limit without holding all of it.
func (s *source) skipLine() (begin []byte, long bool, err error) {
	begin = bytes.Clone(s.window()[:s.kept()])
	for {
		if n := bytes.IndexByte(s.window(), '\n'); n >= 0 {
			s.advance(n+1, 1)
			return begin, true, nil
		}
		s.advance(len(s.window()), 0)
		if !s.fill() {
			if !errors.Is(s.err, io.EOF) {
				return nil, false, s.err
			}
			s.line++
			s.cut = true
			return begin, true, nil
		}
	}
}
