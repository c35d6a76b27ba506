package record

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// ParseTime reads a time in text: RFC 3339, and what databases and tools write instead of
// it. Letters may be small; the T may be a space; seconds may be missing, and may have a
// fraction of any length after a point or a comma; dates and clocks may be without dashes and
// colons (ISO 8601's basic form). The zone is Z, UTC, GMT or an offset (+01:00, +0100, +01),
// after a space or not; a name of the zone after an offset, in brackets or not, adds nothing.
// 24:00 is the end of a day, and a leap second (23:59:60 at the end of a month in UTC) is the
// second after it. Spaces around the time are left out. A time without a zone, or without
// a time of day, is an error, as it could mean any of many.
func ParseTime(text string) (time.Time, error) { return parseTime(text, nil) }

// parseTime is ParseTime; with a zone, a time without one is in it.
func parseTime(text string, in *Zone) (time.Time, error) {
	s := timeScanner{rest: strings.TrimSpace(text), in: in}
	t, err := s.time()
	if err != nil {
		return time.Time{}, fmt.Errorf("time %s is not RFC 3339, like 2026-01-02T15:04:05.678Z%w", Value{Kind: String, Text: []byte(text)}, err)
	}
	return t, nil
}

// These follow what a time should have been.
var (
	errNotTime  = errors.New("")
	errNoClock  = errors.New(": it has no time of day")
	errNoZone   = errors.New(": it has no time zone; write Z for UTC, or an offset like +01:00, at its end")
	errZoneName = errors.New(": only UTC, GMT and Z are known as names of time zones; write an offset like +01:00")
	errNoOffset = errors.New(": no offset has so many hours or minutes")
	errNoDay    = errors.New(": there is no such day")
	errNoTime   = errors.New(": there is no such time of day")
	errLeap     = errors.New(": second 60 is only at the end of a month, at 23:59:60 in UTC")
	errNumber   = errors.New(": a number needs a unit")
)

// timeScanner takes a time apart from the left. An error of it says why it cannot.
type timeScanner struct {
	rest string
	// in is the zone of a time without one, nil if it is an error; local says that this is one.
	in    *Zone
	local bool
}

func (s *timeScanner) time() (t time.Time, err error) {
	if s.rest != "" && strings.Trim(s.rest, "0123456789.eE+-") == "" && !strings.Contains(s.rest[1:], "-") {
		return t, errNumber
	}
	year, month, day, ok := s.date()
	if !ok {
		return t, errNotTime
	}
	if month < 1 || month > 12 || day < 1 || day > time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day() {
		return t, errNoDay
	}
	if s.rest == "" {
		return t, errNoClock
	}
	if !s.take("T") && !s.take(" ") {
		return t, errNotTime
	}
	hour, minute, second, nanos, ok := s.clock()
	if !ok {
		return t, errNotTime
	}
	if hour > 24 || minute > 59 || second > 60 || hour == 24 && (minute > 0 || second > 0 || nanos > 0) {
		return t, errNoTime
	}
	offset, err := s.zone()
	if err != nil {
		return t, err
	}
	t = time.Date(year, time.Month(month), day, hour, minute, second, nanos, time.UTC).Add(-offset)
	if s.local {
		wall := t.UnixMilli()
		t = t.Add(time.Duration(s.in.millis(wall)-wall) * time.Millisecond)
	}
	if second == 60 && (t.Day() != 1 || t.Hour() != 0 || t.Minute() != 0 || t.Second() != 0) {
		return t, errLeap
	}
	return t, nil
}

// date reads 2026-01-02 or 20260102.
func (s *timeScanner) date() (year, month, day int, ok bool) {
	year, ok = s.digits(4)
	dashed := s.take("-")
	month, okMonth := s.digits(2)
	okDash := !dashed || s.take("-")
	day, okDay := s.digits(2)
	return year, month, day, ok && okMonth && okDash && okDay
}

// clock reads 15:04, 15:04:05, the same without colons, and a fraction of seconds.
func (s *timeScanner) clock() (hour, minute, second, nanos int, ok bool) {
	hour, ok = s.digits(2)
	colons := s.take(":")
	minute, okMinute := s.digits(2)
	if !ok || !okMinute {
		return 0, 0, 0, 0, false
	}
	if colons && s.take(":") || !colons && s.rest != "" && isDigit(s.rest[0]) {
		if second, ok = s.digits(2); !ok {
			return 0, 0, 0, 0, false
		}
		if s.take(".") || s.take(",") {
			nanos, ok = s.fraction()
		}
	}
	return hour, minute, second, nanos, ok
}

// fraction reads digits of any number, of which nine count.
func (s *timeScanner) fraction() (nanos int, ok bool) {
	n := 0
	for ; n < len(s.rest) && isDigit(s.rest[n]); n++ {
		if n < 9 {
			nanos = nanos*10 + int(s.rest[n]-'0')
		}
	}
	for i := n; i < 9; i++ {
		nanos *= 10
	}
	s.rest = s.rest[n:]
	return nanos, n > 0
}

func (s *timeScanner) zone() (offset time.Duration, err error) {
	s.rest = strings.TrimLeft(s.rest, " ")
	switch {
	case s.rest == "" && s.in != nil:
		s.local = true
		return 0, nil
	case s.rest == "":
		return 0, errNoZone
	case s.take("Z"), s.take("UTC"), s.take("GMT"):
		return 0, s.end()
	case s.rest[0] != '+' && s.rest[0] != '-':
		return 0, errZoneName
	}
	west := s.take("-")
	if !west {
		s.take("+")
	}
	hours, ok := s.digits(2)
	if !ok {
		return 0, errNotTime
	}
	minutes := 0
	if s.take(":") || s.rest != "" && isDigit(s.rest[0]) {
		if minutes, ok = s.digits(2); !ok {
			return 0, errNotTime
		}
	}
	if hours > 23 || minutes > 59 {
		return 0, errNoOffset
	}
	if name := strings.TrimLeft(s.rest, " "); name != s.rest { // as Go prints it: +0100 CET
		s.rest = strings.TrimLeft(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
	}
	if offset = time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute; west {
		offset = -offset
	}
	return offset, s.end()
}

// end wants nothing more, but for names of zones and calendars in brackets (RFC 9557), which
// say nothing about which instant it is.
func (s *timeScanner) end() error {
	for strings.HasPrefix(s.rest, "[") && !strings.HasPrefix(s.rest, "[!") {
		i := strings.IndexByte(s.rest, ']')
		if i < 0 {
			break
		}
		s.rest = s.rest[i+1:]
	}
	if s.rest != "" {
		return errZoneName
	}
	return nil
}

// take steps over a word, in letters of any case.
func (s *timeScanner) take(word string) bool {
	if len(s.rest) < len(word) || !strings.EqualFold(s.rest[:len(word)], word) {
		return false
	}
	s.rest = s.rest[len(word):]
	return true
}

func (s *timeScanner) digits(n int) (value int, ok bool) {
	if len(s.rest) < n {
		return 0, false
	}
	for i := range n {
		if !isDigit(s.rest[i]) {
			return 0, false
		}
		value = value*10 + int(s.rest[i]-'0')
	}
	s.rest = s.rest[n:]
	return value, true
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
