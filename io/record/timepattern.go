package record

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// PatternLetters are the directives of a pattern of times, those of strptime, with what each stands for.
var PatternLetters = []struct{ Directive, Means string }{
	{"%Y", "the year, 4 digits"},
	{"%y", "the year, 2 digits: 69 to 99 are of the 20th century, 00 to 68 of the 21st"},
	{"%m", "the month, 01 to 12"},
	{"%b", "the month's English name or its first three letters; %B and %h are the same"},
	{"%d", "the day of the month, 01 to 31; %e is the same"},
	{"%j", "the day of the year, 001 to 366"},
	{"%a", "the English name of the weekday or its first three letters, which says nothing more; %A is the same"},
	{"%H", "the hour, 00 to 23"},
	{"%I", "the hour, 01 to 12, with %p"},
	{"%p", "AM or PM"},
	{"%M", "the minute, 00 to 59"},
	{"%S", "the second, 00 to 59; 60 is the second after"},
	{"%f", "the fraction of the second, any number of digits"},
	{"%z", "the zone: Z, UTC, GMT or an offset (+0100, +01:00, +01); %Z is the same"},
	{"%F", "%Y-%m-%d"},
	{"%T", "%H:%M:%S"},
	{"%R", "%H:%M"},
	{"%%", "a percent sign"},
}

// patternShort are directives that stand for several, or for another.
var patternShort = map[byte]string{'F': "%Y-%m-%d", 'T': "%H:%M:%S", 'R': "%H:%M", 'B': "%b", 'h': "%b", 'e': "%d", 'A': "%a", 'Z': "%z"}

// TimePattern reads times that are written as a pattern says (see PatternLetters). What is not a directive
// stands for itself, letters in any case; a space stands for one or more. Numbers of two digits may have
// one, unless another number follows at once. Spaces around the time are left out. Without hours, minutes or
// seconds these are 0. It does not change, so that many may use it.
type TimePattern struct {
	steps []patternStep
	has   [256]bool // by directive
}

type patternStep struct {
	do byte // a directive; 0 for text
	// text stands for itself.
	text string
	// least is of how many digits a number is.
	least int
}

// numbers are the directives of numbers, with how many digits they have at most.
var numbers = map[byte]int{'Y': 4, 'y': 2, 'm': 2, 'd': 2, 'j': 3, 'H': 2, 'I': 2, 'M': 2, 'S': 2, 'f': 0}

// PatternError says where a pattern is wrong.
type PatternError struct {
	// At is the byte at which it is, from 0; -1 where it lacks something.
	At  int
	Why string
}

func (e *PatternError) Error() string {
	if e.At < 0 {
		return e.Why
	}
	return fmt.Sprintf("at character %d: %s", e.At+1, e.Why)
}

// CompilePattern compiles a pattern. The error is a *PatternError.
func CompilePattern(text string) (*TimePattern, error) {
	p := &TimePattern{}
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c >= 0x80 {
			return nil, &PatternError{i, "a pattern has ASCII characters only"}
		}
		if c != '%' {
			p.literal(text[i : i+1])
			continue
		}
		if i++; i == len(text) {
			return nil, &PatternError{i - 1, "a letter must follow %, or another % for a percent sign"}
		}
		c = text[i]
		if c == '%' {
			p.literal("%")
			continue
		}
		long := patternShort[c]
		if long == "" {
			long = text[i-1 : i+1]
		}
		for k := 0; k < len(long); k++ {
			if long[k] != '%' {
				p.literal(long[k : k+1])
				continue
			}
			k++
			_, number := numbers[long[k]]
			switch {
			case !number && !strings.ContainsRune("bapz", rune(long[k])):
				return nil, &PatternError{i - 1, fmt.Sprintf("%%%s is not known", shownLetter(text[i:]))}
			case p.has[long[k]]:
				return nil, &PatternError{i - 1, fmt.Sprintf("%%%c says again what is said before it", c)}
			}
			p.has[long[k]] = true
			p.steps = append(p.steps, patternStep{do: long[k]})
		}
	}
	if err := p.complete(); err != nil {
		return nil, err
	}
	for i := range p.steps {
		s := &p.steps[i]
		s.least = 1
		followed := false // by a number at once
		if i+1 < len(p.steps) {
			_, followed = numbers[p.steps[i+1].do]
		}
		if followed || s.do == 'Y' {
			s.least = numbers[s.do]
		}
		if s.do == 'f' && followed {
			return nil, &PatternError{-1, "a number must not follow %f at once: nothing says where the fraction ends"}
		}
	}
	return p, nil
}

func shownLetter(rest string) string {
	for _, c := range rest {
		return string(c)
	}
	return ""
}

func (p *TimePattern) literal(text string) {
	if n := len(p.steps); n > 0 && p.steps[n-1].do == 0 {
		p.steps[n-1].text += text
		return
	}
	p.steps = append(p.steps, patternStep{text: text})
}

// complete tells whether the pattern says one instant, but for the zone.
func (p *TimePattern) complete() error {
	both := func(a, b byte) bool { return p.has[a] && p.has[b] }
	switch {
	case both('Y', 'y'), both('m', 'b'), both('H', 'I'), both('j', 'm'), both('j', 'b'), both('j', 'd'), both('H', 'p'):
		return &PatternError{-1, "it says one thing twice (%Y and %y, %m and %b, %j and a month or day, %H and %I or %p)"}
	case !p.has['Y'] && !p.has['y']:
		return &PatternError{-1, "it has no year (%Y)"}
	case !p.has['j'] && (!p.has['m'] && !p.has['b'] || !p.has['d']):
		return &PatternError{-1, "it has no month and day (%m and %d, or %j)"}
	case p.has['I'] != p.has['p']:
		return &PatternError{-1, "%I and %p go together: hours of half a day, and AM or PM"}
	case p.has['M'] && !p.has['H'] && !p.has['I'], p.has['S'] && !p.has['M'], p.has['f'] && !p.has['S']:
		return &PatternError{-1, "it has minutes, seconds or a fraction without what they are of (%H, %M, %S)"}
	}
	return nil
}

// HasZone tells whether the times have a zone.
func (p *TimePattern) HasZone() bool { return p.has['z'] }

// Resolution is how far apart times that differ are at least; 0 for a millisecond or less.
func (p *TimePattern) Resolution() time.Duration {
	switch {
	case p.has['f']:
		return 0
	case p.has['S']:
		return time.Second
	case p.has['M']:
		return time.Minute
	case p.has['H'] || p.has['I']:
		return time.Hour
	default:
		return 24 * time.Hour
	}
}

var (
	monthNames = []string{"january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"}
	dayNames   = []string{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"}
)

// errPattern is a time of another form than the pattern's.
var errPattern = errors.New(": it is not of that pattern")

// wall reads a time: the milliseconds since 1970 that clocks showing it would have counted in UTC, and how far
// they are ahead of UTC, if the pattern has a zone.
func (p *TimePattern) wall(text []byte) (ms int64, offset time.Duration, err error) {
	for len(text) > 0 && isSpace(text[0]) {
		text = text[1:]
	}
	for len(text) > 0 && isSpace(text[len(text)-1]) {
		text = text[:len(text)-1]
	}
	var year, yearDay, hour, minute, second, nanos int
	month, day := 1, 1
	pm, half := false, false
	for i := range p.steps {
		s := &p.steps[i]
		n := 0
		switch s.do {
		case 0:
			n = matchText(text, s.text)
		case 'Y':
			year, n = number(text, 4, 4)
		case 'y':
			if year, n = number(text, s.least, 2); year < 69 {
				year += 100
			}
			year += 1900
		case 'm':
			month, n = number(text, s.least, 2)
		case 'd':
			if s.least == 1 && len(text) > 1 && text[0] == ' ' {
				text = text[1:] // %e as it is printed
			}
			day, n = number(text, s.least, 2)
		case 'j':
			if yearDay, n = number(text, s.least, 3); yearDay == 0 {
				return 0, 0, errNoDay
			}
		case 'H':
			hour, n = number(text, s.least, 2)
		case 'I':
			if hour, n = number(text, s.least, 2); n > 0 && (hour < 1 || hour > 12) {
				return 0, 0, errNoTime
			}
		case 'M':
			minute, n = number(text, s.least, 2)
		case 'S':
			second, n = number(text, s.least, 2)
		case 'f':
			nanos, n = fractionOf(text)
		case 'p':
			half = true
			pm = len(text) > 0 && text[0]|0x20 == 'p'
			n = max(matchText(text, "am"), matchText(text, "pm"))
		case 'b':
			month, n = nameOf(text, monthNames)
		case 'a':
			_, n = nameOf(text, dayNames)
		case 'z':
			if offset, n, err = zoneOf(text); err != nil {
				return 0, 0, err
			}
		}
		if n <= 0 {
			return 0, 0, errPattern
		}
		text = text[n:]
	}
	if len(text) > 0 {
		return 0, 0, errPattern
	}
	if half {
		if hour %= 12; pm {
			hour += 12
		}
	}
	if hour > 23 || minute > 59 || second > 60 {
		return 0, 0, errNoTime
	}
	if yearDay > 0 {
		if month, day = 1, yearDay; yearDay > 365 && (yearDay > 366 || daysIn(year, 2) < 29) {
			return 0, 0, errNoDay
		}
	} else if month < 1 || month > 12 || day < 1 || day > daysIn(year, month) {
		return 0, 0, errNoDay
	}
	seconds := daysSince1970(year, month, day)*86_400 + int64(hour*3600+minute*60+second)
	return seconds*1000 + int64(nanos/1_000_000), offset, nil
}

// isSpace is as strings.TrimSpace has it, of ASCII.
func isSpace(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }

// matchText is the length of what matches text at the beginning of s, 0 if nothing does.
func matchText(s []byte, text string) int {
	n := 0
	for i := range len(text) {
		if n == len(s) {
			return 0
		}
		c, want := s[n], text[i]
		if want == ' ' {
			if c != ' ' {
				if i > 0 && text[i-1] == ' ' {
					continue
				}
				return 0
			}
			for n < len(s) && s[n] == ' ' {
				n++
			}
			continue
		}
		if c != want && (c|0x20 != want|0x20 || want|0x20 < 'a' || want|0x20 > 'z') {
			return 0
		}
		n++
	}
	return n
}

// number reads a number of so many digits; n is 0 if there are too few.
func number(s []byte, least, most int) (value, n int) {
	for n < most && n < len(s) && isDigit(s[n]) {
		value = value*10 + int(s[n]-'0')
		n++
	}
	if n < least {
		return 0, 0
	}
	return value, n
}

func fractionOf(s []byte) (nanos, n int) {
	for ; n < len(s) && isDigit(s[n]); n++ {
		if n < 9 {
			nanos = nanos*10 + int(s[n]-'0')
		}
	}
	for i := n; i < 9; i++ {
		nanos *= 10
	}
	return nanos, n
}

// nameOf reads one of some names, or its first three letters; the first is 1.
func nameOf(s []byte, names []string) (which, n int) {
	for i, name := range names {
		if n = matchText(s, name); n > 0 {
			return i + 1, n
		}
	}
	for i, name := range names {
		if n = matchText(s, name[:3]); n > 0 {
			return i + 1, n
		}
	}
	return 0, 0
}

// zoneOf reads Z, UTC, GMT, +01, +0100 or +01:00.
func zoneOf(s []byte) (offset time.Duration, n int, err error) {
	for _, name := range []string{"utc", "gmt", "z"} {
		if n = matchText(s, name); n > 0 {
			return 0, n, nil
		}
	}
	if len(s) == 0 || s[0] != '+' && s[0] != '-' {
		return 0, 0, errZoneName
	}
	hours, n := number(s[1:], 2, 2)
	if n == 0 {
		return 0, 0, errPattern
	}
	n++
	minutes := 0
	if rest := s[n:]; len(rest) > 0 && rest[0] == ':' {
		if minutes, _ = number(rest[1:], 2, 2); len(rest) < 3 || !isDigit(rest[1]) || !isDigit(rest[2]) {
			return 0, 0, errPattern
		}
		n += 3
	} else if m, more := number(rest, 2, 2); more > 0 {
		minutes = m
		n += more
	}
	if hours > 23 || minutes > 59 {
		return 0, 0, errNoOffset
	}
	if offset = time.Duration(hours*60+minutes) * time.Minute; s[0] == '-' {
		offset = -offset
	}
	return offset, n, nil
}

var monthDays = [...]int{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

func daysIn(year, month int) int {
	if month == 2 && year%4 == 0 && (year%100 != 0 || year%400 == 0) {
		return 29
	}
	return monthDays[month-1]
}

// daysSince1970 counts the days from 1970 to a day of the Gregorian calendar of a year from 0. Years begin in March, so
// that the day which some have is their last.
func daysSince1970(year, month, day int) int64 {
	if month -= 3; month < 0 {
		month += 12
		year--
	}
	year += 400 // not below 0
	const marchOfYear0 = 719_468
	return int64(365*year+year/4-year/100+year/400+(153*month+2)/5+day-1) - 146_097 - marchOfYear0
}

// PatternDirectives lists the directives that patterns have.
func PatternDirectives() (out []string) {
	for _, l := range PatternLetters {
		out = append(out, l.Directive)
	}
	return out
}
