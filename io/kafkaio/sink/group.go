package sink

import (
	"encoding/binary"
	"fmt"
	"reflect"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/zeebo/xxh3"

	"tributary/io/kafkaio/commitlog"
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
	// Spare says that the records of this part are written only if the group corrects what was written as it before: those
	// that what the group's topic holds says already.
	Spare bool
	// Follows counts corrections of what the group has to be written behind, the same in all parts: with another
	// count it is another group, and written again.
	Follows int64
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
	// spare are parts that only a correction has; follows is that of the parts.
	spare   [][]byte
	follows int64
	// records, those of spare parts and digest, which is of all, are set by seal.
	records, spares int64
	digest          uint64
	// largest is what the largest record takes at most, in bytes.
	largest int64
	// refused are the records that are left out, as they take more than limit; see refuse.
	refused []Refused
	limit   int64
}

// add takes the next part of the group.
func (g *group) add(p Group) error {
	if have := len(g.parts) + len(g.spare); int(p.Part) != have {
		return fmt.Errorf("part %d of group %d of shard %d came where part %d was due: the parts of a group come in order, in one bundle",
			p.Part, p.ID, p.Shard, have)
	}
	g.follows = p.Follows
	if p.Spare {
		g.spare = append(g.spare, p.Records)
	} else {
		g.parts = append(g.parts, p.Records)
	}
	return nil
}

// seal counts and measures the records and digests them; how they were cut into parts does not show.
func (g *group) seal() (err error) {
	h := xxh3.New()
	if g.records, err = g.sealParts(h, g.parts); err != nil {
		return err
	}
	if len(g.spare) > 0 || g.follows > 0 {
		_, _ = h.Write(binary.AppendVarint(binary.AppendVarint(nil, g.follows), g.records)) // a hash takes all it is given
	}
	g.spares, err = g.sealParts(h, g.spare)
	g.digest = h.Sum64()
	return err
}

func (g *group) sealParts(h *xxh3.Hasher, parts [][]byte) (records int64, err error) {
	for i, p := range parts {
		for rest := p; len(rest) > 0; records++ {
			var key, value []byte
			if key, value, _, rest, err = nextRecord(rest); err != nil {
				return 0, fmt.Errorf("part %d of group %d: %w", i, g.id, err)
			}
			g.largest = max(g.largest, recordBytes(len(key), len(value), nil))
		}
		_, _ = h.Write(p)
	}
	return records, nil
}

// bytes is how large the group is with all its parts.
func (g *group) bytes() (n int) {
	for _, parts := range [][][]byte{g.parts, g.spare} {
		for _, part := range parts {
			n += len(part)
		}
	}
	return n
}

// entry is what the commit log says of the group once it is written as a version.
func (g *group) entry(version int32) commitlog.Entry {
	e := commitlog.Entry{Version: version, Records: g.records, Digest: g.digest}
	if version > 1 {
		e.Records += g.spares
	}
	return e
}

// correct makes the group one that corrects what was written as it before: it has the spare parts as well.
func (g *group) correct() {
	g.parts, g.records = append(g.parts, g.spare...), g.records+g.spares
	g.spare, g.spares = nil, 0
}

// Flags of an encoded Group.
const (
	flagLast = 1 << iota
	flagSpare
	flagFollows
)

func encodeGroup(g Group) []byte {
	out := make([]byte, 0, len(g.Records)+24)
	out = binary.AppendVarint(out, int64(g.Shard))
	out = binary.AppendVarint(out, g.ID)
	out = binary.AppendVarint(out, int64(g.Part))
	flags := byte(0)
	if g.Last {
		flags |= flagLast
	}
	if g.Spare {
		flags |= flagSpare
	}
	if g.Follows > 0 {
		out = binary.AppendVarint(append(out, flags|flagFollows), g.Follows)
	} else {
		out = append(out, flags)
	}
	return append(out, g.Records...)
}

func decodeGroup(buf []byte) (Group, error) {
	r := wire.NewReader(buf)
	g := Group{Shard: int32(r.Varint()), ID: r.Varint(), Part: int32(r.Varint())}
	flags := r.Byte()
	g.Last, g.Spare = flags&flagLast != 0, flags&flagSpare != 0
	if flags&flagFollows != 0 {
		g.Follows = r.Varint()
	}
	g.Records = r.Rest()
	if r.Short() {
		return Group{}, fmt.Errorf("decode group: %d bytes are too few", len(buf))
	}
	return g, nil
}

func init() {
	beam.RegisterType(reflect.TypeFor[Group]())
	beam.RegisterCoder(reflect.TypeFor[Group](), encodeGroup, decodeGroup)
}
