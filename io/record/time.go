package record

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"
)

// Unit says how a time field is written.
type Unit string

// Units of time fields. UnitAuto takes the Avro logical type, or RFC 3339 for text (see
// ParseTime); a plain number has no unit and must be given one.
const (
	UnitAuto        Unit = ""
	UnitMillis      Unit = "timestamp-millis"
	UnitMicros      Unit = "timestamp-micros"
	UnitNanos       Unit = "timestamp-nanos"
	UnitSeconds     Unit = "epoch-seconds"
	UnitEpochMs     Unit = "epoch-millis"
	UnitEpochMicros Unit = "epoch-micros"
	UnitEpochNanos  Unit = "epoch-nanos"
	UnitRFC3339     Unit = "rfc3339"
)

// Units lists the units a spec may name.
var Units = []Unit{UnitMillis, UnitMicros, UnitNanos, UnitSeconds, UnitEpochMs, UnitEpochMicros, UnitEpochNanos, UnitRFC3339}

// numberUnits are the units of numbers, by how people call them.
var numberUnits = []Unit{UnitSeconds, UnitEpochMs, UnitEpochMicros, UnitEpochNanos}

// Millis reads an event time in milliseconds since the epoch, rounded down: finer
// times keep their order. It fails for values that are not times in that unit and for
// times outside [MinTime, MaxTime].
func (v Value) Millis(unit Unit) (int64, error) {
	switch v.Kind {
	case Int: // as most records have it
		if ms, ok := wholeMillis(v.Int, unit); ok {
			return ms, nil
		}
		return v.numberMillis(unit, v)
	case Null:
		return 0, errors.New("time is null or absent")
	case String:
		if unit == UnitRFC3339 || unit == UnitAuto {
			return v.textMillis(nil)
		}
		// Numbers in text: CSV, and JSON written by careful people.
		text := string(bytes.TrimSpace(v.Text))
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return Value{Kind: Int, Int: n}.numberMillis(unit, v)
		}
		f, err := strconv.ParseFloat(text, 64)
		if errors.Is(err, strconv.ErrRange) { // a number, though none of a time
			f, err = math.Copysign(math.MaxFloat64, f), nil
		}
		if err == nil {
			return Value{Kind: Float, Float: f}.numberMillis(unit, v)
		}
		if t, err := ParseTime(text); err == nil {
			return 0, fmt.Errorf("time %s is not a number, as %s wants: it is text, which needs no unit (%s)", v, unit, t.Format(time.RFC3339))
		}
		return 0, fmt.Errorf("time %s is not a number, as %s wants", v, unit)
	case Number: // larger than an int64, and so than any time
		f, err := strconv.ParseFloat(string(v.Text), 64)
		if err != nil {
			f = math.MaxFloat64
		}
		return Value{Kind: Float, Float: f}.numberMillis(unit, v)
	default:
		return v.numberMillis(unit, v)
	}
}

// textMillis reads a time in text; one without a zone is in that one, if it is known.
func (v Value) textMillis(zone *Zone) (int64, error) {
	t, err := parseTime(string(v.Text), zone)
	if err != nil {
		if f, parseErr := strconv.ParseFloat(string(bytes.TrimSpace(v.Text)), 64); parseErr == nil {
			err = fmt.Errorf("%w%s", err, looksLike(f, UnitAuto))
		}
		return 0, err
	}
	return inRange(t.UnixMilli(), v)
}

// numberMillis reads a number; written is how the record has it.
func (v Value) numberMillis(unit Unit, written Value) (int64, error) {
	var ms int64
	var f float64
	var inRange bool
	switch v.Kind {
	case Int:
		f = float64(v.Int)
		ms, inRange = wholeMillis(v.Int, unit)
	case Float:
		f = v.Float
		down := floatMillis(f, unit)
		inRange = MinTime <= down && down <= MaxTime // false for NaN
		if inRange {
			ms = int64(down)
		}
	default: // booleans, bytes and what has no millisecond at all
		return 0, fmt.Errorf("time %s is not of unit %s", written, unit)
	}
	switch {
	case unit == UnitAuto:
		return 0, fmt.Errorf("time %s has no unit: it is a plain number%s", written, looksLike(f, unit))
	case math.IsNaN(f) || math.IsInf(f, 0) || !slices.Contains(Units, unit) || unit == UnitRFC3339:
		return 0, fmt.Errorf("time %s is not of unit %s%s", written, unit, looksLike(f, unit))
	case !inRange:
		is := "lies"
		if ms := floatMillis(f, unit); math.Abs(ms) < lastDate {
			is = "is " + time.UnixMilli(int64(ms)).UTC().Format(time.RFC3339) + ","
		}
		return 0, fmt.Errorf("time %s as %s %s outside 1970 to 2199%s", written, unit, is, looksLike(f, unit))
	}
	return ms, nil
}

// wholeMillis turns a whole number of a unit into milliseconds, rounded down; ok is false
// for times out of range.
func wholeMillis(n int64, unit Unit) (ms int64, ok bool) {
	switch unit {
	case UnitMillis, UnitEpochMs:
		ms = n
	case UnitMicros, UnitEpochMicros:
		ms = floorDiv(n, 1_000)
	case UnitNanos, UnitEpochNanos:
		ms = floorDiv(n, 1_000_000)
	case UnitSeconds:
		if n < MinTime || n > MaxTime/1000 {
			return 0, false
		}
		ms = n * 1000
	default: // RFC 3339 wants text
		return 0, false
	}
	return ms, MinTime <= ms && ms <= MaxTime
}

// floatMillis turns a float of a unit into whole milliseconds, rounded down; NaN for units
// that are not numbers. Seconds go by way of microseconds, which is all that a float of
// today's seconds tells apart: 1.001 s is a little less than 1001 ms.
func floatMillis(f float64, unit Unit) float64 {
	switch unit {
	case UnitMillis, UnitEpochMs:
		return math.Floor(f)
	case UnitMicros, UnitEpochMicros:
		return math.Floor(f / 1e3)
	case UnitNanos, UnitEpochNanos:
		return math.Floor(f / 1e6)
	case UnitSeconds:
		return math.Floor(math.Round(f*1e6) / 1e3)
	default:
		return math.NaN()
	}
}

// lastDate bounds the times that a date can be written of, in years of four digits.
const lastDate = 8000 * 365 * 86_400_000

// Times from likelyFrom to before likelyTo are what logs of today have.
var (
	likelyFrom = float64(time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC).UnixMilli())
	likelyTo   = float64(time.Date(2100, time.January, 1, 0, 0, 0, 0, time.UTC).UnixMilli())
)

// looksLike names the unit in which a number would be a time of today: seconds read as
// milliseconds are of 1970, milliseconds read as seconds of the year 57970.
func looksLike(f float64, unit Unit) string {
	for _, other := range numberUnits {
		if ms := floatMillis(f, other); likelyFrom <= ms && ms < likelyTo && other != unit {
			return fmt.Sprintf("; as %s it is %s", other, time.UnixMilli(int64(ms)).UTC().Format(time.RFC3339))
		}
	}
	return ""
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
