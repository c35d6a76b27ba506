package fileio

import (
	"strconv"
	"strings"
	"time"
)

// Dated reads the time a dated folder stands for out of a path: dt=, date= or
// day=YYYY-MM-DD, and perhaps hour=HH (or H) below it. The time is [from, to), in UTC;
// ok is false for a path that has no date, or one that does not exist. The folders
// claim what is in them, they don't prove it: clocks differ, so allow for a margin.
func Dated(path string) (from, to time.Time, ok bool) {
	for part := range strings.SplitSeq(path, "/") {
		key, value, isPair := strings.Cut(part, "=")
		if !isPair {
			continue
		}
		switch strings.ToLower(key) {
		case "dt", "date", "day":
			day, err := time.Parse(time.DateOnly, value)
			if err != nil || ok {
				continue
			}
			from, to, ok = day, day.AddDate(0, 0, 1), true
		case "hour":
			hour, err := strconv.ParseUint(value, 10, 8)
			if err != nil || len(value) > 2 || hour > 23 || !ok {
				continue
			}
			from = from.Add(time.Duration(hour) * time.Hour)
			return from, from.Add(time.Hour), true
		}
	}
	return from, to, ok
}
