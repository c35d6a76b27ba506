package account

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestCoarsen: a timeline that is coarsened now and then while it grows ends as one that was
// coarsened once, with the same counts.
func TestCoarsen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bucket := rapid.SampledFrom([]int64{1, 7, 60_000}).Draw(t, "bucket")
		often, once := New(), New()
		at, samples := rapid.Int64Range(0, 1_000_000).Draw(t, "first"), int64(0)
		for range rapid.IntRange(1, 20).Draw(t, "times") {
			gap := rapid.SampledFrom([]int64{1, 1, 1, 3, 900}).Draw(t, "gap")
			for range rapid.IntRange(0, 500).Draw(t, "buckets") {
				at += gap
				for _, l := range []*Sheet{often, once} {
					l.Merge(&Sheet{Timeline: map[int64]*Interval{at * bucket: {Samples: at, Positives: map[string]int64{"like": 1}}}})
				}
				samples += at
			}
			often.Coarsen(bucket)
		}
		once.Coarsen(bucket)
		require.Equal(t, once.Timeline, often.Timeline)
		sum, positives := int64(0), int64(0)
		for _, i := range once.Timeline {
			sum, positives = sum+i.Samples, positives+i.Positives["like"]
		}
		require.Equal(t, samples, sum)
	})
}

// TestCoarsenBounds: ten years of minutes, all of them, are a few thousand pieces, the newest ones
// still minutes.
func TestCoarsenBounds(t *testing.T) {
	const minute, minutes = 60_000, 10 * 365 * 24 * 60
	l := New()
	for i := range int64(minutes) {
		l.Timeline[i*minute] = &Interval{Samples: 1}
		if len(l.Timeline) == 20_000 {
			l.Coarsen(minute)
		}
	}
	l.Coarsen(minute)
	require.Less(t, len(l.Timeline), 1000+14*500)
	require.Greater(t, len(l.Timeline), 1000+10*500)
	for i := range int64(1000) {
		require.EqualValues(t, 1, l.Timeline[(minutes-1-i)*minute].Samples)
	}
	require.Contains(t, l.Timeline, int64(0), "it begins where it did")
	most := int64(0)
	for _, i := range l.Timeline {
		most = max(most, i.Samples)
	}
	require.EqualValues(t, 8192, most)
}
