package shuffle

import (
	"encoding/binary"

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
	block   []byte
	markers []byte // see markers.go
	noted   []byte // likewise, of the views of this bucket
	header  int    // its length
	before  logPosition
}

// size is what the open block takes so far; none is open without.
func (w *blockWriter) size() int { return len(w.block) + len(w.markers) }

// open begins a block of the bucket that begins at start.
func (w *blockWriter) open(meaning uint64, bucket, start int64) {
	w.block, w.markers = append(appendHeader(w.block[:0], meaning, bucket), plainRecords), w.markers[:0]
	w.header = len(w.block)
	w.before = logPosition{time: start}
}

// view appends a view; at is where its payload holds what names it.
func (w *blockWriter) view(v *bucket.View, at inside) {
	tag := byte(0)
	switch {
	case v.Known:
		tag = tagDedupMarker | tagInside
	case v.DedupMarker:
		tag = tagDedupMarker
	case at.id > 0:
		tag = tagInside
	}
	if v.Key != nil {
		tag |= tagKey
	}
	if v.ClosedThrough != record.NoTime {
		tag |= tagViewClosed
	}
	late := v.InTimeFrom > 0
	if late {
		tag |= tagLateBefore
	}
	if v.Element > 0 {
		tag |= tagElement
	}
	w.common(tag, logPosition{v.Time, v.Offset, v.Partition})
	if late {
		w.block = binary.AppendUvarint(w.block, uint64(v.InTimeFrom))
	}
	if v.Element > 0 {
		w.block = binary.AppendUvarint(w.block, uint64(v.Element))
	}
	if v.ClosedThrough != record.NoTime {
		w.block = binary.AppendVarint(w.block, v.ClosedThrough-v.Time)
	}
	if v.Key != nil {
		w.block = binary.AppendUvarint(w.block, uint64(at.key))
		if at.key > 0 {
			w.block = binary.AppendUvarint(w.block, uint64(len(v.Key)))
		} else {
			w.block = wire.AppendBytes(w.block, v.Key)
		}
	}
	switch {
	case v.Known:
		w.block = wire.AppendBytes(w.block, v.ID)
		return
	case v.DedupMarker:
		w.block = binary.LittleEndian.AppendUint64(wire.AppendBytes(w.block, v.ID), v.PayloadHash)
		return
	case at.id > 0:
		w.block = binary.AppendUvarint(w.block, uint64(at.id-1))
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
	w.block = binary.AppendUvarint(w.block, g.KindAndElement())
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
		w.block = bucket.AppendValue(w.block, g.Value)
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
