package bucket

import (
	"bytes"
	"cmp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestSortTimes sorts as the standard library does, times of any size, for few keys and for many.
func TestSortTimes(t *testing.T) {
	var room []uint64 // of the sort before
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.SampledFrom([]int{0, 1, fewKeys - 1, fewKeys, 5000}).Draw(t, "keys")
		most := rapid.SampledFrom([]uint64{0, 1, digits - 1, digits, 300_000, 1<<32 - 1}).Draw(t, "most")
		seed := rapid.Uint64().Draw(t, "seed")
		keys := make([]uint64, n)
		for i := range keys {
			seed = seed*6364136223846793005 + 1442695040888963407
			keys[i] = (seed>>20)%(most+1)<<32 | uint64(i)
		}
		want := slices.Clone(keys)
		slices.Sort(want)
		var got []uint64
		got, room = sortTimes(keys, room)
		require.Equal(t, want, got)
	})
}

// TestSortViews sorts views in full, whatever time they span: from one millisecond to more than two thousand years.
func TestSortViews(t *testing.T) {
	var j Joiner // with the room of the sort before
	rapid.Check(t, func(t *rapid.T) {
		spans := rapid.SampledFrom([]int64{0, 1, 1<<32 - 1, 1 << 32, 1<<33 + 1, 1 << 46}).Draw(t, "span")
		start := rapid.SampledFrom([]int64{-1 << 46, -5, 1_767_225_600_000}).Draw(t, "start")
		near := rapid.Custom(func(t *rapid.T) View {
			at := rapid.OneOf(rapid.Int64Range(0, spans), rapid.Int64Range(0, min(spans, 4)), rapid.Int64Range(max(0, spans-4), spans)).Draw(t, "time")
			return View{Time: start + at, ID: []byte(rapid.SampledFrom([]string{"a", "b", ""}).Draw(t, "id")), Partition: rapid.Int32Range(0, 1).Draw(t, "partition")}
		})
		views := rapid.SliceOfN(near, 0, 40).Draw(t, "views")
		want := make([]int32, len(views))
		for i := range views {
			views[i].Offset, want[i] = int64(i), int32(i)
		}
		slices.SortFunc(want, func(x, y int32) int {
			v, w := &views[x], &views[y]
			return cmp.Or(cmp.Compare(v.Time, w.Time), bytes.Compare(v.ID, w.ID), v.compareLog(w))
		})
		j.sortViews(views)
		got := make([]int32, len(j.order))
		for i, one := range j.order {
			require.Equal(t, views[one.index].Time, one.time)
			got[i] = one.index
		}
		require.Equal(t, want, got)
	})
}
