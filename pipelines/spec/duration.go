package spec

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// longestDuration bounds every duration: longer ones are slips, and would overflow
// what is computed from them.
const longestDuration = 366 * day

const day = 24 * time.Hour

// durationPattern is one or more numbers, each with a unit; ns and us are left out
// because event times are in milliseconds.
const durationPattern = `^([0-9]+(\.[0-9]+)?(ms|s|m|h|d))+$`

var (
	durationForm = regexp.MustCompile(durationPattern)
	durationPart = regexp.MustCompile(`([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)`)
	units        = map[string]time.Duration{"ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour, "d": day}
)

// ParseDuration reads a duration as specs write it: Go's form with d for days of 24
// hours, like 1d12h or 1.5h, in whole milliseconds.
func ParseDuration(text string) (time.Duration, error) {
	if !durationForm.MatchString(text) {
		return 0, fmt.Errorf("duration %q is not numbers with units, like 30m or 1d12h", text)
	}
	var total float64
	for _, part := range durationPart.FindAllStringSubmatch(text, -1) {
		number, err := strconv.ParseFloat(part[1], 64)
		if err != nil {
			return 0, fmt.Errorf("duration %q: %w", text, err)
		}
		// Milliseconds, which are exact in a float up to far beyond the bound.
		total += number * float64(units[part[2]]/time.Millisecond)
	}
	if total > float64(longestDuration/time.Millisecond) {
		return 0, fmt.Errorf("duration %q is longer than %s", text, FormatDuration(longestDuration))
	}
	rounded := int64(total + 0.5)
	// 0.1h and the like are not exact in binary; a millionth of a millisecond is noise.
	if diff := total - float64(rounded); diff > 1e-6 || diff < -1e-6 {
		return 0, fmt.Errorf("duration %q is finer than a millisecond", text)
	}
	return time.Duration(rounded) * time.Millisecond, nil
}

// FormatDuration writes a duration in the form that ParseDuration reads, in as few
// parts as it takes: 36h is 1d12h.
func FormatDuration(d time.Duration) string {
	if d == 0 {
		return "0s"
	}
	var b strings.Builder
	if d < 0 {
		b.WriteByte('-')
		d = -d
	}
	for _, name := range []string{"d", "h", "m", "s", "ms"} {
		if n := d / units[name]; n > 0 {
			fmt.Fprintf(&b, "%d%s", n, name)
			d %= units[name]
		}
	}
	return b.String()
}

var (
	worded     = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?)([a-z]+)`)
	wordedUnit = map[string]string{
		"ms": "ms", "msec": "ms", "msecs": "ms", "millis": "ms", "millisecond": "ms", "milliseconds": "ms",
		"s": "s", "sec": "s", "secs": "s", "second": "s", "seconds": "s",
		"m": "m", "min": "m", "mins": "m", "minute": "m", "minutes": "m",
		"h": "h", "hr": "h", "hrs": "h", "hour": "h", "hours": "h",
		"d": "d", "day": "d", "days": "d", "w": "w", "week": "w", "weeks": "w",
	}
)

var (
	// isoDuration is ISO 8601's form without years and months, whose length differs.
	isoDuration = regexp.MustCompile(`^P(?:([0-9]+)W)?(?:([0-9.]+)D)?(?:T(?:([0-9.]+)H)?(?:([0-9.]+)M)?(?:([0-9.]+)S)?)?$`)
	// twoNumbers is a space between numbers: 1 30m may be 130m, or a number without a unit.
	twoNumbers = regexp.MustCompile(`[0-9]\s+[0-9]`)
	// decimalComma is a comma that stands for a point. Three digits after it may also be thousands.
	decimalComma = regexp.MustCompile(`([0-9]),([0-9]{1,2}|[0-9]{4,})([^0-9]|$)`)
	anyComma     = regexp.MustCompile(`[0-9],[0-9]`)
	// capitalM may be months.
	capitalM = regexp.MustCompile(`[0-9.]\s*M($|[^a-zA-Z])`)
)

// NearestDuration returns the duration, as specs write it, that text means in another form.
// It is empty if there is none, or more than one.
func NearestDuration(text string) string { return guessDuration(text) }

// guessDuration turns what people write for a duration into one that means the same:
// `30 minutes`, `1W`, `1,5 h`, `PT30M`. Empty if there is more than one meaning, or none.
func guessDuration(text string) string {
	text = strings.TrimSpace(text)
	if m := isoDuration.FindStringSubmatch(strings.ToUpper(text)); m != nil {
		text = ""
		for i, unit := range []string{"w", "d", "h", "m", "s"} {
			if m[i+1] != "" {
				text += m[i+1] + unit
			}
		}
	}
	text = decimalComma.ReplaceAllString(text, "$1.$2$3")
	if twoNumbers.MatchString(text) || anyComma.MatchString(text) || capitalM.MatchString(text) {
		return ""
	}
	rest := strings.ToLower(strings.Join(strings.Fields(strings.ReplaceAll(text, ",", " ")), ""))
	rest = strings.ReplaceAll(rest, "and", "")
	if f, err := strconv.ParseFloat(rest, 64); err == nil && f == 0 {
		return "0s"
	}
	var guess strings.Builder
	for rest != "" {
		part := worded.FindStringSubmatch(rest)
		if part == nil || wordedUnit[part[2]] == "" {
			return ""
		}
		number, unit := part[1], wordedUnit[part[2]]
		if unit == "w" {
			weeks, err := strconv.Atoi(number)
			if err != nil || weeks > 52 {
				return ""
			}
			number, unit = strconv.Itoa(7*weeks), "d"
		}
		guess.WriteString(number + unit)
		rest = rest[len(part[0]):]
	}
	if _, err := ParseDuration(guess.String()); err != nil {
		return ""
	}
	return guess.String()
}
