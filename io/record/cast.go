package record

import (
	"bytes"
	"encoding/hex"
	"math"
	"strconv"
	"unicode/utf8"
)

// Boolean returns the boolean that a value is: one, the numbers 0 and 1, or text that is true, false or one
// of these numbers. ok is false for all else.
func (v Value) Boolean() (b, ok bool) {
	if v.Kind == String && (string(v.Text) == "true" || string(v.Text) == "false") {
		return string(v.Text) == "true", true
	}
	n, ok := v.Long()
	return n == 1, ok && (n == 0 || n == 1)
}

// Long returns the whole number that a value is: a number in whatever form, 12, 12.0 or 1.2e1, text that is one, or a boolean
// as 0 or 1. ok is false for what has a fraction or is no number, for what a long does not hold, and for a double beyond 2^53,
// which stands for several whole numbers.
func (v Value) Long() (n int64, ok bool) {
	switch {
	case v.Kind == Bool, v.Kind == Int:
		return v.Int, true
	case v.Kind == Float && v.Text == nil:
		return int64(v.Float), v.Float == math.Trunc(v.Float) && math.Abs(v.Float) <= maxExactFloat
	}
	var room [maxIDDigits + 1]byte
	if _, number := v.decimal(); !number {
		return 0, false
	}
	digits, err := appendWhole(room[:0], v)
	if err != nil {
		return 0, false
	}
	n, err = strconv.ParseInt(string(digits), 10, 64)
	return n, err == nil
}

// Double returns the double that a value is: a number, text that is one, or a boolean as 0 or 1. Floats of Avro are it, whatever
// they are. Of numbers written in decimal a whole one must be what a double is, and one with a fraction or an exponent at least what the
// double nearest to it is written as: 0.1 is, a number of more digits than a double tells apart is not. ok is false for all else.
func (v Value) Double() (f float64, ok bool) {
	switch {
	case v.Kind == Float && v.Text == nil:
		return v.Float, true
	case v.Kind == Bool, v.Kind == Int:
		f = float64(v.Int)
		return f, f < 1<<63 && int64(f) == v.Int
	}
	d, _ := v.decimal()
	if f, ok = v.Number(); !ok || len(d.digits) == 0 || len(d.digits) <= surelyExact && d.exponent <= 0 && math.Abs(f) > nearZero {
		return f, ok
	}
	var room [330]byte // digits of the largest double
	if d.exponent >= 0 {
		if exact, _ := parseDecimal(strconv.AppendFloat(room[:0], f, 'f', 0, 64)); d.equal(exact) {
			return f, true
		}
		if v.Kind != Float && (v.Kind != String || !bytes.ContainsAny(v.Text, ".eE")) {
			return 0, false
		}
	}
	written, _ := parseDecimal(strconv.AppendFloat(room[:0], f, 'e', -1, 64))
	return f, d.equal(written)
}

// A whole number of up to surelyExact digits is a double, and a fraction of as many comes back from the double nearest to it, if it
// is not about as small as nearZero.
const (
	surelyExact = 15
	nearZero    = 1e-300
)

// AppendText appends the text of a value: text itself, a number with the digits that it has in its record, true or false, bytes in
// lower-case hexadecimal, a uuid as AppendID has it. ok is false for null, for text that is not UTF-8 and for a decimal of more
// than 128 bytes.
func (v Value) AppendText(dst []byte) (text []byte, ok bool) {
	switch v.Kind {
	case Bool:
		return strconv.AppendBool(dst, v.Int != 0), true
	case Int:
		return strconv.AppendInt(dst, v.Int, 10), true
	case Float:
		if v.Text != nil {
			return append(dst, v.Text...), true
		}
		bits := 64
		if v.Int == 32 {
			bits = 32
		}
		return strconv.AppendFloat(dst, v.Float, 'g', -1, bits), true
	case String:
		return append(dst, v.Text...), utf8.Valid(v.Text)
	case Number:
		return append(dst, v.Text...), true
	case Bytes:
		return hex.AppendEncode(dst, v.Text), true
	case UUID:
		if len(v.Text) == 0 { // text that should have been one
			return dst, true
		}
		text, err := v.AppendID(dst)
		return text, err == nil
	case Decimal:
		if len(v.Text) > maxDecimal {
			return dst, false
		}
		return append(dst, decimalText(v)...), true
	default:
		return dst, false
	}
}
