package rules

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/io/record"
)

// TestLayoutOf looks at both sides of a change of shards.
func TestLayoutOf(t *testing.T) {
	p := &Params{Bucket: 10, Shards: 5, Earlier: []Layout{{Until: 20, Shards: 3}, {Until: 40, Shards: 7}}, Since: 20}
	for bucket, want := range map[int64]int{-1: 3, 1: 3, 2: 7, 3: 7, 4: 5, 100: 5} {
		require.Equal(t, want, p.ShardsOf(bucket), "bucket %d", bucket)
	}
	require.True(t, p.Joined(1, 4))
	require.False(t, p.Joined(2, 4))
	p.Kept = []Part{{Bucket: 30, Shard: 4}}
	require.True(t, p.Joined(3, 4))
	require.False(t, p.Joined(3, 3))
	require.False(t, p.Joined(4, 4))
	p.Earlier[0].Until = 40
	require.ErrorContains(t, p.Validate(), "earlier shards: must be in order, got until 40 after 40")
	p.Earlier[0].Shards = 0
	require.ErrorContains(t, p.Validate(), "earlier shards: must be positive, got 0")
}

// TestClosedBy looks at both sides of the watermark that closes a bucket.
func TestClosedBy(t *testing.T) {
	p := &Params{Bucket: 10, Kinds: []Kind{{Window: 25}, {Window: 5}}}
	for watermark, want := range map[int64]int64{record.NoTime: -1, 34: -1, 35: 10, 44: 10, 45: 20, 54: 20, 55: 30} {
		require.Equal(t, want, p.ClosedBy(watermark), "watermark %d", watermark)
	}
	p.Until = p.ClosedBy(45)
	require.False(t, p.Open(1))
	require.True(t, p.Open(2))
	p.Until = p.ClosedBy(record.NoTime)
	require.True(t, p.Open(0))
	p.Until = 0
	require.False(t, p.Open(1<<40))
}

// TestEventTimes: every bucket has a window of its own, which closes when its end plus
// the window is reached, rounded up to a whole bucket.
func TestEventTimes(t *testing.T) {
	for _, bucket := range []int64{50, 30, 7, 100, 1000} {
		p := &Params{Bucket: bucket, Kinds: []Kind{{Window: 100}}}
		seen := map[int64]bool{}
		for b := int64(0); b < 20; b++ {
			at := p.EventTime(b)
			window := floorDiv(at, bucket)
			require.False(t, seen[window], "bucket %d of length %d shares a window", b, bucket)
			seen[window] = true
			closing := (b+1)*bucket + p.LongestWindow()
			require.GreaterOrEqual(t, (window+1)*bucket, closing)
			require.Less(t, (window+1)*bucket, closing+bucket)
		}
	}
}
