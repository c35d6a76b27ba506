package sink

import (
	"encoding/binary"
	"fmt"
	"reflect"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/zeebo/xxh3"
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
	dst = binary.AppendUvarint(dst, uint64(len(key)))
	dst = append(dst, key...)
	dst = binary.AppendUvarint(dst, uint64(len(value)))
	return append(dst, value...)
}

// nextRecord splits the first record off framed ones.
func nextRecord(framed []byte) (key, value []byte, timestampMs int64, rest []byte, err error) {
	stamp, n := binary.Uvarint(framed)
	if n <= 0 {
		return nil, nil, 0, nil, fmt.Errorf("framed record: timestamp: %d bytes left", len(framed))
	}
	if key, framed, err = nextBytes(framed[n:]); err != nil {
		return nil, nil, 0, nil, fmt.Errorf("framed record: key: %w", err)
	}
	if value, framed, err = nextBytes(framed); err != nil {
		return nil, nil, 0, nil, fmt.Errorf("framed record: value: %w", err)
	}
	return key, value, int64(stamp) - 1, framed, nil
}

func nextBytes(buf []byte) (taken, rest []byte, err error) {
	size, n := binary.Uvarint(buf)
	if n <= 0 || size > uint64(len(buf)-n) {
		return nil, nil, fmt.Errorf("length %d with %d bytes left", size, len(buf)-max(n, 0))
	}
	end := n + int(size)
	return buf[n:end:end], buf[end:], nil
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
	last := byte(0)
	if g.Last {
		last = 1
	}
	return append(append(out, last), g.Records...)
}

func decodeGroup(buf []byte) (Group, error) {
	var fields [3]int64
	rest := buf
	for i := range fields {
		v, n := binary.Varint(rest)
		if n <= 0 {
			return Group{}, fmt.Errorf("decode group: %d bytes are too few", len(buf))
		}
		fields[i], rest = v, rest[n:]
	}
	if len(rest) == 0 {
		return Group{}, fmt.Errorf("decode group: %d bytes are too few", len(buf))
	}
	return Group{
		Shard: int32(fields[0]), ID: fields[1], Part: int32(fields[2]),
		Last: rest[0] == 1, Records: rest[1:],
	}, nil
}

func init() {
	beam.RegisterType(reflect.TypeFor[Group]())
	beam.RegisterCoder(reflect.TypeFor[Group](), encodeGroup, decodeGroup)
}
