package avro

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"strings"
)

// failure says why bytes are no Avro datum. As a position it is negative, so that the
// functions below return either the next position or what is wrong.
type failure int

const (
	failShort failure = -1 - iota
	failLong
	failInt
	failLength
	failUnion
	failEnum
	failBool
	failDepth
	failCount
	failMany
	failBranch
	failSymbol
	failBlock
	failText
)

func (f failure) String() string {
	switch f {
	case failShort:
		return "the record ends in the middle of it"
	case failLong:
		return "a number takes more than 64 bits"
	case failInt:
		return "an int takes more than 32 bits"
	case failLength:
		return "a length is negative"
	case failUnion:
		return "there is no such type in the union"
	case failEnum:
		return "there is no such symbol in the enum"
	case failBool:
		return "a boolean is neither 0 nor 1"
	case failDepth:
		return fmt.Sprintf("records are nested over %d deep", maxDepth)
	case failCount:
		return "more items than there are bytes for"
	case failMany:
		return fmt.Sprintf("over %d values that take no bytes", maxEmpty)
	case failBranch:
		return "the reader's schema has no place for this type of the writer's union"
	case failSymbol:
		return "the reader's enum lacks this symbol and has no default"
	case failBlock:
		return "a block's length is not that of its items"
	case failText:
		return "its text is not UTF-8"
	default:
		return "unknown"
	}
}

// maxDepth bounds how deep values may stand inside each other in a datum. Schemas
// nest a few levels; only recursive ones, or hostile bytes, come near.
const maxDepth = 1000

// maxEmpty bounds the values of a datum that take no bytes (nulls in an array), where
// they must be gone through one by one: a few bytes can claim any number of them.
const maxEmpty = 1 << 20

// DecodeError says where and why bytes are not a datum of the schema.
type DecodeError struct {
	// Path of the field, empty for the datum as a whole.
	Path string
	// Offset of the bytes in question from the datum's first one.
	Offset int
	// Reason in words.
	Reason string
}

// Error names the field first.
func (e *DecodeError) Error() string {
	path := e.Path
	if path == "" {
		path = "the datum"
	}
	return fmt.Sprintf("decode %s at byte %d: %s", path, e.Offset, e.Reason)
}

// below returns e with the path of the field around in front. Paths of deep recursion
// are cut in the middle: the ends tell enough.
func (e *DecodeError) below(path string) *DecodeError {
	if e.Path == "" {
		e.Path = path
	} else if path != "" {
		if !strings.HasPrefix(e.Path, "[]") {
			path += "."
		}
		e.Path = path + e.Path
	}
	const most = 512
	if len(e.Path) > most {
		rest := e.Path[len(e.Path)-most/2:]
		e.Path = e.Path[:most/4] + "..." + rest[max(strings.IndexByte(rest, '.'), 0):]
	}
	return e
}

const highBits = 0x8080808080808080

// uvarint reads the varint at pos; next is negative (a failure) if there is none.
func uvarint(buf []byte, pos int) (v uint64, next int) {
	if pos+8 > len(buf) {
		return uvarintSlow(buf, pos)
	}
	w := binary.LittleEndian.Uint64(buf[pos:])
	stop := ^w & highBits
	if stop == 0 {
		return uvarintSlow(buf, pos)
	}
	// All bytes at once: cut off what follows the last one, then close the gaps that
	// the continuation bits leave, pairwise.
	w &= stop ^ (stop - 1)
	w = w&0x007f007f007f007f | w>>1&0x3f803f803f803f80
	w = w&0x00003fff00003fff | w>>2&0x0fffc0000fffc000
	w = w&0x000000000fffffff | w>>4&0x00fffffff0000000
	return w, pos + bits.TrailingZeros64(stop)>>3 + 1
}

func uvarintSlow(buf []byte, pos int) (v uint64, next int) {
	for shift := uint(0); shift < 70; shift += 7 {
		if pos >= len(buf) {
			return 0, int(failShort)
		}
		b := buf[pos]
		pos++
		if shift == 63 && b > 1 {
			break
		}
		v |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return v, pos
		}
	}
	return 0, int(failLong)
}

func zigzag(v uint64) int64 { return int64(v>>1) ^ -int64(v&1) }

// skipVarints steps over n varints of up to 64 bits, several with each load.
func skipVarints(buf []byte, pos int, n int64) int {
	for n > 0 {
		if pos+8 > len(buf) {
			if _, pos = uvarintSlow(buf, pos); pos < 0 {
				return pos
			}
			n--
			continue
		}
		stop := ^binary.LittleEndian.Uint64(buf[pos:]) & highBits
		ends := int64(bits.OnesCount64(stop))
		switch {
		case ends == 0:
			if _, pos = uvarintSlow(buf, pos); pos < 0 {
				return pos
			}
			n--
		case ends >= n:
			for ; n > 1; n-- {
				stop &= stop - 1
			}
			return pos + bits.TrailingZeros64(stop)>>3 + 1
		default:
			pos += 8 - bits.LeadingZeros64(stop)>>3
			n -= ends
		}
	}
	return pos
}

// length reads a length prefix and checks that so many bytes follow; next is negative
// (a failure) otherwise.
func length(buf []byte, pos int) (n, next int) {
	v, next := uvarint(buf, pos)
	switch {
	case next < 0:
		return 0, next
	case v&1 != 0:
		return 0, int(failLength)
	case v>>1 > uint64(len(buf)-next):
		return 0, int(failShort)
	}
	return int(v >> 1), next
}

// blockHeader reads the header of a block of array items or map entries. size is -1
// unless the block tells its length in bytes, which then follow. A count of 0 ends
// the array. next is negative (a failure) if there is no sound header.
func blockHeader(buf []byte, pos int) (count int64, size, next int) {
	v, next := uvarint(buf, pos)
	if next < 0 {
		return 0, 0, next
	}
	count = zigzag(v)
	if count >= 0 {
		return count, -1, next
	}
	if count == math.MinInt64 {
		return 0, 0, int(failCount)
	}
	size, next = length(buf, next)
	return -count, size, next
}
