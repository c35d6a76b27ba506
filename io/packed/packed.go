// Package packed reads files that are compressed as a whole, which the endings of their names say: text, whose
// formats have no compression of their own.
//
//	packed.go   by ending: Cut, NewReader; by what a file begins with: Ending
//	gzip.go     .gz
//	zstd.go     .zst, .zstd
//	lz4.go      .lz4
package packed

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// codec is a way of compressing files.
type codec struct {
	name    string
	endings []string
	// marks are what files begin with.
	marks [][]byte
	// open begins to unpack. The error is io.EOF or io.ErrUnexpectedEOF where the file ends too early for that.
	// What it returns fails so, too, with io.ErrUnexpectedEOF where the file is cut off.
	open func(r *bufio.Reader) (io.Reader, error)
}

var codecs = []codec{gzipCodec, zstdCodec, lz4Codec}

// Endings are those of the names of compressed files, with the dot.
func Endings() (all []string) {
	for _, c := range codecs {
		all = append(all, c.endings...)
	}
	return all
}

// Cut returns the name without the ending of compressed files, and the codec that the ending stands for: gzip, zstd,
// lz4, or empty.
func Cut(name string) (plain, codec string) {
	if c, ending := of(name); c != nil {
		return strings.TrimSuffix(name, ending), c.name
	}
	return name, ""
}

// MarkBytes is how much of a file tells how it is compressed, and more than enough.
const MarkBytes = 4 << 10

// Ending is that of the name which a file with this beginning should have, by Endings; empty if it is not compressed. It is for
// what has no name. Neither JSON nor a table begins like a compressed file.
func Ending(start []byte) string {
	for _, c := range codecs {
		if slices.ContainsFunc(c.marks, func(mark []byte) bool { return bytes.HasPrefix(start, mark) }) {
			return c.endings[0]
		}
	}
	if len(start) < 8 || !skipped([4]byte(start)) {
		return ""
	}
	if size := 8 + int64(binary.LittleEndian.Uint32(start[4:])); size < int64(len(start)) {
		return Ending(start[size:])
	}
	return zstdCodec.endings[0] // which is written with such frames in front more often than lz4
}

// Is tells whether a file is compressed, by its name.
func Is(name string) bool {
	c, _ := of(name)
	return c != nil
}

func of(name string) (*codec, string) {
	for i, c := range codecs {
		if at := slices.IndexFunc(c.endings, func(ending string) bool { return strings.HasSuffix(name, ending) }); at >= 0 {
			return &codecs[i], c.endings[at]
		}
	}
	return nil, ""
}

// OtherError says that a file is not compressed as its name says.
type OtherError struct {
	Path, Codec, Ending string
	Err                 error // what was found instead
}

func (e *OtherError) Error() string {
	return fmt.Sprintf("%s: not %s, though its name ends in %s: %v", e.Path, e.Codec, e.Ending, e.Err)
}

// Unwrap returns what was found instead.
func (e *OtherError) Unwrap() error { return e.Err }

// NewReader returns the content of r, the bytes of the file path: unpacked if the path ends in one of Endings, as it is
// otherwise. Several gzip members, or frames of zstd or lz4, one after another make one content.
//
// Reading fails with an *OtherError if the file does not begin as its name says, with io.ErrUnexpectedEOF after what
// could be unpacked if it is cut off, and with another error if it is damaged or reading r fails. A file that is cut off
// just behind a member or frame cannot be told from a whole one. All errors but those of plain files name the path, and how
// much could be unpacked.
//
// Memory is bounded, whatever the file says: by the window of zstd, 128 MiB at most and commonly 2 to 8 MiB, and by
// the blocks of lz4, 8 MiB at most.
func NewReader(path string, r io.Reader) io.Reader { return NewReaderOf(path, path, r) }

// NewReaderOf is NewReader for what errors call otherwise than its path, which tells how it is compressed.
func NewReaderOf(name, path string, r io.Reader) io.Reader {
	c, ending := of(path)
	if c == nil {
		return r
	}
	u := &unpacker{path: name, codec: c, ending: ending, source: source{r: r}}
	u.packed = bufio.NewReaderSize(&u.source, 64<<10)
	return u
}

// source keeps the error of reading it, to tell it from those of what was read.
type source struct {
	r   io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

type unpacker struct {
	path   string
	codec  *codec
	ending string
	source source
	packed *bufio.Reader
	r      io.Reader // nil until the file has begun
	at     int64     // bytes unpacked
	err    error
}

func (u *unpacker) Read(p []byte) (n int, err error) {
	for n == 0 && u.err == nil && len(p) > 0 {
		if u.r == nil {
			if u.r, err = u.codec.open(u.packed); err != nil {
				u.err = u.explain(err, true)
				break
			}
		}
		n, err = u.r.Read(p)
		u.at += int64(n)
		u.err = u.explain(err, false)
	}
	if n > 0 {
		return n, nil
	}
	return 0, u.err
}

func (u *unpacker) explain(err error, begin bool) error {
	switch {
	case err == nil:
		return nil
	case u.source.err != nil:
		return fmt.Errorf("%s: after %d bytes of content: %w", u.path, u.at, u.source.err)
	case errors.Is(err, io.ErrUnexpectedEOF), begin && errors.Is(err, io.EOF):
		return fmt.Errorf("%s: %s is cut off after %d bytes of content: %w", u.path, u.codec.name, u.at, io.ErrUnexpectedEOF)
	case errors.Is(err, io.EOF):
		return io.EOF
	case begin:
		return &OtherError{u.path, u.codec.name, u.ending, err}
	case errors.As(err, new(*windowError)):
		return fmt.Errorf("%s: %s has a window of more than %d MiB, or is damaged, after %d bytes of content: %w", u.path, u.codec.name, maxWindow>>20, u.at, err)
	default:
		return fmt.Errorf("%s: %s is damaged after %d bytes of content: %w", u.path, u.codec.name, u.at, err)
	}
}

// begins looks at the first four bytes, which are the mark of the codec or another that its files may have there. The error
// is io.ErrUnexpectedEOF if there are fewer, and they could be.
func begins(r *bufio.Reader, known func(mark [4]byte) bool, marks ...[]byte) error {
	start, err := r.Peek(4)
	switch {
	case err == nil && known([4]byte(start)):
		return nil
	case err != nil && !errors.Is(err, io.EOF):
		return err
	case err != nil && slices.ContainsFunc(marks, func(mark []byte) bool { return string(mark[:len(start)]) == string(start) }):
		return io.ErrUnexpectedEOF
	}
	return fmt.Errorf("it begins with %q", start)
}

// skipped is the mark of a frame, of zstd and lz4 alike, that has no content.
func skipped(mark [4]byte) bool { return mark[0]&0xf0 == 0x50 && string(mark[1:]) == "\x2a\x4d\x18" }
