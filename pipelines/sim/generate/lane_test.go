package generate

import (
	"cmp"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// written returns the numbers of the views whose records a lane wrote.
func written(drop bool, chunks ...[]rec) (views []int64) {
	l := newLane(drop, 0, func(r *rec) error {
		views = append(views, r.view)
		return nil
	})
	for number, records := range chunks {
		end := int64(math.MaxInt64)
		for _, later := range chunks[number+1:] {
			for _, r := range later {
				end = min(end, r.arrival)
			}
		}
		_ = l.add(number, records, end)
	}
	_ = l.finish()
	return views
}

func TestLaneMergesByArrivalThenChunk(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		chunks := make([][]rec, rapid.IntRange(1, 6).Draw(t, "chunks"))
		var all []rec
		for i := range chunks {
			arrivals := rapid.SliceOf(rapid.Int64Range(int64(i), int64(i)+5)).Draw(t, "arrivals")
			for _, at := range slices.Sorted(slices.Values(arrivals)) {
				r := rec{arrival: at, time: at, view: int64(len(all))}
				chunks[i] = append(chunks[i], r)
				all = append(all, r)
			}
		}
		slices.SortStableFunc(all, func(a, b rec) int { return cmp.Compare(a.arrival, b.arrival) })
		var want []int64
		for _, r := range all {
			want = append(want, r.view)
		}
		require.Equal(t, want, written(false, chunks...))
	})
}

func TestLaneHoldsRecordsUntilTheirTime(t *testing.T) {
	log := []rec{
		{arrival: 10, time: 10, view: 1},
		{arrival: 15, time: 2, view: 2, held: true},
		{arrival: 16, time: 15, view: 3, kind: 1},          // another kind does not release it,
		{arrival: 17, time: 20, view: 4, fault: faultNoID}, // nor what nobody can read,
		{arrival: 18, time: 14, view: 5},                   // nor what has not got there.
		{arrival: 19, time: 15, view: 6},                   // This does.
		{arrival: 30, time: 3, view: 7, held: true},        // The log ends before it.
		{arrival: 31, time: 29, view: 8},
	}
	assert.Equal(t, []int64{1, 3, 4, 5, 6, 2, 8}, written(true, log))
	assert.Equal(t, []int64{1, 3, 4, 5, 6, 2, 8, 7}, written(false, log))
}

func TestTruthIsInOrderThoughTimesAreTheSame(t *testing.T) {
	c := Default()
	// Chunks end in the middle of a millisecond.
	c.Views, c.Duration = 3*chunkViews, 4*time.Millisecond
	_, samples, _, err := Events(c)
	require.NoError(t, err)
	require.True(t, slices.IsSortedFunc(samples, func(a, b Sample) int {
		return cmp.Or(cmp.Compare(a.ViewTime, b.ViewTime), cmp.Compare(a.ViewID, b.ViewID))
	}))
}
