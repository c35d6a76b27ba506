package audit

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"math"

	"tributary/io/wire"
)

// side is where an entry is from.
type side byte

const (
	sideWant    side = iota // the join in batch
	sideHave                // the sink
	sideIdle                // an id only: of views that an idle partition concerns, at each stage
	sideEarly               // an id only: of views that it may concern where stages before the last show
	sideRefused             // an id only: of a sample that the topic does not take
	sideBeside              // the sink, of what is not compared: in a compacted topic it is why others are gone
	sideLate                // the join in batch in which late engagements count: what samples corrected for those must be
	sideDeleted             // an id only: somebody has deleted it from the topic, by a record without a value
)

// noProducer is that of a record that is in no transaction.
const noProducer = -1

// entry is a sample on its way through the parts.
//
//	entry = side (byte) corrected (byte) schema (uvarint) partition (varint) offset (varint) producer (varint) group version (uvarint)
//	        file (text) stage (text) version (varint) time (varint) weight (uint64) id (bytes) raw (rest)
type entry struct {
	side side
	// corrected says of a topic's record that a repair wrote it.
	corrected corrected
	schema    int
	// partition, offset and producer are those of a topic's record; in a folder, partition is the shard, and -1 where
	// the name of the file does not tell.
	partition int32
	offset    int64
	producer  int64
	// group is the version of its group, from 1; 0 where there is none.
	group int64
	// folder is the name of the stage of the file's folder, where file is set.
	file, folder string

	stage   string
	version int64
	time    int64
	weight  float64
	id      []byte
	raw     []byte
}

func (e *entry) append(dst []byte) []byte {
	dst = append(dst, byte(e.side), byte(e.corrected))
	dst = binary.AppendUvarint(dst, uint64(e.schema))
	dst = binary.AppendVarint(dst, int64(e.partition))
	dst = binary.AppendVarint(dst, e.offset)
	dst = binary.AppendVarint(dst, e.producer)
	dst = binary.AppendUvarint(dst, uint64(e.group))
	dst = wire.AppendText(wire.AppendText(dst, e.file), e.folder)
	dst = wire.AppendText(dst, e.stage)
	dst = binary.AppendVarint(dst, e.version)
	dst = binary.AppendVarint(dst, e.time)
	dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(e.weight))
	dst = wire.AppendBytes(dst, e.id)
	return append(dst, e.raw...)
}

// decodeEntry reads what append wrote; id and raw point into it.
func decodeEntry(encoded []byte) (e entry, err error) {
	r := wire.NewReader(encoded)
	e.side, e.corrected = side(r.Byte()), corrected(r.Byte())
	e.schema = int(r.Uvarint())
	e.partition, e.offset, e.producer, e.group = int32(r.Varint()), r.Varint(), r.Varint(), int64(r.Uvarint())
	e.file, e.folder, e.stage = string(r.Bytes()), string(r.Bytes()), string(r.Bytes())
	e.version, e.time, e.weight = r.Varint(), r.Varint(), math.Float64frombits(r.Uint64())
	e.id = r.Bytes()
	if r.Short() {
		return e, errors.New("a part of the audit holds something else than samples")
	}
	e.raw = r.Rest()
	return e, nil
}

// compareKeys orders entries by what names a sample: the view's id and time, the stage and the version.
func compareKeys(a, b *entry) int {
	return cmp.Or(bytes.Compare(a.id, b.id), cmp.Compare(a.time, b.time), cmp.Compare(a.stage, b.stage), cmp.Compare(a.version, b.version))
}
