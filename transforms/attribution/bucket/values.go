package bucket

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"

	"tributary/io/record"
	"tributary/io/wire"
)

// severalValues is the Kind of an Engagement's Value whose kind has several labels: its Text holds one value for each, as
// AppendValue writes them, or asBefore. So an engagement is no larger where kinds have one label.
const severalValues record.Kind = 255

// asBefore stands for a value that is the one before it: labels of one field mostly take the same.
const asBefore = 254

// Pack makes one value of the values of several labels, in room.
func Pack(values []record.Value, room []byte) record.Value {
	for i := range values {
		if i > 0 && values[i].Kind != record.Null && identical(&values[i], &values[i-1]) {
			room = append(room, asBefore)
		} else {
			room = AppendValue(room, values[i])
		}
	}
	return record.Value{Kind: severalValues, Text: room}
}

// identical tells whether two values are the same bytes.
func identical(v, w *record.Value) bool {
	return v.Kind == w.Kind && v.Int == w.Int && math.Float64bits(v.Float) == math.Float64bits(w.Float) && bytes.Equal(v.Text, w.Text)
}

// packed reads what Pack made: null behind the end, and of a value that is none.
type packed struct {
	wire.Reader
	before record.Value
}

func newPacked(v record.Value) packed { return packed{Reader: wire.NewReader(v.Text)} }

func (p *packed) next() record.Value {
	if rest := p.Rest(); len(rest) > 0 && rest[0] == asBefore {
		p.Byte()
	} else {
		p.before = ReadValue(&p.Reader)
	}
	return p.before
}

// unpack appends the n values of an engagement to dst.
func unpack(dst []record.Value, v record.Value, n int) []record.Value {
	p := newPacked(v)
	for range n {
		dst = append(dst, p.next())
	}
	return dst
}

// valueOf is an engagement's value for one of the labels of its kind; that of the only one with -1.
func valueOf(g *Engagement, at int) record.Value {
	if at < 0 {
		return g.Value
	}
	p := newPacked(g.Value)
	for range at {
		p.next()
	}
	return p.next()
}

// AppendValue appends the encoding of a value that a label takes, see shuffle.Block.
func AppendValue(dst []byte, v record.Value) []byte {
	dst = append(dst, byte(v.Kind))
	switch v.Kind {
	case record.Null:
		return dst
	case record.Bool, record.Int:
		return binary.AppendVarint(dst, v.Int)
	case record.Float:
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(v.Float))
	case record.Decimal:
		return wire.AppendBytes(binary.AppendVarint(dst, v.Int), v.Text)
	default: // text; no label lets anything else through
		return wire.AppendBytes(dst, v.Text)
	}
}

// ReadValue reads what AppendValue wrote. Text points into what is read.
func ReadValue(r *wire.Reader) record.Value {
	v := record.Value{Kind: record.Kind(r.Byte())}
	switch v.Kind {
	case record.Null:
	case record.Bool, record.Int:
		v.Int = r.Varint()
	case record.Float:
		v.Float = math.Float64frombits(r.Uint64())
	case record.Decimal:
		v.Int, v.Text = r.Varint(), r.Bytes()
	default:
		v.Text = r.Bytes()
	}
	return v
}

// compareSeveral compares values of severalValues one by one: bytes tell a zero from another.
func compareSeveral(v, w record.Value) int {
	a, b := newPacked(v), newPacked(w)
	for a.More() && b.More() {
		if c := compareValues(a.next(), b.next()); c != 0 {
			return c
		}
	}
	return 0 // both have as many
}

// spread sets j.values to those of engagements by label: of label i they are [i*len(credited), (i+1)*len(credited)).
func (j *Joiner) spread(credited []*Engagement, labels int) {
	j.values = slices.Grow(j.values[:0], len(credited)*labels)[:len(credited)*labels]
	for at, g := range credited {
		j.unpacked = unpack(j.unpacked[:0], g.Value, labels)
		for i, v := range j.unpacked {
			j.values[i*len(credited)+at] = v
		}
	}
}
