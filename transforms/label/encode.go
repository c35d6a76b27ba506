package label

import (
	"encoding/binary"
	"math"
	"slices"

	"tributary/io/record"
	"tributary/io/wire"
)

func nullable(types ...string) []string { return append([]string{"null"}, types...) }

// scalar is a union of any scalar, so that it needs no knowledge of the engagement's schema, which may
// change.
var scalar = nullable("boolean", "long", "double", "string")

// Branches of scalar.
const (
	branchNull = iota
	branchBool
	branchLong
	branchDouble
	branchString
)

// Scalar is the type of a value of any type: null, a boolean, a long, a double or a string.
func Scalar() []string { return slices.Clone(scalar) }

// AppendScalar appends a value as a Scalar; see record.Value.Plain for what it may be.
func AppendScalar(dst []byte, v record.Value) []byte { return appendScalar(dst, v) }

func appendScalar(dst []byte, v record.Value) []byte {
	switch v.Kind {
	case record.Bool:
		return wire.AppendBool(binary.AppendVarint(dst, branchBool), v.Int != 0)
	case record.Int:
		return binary.AppendVarint(binary.AppendVarint(dst, branchLong), v.Int)
	case record.Float:
		return appendDouble(binary.AppendVarint(dst, branchDouble), v.Float)
	case record.String:
		dst = binary.AppendVarint(binary.AppendVarint(dst, branchString), int64(len(v.Text)))
		return append(dst, v.Text...)
	default:
		return binary.AppendVarint(dst, branchNull)
	}
}

// AppendDelay appends the delay as a union of null and long.
func AppendDelay(dst []byte, t *Totals) []byte {
	if t.Count == 0 {
		return binary.AppendVarint(dst, 0)
	}
	return binary.AppendVarint(binary.AppendVarint(dst, 1), t.Delay)
}

func appendNullableDouble(dst []byte, f float64, ok bool) []byte {
	if !ok {
		return binary.AppendVarint(dst, 0)
	}
	return appendDouble(binary.AppendVarint(dst, 1), f)
}

func appendDouble(dst []byte, f float64) []byte {
	return binary.LittleEndian.AppendUint64(dst, math.Float64bits(f))
}
