package jsontext

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/big"
	"strings"
	"time"

	"tributary/io/format/avro"
)

// logical is a logical type whose values have a text form of their own.
type logical uint8

const (
	logicalNone logical = iota
	logicalMillis
	logicalMicros
	logicalNanos
	logicalLocalMillis
	logicalLocalMicros
	logicalLocalNanos
	logicalDate
	logicalTimeMillis
	logicalTimeMicros
	logicalDecimal
	logicalUUID
)

// logicals are those by their names. avro.ParseSchema has seen to it that they fit their types.
var logicals = map[string]logical{
	"timestamp-millis": logicalMillis, "timestamp-micros": logicalMicros, "timestamp-nanos": logicalNanos,
	"local-timestamp-millis": logicalLocalMillis, "local-timestamp-micros": logicalLocalMicros, "local-timestamp-nanos": logicalLocalNanos,
	"date": logicalDate, "time-millis": logicalTimeMillis, "time-micros": logicalTimeMicros,
	"decimal": logicalDecimal, "uuid": logicalUUID,
}

// describe says what values the type wants.
func (t *encType) describe() string {
	switch t.logical {
	case logicalMillis, logicalMicros, logicalNanos:
		return "a time (RFC 3339 or a number)"
	case logicalLocalMillis, logicalLocalMicros, logicalLocalNanos:
		return "a time without a zone (2006-01-02T15:04:05 or a number)"
	case logicalDate:
		return "a date (2006-01-02 or days as a number)"
	case logicalTimeMillis, logicalTimeMicros:
		return "a time of day (15:04:05 or a number)"
	case logicalDecimal:
		return fmt.Sprintf("a decimal number of at most %d digits, %d after the point", t.Precision, t.Scale)
	case logicalUUID:
		return "a uuid"
	default: // told by its type
	}
	switch t.Kind {
	case avro.KindInt, avro.KindLong:
		return "a whole number (" + t.name + ")"
	default:
		return "bytes in base64"
	}
}

// parse reads the text form of a time as the number that Avro holds.
func (l logical) parse(text []byte) (int64, bool) {
	s := string(bytes.TrimSpace(text))
	switch l {
	case logicalMillis, logicalMicros, logicalNanos:
		t, ok := parseTime(time.RFC3339Nano, s)
		return inUnit(t, l-logicalMillis), ok && inRange(t, l-logicalMillis)
	case logicalLocalMillis, logicalLocalMicros, logicalLocalNanos:
		t, ok := parseTime("2006-01-02T15:04:05", s)
		return inUnit(t, l-logicalLocalMillis), ok && inRange(t, l-logicalLocalMillis)
	case logicalDate:
		t, err := time.Parse(time.DateOnly, s)
		return floorDays(t.Unix()), err == nil
	case logicalTimeMillis, logicalTimeMicros:
		t, err := time.Parse(time.TimeOnly, s)
		return inUnit(t.AddDate(1970, 0, 0), l-logicalTimeMillis), err == nil
	default: // not a time
		return 0, false
	}
}

// parseTime also takes a space between date and time, as RFC 3339 allows.
func parseTime(layout, s string) (time.Time, bool) {
	if len(s) > 10 && s[10] == ' ' {
		s = s[:10] + "T" + s[11:]
	}
	t, err := time.Parse(layout, s)
	return t, err == nil
}

// inUnit returns a time in ms, us or ns since the epoch for unit 0, 1 or 2.
func inUnit(t time.Time, unit logical) int64 {
	switch unit {
	case 0:
		return t.UnixMilli()
	case 1:
		return t.UnixMicro()
	default:
		return t.UnixNano()
	}
}

// inRange says whether inUnit fits: nanoseconds reach from 1677 to 2262.
func inRange(t time.Time, unit logical) bool {
	return unit < 2 || time.Unix(0, t.UnixNano()).Equal(t)
}

func floorDays(seconds int64) int64 {
	const day = 24 * 60 * 60
	days := seconds / day
	if seconds%day < 0 {
		days--
	}
	return days
}

// decimal returns the unscaled value of a number, big-endian two's complement.
func (t *encType) decimal(number []byte) ([]byte, bool) {
	// The exponent is bounded before the number is computed: 1e999999999 is short.
	end, _, err := skipNumber(number, 0)
	if err != nil || end != len(number) || len(number) > t.Precision+32 {
		return nil, false
	}
	if _, exponent, ok := strings.Cut(strings.ToLower(string(number)), "e"); ok && len(strings.TrimLeft(exponent, "+-0")) > 3 {
		return nil, false
	}
	value, ok := new(big.Rat).SetString(string(number))
	if !ok {
		return nil, false
	}
	ten := big.NewInt(10)
	value.Mul(value, new(big.Rat).SetInt(new(big.Int).Exp(ten, big.NewInt(int64(t.Scale)), nil)))
	if !value.IsInt() || value.Num().CmpAbs(new(big.Int).Exp(ten, big.NewInt(int64(t.Precision)), nil)) >= 0 {
		return nil, false
	}
	size := t.Size
	if t.Kind == avro.KindBytes {
		size = value.Num().BitLen()/8 + 1
	}
	return twosComplement(value.Num(), size)
}

func twosComplement(n *big.Int, size int) ([]byte, bool) {
	if n.Sign() < 0 {
		// One less than its absolute value, with all bits turned over.
		n = new(big.Int).Not(n)
		if n.BitLen() > size*8-1 {
			return nil, false
		}
		out := n.FillBytes(make([]byte, size))
		for i := range out {
			out[i] = ^out[i]
		}
		return out, true
	}
	if n.BitLen() > size*8-1 {
		return nil, false
	}
	return n.FillBytes(make([]byte, size)), true
}

func isUUID(text []byte) bool {
	if len(text) != 36 {
		return false
	}
	for i, c := range text {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if c != '-' {
				return false
			}
		} else if _, ok := hex4([]byte{'0', '0', '0', c}, 0); !ok {
			return false
		}
	}
	return true
}

func uuidBytes(text []byte) []byte {
	out, err := hex.DecodeString(strings.ReplaceAll(string(text), "-", ""))
	if err != nil { // isUUID has seen to it
		return nil
	}
	return out
}
