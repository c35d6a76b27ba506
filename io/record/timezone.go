package record

import (
	"errors"
	"fmt"
	"sort"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // 450 kB in the binary: a machine or an image need not have zones
)

// Zone gives times that have no zone one. It does not change, so that many may use it.
//
// A time that clocks show twice, as they are set back, is the first of the two. One that they never show, as they are
// set forward, is as much later as they are set: 02:30 of a night without the hour from 2 to 3 is 03:30. java.time and
// Temporal's "compatible" have the same rule.
type Zone struct {
	// spans are in order and leave no gap; the first begins before all times, the last ends after them.
	spans []zoneSpan
}

// zoneSpan is a time of one offset.
type zoneSpan struct {
	// offset is how far clocks are ahead of UTC; to is the end by those clocks, from its beginning by them, in ms.
	offset, from, to int64
}

var zones sync.Map // of *Zone by name

// ErrZone is a zone that is not known.
var ErrZone = errors.New("is not a time zone: write a name like Europe/Berlin, an offset like +02:00, or UTC")

// LoadZone returns a zone by its name in the IANA database (Europe/Berlin), an offset (+02:00, -0330), or UTC. What zones
// are is by the machine's own database if there is one, else by the one in the binary. The error is ErrZone.
func LoadZone(name string) (*Zone, error) {
	if z, ok := zones.Load(name); ok {
		return z.(*Zone), nil
	}
	z, err := loadZone(name)
	if err != nil {
		return nil, err
	}
	zones.Store(name, z)
	return z, nil
}

func loadZone(name string) (*Zone, error) {
	bad := fmt.Errorf("%q %w", name, ErrZone)
	if name == "" || name == "Local" || name == "localtime" || name == "Factory" || strings.HasPrefix(name, "posix") || strings.HasPrefix(name, "right/") {
		return nil, bad // of this machine alone, or of none
	}
	if name[0] == '+' || name[0] == '-' {
		offset, n, err := zoneOf([]byte(name))
		if err != nil || n < len(name) {
			return nil, bad
		}
		return &Zone{spans: []zoneSpan{{offset.Milliseconds(), -1 << 62, 1 << 62}}}, nil
	}
	if name == "Z" {
		name = "UTC"
	}
	in, err := time.LoadLocation(name)
	if err != nil {
		return nil, bad
	}
	offset := func(at int64) int64 {
		_, seconds := time.Unix(at, 0).In(in).Zone()
		return int64(seconds)
	}
	// By the day, as ZoneBounds is wrong in a leap year's last day; no zone has changed twice in one since 1970.
	const day = 86_400
	const margin = 3 * day // more than any offset
	z := &Zone{}
	span := zoneSpan{offset: offset(MinTime/1000-margin) * 1000, from: -1 << 62}
	before := span.offset / 1000
	for at := int64(MinTime/1000 - margin); at < MaxTime/1000+margin; at += day {
		after := offset(at + day)
		if before == after {
			continue
		}
		changed := at + 1 + int64(sort.Search(day-1, func(i int) bool { return offset(at+1+int64(i)) != before }))
		span.to = (changed + before) * 1000
		z.spans = append(z.spans, span)
		span = zoneSpan{offset: after * 1000, from: (changed + after) * 1000}
		before = after
	}
	span.to = 1 << 62
	z.spans = append(z.spans, span)
	return z, nil
}

// millis is when clocks of the zone show a time, written as if it were in UTC.
func (z *Zone) millis(wall int64) int64 {
	i := 0
	if len(z.spans) > 1 {
		i = sort.Search(len(z.spans), func(i int) bool { return wall < z.spans[i].to })
	}
	span := &z.spans[i]
	if wall < span.from { // never shown: by the clocks before
		span = &z.spans[i-1]
	}
	return wall - span.offset
}
