package attribution

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"tributary/io/record"
	"tributary/io/wire"
)

// A block holds records of one bucket on their way through the shuffle, one after
// another. It is what rests in a stream's state, so it carries of an engagement only
// what its label needs, a view's id only once where the payload holds it as text, and no
// hash, which is computed again faster than it would be moved. Records of a block mostly
// follow each other in the log, so each tells its place from that of the one before.
//
//	block      = format (byte) meaning (uint64) bucket index (varint) packing (byte) record*, compressed or not
//	record     = tag (byte) time (varint) [partition (varint)] offset (varint) ...
//	             each less that of the record before, at first bucket start, 0 and 0
//	view       ... id (bytes) payload (bytes)
//	             ... id at (uvarint) id length (uvarint) payload (bytes)    with tagInside: the id is within the payload
//	             ... id (bytes) payload hash (uint64)    with tagDedupMarker: only that the view exists
//	engagement ... kind (uvarint) id (bytes) [floor (varint)] [view time (varint)] [event id (bytes)] [value]
//	             floor and view time less the engagement's own
//	value      = kind (byte), then by kind: number (varint) | double (uint64) | scale (varint) unscaled (bytes) | text (bytes)
//
// The fingerprint of the join's Meaning is there because a block outlives the run that wrote it: kinds
// are numbers in it, views have no schema of their own.
const blockFormat = 3

// Bits of a record's tag.
const (
	tagEngagement = 1 << iota
	// Of a view.
	tagDedupMarker
	tagInside
	// Of an engagement: which optional parts follow.
	tagFloor
	tagViewTime
	tagEventID
	tagValue
	// Of both: its partition is not that of the record before.
	tagPartition
)

// logPlace is where a record stands in the log, and when.
type logPlace struct {
	time, offset int64
	partition    int32
}

// blockWriter appends records to a block. The zero value has none open.
type blockWriter struct {
	block  []byte
	before logPlace
}

// open begins a block of the bucket that begins at start.
func (w *blockWriter) open(meaning uint64, bucket, start int64) {
	w.block = append(appendHeader(w.block[:0], meaning, bucket), plainRecords)
	w.before = logPlace{time: start}
}

func appendHeader(dst []byte, meaning uint64, bucket int64) []byte {
	return binary.AppendVarint(binary.LittleEndian.AppendUint64(append(dst, blockFormat), meaning), bucket)
}

// errMeaning is the end of what is said of state that another spec has left.
var errMeaning = errors.New("another version of the spec has written it, in which records mean something else: begin anew from the log, with --resume log")

// view appends a view; inside is where its payload holds its id, -1 for nowhere.
func (w *blockWriter) view(v *View, inside int) {
	tag := byte(0)
	switch {
	case v.DedupMarker:
		tag = tagDedupMarker
	case inside >= 0:
		tag = tagInside
	}
	w.common(tag, logPlace{v.Time, v.Offset, v.Partition})
	switch {
	case v.DedupMarker:
		w.block = binary.LittleEndian.AppendUint64(wire.AppendBytes(w.block, v.ID), v.PayloadHash)
		return
	case inside >= 0:
		w.block = binary.AppendUvarint(w.block, uint64(inside))
		w.block = binary.AppendUvarint(w.block, uint64(len(v.ID)))
	default:
		w.block = wire.AppendBytes(w.block, v.ID)
	}
	w.block = wire.AppendBytes(w.block, v.Payload)
}

func (w *blockWriter) engagement(g *Engagement) {
	tag := byte(tagEngagement)
	if g.Floor != record.NoTime {
		tag |= tagFloor
	}
	if g.ViewTime != record.NoTime {
		tag |= tagViewTime
	}
	if g.EventID != nil {
		tag |= tagEventID
	}
	if g.Value.Kind != record.Null {
		tag |= tagValue
	}
	w.common(tag, logPlace{g.Time, g.Offset, g.Partition})
	w.block = binary.AppendUvarint(w.block, uint64(g.Kind))
	w.block = wire.AppendBytes(w.block, g.ViewID)
	if tag&tagFloor != 0 {
		w.block = binary.AppendVarint(w.block, g.Floor-g.Time)
	}
	if tag&tagViewTime != 0 {
		w.block = binary.AppendVarint(w.block, g.ViewTime-g.Time)
	}
	if tag&tagEventID != 0 {
		w.block = wire.AppendBytes(w.block, g.EventID)
	}
	if tag&tagValue != 0 {
		w.block = appendValue(w.block, g.Value)
	}
}

func (w *blockWriter) common(tag byte, at logPlace) {
	if at.partition != w.before.partition {
		tag |= tagPartition
	}
	w.block = binary.AppendVarint(append(w.block, tag), at.time-w.before.time)
	if tag&tagPartition != 0 {
		w.block = binary.AppendVarint(w.block, int64(at.partition)-int64(w.before.partition))
	}
	w.block = binary.AppendVarint(w.block, at.offset-w.before.offset)
	w.before = at
}

func appendValue(dst []byte, v record.Value) []byte {
	dst = append(dst, byte(v.Kind))
	switch v.Kind {
	case record.Bool, record.Int:
		return binary.AppendVarint(dst, v.Int)
	case record.Float:
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(v.Float))
	case record.Decimal:
		return wire.AppendBytes(binary.AppendVarint(dst, v.Int), v.Text)
	default: // text; labelValue lets nothing else through
		return wire.AppendBytes(dst, v.Text)
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
		return blockReader{}, fmt.Errorf("block of %d bytes: not of format %d: another release has written it; begin anew from the log, with --resume log", len(block), blockFormat)
	}
	d := blockReader{Reader: wire.NewReader(block[1:])}
	d.meaning = d.Uint64()
	d.bucket = d.Varint()
	return d, d.err()
}

// addBlock adds the records of a block of a join of that meaning to b. Views and engagements point
// into the block.
func (b *Bucket) addBlock(block []byte, meaning uint64, length int64) error {
	d, err := openBlock(block)
	if err != nil {
		return err
	}
	if d.meaning != meaning {
		return fmt.Errorf("block of bucket %d: %w", d.bucket, errMeaning)
	}
	if err := d.unpack(); err != nil {
		return fmt.Errorf("block of bucket %d: %w", d.bucket, err)
	}
	d.before.time = d.bucket * length
	for d.More() {
		tag := d.Byte()
		if tag&tagEngagement != 0 {
			b.Engagements = append(b.Engagements, d.engagement(tag))
		} else {
			b.Views = append(b.Views, d.view(tag))
		}
	}
	if err := d.err(); err != nil {
		return fmt.Errorf("block of bucket %d: %w", d.bucket, err)
	}
	return nil
}

type blockReader struct {
	wire.Reader
	meaning uint64
	bucket  int64
	before  logPlace
}

var errShort = errors.New("it ends within a record")

func (d *blockReader) err() error {
	if d.Short() {
		return errShort
	}
	return nil
}

func (d *blockReader) common(tag byte) logPlace {
	d.before.time += d.Varint()
	if tag&tagPartition != 0 {
		d.before.partition += int32(d.Varint())
	}
	d.before.offset += d.Varint()
	return d.before
}

func (d *blockReader) view(tag byte) View {
	at := d.common(tag)
	v := View{Time: at.time, Partition: at.partition, Offset: at.offset}
	switch {
	case tag&tagDedupMarker != 0:
		v.DedupMarker, v.ID, v.PayloadHash = true, d.Bytes(), d.Uint64()
	case tag&tagInside != 0:
		at, size := d.Uvarint(), d.Uvarint()
		v.Payload = d.Bytes()
		if at > uint64(len(v.Payload)) || size > uint64(len(v.Payload))-at {
			d.Fail()
			return v
		}
		v.ID = v.Payload[at : at+size]
	default:
		v.ID, v.Payload = d.Bytes(), d.Bytes()
	}
	v.Hash = hashID(v.ID)
	return v
}

func (d *blockReader) engagement(tag byte) Engagement {
	at := d.common(tag)
	g := Engagement{
		Time: at.time, Partition: at.partition, Offset: at.offset,
		Kind: int(d.Uvarint()), ViewID: d.Bytes(), Floor: record.NoTime, ViewTime: record.NoTime,
	}
	g.Hash = hashID(g.ViewID)
	if tag&tagFloor != 0 {
		g.Floor = g.Time + d.Varint()
	}
	if tag&tagViewTime != 0 {
		g.ViewTime = g.Time + d.Varint()
	}
	if tag&tagEventID != 0 {
		g.EventID = d.Bytes()
	}
	if tag&tagValue != 0 {
		g.Value = d.value()
	}
	return g
}

func (d *blockReader) value() record.Value {
	v := record.Value{Kind: record.Kind(d.Byte())}
	switch v.Kind {
	case record.Bool, record.Int:
		v.Int = d.Varint()
	case record.Float:
		v.Float = math.Float64frombits(d.Uint64())
	case record.Decimal:
		v.Int, v.Text = d.Varint(), d.Bytes()
	default:
		v.Text = d.Bytes()
	}
	return v
}
