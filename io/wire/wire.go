// Package wire reads what the encodings of this project are made of, numbers and bytes one after another,
// by one cursor: record batches and rejected records, blocks of the join, sightings, blocks of samples,
// groups and messages of a sink, the commit log, a reader's positions.
//
//	varint   a signed number, zigzag, of up to ten bytes     binary.AppendVarint
//	uvarint  a number that is not negative, likewise         binary.AppendUvarint
//	uint64   eight bytes, the lowest first                   binary.LittleEndian.AppendUint64
//	bytes    a uvarint, which is their length, and they      AppendBytes
//
// What is appended needs no more than encoding/binary and AppendBytes. Avro has a cursor of its own, in
// package avro, that tells what is wrong with data that others wrote. Two loops over single records read
// their two numbers by themselves, for speed: record.NextFramed, sample.Next.
package wire

import "encoding/binary"

// AppendBytes appends bytes behind their length.
func AppendBytes(dst, b []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
}

// AppendText appends text as AppendBytes does.
func AppendText(dst []byte, text string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(text))), text...)
}

// AppendBool appends one byte.
func AppendBool(dst []byte, b bool) []byte {
	if b {
		return append(dst, 1)
	}
	return append(dst, 0)
}

// Reader is a cursor. Where bytes are missing for what is asked, or a number has more than 64 bits, it is
// Short from then on and gives zeros: ask once, when all is read.
type Reader struct {
	buf   []byte
	short bool
}

// NewReader returns a Reader of buf.
func NewReader(buf []byte) Reader { return Reader{buf: buf} }

// Short says that something was not there to be read.
func (r *Reader) Short() bool { return r.short }

// More says that something is left; not if it is Short.
func (r *Reader) More() bool { return len(r.buf) > 0 }

// Rest is what is left. It points into what is read, and nothing is taken.
func (r *Reader) Rest() []byte { return r.buf }

// Fail makes it Short: for whoever finds that what was read cannot be.
func (r *Reader) Fail() { r.buf, r.short = nil, true }

// Byte reads one byte.
func (r *Reader) Byte() byte {
	if len(r.buf) == 0 {
		r.Fail()
		return 0
	}
	b := r.buf[0]
	r.buf = r.buf[1:]
	return b
}

// Uint64 reads eight bytes.
func (r *Reader) Uint64() uint64 {
	if len(r.buf) < 8 {
		r.Fail()
		return 0
	}
	v := binary.LittleEndian.Uint64(r.buf)
	r.buf = r.buf[8:]
	return v
}

// Varint reads a signed number.
func (r *Reader) Varint() int64 {
	v, n := binary.Varint(r.buf)
	if n <= 0 {
		r.Fail()
		return 0
	}
	r.buf = r.buf[n:]
	return v
}

// Uvarint reads a number that is not negative.
func (r *Reader) Uvarint() uint64 {
	v, n := binary.Uvarint(r.buf)
	if n <= 0 {
		r.Fail()
		return 0
	}
	r.buf = r.buf[n:]
	return v
}

// Bytes reads bytes behind their length. They point into what is read, and cannot be appended to there.
func (r *Reader) Bytes() []byte { return r.Take(r.Uvarint()) }

// Take reads n bytes, likewise; nil if it is Short.
func (r *Reader) Take(n uint64) []byte {
	if n > uint64(len(r.buf)) || r.short {
		r.Fail()
		return nil
	}
	b := r.buf[:n:n]
	r.buf = r.buf[n:]
	return b
}
