package event

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Unit says how a time field is written.
type Unit string

// Units of time fields. UnitAuto takes the Avro logical type, or RFC 3339 for text;
// a plain number has no unit and must be given one.
const (
	UnitAuto    Unit = ""
	UnitMillis  Unit = "timestamp-millis"
	UnitMicros  Unit = "timestamp-micros"
	UnitNanos   Unit = "timestamp-nanos"
	UnitSeconds Unit = "epoch-seconds"
	UnitEpochMs Unit = "epoch-millis"
	UnitRFC3339 Unit = "rfc3339"
)

// Units lists the units a spec may name.
var Units = []Unit{UnitMillis, UnitMicros, UnitNanos, UnitSeconds, UnitEpochMs, UnitRFC3339}

// Millis reads an event time in milliseconds since the epoch, rounded down: finer
// times keep their order. It fails for values that are not times in that unit and for
// times outside [MinTime, MaxTime].
func (v Value) Millis(unit Unit) (int64, error) {
	ms, err := v.millis(unit)
	if err != nil {
		return 0, err
	}
	if ms < MinTime || ms > MaxTime {
		return 0, fmt.Errorf("time %s as %s is %s, outside 1970 to 2199", v, unit, time.UnixMilli(ms).UTC().Format(time.RFC3339))
	}
	return ms, nil
}

func (v Value) millis(unit Unit) (int64, error) {
	switch v.Kind {
	case String:
		if unit == UnitRFC3339 || unit == UnitAuto {
			return parseRFC3339(string(v.Text))
		}
		// Numbers in text: CSV, and JSON written by careful people.
		if n, err := strconv.ParseInt(string(v.Text), 10, 64); err == nil {
			return Value{Kind: Int, Int: n}.millis(unit)
		}
		if f, err := strconv.ParseFloat(string(v.Text), 64); err == nil {
			return Value{Kind: Float, Float: f}.millis(unit)
		}
		return 0, fmt.Errorf("time %s is not a number, as %s wants", v, unit)
	case Int:
		switch unit {
		case UnitMillis, UnitEpochMs:
			return v.Int, nil
		case UnitMicros:
			return floorDiv(v.Int, 1_000), nil
		case UnitNanos:
			return floorDiv(v.Int, 1_000_000), nil
		case UnitSeconds:
			if v.Int > MaxTime/1000 || v.Int < MinTime {
				return 0, fmt.Errorf("time %s as %s is outside 1970 to 2199", v, unit)
			}
			return v.Int * 1000, nil
		default: // RFC 3339 wants text; no unit is told below
		}
	case Float:
		if ms := floatMillis(v.Float, unit); math.Abs(ms) <= MaxTime { // false for NaN
			return int64(ms), nil
		}
	case Null:
		return 0, errors.New("time is null or absent")
	default: // booleans and bytes are no times
	}
	if unit == UnitAuto {
		return 0, fmt.Errorf("time %s has no unit: it is a plain number", v)
	}
	return 0, fmt.Errorf("time %s is not of unit %s", v, unit)
}

// floatMillis turns a float of a unit into whole milliseconds, rounded down; NaN for units
// that are not numbers. Seconds go by way of microseconds, which is all that a float of
// today's seconds tells apart: 1.001 s is a little less than 1001 ms.
func floatMillis(f float64, unit Unit) float64 {
	switch unit {
	case UnitMillis, UnitEpochMs:
		return math.Floor(f)
	case UnitMicros:
		return math.Floor(f / 1e3)
	case UnitNanos:
		return math.Floor(f / 1e6)
	case UnitSeconds:
		return math.Floor(math.Round(f*1e6) / 1e3)
	default:
		return math.NaN()
	}
}

func parseRFC3339(text string) (int64, error) {
	// RFC 3339 allows a space for the T, and many tools write it; Go's parser does not.
	if len(text) > 10 && text[10] == ' ' {
		text = strings.Replace(text, " ", "T", 1)
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return 0, fmt.Errorf("time %q is not RFC 3339, like 2026-01-02T15:04:05.678Z", text)
	}
	return t.UnixMilli(), nil
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
