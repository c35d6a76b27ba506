package record

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"unicode/utf8"

	"github.com/google/uuid"
)

// maxExactFloat is up to where a double tells whole numbers apart.
const maxExactFloat = 1 << 53

// maxDecimal bounds the bytes of a decimal that is read as a number: turning it into decimal
// digits takes time by the square of them.
const maxDecimal = 128

// maxIDDigits bounds the digits of a number that is an id: 1e1000000 is none.
const maxIDDigits = 78 // of 256 bits

// AppendID appends the canonical text of the id that a value is. However an id is written, it
// has one text, so that ids kept as a long here and as a string there are the same:
//
//   - text is itself, and must be UTF-8;
//   - whole numbers are their decimal digits, of any size: 123, 123.0 and 1.23e2 are 123;
//     a double beyond 2^53 is none, as it stands for several whole numbers;
//   - bytes and fixed are their lower-case hexadecimal digits;
//   - uuid, on a fixed or a string, is its lower-case text with dashes (RFC 9562), whether
//     it was written in capitals, without dashes, in braces or as a URN.
//
// Null, booleans, empty text and all other numbers identify nothing; the error says so.
func (v Value) AppendID(dst []byte) ([]byte, error) {
	switch v.Kind {
	case String:
		switch {
		case len(v.Text) == 0:
			return dst, errNoID
		case !utf8.Valid(v.Text):
			return dst, errors.New("it is not UTF-8")
		}
		return append(dst, v.Text...), nil
	case Int:
		return strconv.AppendInt(dst, v.Int, 10), nil
	case Float:
		if v.Float != math.Trunc(v.Float) || math.IsInf(v.Float, 0) {
			return dst, errNotWhole
		}
		if v.Text != nil {
			return appendWhole(dst, v)
		}
		if math.Abs(v.Float) > maxExactFloat {
			return dst, errors.New("a double beyond 2^53 stands for several whole numbers")
		}
		return strconv.AppendInt(dst, int64(v.Float), 10), nil
	case Number, Decimal:
		return appendWhole(dst, v)
	case Bytes:
		if len(v.Text) == 0 {
			return dst, errNoID
		}
		return hex.AppendEncode(dst, v.Text), nil
	case UUID:
		return appendUUID(dst, v)
	default:
		return dst, errNoID
	}
}

// What joins the parts of an id of several fields.
const (
	idSeparator = '|'
	idEscape    = '\\'
)

// AppendIDParts appends the text of an id of several values, in which parts of other texts never have the same
// one: the ids of the values with | between them, and in each of them \ before every | and \. Where err is not
// nil, bad is the index of the value that is no id.
func AppendIDParts(dst []byte, values []Value) (id []byte, bad int, err error) {
	for i, v := range values {
		if i > 0 {
			dst = append(dst, idSeparator)
		}
		start := len(dst)
		if dst, err = v.AppendID(dst); err != nil {
			return dst, i, err
		}
		dst = escapeIDPart(dst, start)
	}
	return dst, 0, nil
}

// escapeIDPart escapes what stands from start on, which has no escapes yet.
func escapeIDPart(dst []byte, start int) []byte {
	special := func(c byte) bool { return c == idSeparator || c == idEscape }
	added := 0
	for _, c := range dst[start:] {
		if special(c) {
			added++
		}
	}
	if added == 0 {
		return dst
	}
	from := len(dst) - 1
	dst = append(dst, make([]byte, added)...)
	// From the end, so that nothing is written over before it is read.
	for to := len(dst) - 1; to > from; to, from = to-1, from-1 {
		dst[to] = dst[from]
		if special(dst[from]) {
			to--
			dst[to] = idEscape
		}
	}
	return dst
}

var (
	errNoID     = errors.New("expected text or an integer")
	errNotWhole = errors.New("it is not a whole number")
)

// appendWhole appends the digits of a number that is written in decimal.
func appendWhole(dst []byte, v Value) ([]byte, error) {
	d, ok := v.decimal()
	if !ok || len(d.digits)+d.exponent > maxIDDigits {
		return dst, fmt.Errorf("it has more than %d digits", maxIDDigits)
	}
	if d.exponent < 0 {
		return dst, errNotWhole
	}
	if d.negative {
		dst = append(dst, '-')
	}
	if len(d.digits) == 0 {
		return append(dst, '0'), nil
	}
	return append(append(dst, d.digits...), bytes.Repeat([]byte{'0'}, d.exponent)...), nil
}

// appendUUID appends the canonical text of a UUID; what a string of that type holds and is no
// UUID is text.
func appendUUID(dst []byte, v Value) ([]byte, error) {
	if v.Int == 0 {
		id, err := uuid.FromBytes(v.Text)
		if err != nil {
			return dst, err
		}
		return append(dst, id.String()...), nil
	}
	id, err := uuid.ParseBytes(v.Text)
	if err != nil {
		return Value{Kind: String, Text: v.Text}.AppendID(dst)
	}
	return append(dst, id.String()...), nil
}

// decimal is a number in decimal: digits times ten to the exponent, without zeros at either
// end of the digits; none for nought.
type decimal struct {
	negative bool
	digits   []byte
	exponent int
}

// decimal reads v exactly if it is a number that was written in decimal.
func (v Value) decimal() (d decimal, ok bool) {
	switch v.Kind {
	case Int:
		return parseDecimal(strconv.AppendInt(nil, v.Int, 10))
	case Float:
		if v.Text != nil {
			return parseDecimal(v.Text)
		}
		return d, false // only its text would be a decimal
	case Number, String:
		return parseDecimal(v.Text)
	case Decimal:
		if len(v.Text) > maxDecimal {
			return d, false
		}
		d, ok = parseDecimal(v.Unscaled().Append(nil, 10))
		d.exponent -= int(v.Int)
		if len(d.digits) == 0 {
			d.exponent = 0
		}
		return d, ok
	default:
		return decimal{}, false
	}
}

// Unscaled is the unscaled value of a Decimal.
func (v Value) Unscaled() *big.Int {
	n := new(big.Int).SetBytes(v.Text)
	if len(v.Text) > 0 && v.Text[0] >= 0x80 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(v.Text))))
	}
	return n
}

// equal tells whether two numbers are the same.
func (d decimal) equal(e decimal) bool {
	return d.negative == e.negative && d.exponent == e.exponent && bytes.Equal(d.digits, e.digits)
}

// parseDecimal reads a number as machines write it: digits with an optional sign, point and
// exponent. No spaces, no thousands separators, no currency, no hexadecimal digits, and neither
// NaN nor infinity.
func parseDecimal(text []byte) (d decimal, ok bool) {
	rest := text
	if len(rest) > 0 && (rest[0] == '-' || rest[0] == '+') {
		d.negative, rest = rest[0] == '-', rest[1:]
	}
	whole := digitsOf(rest)
	rest = rest[len(whole):]
	var fraction []byte
	if len(rest) > 0 && rest[0] == '.' {
		fraction = digitsOf(rest[1:])
		rest = rest[1+len(fraction):]
	}
	if len(whole)+len(fraction) == 0 {
		return d, false
	}
	if len(rest) > 0 {
		if rest[0] != 'e' && rest[0] != 'E' {
			return d, false
		}
		exponent, err := strconv.ParseInt(string(rest[1:]), 10, 32)
		if err != nil || bytes.IndexByte(rest, '_') >= 0 {
			return d, false
		}
		d.exponent = int(exponent)
	}
	d.exponent -= len(fraction)
	d.digits = whole
	if len(fraction) > 0 {
		d.digits = append(append(make([]byte, 0, len(whole)+len(fraction)), whole...), fraction...)
	}
	trimmed := bytes.TrimRight(d.digits, "0")
	d.exponent += len(d.digits) - len(trimmed)
	d.digits = bytes.TrimLeft(trimmed, "0")
	if len(d.digits) == 0 {
		d.negative, d.exponent = false, 0
	}
	return d, true
}

// digitsOf is the digits at the start of text.
func digitsOf(text []byte) []byte {
	n := 0
	for n < len(text) && '0' <= text[n] && text[n] <= '9' {
		n++
	}
	return text[:n]
}
