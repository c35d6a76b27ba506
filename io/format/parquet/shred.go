package parquet

import (
	"bytes"
	"errors"
	"fmt"
	"math"

	"github.com/parquet-go/parquet-go"

	"tributary/io/format/avro"
	"tributary/io/wire"
)

// shredder cuts records into values of columns. Values of text point into the records.
type shredder struct {
	record *column
	values [][]parquet.Value // by column
}

var errShort = errors.New("the record ends in the middle of it")

func (s *shredder) shred(r *wire.Reader) error {
	if err := s.add(s.record, r, 0); err != nil {
		return err
	}
	if r.Short() {
		return errShort
	}
	if r.More() {
		return fmt.Errorf("%d bytes follow the record", len(r.Rest()))
	}
	return nil
}

// put adds a value to a leaf's column.
func (s *shredder) put(c *column, v parquet.Value, rep int) {
	s.values[c.first] = append(s.values[c.first], v.Level(rep, c.def, c.first))
}

// none notes in all columns of c that there is no value from that level on.
func (s *shredder) none(c *column, def, rep int) {
	for i := c.first; i < c.end; i++ {
		s.values[i] = append(s.values[i], parquet.NullValue().Level(rep, def, i))
	}
}

// add cuts the next value of r; rep is the level at which it is repeated.
func (s *shredder) add(c *column, r *wire.Reader, rep int) error {
	switch c.kind {
	case avro.KindRecord:
		for i, below := range c.below {
			if err := s.add(below, r, rep); err != nil {
				return fmt.Errorf("%s: %w", c.names[i], err)
			}
		}
		return nil
	case avro.KindUnion:
		branch := r.Varint()
		if branch < 0 || branch > 1 || branch == 1 && c.null < 0 {
			return fmt.Errorf("there is no type %d in the union", branch)
		}
		if int(branch) == c.null {
			s.none(c, c.def, rep)
			return nil
		}
		return s.add(c.below[0], r, rep)
	case avro.KindArray, avro.KindMap:
		return s.items(c, r, rep)
	default:
		v, err := c.value(r)
		s.put(c, v, rep)
		return err
	}
}

func (s *shredder) items(c *column, r *wire.Reader, rep int) error {
	for some := false; ; {
		count := r.Varint()
		if count < 0 {
			r.Varint() // its size in bytes
			count = -count
		}
		if r.Short() || count < 0 {
			return errShort
		}
		if count == 0 {
			if !some {
				s.none(c, c.def, rep)
			}
			return nil
		}
		for range count {
			for _, below := range c.below {
				if err := s.add(below, r, rep); err != nil {
					return err
				}
			}
			if r.Short() {
				return errShort
			}
			some, rep = true, c.rep+1
		}
	}
}

// value reads the value of a leaf.
func (c *column) value(r *wire.Reader) (parquet.Value, error) {
	switch c.kind {
	case avro.KindBoolean:
		return parquet.BooleanValue(r.Byte() == 1), nil
	case avro.KindInt:
		n := r.Varint()
		if n != int64(int32(n)) {
			return parquet.Value{}, fmt.Errorf("%d is no int of 32 bits", n)
		}
		return parquet.Int32Value(int32(n)), nil
	case avro.KindLong:
		return parquet.Int64Value(r.Varint()), nil
	case avro.KindFloat:
		raw := r.Take(4)
		if len(raw) < 4 {
			return parquet.Value{}, errShort
		}
		return parquet.FloatValue(math.Float32frombits(uint32(raw[0]) | uint32(raw[1])<<8 | uint32(raw[2])<<16 | uint32(raw[3])<<24)), nil
	case avro.KindDouble:
		return parquet.DoubleValue(math.Float64frombits(r.Uint64())), nil
	case avro.KindEnum:
		i := r.Varint()
		if i < 0 || i >= int64(len(c.symbols)) {
			return parquet.Value{}, fmt.Errorf("there is no symbol %d in the enum", i)
		}
		return parquet.ByteArrayValue(c.symbols[i]), nil
	case avro.KindFixed:
		raw := r.Take(uint64(c.size))
		if len(raw) < c.size {
			return parquet.Value{}, errShort
		}
		if c.bits > 0 || c.wide > 0 {
			return c.decimal(raw)
		}
		return parquet.FixedLenByteArrayValue(raw), nil
	default:
		size := r.Varint()
		if size < 0 {
			return parquet.Value{}, errors.New("a length is negative")
		}
		raw := r.Take(uint64(size))
		if c.bits > 0 || c.wide > 0 {
			return c.decimal(raw)
		}
		return parquet.ByteArrayValue(raw), nil
	}
}

// decimal is a number of two's complement, its highest byte first.
func (c *column) decimal(raw []byte) (parquet.Value, error) {
	if c.wide > 0 {
		return c.wideDecimal(raw)
	}
	n := int64(0)
	if len(raw) > 0 && raw[0] >= 0x80 {
		n = -1
	}
	for _, b := range raw {
		if high := n >> 55; high != 0 && high != -1 {
			return parquet.Value{}, fmt.Errorf("a decimal of bytes %x has more digits than its precision", raw)
		}
		n = n<<8 | int64(b)
	}
	if c.bits == 64 {
		return parquet.Int64Value(n), nil
	}
	if n != int64(int32(n)) {
		return parquet.Value{}, fmt.Errorf("the decimal %d has more digits than its precision", n)
	}
	return parquet.Int32Value(int32(n)), nil
}

// wideDecimal is a number of as many bytes as all of its column.
func (c *column) wideDecimal(raw []byte) (parquet.Value, error) {
	sign := byte(0)
	if len(raw) > 0 && raw[0] >= 0x80 {
		sign = 0xff
	}
	for len(raw) > c.wide && raw[0] == sign && raw[1]&0x80 == sign&0x80 {
		raw = raw[1:]
	}
	if len(raw) > c.wide {
		return parquet.Value{}, fmt.Errorf("a decimal of bytes %x has more digits than its precision", raw)
	}
	n := bytes.Repeat([]byte{sign}, c.wide)
	copy(n[c.wide-len(raw):], raw)
	return parquet.FixedLenByteArrayValue(n), nil
}
