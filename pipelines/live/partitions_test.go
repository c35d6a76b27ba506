package live

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/twmb/franz-go/pkg/kerr"
)

func TestIdle(t *testing.T) {
	now := time.Now()
	for _, tt := range []struct {
		name  string
		p     position
		after time.Duration
		want  bool
	}{
		{"all read, long ago", position{next: 10, end: 10, noted: now.Add(-time.Minute)}, time.Minute, true},
		{"all read but a marker", position{next: 9, end: 10, noted: now.Add(-time.Minute)}, time.Minute, true},
		{"not all read", position{next: 8, end: 10, noted: now.Add(-time.Hour)}, time.Minute, false},
		{"just read", position{next: 10, end: 10, noted: now.Add(-time.Second)}, time.Minute, false},
		{"never idle", position{next: 10, end: 10, noted: now.Add(-time.Hour)}, 0, false},
		{"without a leader", position{next: 10, end: 10, noted: now.Add(-time.Hour), failed: kerr.LeaderNotAvailable}, time.Minute, false},
		{"empty", position{}, time.Minute, true},
		{"all gone by retention", position{start: 50, end: 50}, time.Minute, true},
	} {
		assert.Equal(t, tt.want, tt.p.idle(now, tt.after), tt.name)
	}
}
