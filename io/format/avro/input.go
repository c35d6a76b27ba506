package avro

import (
	"errors"
	"io"
	"slices"
)

// firstBuffer holds blocks of common sizes without growing.
const firstBuffer = 256 << 10

// input reads ahead from a reader, so that a block can be looked at as a whole and,
// if it is damaged, searched again from its start.
type input struct {
	r      io.Reader
	buf    []byte // what was read and not dropped is buf[from:to]
	from   int
	to     int
	offset int64 // of buf[from]
	err    error // what the reader ended with
}

// peek returns the next n bytes without dropping them; valid until the next call. The
// error is io.EOF if there are none, io.ErrUnexpectedEOF if there are fewer, or the
// reader's.
func (in *input) peek(n int) ([]byte, error) {
	for in.to-in.from < n {
		if err := in.fill(n); err != nil {
			if errors.Is(err, io.EOF) && in.to > in.from {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
	}
	return in.buf[in.from : in.from+n], nil
}

// peekSome returns the next n bytes, or those that are left; an error if there are none.
func (in *input) peekSome(n int) ([]byte, error) {
	for in.to-in.from < n {
		if err := in.fill(n); err != nil {
			if errors.Is(err, io.EOF) && in.to > in.from {
				break
			}
			return nil, err
		}
	}
	return in.buf[in.from:min(in.from+n, in.to)], nil
}

// buffered returns what was read and not dropped; valid until the next call.
func (in *input) buffered() []byte { return in.buf[in.from:in.to] }

// fill reads more, making room for n bytes in all. It grows the buffer as the bytes
// come, not as a length claims.
func (in *input) fill(n int) error {
	if in.err != nil {
		return in.err
	}
	if in.from == in.to {
		in.from, in.to = 0, 0
	}
	if in.to == len(in.buf) || in.from+n > len(in.buf) && in.from > len(in.buf)/2 {
		copy(in.buf, in.buf[in.from:in.to])
		in.from, in.to = 0, in.to-in.from
	}
	if in.to == len(in.buf) {
		in.buf = slices.Grow(in.buf, max(firstBuffer, len(in.buf)))
		in.buf = in.buf[:cap(in.buf)]
	}
	// Readers that return nothing and no error are broken; io.ReadAtLeast bears
	// with them for ever, so count.
	for range 100 {
		read, err := in.r.Read(in.buf[in.to:])
		in.to += read
		if err != nil {
			in.err = err
		}
		if read > 0 {
			return nil
		}
		if err != nil {
			return err
		}
	}
	in.err = io.ErrNoProgress
	return in.err
}

// drop moves past n bytes that were peeked at.
func (in *input) drop(n int) {
	in.from += n
	in.offset += int64(n)
}
