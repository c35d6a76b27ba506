package sink

import (
	"encoding/binary"
	"fmt"
	"reflect"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/zeebo/xxh3"

	"tributary/io/wire"
)

// NoTimestamp leaves a record's timestamp to the time at which it is produced.
const NoTimestamp = -1

// Group is a part of an atomic unit of output: all records of one (Shard, ID) become
// readable together, once.
type Group struct {
	// Shard names the producer that writes the group, from 0 to Config.Shards-1.
	Shard int32
	// ID tells the groups of a shard apart and orders them: the start of the bucket whose
	// samples these are, in milliseconds.
	ID int64
	// Part counts the parts of a group from 0; Last marks its final one.
	Part int32
	Last bool
	// Records holds records as AppendRecord frames them. It is kept until the bundle's
	// end and never written to.
	Records []byte
}

// AppendRecord appends a record to the records of a Group. A record without a key goes to
// any partition; a negative timestamp (ms since the epoch) is none.
func AppendRecord(dst, key, value []byte, timestampMs int64) []byte {
	dst = binary.AppendUvarint(dst, uint64(max(timestampMs, NoTimestamp)+1))
	return wire.AppendBytes(wire.AppendBytes(dst, key), value)
}

// nextRecord splits the first record off framed ones.
func nextRecord(framed []byte) (key, value []byte, timestampMs int64, rest []byte, err error) {
	r := wire.NewReader(framed)
	stamp := r.Uvarint()
	key, value = r.Bytes(), r.Bytes()
	if r.Short() {
		return nil, nil, 0, nil, fmt.Errorf("framed record: %d bytes do not hold it", len(framed))
	}
	return key, value, int64(stamp) - 1, r.Rest(), nil
}

// group is a Group put together from its parts.
type group struct {
	id    int64
	parts [][]byte
	// records and digest are set by seal.
	records int64
	digest  uint64
	// largest is what the largest record takes at most, in bytes.
	largest int64
	// refused are the records that are left out, as they take more than limit; see refuse.
	refused []Refused
	limit   int64
}

// add takes the next part of the group.
func (g *group) add(p Group) error {
	if int(p.Part) != len(g.parts) {
		return fmt.Errorf("part %d of group %d of shard %d came where part %d was due: the parts of a group come in order, in one bundle",
			p.Part, p.ID, p.Shard, len(g.parts))
	}
	g.parts = append(g.parts, p.Records)
	return nil
}

// seal counts and measures the records and digests them; how they were cut into parts does not show.
func (g *group) seal() error {
	h := xxh3.New()
	for i, p := range g.parts {
		for rest := p; len(rest) > 0; g.records++ {
			var key, value []byte
			var err error
			if key, value, _, rest, err = nextRecord(rest); err != nil {
				return fmt.Errorf("part %d of group %d: %w", i, g.id, err)
			}
			g.largest = max(g.largest, recordBytes(len(key), len(value), nil))
		}
		_, _ = h.Write(p) // a hash takes all it is given
	}
	g.digest = h.Sum64()
	return nil
}

func encodeGroup(g Group) []byte {
	out := make([]byte, 0, len(g.Records)+24)
	out = binary.AppendVarint(out, int64(g.Shard))
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

func init() {
	beam.RegisterType(reflect.TypeFor[Group]())
	beam.RegisterCoder(reflect.TypeFor[Group](), encodeGroup, decodeGroup)
}
