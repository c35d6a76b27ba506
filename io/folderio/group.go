package folderio

import (
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"tributary/io/wire"
)

// Group is a part of what appears as one: all records of one (Shard, ID).
type Group struct {
	// Shard is from 0 to Config.Shards-1.
	Shard int32
	// ID tells the groups of a shard apart and orders them: the start of the bucket that they are of, in ms.
	ID int64
	// Part counts the parts of a group from 0; Last marks its final one.
	Part int32
	Last bool
	// Records are the records in their order, each behind its length: see AppendRecord. It is never written to.
	Records []byte
}

// AppendRecord appends a record to the records of a Group: one that is encoded as the format's schema says, or
// JSON for a format of JSON.
func AppendRecord(dst, record []byte) []byte { return wire.AppendBytes(dst, record) }

// nextRecord splits the first record off framed ones.
func nextRecord(framed []byte) (record, rest []byte, err error) {
	r := wire.NewReader(framed)
	if record = r.Bytes(); r.Short() {
		return nil, nil, errors.New("a group ends within a record")
	}
	return record, r.Rest(), nil
}

// Written acknowledges a group, or all groups of a shard and interval, the last one's ID then being its.
type Written struct {
	Shard   int32
	ID      int64
	Records int64
	// Digest is the XXH3 of the framed records of a group.
	Digest uint64
}

func encodeGroup(g Group) []byte {
	out := binary.AppendVarint(make([]byte, 0, len(g.Records)+25), int64(g.Shard))
	out = binary.AppendVarint(out, g.ID)
	out = binary.AppendVarint(out, int64(g.Part))
	return append(wire.AppendBool(out, g.Last), g.Records...)
}

func decodeGroup(buf []byte) (Group, error) {
	r := wire.NewReader(buf)
	g := Group{Shard: int32(r.Varint()), ID: r.Varint(), Part: int32(r.Varint()), Last: r.Byte() == 1, Records: r.Rest()}
	if r.Short() {
		return Group{}, fmt.Errorf("decode group: %d bytes are too few", len(buf))
	}
	return g, nil
}

func encodeWritten(w Written) []byte {
	out := binary.AppendVarint(nil, int64(w.Shard))
	out = binary.AppendVarint(out, w.ID)
	out = binary.AppendVarint(out, w.Records)
	return binary.LittleEndian.AppendUint64(out, w.Digest)
}

func decodeWritten(buf []byte) (Written, error) {
	r := wire.NewReader(buf)
	w := Written{Shard: int32(r.Varint()), ID: r.Varint(), Records: r.Varint(), Digest: r.Uint64()}
	if r.Short() || r.More() {
		return Written{}, fmt.Errorf("decode what acknowledges a group: %d bytes are not one", len(buf))
	}
	return w, nil
}

func init() {
	beam.RegisterType(reflect.TypeFor[Group]())
	beam.RegisterCoder(reflect.TypeFor[Group](), encodeGroup, decodeGroup)
	beam.RegisterType(reflect.TypeFor[Written]())
	beam.RegisterCoder(reflect.TypeFor[Written](), encodeWritten, decodeWritten)
}
