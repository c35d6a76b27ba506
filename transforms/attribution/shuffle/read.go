package shuffle

import (
	"errors"
	"fmt"
	"math"

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
	if err := d.unpack(); err != nil {
		return fmt.Errorf("block of bucket %d: %w", d.bucket, err)
	}
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
	v := bucket.View{Time: at.time, Partition: at.partition, Offset: at.offset}
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
	v.Hash = rules.HashID(v.ID)
	return v
}

func (d *blockReader) engagement(tag byte) bucket.Engagement {
	at := d.common(tag)
	g := bucket.Engagement{
		Time: at.time, Partition: at.partition, Offset: at.offset,
		Kind: int(d.Uvarint()), ViewID: d.Bytes(), ClosedThrough: record.NoTime, ViewTime: record.NoTime,
	}
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
