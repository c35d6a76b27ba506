package record

import (
	"errors"
	"fmt"
	"time"
)

// Units of Avro's times without a zone, which only a schema tells.
const (
	unitLocalMillis Unit = "local-timestamp-millis"
	unitLocalMicros Unit = "local-timestamp-micros"
	unitLocalNanos  Unit = "local-timestamp-nanos"
)

// localUnits are what they are in UTC.
var localUnits = map[Unit]Unit{unitLocalMillis: UnitMillis, unitLocalMicros: UnitMicros, unitLocalNanos: UnitNanos}

// TimeForm says how the times of a field are written. The zero value is UnitAuto's.
type TimeForm struct {
	Unit Unit
	// Pattern is that of text, see CompilePattern; empty for what Unit says.
	Pattern string
	// Zone is that of times which have none, see LoadZone; empty for UTC where an Avro schema says local, and for no other.
	Zone string
}

// TimeReader reads the times of a field. It does not change once its unit is settled.
type TimeReader struct {
	unit    Unit
	form    string
	pattern *TimePattern
	zone    *Zone
	local   Unit // of numbers that have no zone
}

// NewTimeReader compiles a form. An error is that of CompilePattern or of LoadZone, or says what is missing.
func NewTimeReader(f TimeForm) (*TimeReader, error) {
	r := &TimeReader{unit: f.Unit, form: f.Pattern}
	var err error
	if f.Zone != "" {
		if r.zone, err = LoadZone(f.Zone); err != nil {
			return nil, err
		}
	}
	if f.Pattern == "" {
		return r, nil
	}
	if r.pattern, err = CompilePattern(f.Pattern); err != nil {
		return nil, fmt.Errorf("pattern %q: %w", f.Pattern, err)
	}
	if r.zone == nil && !r.pattern.HasZone() {
		return nil, fmt.Errorf("pattern %q: %w", f.Pattern, ErrNoZone)
	}
	return r, nil
}

// ErrNoZone is a pattern of times that have no zone, where none is named.
var ErrNoZone = errors.New("its times have no zone, and none is named")

// Settle gives the reader what a schema knows of a field: its unit, and its logical type.
func (r *TimeReader) Settle(unit Unit, logical string) {
	if r.unit != UnitAuto || r.pattern != nil {
		return
	}
	r.unit = unit
	if in, ok := localUnits[Unit(logical)]; ok && r.zone != nil {
		r.local = in
	}
}

// Millis reads an event time as Value.Millis does.
func (r *TimeReader) Millis(v Value) (int64, error) {
	switch {
	case r.pattern == nil && r.zone == nil:
		return v.Millis(r.unit)
	case v.Kind == String && r.pattern != nil:
		return r.patternMillis(v)
	case v.Kind == String && (r.unit == UnitAuto || r.unit == UnitRFC3339):
		return v.textMillis(r.zone)
	case r.pattern != nil && v.Kind != Null:
		return 0, fmt.Errorf("time %s is not text, as the pattern %s wants", v, r.form)
	case r.local != "" && v.Kind != Null:
		return r.localMillis(v)
	default:
		return v.Millis(r.unit)
	}
}

func (r *TimeReader) patternMillis(v Value) (int64, error) {
	ms, offset, err := r.pattern.wall(v.Text)
	if err != nil {
		return 0, fmt.Errorf("time %s is not %s%w", v, r.form, err)
	}
	if r.pattern.HasZone() {
		ms -= offset.Milliseconds()
	} else {
		ms = r.zone.millis(ms)
	}
	return inRange(ms, v)
}

func (r *TimeReader) localMillis(v Value) (int64, error) {
	// A day more on both sides: what is out of range in UTC may not be in the zone.
	if wall, ok := wholeMillisAnywhere(v, r.local); ok {
		return inRange(r.zone.millis(wall), v)
	}
	return v.Millis(r.local)
}

// wholeMillisAnywhere reads a whole number of a unit of Avro's, rounded down.
func wholeMillisAnywhere(v Value, unit Unit) (ms int64, ok bool) {
	if v.Kind != Int {
		return 0, false
	}
	switch unit {
	case UnitMillis:
		ms = v.Int
	case UnitMicros:
		ms = floorDiv(v.Int, 1_000)
	default:
		ms = floorDiv(v.Int, 1_000_000)
	}
	const day = 86_400_000
	return ms, MinTime-day <= ms && ms <= MaxTime+day
}

func inRange(ms int64, v Value) (int64, error) {
	if ms < MinTime || ms > MaxTime {
		return 0, fmt.Errorf("time %s is %s, outside 1970 to 2199", v, time.UnixMilli(ms).UTC().Format(time.RFC3339))
	}
	return ms, nil
}
