package record

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestParseTime: what standards allow, and what databases and tools write.
func TestParseTime(t *testing.T) {
	at := time.Date(2026, time.January, 1, 10, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"2026-01-01T10:00:00Z":                     at,
		"2026-01-01t10:00:00z":                     at,
		"2026-01-01 10:00:00Z":                     at,
		"2026-01-01 10:00:00 Z":                    at,
		"2026-01-01 10:00:00 UTC":                  at, // BigQuery
		"2026-01-01 10:00:00.25 UTC":               at.Add(250 * time.Millisecond),
		"2026-01-01 10:00:00 GMT":                  at,
		"2026-01-01 10:00:00 utc":                  at,
		"2026-01-01 10:00:00+00":                   at, // PostgreSQL
		"2026-01-01 10:00:00 +00":                  at,
		"2026-01-01 10:00:00 +0000":                at, // Snowflake
		"2026-01-01 15:30:00+05:30":                at,
		"2026-01-01 02:00:00.000 -0800":            at,
		"2026-01-01T10:00:00,5Z":                   at.Add(500 * time.Millisecond),
		"2026-01-01T10:00:00.1234567890123456789Z": at.Add(123_456_789),
		"2026-01-01T10:00:00.0Z":                   at,
		"2026-01-01T10:00Z":                        at,
		"20260101T100000Z":                         at,
		"20260101T100000.5+0000":                   at.Add(500 * time.Millisecond),
		"20260101T1000Z":                           at,
		"2026-01-01T10:00:00Z[UTC]":                at, // Java
		"2026-01-01T11:00:00+01:00[Europe/Paris]":  at,
		"2026-01-01T10:00Z[Etc/UTC][u-ca=iso8601]": at,
		"2026-01-01 11:00:00 +0100 CET":            at, // Go
		"2026-01-01 10:00:00 +0000 UTC":            at,
		" 2026-01-01T10:00:00Z ":                   at,
		"2025-12-31T24:00:00Z":                     at.Add(-10 * time.Hour),
		"2016-12-31T23:59:60Z":                     time.Date(2017, time.January, 1, 0, 0, 0, 0, time.UTC),
		"2016-12-31T23:59:60.5Z":                   time.Date(2017, time.January, 1, 0, 0, 0, 500_000_000, time.UTC),
		"1990-12-31T15:59:60-08:00":                time.Date(1991, time.January, 1, 0, 0, 0, 0, time.UTC),
		"2024-02-29T00:00:00Z":                     time.Date(2024, time.February, 29, 0, 0, 0, 0, time.UTC),
	} {
		got, err := ParseTime(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
}

func TestParseTimeErrors(t *testing.T) {
	for text, why := range map[string]string{
		"":                          "",
		"soon":                      "",
		"01/02/2026 10:00":          "",
		"2026-1-2T10:00:00Z":        "",
		"2026-01-01X10:00:00Z":      "",
		"2026-01-01T10Z":            "",
		"2026-01-01T10:00:00.Z":     "",
		"2026-01-01T10:00:0Z":       "",
		"2026-01-01T10:00:00+1":     "",
		"2026-01-01":                ": it has no time of day",
		"2026-01-01T10:00:00":       ": it has no time zone; write Z for UTC, or an offset like +01:00, at its end",
		"2026-01-01 10:00:00.5":     ": it has no time zone; write Z for UTC, or an offset like +01:00, at its end",
		"2026-01-01T10:00:00 CET":   ": only UTC, GMT and Z are known as names of time zones; write an offset like +01:00",
		"2026-01-01T10:00:00Z[!x]":  ": only UTC, GMT and Z are known as names of time zones; write an offset like +01:00",
		"2026-01-01T10:00:00Z and":  ": only UTC, GMT and Z are known as names of time zones; write an offset like +01:00",
		"2026-01-01T10:00:00+24:00": ": no offset has so many hours or minutes",
		"2026-01-01T10:00:00+01:60": ": no offset has so many hours or minutes",
		"2026-02-29T10:00:00Z":      ": there is no such day",
		"2026-13-01T10:00:00Z":      ": there is no such day",
		"2026-01-00T10:00:00Z":      ": there is no such day",
		"2026-01-01T24:00:01Z":      ": there is no such time of day",
		"2026-01-01T10:60:00Z":      ": there is no such time of day",
		"2026-01-01T10:00:61Z":      ": there is no such time of day",
		"2016-12-30T23:59:60Z":      ": second 60 is only at the end of a month, at 23:59:60 in UTC",
		"2016-12-31T23:59:60+01:00": ": second 60 is only at the end of a month, at 23:59:60 in UTC",
		"1767268800":                ": a number needs a unit",
		"1.767e9":                   ": a number needs a unit",
	} {
		_, err := ParseTime(text)
		require.EqualError(t, err, "time "+textOf(text).String()+" is not RFC 3339, like 2026-01-02T15:04:05.678Z"+why, text)
	}
}

// TestParseTimeAgreesWithGo: what Go reads as RFC 3339 is read here, as the same time, but for
// offsets of 24 hours or 60 minutes, which Go takes and RFC 3339 does not.
func TestParseTimeAgreesWithGo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`(19|20)[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9](\.[0-9]{1,12})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])`).Draw(t, "text")
		want, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return
		}
		got, err := ParseTime(text)
		require.NoError(t, err, text)
		assert.Equal(t, want.UTC(), got)
	})
}

// TestWrongUnitsAreNamed: numbers in another unit than the spec says are told by where they
// would be.
func TestWrongUnitsAreNamed(t *testing.T) {
	for _, c := range []struct {
		v    Value
		unit Unit
		want string
	}{
		{intOf(1_767_261_600_123_456), UnitEpochMs, "time 1767261600123456 as epoch-millis lies outside 1970 to 2199; as epoch-micros it is 2026-01-01T10:00:00Z"},
		{intOf(1_767_261_600_000), UnitSeconds, "time 1767261600000 as epoch-seconds lies outside 1970 to 2199; as epoch-millis it is 2026-01-01T10:00:00Z"},
		{floatOf(1.7672616e12), UnitSeconds, "time 1.7672616e+12 as epoch-seconds lies outside 1970 to 2199; as epoch-millis it is 2026-01-01T10:00:00Z"},
		{textOf("1.7672616E12"), UnitSeconds, `time "1.7672616E12" as epoch-seconds lies outside 1970 to 2199; as epoch-millis it is 2026-01-01T10:00:00Z`},
		{Value{Kind: Number, Text: []byte("17672616001234567890123")}, UnitEpochMs, "time 17672616001234567890123 as epoch-millis lies outside 1970 to 2199"},
		{Value{Kind: Float, Float: 1.7672616e12, Text: []byte("1.7672616E12")}, UnitSeconds, "time 1.7672616E12 as epoch-seconds lies outside 1970 to 2199; as epoch-millis it is 2026-01-01T10:00:00Z"},
		{textOf("1e400"), UnitSeconds, `time "1e400" as epoch-seconds lies outside 1970 to 2199`},
		{textOf("-1"), UnitEpochMs, `time "-1" as epoch-millis is 1969-12-31T23:59:59Z, outside 1970 to 2199`},
		{floatOf(1e300), UnitEpochNanos, "time 1e+300 as epoch-nanos lies outside 1970 to 2199"},
		{intOf(1_767_261_600), UnitAuto, "time 1767261600 has no unit: it is a plain number; as epoch-seconds it is 2026-01-01T10:00:00Z"},
		{intOf(1_767_261_600), UnitRFC3339, "time 1767261600 is not of unit rfc3339; as epoch-seconds it is 2026-01-01T10:00:00Z"},
		{textOf("1767261600000"), UnitAuto, `time "1767261600000" is not RFC 3339, like 2026-01-02T15:04:05.678Z: a number needs a unit; as epoch-millis it is 2026-01-01T10:00:00Z`},
		{textOf("2026-01-01 10:00:00 UTC"), UnitEpochMs, `time "2026-01-01 10:00:00 UTC" is not a number, as epoch-millis wants: it is text, which needs no unit (2026-01-01T10:00:00Z)`},
	} {
		_, err := c.v.Millis(c.unit)
		require.EqualError(t, err, c.want)
	}
	for _, unit := range []Unit{UnitEpochMicros, UnitMicros} {
		got, err := intOf(1_767_261_600_123_456).Millis(unit)
		require.NoError(t, err)
		assert.EqualValues(t, 1_767_261_600_123, got)
	}
	got, err := intOf(1_767_261_600_123_456_789).Millis(UnitEpochNanos)
	require.NoError(t, err)
	assert.EqualValues(t, 1_767_261_600_123, got)
}
