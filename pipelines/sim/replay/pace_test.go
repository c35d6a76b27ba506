package replay

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/io/record"
)

func TestPace(t *testing.T) {
	for _, test := range []struct {
		name  string
		speed float64
		times []int64
		want  []time.Duration // after the start, when each record is sent
	}{
		{"as fast as can be", 0, []int64{1000, 61_000}, []time.Duration{0, 0}},
		{"with the clock", 1, []int64{1000, 3000, 3500}, []time.Duration{0, 2 * time.Second, 2500 * time.Millisecond}},
		{"sixty times faster", 60, []int64{61_000, 121_000}, []time.Duration{time.Second, 2 * time.Second}},
		{"what is late waits for what came before", 1, []int64{5000, 1000, 4000, 6000}, []time.Duration{4 * time.Second, 4 * time.Second, 4 * time.Second, 5 * time.Second}},
		{"without a time", 1, []int64{2000, record.NoTime, 3000}, []time.Duration{time.Second, time.Second, 2 * time.Second}},
		{"before the clock's start", 1, []int64{0, 2000}, []time.Duration{0, time.Second}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				p := newPace(test.speed, 1000).partition()
				for i, at := range test.times {
					require.NoError(t, p.wait(t.Context(), at))
					require.Equal(t, test.want[i], time.Since(began), "record %d at %d", i, at)
				}
			})
		})
	}
}

func TestPaceEndsWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		p := newPace(1, 0).partition()
		require.ErrorIs(t, p.wait(ctx, time.Hour.Milliseconds()), context.DeadlineExceeded)
	})
}
