package event

import (
	"encoding/hex"
	"math"
	"strconv"
)

// Kind is the type of a Value.
type Kind uint8

// Kinds of values that can be read from a record. A field that holds something
// else (an array, a map, a record) cannot be a join field.
const (
	Null Kind = iota
	Bool
	Int    // int, long; the ordinal is not used for an enum, which is a String
	Float  // float, double
	String // string, enum, uuid
	Bytes  // bytes, fixed
)

// Value is one field of a record. Text points into the record: it is valid for as
// long as the record's bytes are.
type Value struct {
	Kind  Kind
	Int   int64 // Int; 0 or 1 for Bool
	Float float64
	Text  []byte // String and Bytes
}

// Extractor reads chosen fields of a record and steps over the rest.
type Extractor interface {
	// Extract reads the record at the start of buf, sets values (one for each path
	// the Extractor was made for) and returns how many bytes the record takes. A
	// field that is absent from an otherwise sound record gives Null.
	Extract(buf []byte, values []Value) (n int, err error)
}

// AppendID appends the identity a value stands for: text as it is, integers in
// decimal, so that an id kept as a long here and as a string there is the same id.
// ok is false for values that can identify nothing (null, floats, empty text).
func (v Value) AppendID(dst []byte) (id []byte, ok bool) {
	switch v.Kind {
	case String, Bytes:
		return append(dst, v.Text...), len(v.Text) > 0
	case Int:
		return strconv.AppendInt(dst, v.Int, 10), true
	default:
		return dst, false
	}
}

// Number returns the value as a float; ok is false unless it is a finite number,
// or text that reads as one (CSV has no numbers).
func (v Value) Number() (f float64, ok bool) {
	switch v.Kind {
	case Int, Bool:
		return float64(v.Int), true
	case Float:
		f, ok = v.Float, true
	case String:
		parsed, err := strconv.ParseFloat(string(v.Text), 64)
		f, ok = parsed, err == nil
	default: // null and bytes are no numbers
	}
	return f, ok && !math.IsNaN(f) && !math.IsInf(f, 0)
}

func (v Value) String() string {
	switch v.Kind {
	case Bool:
		return strconv.FormatBool(v.Int != 0)
	case Int:
		return strconv.FormatInt(v.Int, 10)
	case Float:
		return strconv.FormatFloat(v.Float, 'g', -1, 64)
	case String:
		return strconv.Quote(string(v.Text))
	case Bytes:
		return hex.EncodeToString(v.Text)
	default:
		return "null"
	}
}
