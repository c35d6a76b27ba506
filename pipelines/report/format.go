package report

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// none stands where there is no figure: a share of nothing, a window not known.
const none = "–"

// grouped writes a count with thousands separators: 1,234,567.
func grouped(n int64) string {
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if digits[0] == '-' {
		sign, digits = "-", digits[1:]
	}
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return sign + b.String()
}

// percent writes part/whole so that neither a little looks like nothing nor nearly all
// like all.
func percent(part, whole int64) string {
	if whole == 0 {
		return none
	}
	p := 100 * float64(part) / float64(whole)
	switch {
	case part == 0:
		return "0 %"
	case part == whole:
		return "100 %"
	case p > 0 && p < 0.01:
		return "<0.01 %"
	case p < 1:
		return fmt.Sprintf("%.2f %%", p)
	case p > 99.9 && p < 100:
		return ">99.9 %"
	default:
		return fmt.Sprintf("%.1f %%", p)
	}
}

// duration writes a span of time in at most two units, which is as much as an eye
// takes in: 850ms, 12.3s, 4m05s, 7h30m, 2d03h.
func duration(d time.Duration) string {
	two := func(whole, rest int64, a, b string) string {
		if rest == 0 {
			return fmt.Sprintf("%d%s", whole, a)
		}
		return fmt.Sprintf("%d%s%02d%s", whole, a, rest, b)
	}
	ms := d.Milliseconds()
	switch {
	case ms < 1_000:
		return fmt.Sprintf("%dms", ms)
	case ms < 60_000:
		return strings.TrimSuffix(fmt.Sprintf("%.1f", float64(ms/100)/10), ".0") + "s"
	case ms < 3_600_000:
		return two(ms/60_000, ms%60_000/1_000, "m", "s")
	case ms < 86_400_000:
		return two(ms/3_600_000, ms%3_600_000/60_000, "h", "m")
	default:
		return two(ms/86_400_000, ms%86_400_000/3_600_000, "d", "h")
	}
}

func millis(ms int64) time.Duration { return time.Duration(ms) * time.Millisecond }

// size writes a number of bytes in binary units: 812 B, 1.5 KiB, 24.0 MiB.
func size(n int64) string {
	if n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	f, units := float64(n)/1024, "KMGTPE"
	for f >= 1023.95 && len(units) > 1 { // what would read as 1024.0
		f, units = f/1024, units[1:]
	}
	return fmt.Sprintf("%.1f %ciB", f, units[0])
}

// moment writes an event time, to the minute where nothing finer is in it.
func moment(t time.Time) string {
	if t.Equal(t.Truncate(time.Minute)) {
		return t.Format("2006-01-02 15:04")
	}
	return t.Format("2006-01-02 15:04:05")
}

// Harmless returns text that comes from data so that it can be put on a terminal and
// stays on its line: control characters (escape sequences begin with one), invisible
// and direction-changing ones, and bytes that are not UTF-8 are written as escapes.
func Harmless(text string) string {
	sound := func(r rune) bool { return unicode.IsPrint(r) && r != utf8.RuneError }
	clean := true
	for _, r := range text {
		clean = clean && sound(r)
	}
	if clean {
		return text
	}
	var b strings.Builder
	for len(text) > 0 {
		r, n := utf8.DecodeRuneInString(text)
		if sound(r) {
			b.WriteString(text[:n])
		} else {
			quoted := strconv.QuoteToGraphic(text[:n])
			if unicode.Is(unicode.Z, r) { // graphic, yet not a plain space
				quoted = strconv.QuoteToASCII(text[:n])
			}
			b.WriteString(quoted[1 : len(quoted)-1])
		}
		text = text[n:]
	}
	return b.String()
}
