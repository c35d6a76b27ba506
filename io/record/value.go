package record

import (
	"encoding/hex"
	"strconv"
	"strings"
)

// Kind is the type of a Value.
type Kind uint8

// Kinds of values that can be read from a record. A field that holds something
// else (an array, a map, a record) cannot be a join field. The numbers are part of the
// encoding of blocks: new kinds come last.
const (
	Null Kind = iota
	Bool
	Int     // int, long; the ordinal is not used for an enum, which is a String
	Float   // float, double; JSON numbers that have a point or an exponent
	String  // string, enum
	Bytes   // bytes, fixed
	UUID    // of the logical type uuid
	Decimal // of the logical type decimal
	Number  // a whole JSON number that is larger than an int64
)

// Value is one field of a record. Text points into the record: it is valid for as
// long as the record's bytes are.
type Value struct {
	Kind Kind
	// Int is that of an Int, 0 or 1 for a Bool, the scale of a Decimal, 32 for a Float that was
	// written in 32 bits, and 1 for a UUID that is text.
	Int   int64
	Float float64
	// Text is that of a String, the content of Bytes, the 16 bytes or the text of a UUID, the
	// digits of a Number, and the unscaled value of a Decimal as Avro writes it: two's
	// complement, the highest byte first. Of a Float in JSON it is the number as it was written;
	// nil for others.
	Text []byte
}

// Extractor reads chosen fields of a record and steps over the rest.
type Extractor interface {
	// Extract reads the record at the start of buf, sets values (one for each path
	// the Extractor was made for) and returns how many bytes the record takes. A
	// field that is absent from an otherwise sound record gives Null.
	Extract(buf []byte, values []Value) (n int, err error)
}

// String writes v for messages, as the record has it where that can be told: text in quotes,
// bytes in hexadecimal.
func (v Value) String() string {
	switch v.Kind {
	case Bool:
		return strconv.FormatBool(v.Int != 0)
	case Int:
		return strconv.FormatInt(v.Int, 10)
	case Float:
		if v.Text != nil {
			return shortened(string(v.Text))
		}
		if v.Int == 32 {
			return strconv.FormatFloat(v.Float, 'g', -1, 32)
		}
		return strconv.FormatFloat(v.Float, 'g', -1, 64)
	case Number:
		return shortened(string(v.Text))
	case Decimal:
		if len(v.Text) > maxDecimal {
			return shortened(hex.EncodeToString(v.Text))
		}
		return shortened(decimalText(v))
	case String:
		return strconv.Quote(shortened(string(v.Text)))
	case UUID:
		if text, err := v.AppendID(nil); err == nil {
			return strconv.Quote(shortened(string(text)))
		}
		return shortened(hex.EncodeToString(v.Text))
	case Bytes:
		return shortened(hex.EncodeToString(v.Text))
	default:
		return "null"
	}
}

// shown is how much of a value a message shows.
const shown = 100

func shortened(text string) string {
	if len(text) <= shown {
		return text
	}
	return text[:shown] + "..."
}

// decimalText writes a Decimal with its point.
func decimalText(v Value) string {
	text := v.Unscaled().String()
	scale := int(v.Int)
	switch {
	case scale == 0:
		return text
	case scale < 0 || scale > shown:
		return text + "e" + strconv.Itoa(-scale)
	}
	sign := ""
	if text[0] == '-' {
		sign, text = "-", text[1:]
	}
	if len(text) <= scale {
		text = strings.Repeat("0", scale-len(text)+1) + text
	}
	return sign + text[:len(text)-scale] + "." + text[len(text)-scale:]
}
