package jsontext

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"

	"tributary/io/format/avro"
)

// scalar appends a value of a type that holds no others.
func (e *encoding) scalar(t *encType, v []byte) {
	text, isString := e.stringOf(v)
	switch t.Kind {
	case avro.KindNull:
		if v[0] != 'n' && (e.rules != rulesUntyped || string(v) != `""`) {
			e.wrong("null", v)
		}
	case avro.KindBoolean:
		e.boolean(v, text, isString)
	case avro.KindInt, avro.KindLong:
		e.integer(t, v, text, isString)
	case avro.KindFloat, avro.KindDouble:
		e.float(t, v, text, isString)
	case avro.KindString:
		switch {
		case t.logical == logicalUUID && !isUUID(text):
			e.wrong("a uuid", v)
		case !isString && e.rules == rulesTyped && isWhole(v):
			// An id that is a number here and text there is the same digits.
			e.dst = appendAvroBytes(e.dst, digits(v))
		case !isString:
			e.wrong("a string", v)
		default:
			e.dst = appendAvroBytes(e.dst, text)
		}
	case avro.KindEnum:
		i, known := t.index[string(text)]
		if !isString || !known {
			e.wrong("one of "+shortened([]byte(strings.Join(t.Symbols, ", "))), v)
			return
		}
		e.dst = binary.AppendVarint(e.dst, int64(i))
	case avro.KindBytes, avro.KindFixed:
		e.binary(t, v, text, isString)
	default: // types that hold others are not for here
	}
}

// isWhole tells whether a value is a number without fraction and exponent, of any size.
func isWhole(v []byte) bool {
	if v[0] != '-' && (v[0] < '0' || v[0] > '9') {
		return false
	}
	_, whole, err := skipNumber(v, 0)
	return whole && err == nil
}

// digits are those of a whole number, with its sign unless it is 0.
func digits(v []byte) []byte {
	if string(v) == "-0" {
		return v[1:]
	}
	return v
}

// stringOf returns what a JSON string stands for. It is valid until the next call.
func (e *encoding) stringOf(v []byte) (text []byte, isString bool) {
	if v[0] != '"' {
		return nil, false
	}
	text = v[1 : len(v)-1]
	if bytes.IndexByte(text, '\\') >= 0 {
		e.scratch = unescape(e.scratch[:0], text)
		text = e.scratch
	}
	return text, true
}

// reads says whether strings may be read as other types.
func (e *encoding) reads() bool { return e.rules == rulesTyped || e.rules == rulesUntyped }

func (e *encoding) boolean(v, text []byte, isString bool) {
	var b byte
	switch {
	case v[0] == 't', isString && e.reads() && (strings.EqualFold(string(text), "true") || string(text) == "1"):
		b = 1
	case v[0] == 'f', isString && e.reads() && (strings.EqualFold(string(text), "false") || string(text) == "0"):
	default:
		e.wrong("true or false", v)
	}
	e.dst = append(e.dst, b)
}

// numberText returns the text of a number, whether it is bare or in a string.
func (e *encoding) numberText(v, text []byte, isString bool) (number []byte, whole, ok bool) {
	number = v
	if isString {
		if !e.reads() {
			return nil, false, false
		}
		number = bytes.TrimSpace(text)
	}
	end, whole, err := skipNumber(number, 0)
	return number, whole, err == nil && end == len(number)
}

func (e *encoding) integer(t *encType, v, text []byte, isString bool) {
	var n int64
	number, whole, ok := e.numberText(v, text, isString)
	if ok {
		if n, ok = toInteger(number, whole); !ok {
			e.wrong(t.describe(), v)
			return
		}
	} else if n, ok = t.logical.parse(text); !ok || !isString {
		e.wrong(t.describe(), v)
		return
	}
	if t.Kind == avro.KindInt && n != int64(int32(n)) {
		e.wrong(t.describe()+" of 32 bits", v)
		return
	}
	e.dst = binary.AppendVarint(e.dst, n)
}

// toInteger reads a valid number that is whole, however it is written.
func toInteger(text []byte, whole bool) (int64, bool) {
	if whole {
		return wholeNumber(text)
	}
	// Beyond 2^53 a float may be another number than the one that is written.
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return 0, false
	}
	return int64(f), true
}

func (e *encoding) float(t *encType, v, text []byte, isString bool) {
	size := 64
	if t.Kind == avro.KindFloat {
		size = 32
	}
	number, _, ok := e.numberText(v, text, isString)
	if !ok && isString && e.reads() {
		// JSON has no word for these; tools that write tables do.
		switch strings.ToLower(string(bytes.TrimSpace(text))) {
		case "nan", "inf", "+inf", "-inf", "infinity", "+infinity", "-infinity":
			number, ok = bytes.TrimSpace(text), true
		}
	}
	f, err := 0.0, error(nil)
	if ok {
		f, err = strconv.ParseFloat(string(number), size)
	}
	switch {
	case !ok:
		e.wrong("a number", v)
	case err != nil:
		e.wrong(fmt.Sprintf("a number in the range of %d bits", size), v)
	case size == 32:
		e.dst = binary.LittleEndian.AppendUint32(e.dst, math.Float32bits(float32(f)))
	default:
		e.dst = binary.LittleEndian.AppendUint64(e.dst, math.Float64bits(f))
	}
}

// binary appends bytes and fixed.
func (e *encoding) binary(t *encType, v, text []byte, isString bool) {
	var content []byte
	ok := false
	switch {
	case t.logical == logicalDecimal:
		number, _, isNumber := v, false, v[0] == '-' || '0' <= v[0] && v[0] <= '9'
		if isString { // exact digits are often kept in strings
			number, _, isNumber = bytes.TrimSpace(text), false, true
		}
		if isNumber {
			content, ok = t.decimal(number)
		}
	case t.logical == logicalUUID && isString && isUUID(text):
		content, ok = uuidBytes(text), true
	case isString:
		content, ok = decodeBase64(text)
	}
	switch {
	case !ok:
		e.wrong(t.describe(), v)
	case t.Kind == avro.KindBytes:
		e.dst = appendAvroBytes(e.dst, content)
	case len(content) != t.Size:
		e.wrong(fmt.Sprintf("%d bytes in base64", t.Size), v)
	default:
		e.dst = append(e.dst, content...)
	}
}

// decodeBase64 takes the standard alphabet, padded or not.
func decodeBase64(text []byte) ([]byte, bool) {
	encoding := base64.StdEncoding.Strict()
	if len(text)%4 != 0 {
		encoding = base64.RawStdEncoding.Strict()
	}
	if bytes.ContainsAny(text, "\r\n") { // the decoder skips them
		return nil, false
	}
	content, err := encoding.AppendDecode(nil, text)
	return content, err == nil
}
