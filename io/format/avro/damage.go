package avro

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// DamageError says that part of a file cannot be read. Reading goes on behind it.
type DamageError struct {
	// Offset of the damaged block in the file.
	Offset int64
	// Size is how many bytes of the file are lost.
	Size int64
	// Count is how many records are known to be lost. AtLeast says that there may be more:
	// how many is not known then.
	Count   int64
	AtLeast bool
	// Err is what is wrong.
	Err error
}

// Lost says how many records it stands for; see format.Damage.
func (e *DamageError) Lost() (count int64, atLeast bool) { return e.Count, e.AtLeast }

// Error says where and what.
func (e *DamageError) Error() string {
	records := "an unknown number of records"
	switch {
	case e.AtLeast && e.Count > 0:
		records = fmt.Sprintf("at least %d records", e.Count)
	case !e.AtLeast && e.Count == 1:
		records = "1 record"
	case !e.AtLeast:
		records = fmt.Sprintf("%d records", e.Count)
	}
	return fmt.Sprintf("damaged block at byte %d (%d bytes, %s): %s", e.Offset, e.Size, records, e.Err)
}

// Unwrap returns what is wrong.
func (e *DamageError) Unwrap() error { return e.Err }

// badMarker is for a block of size bytes that no sync marker ends. Where the file goes on
// behind it as it should, the block's header has told the truth, and only that block is
// lost.
func (r *Reader) badMarker(b Block, size int) error {
	why := errors.New("no sync marker follows it")
	if b.Count == 0 || !r.goesOn(size) { // writers leave out empty blocks: rather zeros than one of those
		return r.damage(b.Offset, 0, why)
	}
	r.in.drop(size)
	return &DamageError{Offset: b.Offset, Size: int64(size), Count: b.Count, Err: why}
}

// chained is how many blocks without a sync marker may follow one another for their headers
// to be believed. They are looked at together, so it bounds memory, too.
const chained = 8

// goesOn tells whether blocks follow size bytes from here: up to one that ends with the sync
// marker, or as the one before it does (then it is the marker in the header that is
// damaged), or up to the end of the file.
func (r *Reader) goesOn(size int) bool {
	for range chained {
		seen, err := r.in.peekSome(size + 2*binary.MaxVarintLen64)
		if err != nil {
			return false // Next finds the same and tells it
		}
		if len(seen) == size {
			return errors.Is(r.in.err, io.EOF)
		}
		next := r.block()
		at, stored, err := next.readHead(seen[size:], r.limits.Block)
		if err != nil {
			return false
		}
		end := size + at + int(stored) + syncSize
		if seen, err = r.in.peek(end); err != nil {
			return false
		}
		marker, before := seen[end-syncSize:], seen[size-syncSize:size]
		if bytes.Equal(marker, r.header.Sync[:]) || next.Count > 0 && bytes.Equal(marker, before) {
			return true
		}
		size = end
	}
	return false
}

// damage moves behind the next sync marker, or to the end, and returns the error: io.EOF
// if there are only zeros, which fill up a file to a size that its storage likes. Count is
// what the block's header says: true if the file ends before another marker.
func (r *Reader) damage(offset, count int64, why error) error {
	e := &DamageError{Offset: offset, AtLeast: true, Err: why}
	padding := offset > r.header.Size // where no block came, something did not
	drop := func(n int) {
		padding = padding && isZero(r.in.buffered()[:n])
		r.in.drop(n)
	}
	for {
		// An error of the underlying reader shows again when Next reads on.
		_, err := r.in.peekSome(firstBuffer)
		window := r.in.buffered()
		if i := bytes.Index(window, r.header.Sync[:]); i >= 0 {
			r.in.drop(i + syncSize)
			break
		}
		if err != nil || len(window) < firstBuffer {
			// No marker follows, so no header between but this block's: its count
			// may be believed. Of what would have come behind nothing is known.
			if drop(len(window)); padding && errors.Is(r.in.err, io.EOF) {
				return io.EOF
			}
			e.Count = count
			break
		}
		drop(len(window) - syncSize + 1)
	}
	e.Size = r.in.offset - offset
	return e
}

func isZero(b []byte) bool { return len(bytes.TrimLeft(b, "\x00")) == 0 }
