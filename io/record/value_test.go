package record

import (
	"fmt"
	"math"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func intOf(v int64) Value     { return Value{Kind: Int, Int: v} }
func floatOf(v float64) Value { return Value{Kind: Float, Float: v} }
func textOf(v string) Value   { return Value{Kind: String, Text: []byte(v)} }

func TestMillis(t *testing.T) {
	const noon = 1_767_268_800_000 // 2026-01-01T12:00:00Z
	for _, c := range []struct {
		name string
		v    Value
		unit Unit
		want int64
	}{
		{"millis", intOf(noon + 7), UnitMillis, noon + 7},
		{"epoch millis are millis", intOf(noon + 7), UnitEpochMs, noon + 7},
		{"micros", intOf((noon + 7) * 1000), UnitMicros, noon + 7},
		{"micros are rounded down", intOf((noon+7)*1000 + 999), UnitMicros, noon + 7},
		{"nanos", intOf((noon + 7) * 1_000_000), UnitNanos, noon + 7},
		{"nanos are rounded down", intOf((noon+7)*1_000_000 + 999_999), UnitNanos, noon + 7},
		{"seconds", intOf(noon / 1000), UnitSeconds, noon},
		{"the epoch", intOf(0), UnitMillis, 0},
		{"the last millisecond", intOf(MaxTime), UnitMillis, MaxTime},
		{"the last microsecond", intOf(MaxTime*1000 + 999), UnitMicros, MaxTime},
		{"the last second", intOf(MaxTime / 1000), UnitSeconds, MaxTime / 1000 * 1000},

		{"float of millis, rounded down", floatOf(noon + 0.9), UnitMillis, noon},
		{"float of epoch millis", floatOf(noon + 0.5), UnitEpochMs, noon},
		{"float of micros", floatOf((noon+7)*1000 + 999), UnitMicros, noon + 7},
		{"float of nanos", floatOf(1_000_001), UnitNanos, 1},
		{"float of seconds", floatOf(noon/1000 + 0.007), UnitSeconds, noon + 7},
		{"float of seconds that is a little less than its decimals", floatOf(1.001), UnitSeconds, 1001},
		{"the same in 2038", floatOf(2_147_483_649.001), UnitSeconds, 2_147_483_649_001},
		{"float of seconds, rounded down", floatOf(1.0019), UnitSeconds, 1001},

		{"number in text", textOf("1767268800007"), UnitEpochMs, noon + 7},
		{"seconds in text", textOf("1767268800"), UnitSeconds, noon},
		{"decimal seconds in text", textOf("1767268800.007"), UnitSeconds, noon + 7},
		{"exponent in text", textOf("1.7672688e9"), UnitSeconds, noon},

		{"RFC 3339", textOf("2026-01-01T12:00:00Z"), UnitRFC3339, noon},
		{"text without a unit is RFC 3339", textOf("2026-01-01T12:00:00Z"), UnitAuto, noon},
		{"with milliseconds", textOf("2026-01-01T12:00:00.007Z"), UnitRFC3339, noon + 7},
		{"with nanoseconds, rounded down", textOf("2026-01-01T12:00:00.007999999Z"), UnitRFC3339, noon + 7},
		{"with an offset", textOf("2026-01-01T14:30:00+02:30"), UnitRFC3339, noon},
		{"west of Greenwich", textOf("2026-01-01T04:00:00-08:00"), UnitRFC3339, noon},
		{"with a space", textOf("2026-01-01 12:00:00Z"), UnitRFC3339, noon},
		{"before the epoch by its clock, after it by its offset", textOf("1969-12-31T23:00:00-02:00"), UnitRFC3339, 3_600_000},
		{"leap day", textOf("2024-02-29T00:00:00Z"), UnitRFC3339, 1_709_164_800_000},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.v.Millis(c.unit)
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
}

func TestMillisRefuses(t *testing.T) {
	for _, c := range []struct {
		name string
		v    Value
		unit Unit
		want string
	}{
		{"null", Value{}, UnitMillis, "time is null or absent"},
		{"bool", Value{Kind: Bool, Int: 1}, UnitMillis, "time true is not of unit timestamp-millis"},
		{"bytes", Value{Kind: Bytes, Text: []byte("2026")}, UnitRFC3339, "time 32303236 is not of unit rfc3339"},
		{"plain number without a unit", intOf(5), UnitAuto, "time 5 has no unit: it is a plain number"},
		{"plain float without a unit", floatOf(5.5), UnitAuto, "time 5.5 has no unit: it is a plain number"},
		{"number as RFC 3339", intOf(5), UnitRFC3339, "time 5 is not of unit rfc3339"},
		{"text that is no number", textOf("noon"), UnitSeconds, `time "noon" is not a number, as epoch-seconds wants`},
		{"date as epoch millis", textOf("2026-01-01T12:00:00Z"), UnitEpochMs, "is not a number, as epoch-millis wants"},
		{"number as text of RFC 3339", textOf("1767268800"), UnitAuto, "is not RFC 3339, like 2026-01-02T15:04:05.678Z"},
		{"date alone", textOf("2026-01-01"), UnitRFC3339, "is not RFC 3339"},
		{"no zone", textOf("2026-01-01T12:00:00"), UnitRFC3339, "is not RFC 3339"},
		{"no such day", textOf("2026-02-30T12:00:00Z"), UnitRFC3339, "is not RFC 3339"},
		{"empty text", textOf(""), UnitRFC3339, "is not RFC 3339"},
		{"a space alone", textOf("          "), UnitRFC3339, "is not RFC 3339"},
		{"a millisecond before the epoch", intOf(-1), UnitMillis, "outside 1970 to 2199"},
		{"a microsecond before the epoch is the millisecond before it", intOf(-1), UnitMicros, "1969-12-31T23:59:59Z, outside 1970 to 2199"},
		{"a nanosecond before the epoch", intOf(-1), UnitNanos, "outside 1970 to 2199"},
		{"a fraction before the epoch", floatOf(-0.5), UnitMillis, "outside 1970 to 2199"},
		{"text before the epoch", textOf("1969-12-31T23:59:59.999Z"), UnitRFC3339, "outside 1970 to 2199"},
		{"a millisecond too far", intOf(MaxTime + 1), UnitMillis, "2200-01-01T00:00:00Z, outside 1970 to 2199"},
		{"text too far", textOf("2200-01-01T00:00:00Z"), UnitRFC3339, "outside 1970 to 2199"},
		{"seconds too far", intOf(MaxTime/1000 + 1), UnitSeconds, "outside 1970 to 2199"},
		{"seconds that overflow", intOf(math.MaxInt64), UnitSeconds, "outside 1970 to 2199"},
		{"millis as seconds", intOf(1_767_268_800_000), UnitSeconds, "outside 1970 to 2199"},
		{"micros as millis", intOf(1_767_268_800_000_000), UnitMillis, "outside 1970 to 2199"},
		{"not a number", floatOf(math.NaN()), UnitSeconds, "is not of unit epoch-seconds"},
		{"infinity", floatOf(math.Inf(1)), UnitSeconds, "is not of unit epoch-seconds"},
		{"minus infinity", floatOf(math.Inf(-1)), UnitMillis, "is not of unit timestamp-millis"},
		{"infinity in text", textOf("inf"), UnitMillis, "is not of unit timestamp-millis"},
		{"a float too far", floatOf(1e300), UnitMillis, "outside 1970 to 2199"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.v.Millis(c.unit)
			require.ErrorContains(t, err, c.want, "got %d", got)
		})
	}
}

// TestMillisKeepsOrder: of two times in one unit the later one is never the earlier one in
// milliseconds, and neither is more than a millisecond from where it was.
func TestMillisKeepsOrder(t *testing.T) {
	perMilli := map[Unit]float64{UnitMillis: 1, UnitEpochMs: 1, UnitMicros: 1e3, UnitNanos: 1e6, UnitSeconds: 1e-3}
	rapid.Check(t, func(t *rapid.T) {
		unit := rapid.SampledFrom([]Unit{UnitMillis, UnitEpochMs, UnitMicros, UnitNanos, UnitSeconds}).Draw(t, "unit")
		var a, b Value
		if rapid.Bool().Draw(t, "floats") {
			largest := MaxTime * perMilli[unit] * 0.99
			a, b = floatOf(rapid.Float64Range(0, largest).Draw(t, "a")), floatOf(rapid.Float64Range(0, largest).Draw(t, "b"))
			if a.Float > b.Float {
				a, b = b, a
			}
		} else {
			largest := int64(min(MaxTime*perMilli[unit]*0.99, math.MaxInt64/2))
			a, b = intOf(rapid.Int64Range(0, largest).Draw(t, "a")), intOf(rapid.Int64Range(0, largest).Draw(t, "b"))
			if a.Int > b.Int {
				a, b = b, a
			}
		}
		from, err := a.Millis(unit)
		require.NoError(t, err)
		to, err := b.Millis(unit)
		require.NoError(t, err)
		require.LessOrEqual(t, from, to)
		exact := (a.Float + float64(a.Int)) / perMilli[unit]
		require.InDelta(t, exact, float64(from), 1.001+exact*1e-12)
	})
}

// TestDecimalSeconds: seconds with three decimals are that millisecond, in any year.
func TestDecimalSeconds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ms := rapid.Int64Range(0, MaxTime).Draw(t, "ms")
		text := fmt.Sprintf("%d.%03d", ms/1000, ms%1000)
		f, err := strconv.ParseFloat(text, 64)
		require.NoError(t, err)
		for _, v := range []Value{textOf(text), floatOf(f)} {
			got, err := v.Millis(UnitSeconds)
			require.NoError(t, err)
			require.Equal(t, ms, got)
		}
	})
}

// TestRFC3339RoundTrip: what Go formats is read back, rounded down.
func TestRFC3339RoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ms := rapid.Int64Range(0, MaxTime).Draw(t, "ms")
		below := rapid.Int64Range(0, 999_999).Draw(t, "nanoseconds below")
		zone := time.FixedZone("", rapid.IntRange(-14*60, 14*60).Draw(t, "zone")*60)
		text := time.UnixMilli(ms).Add(time.Duration(below)).In(zone).Format(time.RFC3339Nano)
		got, err := textOf(text).Millis(UnitAuto)
		require.NoError(t, err)
		require.Equal(t, ms, got, text)
	})
}

func TestFloorDiv(t *testing.T) {
	for _, c := range [][3]int64{{7, 2, 3}, {-7, 2, -4}, {-8, 2, -4}, {0, 5, 0}, {-1, 1000, -1}, {-1000, 1000, -1}, {-1001, 1000, -2}, {999, 1000, 0}} {
		require.Equal(t, c[2], floorDiv(c[0], c[1]), "%d by %d", c[0], c[1])
	}
}
