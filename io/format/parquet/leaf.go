package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"
	meta "github.com/parquet-go/parquet-go/format"
)

// encodeValue appends a value as Avro has it.
type encodeValue func(dst []byte, v *parquet.Value) ([]byte, error)

// leaf decides what the values of a column become.
func (t *tree) leaf(e *meta.SchemaElement) {
	t.kind, t.physical = treeLeaf, e.Type.V
	switch e.Type.V {
	case meta.Boolean:
		t.avro, t.encode = "boolean", encodeBool
	case meta.Float:
		t.avro, t.encode = "float", encodeFloat
	case meta.Double:
		t.avro, t.encode = "double", encodeDouble
	case meta.Int96: // a time, by those who still write it
		t.avro, t.encode = logical("long", "timestamp-nanos"), encodeInt96
		return
	case meta.Int32:
		t.avro, t.encode = "int", encodeInt
	case meta.Int64:
		t.avro, t.encode = "long", encodeLong
	case meta.ByteArray:
		t.avro, t.encode = "bytes", encodeBytes
	case meta.FixedLenByteArray:
		size := int(e.TypeLength.V)
		if size <= 0 {
			t.refuse("a column of values of %d bytes", size)
			return
		}
		t.avro, t.encode = map[string]any{"type": "fixed", "size": size}, encodeFixed(size)
	default:
		t.refuse("a column of physical type %d", e.Type.V)
		return
	}
	if e.LogicalType.Value != nil {
		t.logical(e)
	} else if e.ConvertedType.Valid {
		t.converted(e)
	}
}

func logical(plain, name string) map[string]any {
	return map[string]any{"type": plain, "logicalType": name}
}

// logical narrows the type of a leaf to what its column is said to hold.
func (t *tree) logical(e *meta.SchemaElement) {
	switch l := e.LogicalType.Value.(type) {
	case *meta.StringType, *meta.EnumType, *meta.JsonType:
		t.text(e, l.(fmt.Stringer).String())
	case *meta.BsonType, *meta.GeometryType, *meta.GeographyType: // bytes
		t.on(meta.ByteArray, e, l.(fmt.Stringer).String(), "bytes", encodeBytes)
	case *meta.UUIDType:
		if e.Type.V != meta.FixedLenByteArray || e.TypeLength.V != 16 {
			t.refuse("UUID of other than 16 bytes")
			return
		}
		t.avro = map[string]any{"type": "fixed", "size": 16, "logicalType": "uuid"}
	case *meta.DecimalType:
		t.decimal(e, l.Precision, l.Scale)
	case *meta.DateType:
		t.on(meta.Int32, e, "DATE", logical("int", "date"), encodeInt)
	case *meta.TimeType:
		switch l.Unit.Value.(type) {
		case *meta.MilliSeconds:
			t.on(meta.Int32, e, l.String(), logical("int", "time-millis"), encodeInt)
		case *meta.MicroSeconds:
			t.on(meta.Int64, e, l.String(), logical("long", "time-micros"), encodeLong)
		default: // Avro has none
			t.refuse("%s", l)
		}
	case *meta.TimestampType:
		var name string
		switch l.Unit.Value.(type) {
		case *meta.MilliSeconds:
			name = "timestamp-millis"
		case *meta.MicroSeconds:
			name = "timestamp-micros"
		case *meta.NanoSeconds:
			name = "timestamp-nanos"
		default:
			t.refuse("%s", l)
			return
		}
		if !l.IsAdjustedToUTC {
			name = "local-" + name
		}
		t.on(meta.Int64, e, l.String(), logical("long", name), encodeLong)
	case *meta.IntType:
		t.integer(e, int(l.BitWidth), l.IsSigned)
	default: // FLOAT16, VARIANT, UNKNOWN
		t.refuse("%s", l)
	}
}

// converted does so by what older writers say.
func (t *tree) converted(e *meta.SchemaElement) {
	switch c := e.ConvertedType.V; c {
	case deprecated.UTF8, deprecated.Enum, deprecated.Json:
		t.text(e, "UTF8")
	case deprecated.Bson:
		t.on(meta.ByteArray, e, "BSON", "bytes", encodeBytes)
	case deprecated.Decimal:
		t.decimal(e, e.Precision.V, e.Scale.V)
	case deprecated.Date:
		t.on(meta.Int32, e, "DATE", logical("int", "date"), encodeInt)
	case deprecated.TimeMillis:
		t.on(meta.Int32, e, "TIME_MILLIS", logical("int", "time-millis"), encodeInt)
	case deprecated.TimeMicros:
		t.on(meta.Int64, e, "TIME_MICROS", logical("long", "time-micros"), encodeLong)
	case deprecated.TimestampMillis:
		t.on(meta.Int64, e, "TIMESTAMP_MILLIS", logical("long", "timestamp-millis"), encodeLong)
	case deprecated.TimestampMicros:
		t.on(meta.Int64, e, "TIMESTAMP_MICROS", logical("long", "timestamp-micros"), encodeLong)
	case deprecated.Uint8, deprecated.Uint16, deprecated.Uint32, deprecated.Uint64:
		t.integer(e, 8<<(c-deprecated.Uint8), false)
	case deprecated.Int8, deprecated.Int16, deprecated.Int32, deprecated.Int64:
		t.integer(e, 8<<(c-deprecated.Int8), true)
	case deprecated.Interval:
		t.refuse("INTERVAL")
	default:
		t.refuse("a column of converted type %d", c)
	}
}

// on sets the type of a leaf whose logical type is one of that physical type alone.
func (t *tree) on(physical meta.Type, e *meta.SchemaElement, what string, avro any, encode encodeValue) {
	if e.Type.V != physical {
		t.refuse("%s as %s", what, e.Type.V)
		return
	}
	t.avro, t.encode = avro, encode
}

func (t *tree) text(e *meta.SchemaElement, what string) {
	t.on(meta.ByteArray, e, what, "string", encodeBytes)
}

func (t *tree) integer(e *meta.SchemaElement, bits int, signed bool) {
	physical := meta.Int32
	if bits == 64 {
		physical = meta.Int64
	}
	what := fmt.Sprintf("INT(%d,%t)", bits, signed)
	switch {
	case bits == 64 && !signed: // may not fit a long
		t.refuse("a whole number of 64 bits without a sign (%s)", what)
	case bits == 32 && !signed:
		t.on(physical, e, what, "long", encodeUnsigned)
	case bits == 64:
		t.on(physical, e, what, "long", encodeLong)
	default:
		t.on(physical, e, what, "int", encodeInt)
	}
}

func (t *tree) decimal(e *meta.SchemaElement, precision, scale int32) {
	if precision < 1 || scale < 0 || scale > precision {
		t.refuse("DECIMAL(%d,%d)", precision, scale)
		return
	}
	switch e.Type.V {
	case meta.Int32:
		t.encode = func(dst []byte, v *parquet.Value) ([]byte, error) { return appendDecimal(dst, int64(v.Int32())), nil }
	case meta.Int64:
		t.encode = func(dst []byte, v *parquet.Value) ([]byte, error) { return appendDecimal(dst, v.Int64()), nil }
	case meta.ByteArray, meta.FixedLenByteArray:
		t.encode = encodeWideDecimal
	default:
		t.refuse("DECIMAL as %s", e.Type.V)
		return
	}
	t.avro = map[string]any{"type": "bytes", "logicalType": "decimal", "precision": precision, "scale": scale}
}

// appendDecimal appends a number in two's complement, of as few bytes as hold it.
func appendDecimal(dst []byte, n int64) []byte {
	size := bits.Len64(uint64(n^n>>63))/8 + 1
	var raw [8]byte
	binary.BigEndian.PutUint64(raw[:], uint64(n))
	return append(binary.AppendVarint(dst, int64(size)), raw[8-size:]...)
}

func encodeWideDecimal(dst []byte, v *parquet.Value) ([]byte, error) {
	raw := v.ByteArray()
	for len(raw) > 1 && (raw[0] == 0 && raw[1] < 0x80 || raw[0] == 0xff && raw[1] >= 0x80) {
		raw = raw[1:]
	}
	return append(binary.AppendVarint(dst, int64(len(raw))), raw...), nil
}

func encodeBool(dst []byte, v *parquet.Value) ([]byte, error) {
	if v.Boolean() {
		return append(dst, 1), nil
	}
	return append(dst, 0), nil
}

func encodeInt(dst []byte, v *parquet.Value) ([]byte, error) {
	return binary.AppendVarint(dst, int64(v.Int32())), nil
}

func encodeUnsigned(dst []byte, v *parquet.Value) ([]byte, error) {
	return binary.AppendVarint(dst, int64(uint32(v.Int32()))), nil
}

func encodeLong(dst []byte, v *parquet.Value) ([]byte, error) {
	return binary.AppendVarint(dst, v.Int64()), nil
}

func encodeFloat(dst []byte, v *parquet.Value) ([]byte, error) {
	return binary.LittleEndian.AppendUint32(dst, math.Float32bits(v.Float())), nil
}

func encodeDouble(dst []byte, v *parquet.Value) ([]byte, error) {
	return binary.LittleEndian.AppendUint64(dst, math.Float64bits(v.Double())), nil
}

func encodeBytes(dst []byte, v *parquet.Value) ([]byte, error) {
	raw := v.ByteArray()
	return append(binary.AppendVarint(dst, int64(len(raw))), raw...), nil
}

func encodeFixed(size int) encodeValue {
	return func(dst []byte, v *parquet.Value) ([]byte, error) {
		raw := v.ByteArray()
		if len(raw) != size {
			return dst, fmt.Errorf("a value of %d bytes, where all have %d", len(raw), size)
		}
		return append(dst, raw...), nil
	}
}

// julianEpoch is the number of 1970-01-01 as a Julian day, dayNanos the length of a day.
const (
	julianEpoch = 2_440_588
	dayNanos    = 86_400_000_000_000
)

var errInt96 = errors.New("a time of INT96 does not fit 64 bits as nanoseconds since 1970")

// encodeInt96 is a time: nanoseconds of a day, and the day.
func encodeInt96(dst []byte, v *parquet.Value) ([]byte, error) {
	raw := v.Int96()
	nanos := int64(uint64(raw[0]) | uint64(raw[1])<<32)
	day := int64(raw[2]) - julianEpoch
	if most := int64(math.MaxInt64/dayNanos - 1); day > most || day < -most || nanos < 0 || nanos >= 2*dayNanos {
		return dst, errInt96
	}
	return binary.AppendVarint(dst, day*dayNanos+nanos), nil
}
