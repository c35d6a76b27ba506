package record

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// zoneNames are zones with and without summer time, north and south, with half hours, changes of half an hour or at midnight, a day that
// was left out (Apia), and a negative summer time (Dublin).
var zoneNames = []string{
	"Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Asia/Kolkata", "Australia/Lord_Howe", "Australia/Sydney", "Pacific/Apia",
	"Asia/Beirut", "Africa/Casablanca", "Europe/Dublin", "America/St_Johns", "Antarctica/Troll", "UTC",
}

// firstShown is when clocks of the zone first show a time, by going through all offsets that the zone has about then; where they
// never do, it is the time that they would show had they not been set forward.
func firstShown(wall time.Time, in *time.Location) time.Time {
	same := func(t time.Time) bool { return t.In(in).Format(time.DateTime) == wall.Format(time.DateTime) }
	var first time.Time
	for step := -30 * time.Hour; step <= 30*time.Hour; step += 15 * time.Minute {
		_, offset := wall.Add(step).In(in).Zone()
		t := wall.Add(-time.Duration(offset) * time.Second)
		if same(t) && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	if !first.IsZero() {
		return first
	}
	// The last second that was shown before, and as long after it.
	for back := 15 * time.Minute; ; back += 15 * time.Minute {
		if before := shownOrZero(wall.Add(-back), in); !before.IsZero() {
			return before.Add(back)
		}
	}
}

func shownOrZero(wall time.Time, in *time.Location) time.Time {
	t, err := time.ParseInLocation(time.DateTime, wall.Format(time.DateTime), in)
	if err != nil || t.In(in).Format(time.DateTime) != wall.Format(time.DateTime) {
		return time.Time{}
	}
	return t
}

// nearChange draws a time within a day of a change of the zone's offset, or any time.
func nearChange(t *rapid.T, in *time.Location) time.Time {
	at := time.Unix(rapid.Int64Range(86_400, 200*365*86_400).Draw(t, "at"), 0).In(in)
	if _, end := at.ZoneBounds(); !end.IsZero() && rapid.Bool().Draw(t, "near") {
		at = end.Add(time.Duration(rapid.Int64Range(-26*3600, 26*3600).Draw(t, "off")) * time.Second)
	}
	_, offset := at.Zone()
	wall := at.UTC().Add(time.Duration(offset) * time.Second)
	if rapid.Bool().Draw(t, "shifted") { // into the gaps, which no instant shows
		wall = wall.Add(time.Duration(rapid.Int64Range(0, 7200).Draw(t, "shift")) * time.Second)
	}
	return wall
}

// TestZoneReference: a zone reads times as going through its offsets does.
func TestZoneReference(t *testing.T) {
	for _, name := range zoneNames {
		in, err := time.LoadLocation(name)
		require.NoError(t, err)
		z, err := LoadZone(name)
		require.NoError(t, err)
		t.Run(strings.ReplaceAll(name, "/", "_"), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				wall := nearChange(t, in)
				want := firstShown(wall, in)
				got := time.UnixMilli(z.millis(wall.UnixMilli())).UTC()
				require.Equal(t, want.UTC(), got, wall)
				// Where clocks show it once, Go's own reading is the same.
				if _, again := shownTwice(wall, in); !again {
					if plain := shownOrZero(wall, in); !plain.IsZero() {
						require.Equal(t, plain.UTC(), got, wall)
					}
				}
			})
		})
	}
}

func shownTwice(wall time.Time, in *time.Location) (first time.Time, again bool) {
	first = firstShown(wall, in)
	for _, step := range []time.Duration{30 * time.Minute, time.Hour, 2 * time.Hour, 24 * time.Hour} {
		if first.Add(step).In(in).Format(time.DateTime) == wall.Format(time.DateTime) {
			return first, true
		}
	}
	return first, false
}

// TestZoneRule: the hours of autumn and of spring.
func TestZoneRule(t *testing.T) {
	for text, want := range map[string]string{
		"2026-10-25 01:59:59": "2026-10-24T23:59:59Z",
		"2026-10-25 02:00:00": "2026-10-25T00:00:00Z", // summer time, the first of the two
		"2026-10-25 02:59:59": "2026-10-25T00:59:59Z",
		"2026-10-25 03:00:00": "2026-10-25T02:00:00Z",
		"2026-03-29 01:59:59": "2026-03-29T00:59:59Z",
		"2026-03-29 02:00:00": "2026-03-29T01:00:00Z", // 03:00
		"2026-03-29 02:30:00": "2026-03-29T01:30:00Z", // 03:30
		"2026-03-29 03:00:00": "2026-03-29T01:00:00Z",
		"2150-07-01 12:00:00": "2150-07-01T10:00:00Z",
	} {
		for _, form := range []TimeForm{{Zone: "Europe/Berlin"}, {Unit: UnitRFC3339, Zone: "Europe/Berlin"}, {Zone: "Europe/Berlin", Pattern: "%Y-%m-%d %H:%M:%S"}} {
			r, err := NewTimeReader(form)
			require.NoError(t, err)
			ms, err := r.Millis(Value{Kind: String, Text: []byte(text)})
			require.NoError(t, err, text)
			assert.Equal(t, want, time.UnixMilli(ms).UTC().Format(time.RFC3339), text)
		}
	}
}

// patternForms are patterns with Go's layouts of the same times.
var patternForms = []struct{ pattern, layout string }{
	{"%d/%m/%Y %H:%M:%S", "02/01/2006 15:04:05"},
	{"%Y%m%d%H%M%S", "20060102150405"},
	{"%m/%d/%y %I:%M:%S %p", "01/02/06 3:04:05 PM"},
	{"%d/%b/%Y:%T", "02/Jan/2006:15:04:05"},
	{"%A, %e %B %Y %R:%S", "Monday, _2 January 2006 15:04:05"},
	{"%a %b %d %T %Y", "Mon Jan 2 15:04:05 2006"},
	{"%Y-%j %T", "2006-002 15:04:05"},
	{"on%% %F@%T", "on% 2006-01-02@15:04:05"},
}

// TestPatternReference: what Go writes by a layout is read by the pattern as Go reads it, in all zones.
func TestPatternReference(t *testing.T) {
	for _, f := range patternForms {
		t.Run(strings.ReplaceAll(f.pattern, "/", "_"), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				name := rapid.SampledFrom(zoneNames).Draw(t, "zone")
				in, err := time.LoadLocation(name)
				require.NoError(t, err)
				latest := int64(198 * 365 * 86_400)
				if strings.Contains(f.pattern, "%y") {
					latest = 98 * 365 * 86_400 // two digits are of 1969 to 2068
				}
				at := time.Unix(rapid.Int64Range(2*86_400, latest).Draw(t, "at"), 0).In(in)
				text := at.Format(f.layout)
				parsed, err := time.ParseInLocation(f.layout, text, in)
				require.NoError(t, err)
				wall := time.Date(parsed.Year(), parsed.Month(), parsed.Day(), parsed.Hour(), parsed.Minute(), parsed.Second(), 0, time.UTC)
				r, err := NewTimeReader(TimeForm{Pattern: f.pattern, Zone: name})
				require.NoError(t, err)
				got, err := r.Millis(Value{Kind: String, Text: []byte(text)})
				require.NoError(t, err, text)
				require.Equal(t, firstShown(wall, in).UTC(), time.UnixMilli(got).UTC(), text)
			})
		})
	}
}

func TestPatternTexts(t *testing.T) {
	at := time.Date(2026, time.January, 2, 15, 4, 5, 0, time.UTC)
	for _, c := range []struct {
		pattern, text string
		want          time.Time
	}{
		{"%d/%m/%Y %H:%M:%S", " 2/1/2026   15:04:05 ", at},
		{"%d/%b/%Y:%H:%M:%S %z", "02/jan/2026:16:04:05 +0100", at}, // Apache, nginx
		{"%Y-%m-%d %H:%M:%S.%f", "2026-01-02 15:04:05.25", at.Add(250 * time.Millisecond)},
		{"%Y-%m-%d %H:%M:%S.%f", "2026-01-02 15:04:05.9999999999", at.Add(999 * time.Millisecond)},
		{"%Y-%m-%dT%H:%M:%S%z", "2026-01-02T15:04:05Z", at},
		{"%Y-%m-%dT%H:%M:%S%z", "2026-01-02T10:34:05-04:30", at},
		{"%Y-%m-%d %H:%M:%S %Z", "2026-01-02 15:04:05 utc", at},
		{"%F", "2026-01-02", at.Truncate(24 * time.Hour)},
		{"%m/%d/%Y %I %p", "1/2/2026 12 AM", at.Truncate(24 * time.Hour)},
		{"%m/%d/%Y %I %p", "1/2/2026 12 pm", at.Truncate(24 * time.Hour).Add(12 * time.Hour)},
		{"%Y %j", "2024 366", time.Date(2024, time.December, 31, 0, 0, 0, 0, time.UTC)},
		{"%F %T", "2016-12-31 23:59:60", time.Date(2017, time.January, 1, 0, 0, 0, 0, time.UTC)},
		{"%F %T", "2024-02-29 00:00:00", time.Date(2024, time.February, 29, 0, 0, 0, 0, time.UTC)},
	} {
		ms, err := readTime(c.pattern, c.text)
		require.NoError(t, err, c)
		assert.Equal(t, c.want, time.UnixMilli(ms).UTC(), c)
	}
	for text, why := range map[string]string{
		"2026-02-30 00:00:00": "there is no such day", "2026-13-01 00:00:00": "no such day", "2025-02-29 00:00:00": "no such day", "2026-00-01 00:00:00": "no such day",
		"2026-01-01 24:00:00": "no such time of day", "2026-01-01 00:60:00": "no such time of day", "2026-01-01 00:00:61": "no such time of day",
		"2026-01-01": "not of that pattern", "2026-01-01 00:00:00Z": "not of that pattern", "": "not of that pattern", "26-01-01 00:00:00": "not of that pattern",
		"2026-01-01  ": "not of that pattern", "1969-12-31 23:59:59": "outside 1970", "2300-01-01 00:00:00": "outside 1970",
	} {
		_, err := readTime("%F %T", text)
		assert.ErrorContains(t, err, why, text)
	}
	_, err := readTime("%Y %j", "2025 366")
	assert.ErrorContains(t, err, "no such day")
	_, err = readTime("%F %T %z", "2026-01-01 00:00:00 CET")
	assert.ErrorContains(t, err, "write an offset")
	r, err := NewTimeReader(TimeForm{Pattern: "%F", Zone: "UTC"})
	require.NoError(t, err)
	_, err = r.Millis(Value{Kind: Int, Int: 20260102})
	assert.ErrorContains(t, err, "is not text")
	_, err = r.Millis(Value{})
	assert.ErrorContains(t, err, "null or absent")
}

func readTime(pattern, text string) (int64, error) {
	p, err := CompilePattern(pattern)
	if err != nil {
		return 0, err
	}
	form := TimeForm{Pattern: pattern}
	if !p.HasZone() {
		form.Zone = "UTC"
	}
	r, err := NewTimeReader(form)
	if err != nil {
		return 0, err
	}
	return r.Millis(Value{Kind: String, Text: []byte(text)})
}

func TestPatternErrors(t *testing.T) {
	for pattern, why := range map[string]string{
		"%Y-%m-%d %Q":       "at character 10: %Q is not known",
		"%Y-%m-%d %":        "at character 10: a letter must follow %",
		"%Y-%m-%d %é":       "at character 10: %é is not known",
		"%Y-%m-%d é":        "at character 10: a pattern has ASCII",
		"%Y-%m-%d %d":       "at character 10: %d says again",
		"%F %Y":             "at character 4: %Y says again",
		"yyyy-MM-dd":        "it has no year",
		"%m-%d":             "it has no year",
		"%Y-%m":             "it has no month and day",
		"%Y %y %m %d":       "one thing twice",
		"%Y-%m-%d %I:%M":    "go together",
		"%Y-%m-%d %H:%M %p": "one thing twice",
		"%Y-%m-%d %M":       "without what they are of",
		"%F %T%f%Z%a":       "",
		"%f%Y %m %d %T":     "at once",
	} {
		_, err := CompilePattern(pattern)
		if why == "" {
			assert.NoError(t, err, pattern)
			continue
		}
		assert.ErrorContains(t, err, why, pattern)
	}
	_, err := NewTimeReader(TimeForm{Pattern: "%F %T"})
	require.ErrorIs(t, err, ErrNoZone)
}

func TestZoneNames(t *testing.T) {
	for name, offset := range map[string]int64{"+02:00": 7_200_000, "-0330": -12_600_000, "+05": 18_000_000, "UTC": 0, "Z": 0, "Etc/GMT+1": -3_600_000} {
		z, err := LoadZone(name)
		require.NoError(t, err, name)
		assert.Equal(t, 1e12-float64(offset), float64(z.millis(1e12)), name)
	}
	for _, name := range []string{"", "Local", "Europe/Atlantis", "+2:00", "+02:00x", "+25:00", "../etc/passwd", "posix/Europe/Berlin", "right/UTC", "localtime", "Factory"} {
		_, err := LoadZone(name)
		require.ErrorIs(t, err, ErrZone, name)
	}
}

// TestLocalTimestamps: Avro's times without a zone are in the one that is named, and in UTC as before without.
func TestLocalTimestamps(t *testing.T) {
	wall := time.Date(2026, time.July, 1, 12, 0, 0, 0, time.UTC)
	for unit, n := range map[Unit]int64{"millis": wall.UnixMilli(), "micros": wall.UnixMicro(), "nanos": wall.UnixNano()} {
		for zone, want := range map[string]time.Time{"Europe/Berlin": wall.Add(-2 * time.Hour), "": wall} {
			r, err := NewTimeReader(TimeForm{Zone: zone})
			require.NoError(t, err)
			r.Settle("timestamp-"+unit, "local-timestamp-"+string(unit))
			ms, err := r.Millis(Value{Kind: Int, Int: n})
			require.NoError(t, err)
			assert.Equal(t, want, time.UnixMilli(ms).UTC(), fmt.Sprint(unit, zone))
		}
		// A time that counts in UTC is what it is.
		r, err := NewTimeReader(TimeForm{Zone: "Europe/Berlin"})
		require.NoError(t, err)
		r.Settle("timestamp-"+unit, "timestamp-"+string(unit))
		ms, err := r.Millis(Value{Kind: Int, Int: n})
		require.NoError(t, err)
		assert.Equal(t, wall, time.UnixMilli(ms).UTC(), unit)
	}
}

func FuzzPattern(f *testing.F) {
	for _, form := range patternForms {
		f.Add(form.pattern, form.layout)
	}
	f.Fuzz(func(_ *testing.T, pattern, text string) {
		p, err := CompilePattern(pattern)
		if err != nil {
			return
		}
		_, _, _ = p.wall([]byte(text))
	})
}

func BenchmarkTimes(b *testing.B) {
	for name, c := range map[string]struct {
		form TimeForm
		text string
	}{
		"rfc3339":      {TimeForm{}, "2026-07-02T15:04:05.678Z"},
		"rfc3339_zone": {TimeForm{Zone: "Europe/Berlin"}, "2026-07-02T15:04:05.678"},
		"pattern":      {TimeForm{Pattern: "%d/%m/%Y %H:%M:%S.%f", Zone: "UTC"}, "02/07/2026 15:04:05.678"},
		"pattern_zone": {TimeForm{Pattern: "%d/%m/%Y %H:%M:%S.%f", Zone: "Europe/Berlin"}, "02/07/2026 15:04:05.678"},
	} {
		b.Run(name, func(b *testing.B) {
			r, err := NewTimeReader(c.form)
			require.NoError(b, err)
			v := Value{Kind: String, Text: []byte(c.text)}
			for b.Loop() {
				if _, err := r.Millis(v); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("go", func(b *testing.B) {
		in, err := time.LoadLocation("Europe/Berlin")
		require.NoError(b, err)
		for b.Loop() {
			if _, err := time.ParseInLocation("02/01/2006 15:04:05.000", "02/07/2026 15:04:05.678", in); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkLoadZone(b *testing.B) {
	for b.Loop() {
		if _, err := loadZone("Europe/Berlin"); err != nil {
			b.Fatal(err)
		}
	}
}
