package spec

import (
	"fmt"
	"strings"
	"time"

	"tributary/io/record"
)

// ParseTime reads an event time as people write it: what record.ParseTime reads, and that
// without a zone, in UTC, or without a time of day: 2026-01-02T15:04 or 2026-01-02. The
// result is in UTC.
func ParseTime(text string) (time.Time, error) {
	for _, ending := range []string{"", "Z", "T00:00Z"} {
		if t, err := record.ParseTime(strings.TrimSpace(text) + ending); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a time like 2026-01-02 or 2026-01-02T15:04:05Z", text)
}
