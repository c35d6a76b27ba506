package spec

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseTime(t *testing.T) {
	at := time.Date(2026, time.January, 2, 15, 4, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"2026-01-02T15:04:00Z":      at,
		"2026-01-02T16:04:00+01:00": at,
		"2026-01-02T15:04:00.25Z":   at.Add(250 * time.Millisecond),
		"2026-01-02T15:04:00":       at,
		"2026-01-02T15:04":          at,
		"2026-01-02":                at.Truncate(24 * time.Hour),
		"2026-01-02 15:04:00 UTC":   at,
		"2026-01-02 15:04":          at,
		"2026-01-02t15:04:00.5z":    at.Add(500 * time.Millisecond),
	} {
		got, err := ParseTime(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "today", "1767366240", "20260102T", "2026-1-2", "2026-01-32", "15:04"} {
		_, err := ParseTime(text)
		require.ErrorContains(t, err, "is not a time like", text)
	}
}
