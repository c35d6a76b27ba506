package shuffle

import (
	"encoding/binary"
	"math"

	"tributary/io/record"
	"tributary/io/wire"
	"tributary/transforms/attribution/bucket"
)

// logPosition is where a record stands in the log, and when.
type logPosition struct {
	time, offset int64
	partition    int32
}

// blockWriter appends records to a block. The zero value has none open.
type blockWriter struct {
	block  []byte
	before logPosition
}

// open begins a block of the bucket that begins at start.
func (w *blockWriter) open(meaning uint64, bucket, start int64) {
	w.block = append(appendHeader(w.block[:0], meaning, bucket), plainRecords)
	w.before = logPosition{time: start}
}

// view appends a view; inside is where its payload holds its id, -1 for nowhere.
func (w *blockWriter) view(v *bucket.View, inside int) {
	tag := byte(0)
	switch {
	case v.DedupMarker:
		tag = tagDedupMarker
	case inside >= 0:
		tag = tagInside
	}
	w.common(tag, logPosition{v.Time, v.Offset, v.Partition})
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

func (w *blockWriter) engagement(g *bucket.Engagement) {
	tag := byte(tagEngagement)
	if g.ClosedThrough != record.NoTime {
		tag |= tagClosedThrough
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
	w.common(tag, logPosition{g.Time, g.Offset, g.Partition})
	w.block = binary.AppendUvarint(w.block, uint64(g.Kind))
	w.block = wire.AppendBytes(w.block, g.ViewID)
	if tag&tagClosedThrough != 0 {
		w.block = binary.AppendVarint(w.block, g.ClosedThrough-g.Time)
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

func (w *blockWriter) common(tag byte, at logPosition) {
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
