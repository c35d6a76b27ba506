package shuffle

import (
	"encoding/binary"
	"fmt"

	"tributary/io/wire"
)

// Block holds records of one bucket on their way through the shuffle, one after
// another. It is what rests in a stream's state, so it carries of an engagement only
// what its label needs, a view's id only once where the payload holds it as text, and no
// hash, which is computed again faster than it would be moved. Records of a block mostly
// follow each other in the log, so each has its position less that of the one before.
//
//	block      = format (byte) meaning (uint64) bucket index (varint) packing (byte) [markers (bytes)] record*, compressed or not
//	           | format meaning bucket index packing corrections (uvarint)    see NewCorrection
//	record     = tag (byte) time (varint) [partition (varint)] offset (varint) ...
//	             each less that of the record before, at first bucket start, 0 and 0
//	view       ... [stages it is late for (uvarint)] [element (uvarint)] [closed through (varint)] [key] id (bytes) payload (bytes)
//	             ... id at (uvarint) id length (uvarint) payload (bytes)    with tagInside: the id is within the payload
//	             ... id (bytes) payload hash (uint64)    with tagDedupMarker: only that the view exists
//	             ... id (bytes)    with both: only that, and its duplicates are elsewhere
//	key        = 0 (byte) key (bytes) | key at + 1 (uvarint) key length (uvarint)    the latter: it is within the payload
//	engagement ... kind, and element * 2^16 (uvarint) id (bytes) [closed through (varint)] [view time (varint)] [event id (bytes)] [value]
//	             closed through and view time less the engagement's own
//	value      = kind (byte), then by kind: nothing of null | number (varint) | double (uint64) | scale (varint) unscaled (bytes) | text (bytes)
//	             where a kind has several labels, the text is a value for each of them, or 254 (byte) for one like that before
//
// The fingerprint of the join's Meaning is there because a block outlives the run that wrote it: kinds
// are numbers in it, views have no schema of their own.
type Block struct{ encoded []byte }

// EncodeBlock returns the bytes of a block: it is an element as such.
func EncodeBlock(b Block) []byte { return b.encoded }

// DecodeBlock makes a block of its bytes, which it keeps.
func DecodeBlock(encoded []byte) (Block, error) { return Block{encoded}, nil }

const blockFormat = 3

// Bits of a record's tag.
const (
	tagEngagement = 1 << iota
	// Of a view.
	tagDedupMarker
	tagInside
	// Of an engagement: which optional parts follow; of a view, that it is late for some stages.
	tagClosedThrough
	tagViewTime
	tagEventID
	tagValue
	// Of both: its partition is not that of the record before.
	tagPartition

	tagLateBefore = tagClosedThrough
	tagElement    = tagViewTime // of a view: it is not the first in the list of its record
	tagKey        = tagEventID  // of a view: it has a key
	tagViewClosed = tagValue    // of a view: through what time views had closed follows
)

func appendHeader(dst []byte, meaning uint64, bucket int64) []byte {
	return binary.AppendVarint(binary.LittleEndian.AppendUint64(append(dst, blockFormat), meaning), bucket)
}

// Bucket returns the index of the bucket that the records are of.
func (b Block) Bucket() (int64, error) {
	d, err := b.open()
	if err != nil {
		return 0, err
	}
	return d.bucket, nil
}

func (b Block) open() (blockReader, error) {
	if len(b.encoded) == 0 || b.encoded[0] != blockFormat {
		return blockReader{}, fmt.Errorf("block of %d bytes: not of format %d: another release has written it; begin anew from the log, with --resume log", len(b.encoded), blockFormat)
	}
	d := blockReader{Reader: wire.NewReader(b.encoded[1:])}
	d.meaning = d.Uint64()
	d.bucket = d.Varint()
	return d, d.err()
}

// NewCorrection returns a block without records. It says of a bucket of a join of that meaning that what the stage before gave of
// its views was corrected so many times.
func NewCorrection(meaning uint64, bucket, times int64) Block {
	return Block{binary.AppendUvarint(append(appendHeader(nil, meaning, bucket), correction), uint64(times))}
}
