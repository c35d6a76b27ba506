package shuffle

import (
	"errors"
	"fmt"

	"tributary/io/record"
	"tributary/io/wire"
	"tributary/transforms/attribution/bucket"
	"tributary/transforms/attribution/rules"
)

// AddTo adds the records of a block of a join of that meaning, whose buckets have that length, to a
// bucket. Views and engagements point into the block.
func (b Block) AddTo(to *bucket.Bucket, meaning uint64, length int64) error {
	d, err := b.open()
	if err != nil {
		return err
	}
	if d.meaning != meaning {
		return fmt.Errorf("block of bucket %d: %w", d.bucket, rules.ErrMeaning)
	}
	markers, corrections, err := d.unpack()
	if err == nil {
		to.Markers, err = appendMarkers(to.Markers, markers, d.bucket*length)
	}
	if err != nil {
		return fmt.Errorf("block of bucket %d: %w", d.bucket, err)
	}
	to.Corrections += corrections
	d.before.time = d.bucket * length
	for d.More() {
		tag := d.Byte()
		if tag&tagEngagement != 0 {
			to.Engagements = append(to.Engagements, d.engagement(tag))
		} else {
			to.Views = append(to.Views, d.view(tag))
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
	before  logPosition
}

var errShort = errors.New("it ends within a record")

func (d *blockReader) err() error {
	if d.Short() {
		return errShort
	}
	return nil
}

func (d *blockReader) common(tag byte) logPosition {
	d.before.time += d.Varint()
	if tag&tagPartition != 0 {
		d.before.partition += int32(d.Varint())
	}
	d.before.offset += d.Varint()
	return d.before
}

func (d *blockReader) view(tag byte) bucket.View {
	at := d.common(tag)
	v := bucket.View{Time: at.time, Partition: at.partition, Offset: at.offset, ClosedThrough: record.NoTime}
	if tag&tagLateBefore != 0 {
		v.InTimeFrom = int(d.Uvarint())
	}
	if tag&tagElement != 0 {
		v.Element = int32(d.Uvarint())
	}
	if tag&tagViewClosed != 0 {
		v.ClosedThrough = v.Time + d.Varint()
	}
	var key struct{ at, size uint64 }
	if tag&tagKey != 0 {
		if key.at = d.Uvarint(); key.at > 0 {
			key.size = d.Uvarint()
		} else {
			v.Key = d.Bytes()
		}
	}
	switch {
	case tag&tagDedupMarker != 0 && tag&tagInside != 0:
		v.DedupMarker, v.Known, v.ID = true, true, d.Bytes()
	case tag&tagDedupMarker != 0:
		v.DedupMarker, v.ID, v.PayloadHash = true, d.Bytes(), d.Uint64()
	case tag&tagInside != 0:
		at, size := d.Uvarint(), d.Uvarint()
		v.Payload = d.Bytes()
		v.ID = d.within(v.Payload, at, size)
	default:
		v.ID, v.Payload = d.Bytes(), d.Bytes()
	}
	if key.at > 0 {
		v.Key = d.within(v.Payload, key.at-1, key.size)
	}
	v.Hash = rules.HashID(v.Name())
	return v
}

// within is a part of a payload, which is not nil: nil is no key at all.
func (d *blockReader) within(payload []byte, at, size uint64) []byte {
	if at > uint64(len(payload)) || size > uint64(len(payload))-at {
		d.Fail()
		return nil
	}
	if size == 0 {
		return []byte{}
	}
	return payload[at : at+size]
}

func (d *blockReader) engagement(tag byte) bucket.Engagement {
	at := d.common(tag)
	g := bucket.Engagement{
		Time: at.time, Partition: at.partition, Offset: at.offset,
		ClosedThrough: record.NoTime, ViewTime: record.NoTime,
	}
	g.Kind, g.Element = bucket.SplitKind(d.Uvarint())
	g.ViewID = d.Bytes()
	g.Hash = rules.HashID(g.ViewID)
	if tag&tagClosedThrough != 0 {
		g.ClosedThrough = g.Time + d.Varint()
	}
	if tag&tagViewTime != 0 {
		g.ViewTime = g.Time + d.Varint()
	}
	if tag&tagEventID != 0 {
		g.EventID = d.Bytes()
	}
	if tag&tagValue != 0 {
		g.Value = bucket.ReadValue(&d.Reader)
	}
	return g
}
