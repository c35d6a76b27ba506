package bucket

import (
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
