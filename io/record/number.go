package record

import (
	"math"
	"math/big"
	"strconv"
	"unicode/utf8"
)

// Number returns the number that a value is, as the double nearest to it. Integers, floats and
// decimals are numbers, true is 1 and false 0, and text is one if it reads as parseDecimal
// says, whatever its format: CSV has nothing but text. ok is false for all else: NaN and
// infinities, what is larger than a double, text like "$9.99", "1,234.50" or " 7.5", bytes
// that are no decimal, null.
func (v Value) Number() (f float64, ok bool) {
	switch v.Kind {
	case Bool, Int:
		return float64(v.Int), true
	case Float:
		f = v.Float
	case Decimal:
		if len(v.Text) > maxDecimal {
			return 0, false
		}
		// strconv rounds a decimal correctly, whatever its length.
		parsed, err := strconv.ParseFloat(v.Unscaled().String()+"e"+strconv.FormatInt(-v.Int, 10), 64)
		return parsed, err == nil
	case String, Number:
		if _, number := parseDecimal(v.Text); !number {
			return 0, false
		}
		parsed, err := strconv.ParseFloat(string(v.Text), 64)
		return parsed, err == nil
	default: // null, bytes and UUIDs are no numbers
		return 0, false
	}
	return f, !math.IsNaN(f) && !math.IsInf(f, 0)
}

// Absent tells whether an optional field has no value: null, not there, and empty are the same
// in every format.
func (v Value) Absent() bool {
	switch v.Kind {
	case Null:
		return true
	case String, Bytes, UUID:
		return len(v.Text) == 0
	default:
		return false
	}
}

// Plain returns v as a label holds it: a boolean, an Int, a finite Float, or a String of UTF-8.
// Bytes and UUIDs become their text as AppendID has it, decimals the double nearest to them. ok
// is false for floats that are not finite, whole numbers that neither a long nor a double holds,
// and text that is not UTF-8.
func (v Value) Plain() (plain Value, ok bool) {
	switch v.Kind {
	case Float, Decimal, Number:
		f, ok := v.Number()
		if ok && v.Kind == Number {
			exact, _ := big.NewFloat(f).Int(nil)
			n, whole := new(big.Int).SetString(string(v.Text), 10)
			ok = whole && exact.Cmp(n) == 0
		}
		return Value{Kind: Float, Float: f}, ok
	case String:
		return v, utf8.Valid(v.Text)
	case Bytes, UUID:
		text, err := v.AppendID(nil)
		return Value{Kind: String, Text: text}, err == nil
	default:
		return v, true
	}
}

// EqualNumber tells whether v is the number that text is. A float equals what rounds to it, but
// not a whole number that it is not.
func (v Value) EqualNumber(text []byte) bool {
	if v.Kind == Int {
		if n, err := strconv.ParseInt(string(text), 10, 64); err == nil {
			return v.Int == n
		}
	}
	want, ok := parseDecimal(text)
	if !ok {
		return false
	}
	if d, ok := v.decimal(); ok {
		return d.equal(want)
	}
	bits := 64
	if v.Int == 32 {
		bits = 32
	}
	f, err := strconv.ParseFloat(string(text), bits)
	if v.Kind != Float || err != nil || f != v.Float {
		return false
	}
	if n, whole := new(big.Int).SetString(string(text), 10); whole {
		exact, _ := big.NewFloat(f).Int(nil)
		return exact.Cmp(n) == 0
	}
	return true
}
