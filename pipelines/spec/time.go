package spec

import (
	"fmt"
	"time"
)

// timeForms are the ways to write a time on the command line. All but the first are UTC.
var timeForms = []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateOnly}

// ParseTime reads an event time as people write it: RFC 3339, or a shorter form of it in
// UTC, 2026-01-02T15:04 or 2026-01-02. The result is in UTC.
func ParseTime(text string) (time.Time, error) {
	for _, form := range timeForms {
		if t, err := time.Parse(form, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a time like 2026-01-02 or 2026-01-02T15:04:05Z", text)
}
