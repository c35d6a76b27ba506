package record

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestClock holds it against its definition: of all event times so far, the first counted
// twice, the two largest.
func TestClock(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		log := rapid.SliceOf(rapid.OneOf(rapid.Int64Range(0, 50), rapid.Just(int64(NoTime)))).Draw(t, "log")
		leap := rapid.Int64Range(0, 20).Draw(t, "leap")
		clock, reached := NoClock, int64(NoTime)
		var times []int64
		for _, ms := range log {
			clock.Add(ms)
			if ms != NoTime {
				if len(times) == 0 {
					times = append(times, ms)
				}
				times = append(times, ms)
			}
			slices.Sort(times)
			if n := len(times); n == 0 {
				require.Equal(t, NoClock, clock)
			} else {
				require.Equal(t, Clock{times[n-1], times[n-2]}, clock)
			}
			require.GreaterOrEqual(t, clock.Time(leap), reached, "it never goes back")
			reached = clock.Time(leap)
			require.Equal(t, clock.Largest, clock.Time(0))
		}
		// Piece by piece it is the same.
		whole := NoClock
		for rest := log; len(rest) > 0; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "piece")
			piece := NoRangeClock
			for _, ms := range rest[:n] {
				piece.Add(ms)
			}
			whole.Append(piece)
			rest = rest[n:]
		}
		require.Equal(t, clock, whole)
	})
}

// TestOneRecordAhead: what one record says of the future is not believed until another says so.
func TestOneRecordAhead(t *testing.T) {
	clock := NoClock
	for _, step := range []struct{ time, want int64 }{
		{100, 100}, {900, 100}, {105, 105}, {104, 105}, {890, 900}, {NoTime, 900}, {910, 910}, {911, 911}, {2000, 911}, {2001, 2001},
	} {
		clock.Add(step.time)
		require.Equal(t, step.want, clock.Time(10), "after %d", step.time)
	}
}
