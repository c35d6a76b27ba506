package report

import (
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
)

func TestGrouped(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", -1234567: "-1,234,567", -12: "-12", -9223372036854775808: "-9,223,372,036,854,775,808"} {
		assert.Equal(t, want, grouped(n))
	}
}

func TestPercent(t *testing.T) {
	for _, c := range []struct {
		part, whole int64
		want        string
	}{
		{0, 0, "–"},
		{0, 7, "0 %"},
		{7, 7, "100 %"},
		{1, 1_000_000, "<0.01 %"},
		{1, 400, "0.25 %"},
		{1, 80, "1.2 %"},
		{999_999, 1_000_000, ">99.9 %"},
		{999, 1000, "99.9 %"},
		{3, 2, "150.0 %"},
	} {
		assert.Equal(t, c.want, percent(c.part, c.whole), "%d of %d", c.part, c.whole)
	}
}

func TestDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0ms", 999 * time.Millisecond: "999ms", time.Second: "1s", 12_345 * time.Millisecond: "12.3s", 59_999 * time.Millisecond: "59.9s",
		time.Minute: "1m", 245 * time.Second: "4m5s", 2 * time.Hour: "2h", 450 * time.Minute: "7h30m", 51 * time.Hour: "2d3h", 48 * time.Hour: "2d",
	} {
		assert.Equal(t, want, duration(d))
	}
}

func TestDurationIsExact(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0ms", 20 * time.Millisecond: "20ms", -20 * time.Millisecond: "-20ms", 1500 * time.Millisecond: "1.5s", 1_799_999 * time.Millisecond: "29m59.999s",
		5 * time.Minute: "5m", 90 * time.Minute: "1h30m", 51*time.Hour + 3*time.Second: "2d3h3s", -90 * time.Second: "-1m30s",
	} {
		assert.Equal(t, want, Duration(d))
	}
}

func TestSize(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1536: "1.5 KiB", 1<<20 - 1: "1.0 MiB", 24 << 20: "24.0 MiB", 1 << 62: "4.0 EiB"} {
		assert.Equal(t, want, size(n))
	}
}

func TestHarmless(t *testing.T) {
	for text, want := range map[string]string{
		"plain, naïve, 日本, 👍": "plain, naïve, 日本, 👍",
		"a\x1b[2Jb":           `a\x1b[2Jb`,
		"two\nlines\ttab":     `two\nlines\ttab`,
		"csi \u009b31m":       `csi \u009b31m`,
		"bidi \u202Etxt.exe":  `bidi \u202etxt.exe`,
		"bad utf-8 \xff\xc3":  `bad utf-8 \xff\xc3`,
		"no-break\u00a0space": `no-break\u00a0space`,
		"line\u2028separator": `line\u2028separator`,
		"zero\u200bwidth":     `zero\u200bwidth`,
		`back\slash "quoted"`: `back\slash "quoted"`,
	} {
		assert.Equal(t, want, Harmless(text), "%q", text)
	}
}

func FuzzHarmless(f *testing.F) {
	f.Add("a\x1b]0;title\x07\u009d\u202e\xff\u00a0")
	f.Fuzz(func(t *testing.T, text string) {
		got := Harmless(text)
		assert.True(t, utf8.ValidString(got))
		for _, r := range strings.ReplaceAll(got, "\ufffd", "") {
			assert.True(t, unicode.IsPrint(r), "%q of %q", r, text)
		}
	})
}
