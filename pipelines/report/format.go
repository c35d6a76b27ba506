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

// number writes a count of things: 1 sample, 1,234 samples.
func number(n int64, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return grouped(n) + " " + thing
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

// units of a duration, the largest first.
var units = []struct {
	name string
	ms   int64
}{{"d", 86_400_000}, {"h", 3_600_000}, {"m", 60_000}}

// Duration writes a span of time to the millisecond, as specs write theirs: 20ms, 1.5s,
// 29m59.999s, 1h30m, 2d3h.
func Duration(d time.Duration) string { return inUnits(d.Milliseconds()) }

// duration writes a span of time in at most two units, which is as much as an eye
// takes in: 850ms, 12.3s, 4m5s, 7h30m, 2d3h.
func duration(d time.Duration) string {
	ms := d.Milliseconds()
	for i, u := range units {
		if ms >= u.ms {
			finer := int64(1_000)
			if i+1 < len(units) {
				finer = units[i+1].ms
			}
			return inUnits(ms / finer * finer)
		}
	}
	if ms >= 1_000 {
		ms = ms / 100 * 100
	}
	return inUnits(ms)
}

// inUnits writes ms in units that hold it, seconds with decimals.
func inUnits(ms int64) string {
	if -1_000 < ms && ms < 1_000 {
		return fmt.Sprintf("%dms", ms)
	}
	var b strings.Builder
	if ms < 0 {
		b.WriteByte('-')
		ms = -ms
	}
	for _, u := range units {
		if n := ms / u.ms; n > 0 {
			fmt.Fprintf(&b, "%d%s", n, u.name)
		}
		ms %= u.ms
	}
	if ms > 0 {
		b.WriteString(strconv.FormatFloat(float64(ms)/1_000, 'f', -1, 64) + "s")
	}
	return b.String()
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
