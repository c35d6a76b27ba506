package rules

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestKeepsNests: what a rate keeps every higher rate keeps, and shards have no say in it.
func TestKeepsNests(t *testing.T) {
	perShard := make([]int, 8)
	for i := range 20_000 {
		h := HashID([]byte(strconv.Itoa(i)))
		if Keeps(h, 0.1) {
			require.True(t, Keeps(h, 0.2))
			perShard[h%8]++
		}
		require.True(t, Keeps(h, 1))
	}
	for _, n := range perShard {
		require.InDelta(t, 250, n, 65)
	}
}
