package attribution

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"tributary/io/event"
)

// A block holds records of one bucket on their way through the shuffle, one after
// another. It is what rests in a stream's state, so it carries of an engagement only
// what its label needs, and a view's id only once where the payload holds it as text.
//
//	block      = format (byte) bucket index (varint) record*
//	record     = tag (byte) hash (8 bytes) time (varint, from the bucket's start)
//	             partition (uvarint) offset (uvarint) ...
//	view       ... id payload            a view
//	             ... id at, id length, payload    with tagInside: the id is within the payload
//	             ... id payload hash     with tagStub: only that the view exists
//	engagement ... kind id [floor] [view time] [event id] [value]
const blockFormat = 1

// Bits of a record's tag.
const (
	tagEngagement = 1 << iota
	// Of a view.
	tagStub
	tagInside
	// Of an engagement: which optional parts follow.
	tagFloor
	tagViewTime
	tagEventID
	tagValue
)

func appendHeader(dst []byte, bucket int64) []byte {
	return binary.AppendVarint(append(dst, blockFormat), bucket)
}

func appendView(dst []byte, start int64, v *View, inside int) []byte {
	tag := byte(0)
	switch {
	case v.Stub:
		tag = tagStub
	case inside >= 0:
		tag = tagInside
	}
	dst = appendCommon(dst, tag, v.Hash, v.Time-start, v.Partition, v.Offset)
	switch {
	case v.Stub:
		return binary.LittleEndian.AppendUint64(appendBytes(dst, v.ID), v.PayloadHash)
	case inside >= 0:
		dst = binary.AppendUvarint(dst, uint64(inside))
		dst = binary.AppendUvarint(dst, uint64(len(v.ID)))
	default:
		dst = appendBytes(dst, v.ID)
	}
	return appendBytes(dst, v.Payload)
}

func appendEngagement(dst []byte, start int64, g *Engagement) []byte {
	tag := byte(tagEngagement)
	if g.Floor != event.NoTime {
		tag |= tagFloor
	}
	if g.ViewTime != event.NoTime {
		tag |= tagViewTime
	}
	if g.EventID != nil {
		tag |= tagEventID
	}
	if g.Value.Kind != event.Null {
		tag |= tagValue
	}
	dst = appendCommon(dst, tag, g.Hash, g.Time-start, g.Partition, g.Offset)
	dst = binary.AppendUvarint(dst, uint64(g.Kind))
	dst = appendBytes(dst, g.ViewID)
	if tag&tagFloor != 0 {
		dst = binary.AppendVarint(dst, g.Floor-start)
	}
	if tag&tagViewTime != 0 {
		dst = binary.AppendVarint(dst, g.ViewTime-start)
	}
	if tag&tagEventID != 0 {
		dst = appendBytes(dst, g.EventID)
	}
	if tag&tagValue != 0 {
		dst = appendValue(dst, g.Value)
	}
	return dst
}

func appendCommon(dst []byte, tag byte, hash uint64, time int64, partition int32, offset int64) []byte {
	dst = binary.LittleEndian.AppendUint64(append(dst, tag), hash)
	dst = binary.AppendVarint(dst, time)
	dst = binary.AppendUvarint(dst, uint64(partition))
	return binary.AppendUvarint(dst, uint64(offset))
}

func appendBytes(dst, b []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
}

func appendValue(dst []byte, v event.Value) []byte {
	dst = append(dst, byte(v.Kind))
	switch v.Kind {
	case event.Bool, event.Int:
		return binary.AppendVarint(dst, v.Int)
	case event.Float:
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(v.Float))
	default:
		return appendBytes(dst, v.Text)
	}
}

// blockBucket returns the bucket index of a block.
func blockBucket(block []byte) (int64, error) {
	d, err := openBlock(block)
	if err != nil {
		return 0, err
	}
	return d.bucket, nil
}

func openBlock(block []byte) (blockReader, error) {
	if len(block) == 0 || block[0] != blockFormat {
		return blockReader{}, fmt.Errorf("block of %d bytes: not of format %d", len(block), blockFormat)
	}
	d := blockReader{buf: block[1:]}
	d.bucket = d.varint()
	return d, d.err
}

// addBlock adds the records of a block to b. Views and engagements point into the block.
func (b *Bucket) addBlock(block []byte, length int64) error {
	d, err := openBlock(block)
	if err != nil {
		return err
	}
	start := d.bucket * length
	for len(d.buf) > 0 && d.err == nil {
		tag := d.byte()
		if tag&tagEngagement != 0 {
			b.Engagements = append(b.Engagements, d.engagement(tag, start))
		} else {
			b.Views = append(b.Views, d.view(tag, start))
		}
	}
	if d.err != nil {
		return fmt.Errorf("block of bucket %d: %w", d.bucket, d.err)
	}
	return nil
}

type blockReader struct {
	buf    []byte
	bucket int64
	err    error
}

func (d *blockReader) view(tag byte, start int64) View {
	v := View{Hash: d.uint64(), Time: start + d.varint(), Partition: int32(d.uvarint()), Offset: int64(d.uvarint())}
	switch {
	case tag&tagStub != 0:
		v.Stub, v.ID, v.PayloadHash = true, d.bytes(), d.uint64()
	case tag&tagInside != 0:
		at, size := d.uvarint(), d.uvarint()
		v.Payload = d.bytes()
		if at > uint64(len(v.Payload)) || size > uint64(len(v.Payload))-at {
			d.fail()
			return v
		}
		v.ID = v.Payload[at : at+size]
	default:
		v.ID, v.Payload = d.bytes(), d.bytes()
	}
	return v
}

func (d *blockReader) engagement(tag byte, start int64) Engagement {
	g := Engagement{
		Hash: d.uint64(), Time: start + d.varint(), Partition: int32(d.uvarint()), Offset: int64(d.uvarint()),
		Kind: int(d.uvarint()), ViewID: d.bytes(), Floor: event.NoTime, ViewTime: event.NoTime,
	}
	if tag&tagFloor != 0 {
		g.Floor = start + d.varint()
	}
	if tag&tagViewTime != 0 {
		g.ViewTime = start + d.varint()
	}
	if tag&tagEventID != 0 {
		g.EventID = d.bytes()
	}
	if tag&tagValue != 0 {
		g.Value = d.value()
	}
	return g
}

func (d *blockReader) value() event.Value {
	v := event.Value{Kind: event.Kind(d.byte())}
	switch v.Kind {
	case event.Bool, event.Int:
		v.Int = d.varint()
	case event.Float:
		v.Float = math.Float64frombits(d.uint64())
	default:
		v.Text = d.bytes()
	}
	return v
}

var errShort = errors.New("it ends within a record")

func (d *blockReader) fail() { d.err, d.buf = errShort, nil }

func (d *blockReader) byte() byte {
	if len(d.buf) == 0 {
		d.fail()
		return 0
	}
	b := d.buf[0]
	d.buf = d.buf[1:]
	return b
}

func (d *blockReader) uint64() uint64 {
	if len(d.buf) < 8 {
		d.fail()
		return 0
	}
	v := binary.LittleEndian.Uint64(d.buf)
	d.buf = d.buf[8:]
	return v
}

func (d *blockReader) varint() int64 {
	v, n := binary.Varint(d.buf)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.buf = d.buf[n:]
	return v
}

func (d *blockReader) uvarint() uint64 {
	v, n := binary.Uvarint(d.buf)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.buf = d.buf[n:]
	return v
}

func (d *blockReader) bytes() []byte {
	size := d.uvarint()
	if size > uint64(len(d.buf)) {
		d.fail()
		return nil
	}
	b := d.buf[:size:size]
	d.buf = d.buf[size:]
	return b
}
