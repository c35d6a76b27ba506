package kafkaio

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPace(t *testing.T) {
	const beat = 100 * time.Millisecond
	var p pace
	now := time.Unix(1_700_000_000, 0)
	// calls gives how many beats lie between calls after each of some, which begin late by so much.
	calls := func(n int, late time.Duration, some, behind bool) (beats []int) {
		for range n {
			now = now.Add(late)
			p.begins(now, beat)
			p.called(some, behind)
			beats = append(beats, int(p.between(beat)/beat))
			now = p.next(now, beat)
		}
		return beats
	}
	require.Equal(t, []int{1, 1, 1}, calls(3, 0, true, false), "what comes in is read at every beat")
	require.Equal(t, []int{2, 4, 8, 8}, calls(4, 0, true, true), "what was left is read in longer calls")
	require.Equal(t, []int{4, 2, 1, 1}, calls(4, 0, true, false), "until nothing is left")
	require.Equal(t, []int{2, 1}, calls(2, 60*time.Millisecond, true, false), "a runner that is busy is not called as often")
	require.Equal(t, []int{1}, calls(1, 40*time.Millisecond, true, false))
	require.Equal(t, []int{1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2}, calls(11, 0, false, false), "where nothing comes, it is looked for more rarely")
	require.Equal(t, []int{1}, calls(1, 0, true, false), "until something comes")
	require.Equal(t, 8, calls(100, 0, false, false)[99])
}

// TestDue: calls are due at multiples of the time between them, and never at once.
func TestDue(t *testing.T) {
	second := time.Unix(1_700_000_000, 0)
	for _, tt := range []struct {
		load       int
		after, due time.Duration
	}{
		{0, 0, 200 * time.Millisecond},
		{0, 50 * time.Millisecond, 200 * time.Millisecond},
		{0, 174 * time.Millisecond, 200 * time.Millisecond},
		{0, 176 * time.Millisecond, 400 * time.Millisecond},
		{2, 50 * time.Millisecond, 800 * time.Millisecond},
		{2, 750 * time.Millisecond, 1600 * time.Millisecond},
	} {
		p := pace{load: tt.load}
		require.Equal(t, tt.due, p.next(second.Add(tt.after), defaultBeat).Sub(second), "load %d, %s", tt.load, tt.after)
	}
}
