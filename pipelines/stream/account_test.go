package stream

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tributary/io/kafkaio"
	"tributary/pipelines/spec"
	"tributary/transforms/ledger"
)

func stretchOf(first, last int64) *account {
	l := ledger.New()
	l.Views.Read = last - first + 1
	return &account{Step: steps[ledger.Read], Role: viewsRole, Partition: &kafkaio.Partition{Topic: "views"}, First: first, Last: last, Ledger: l}
}

// TestAccountsCountEachRecordOnce reads a log as a job does that goes back again and again
// to where a stretch of the attempt before had ended, and cuts the log elsewhere each time.
func TestAccountsCountEachRecordOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var all accounts
		boundaries := []int64{0}
		end := int64(0)
		for range rapid.IntRange(1, 6).Draw(t, "attempts") {
			from := rapid.IntRange(0, len(boundaries)-1).Draw(t, "from")
			boundaries = boundaries[:from+1]
			at := boundaries[from]
			// It gets as far as the one before, at least: accounts are complete only then.
			for steps := rapid.IntRange(1, 9).Draw(t, "stretches"); steps > 0 || at < end; steps-- {
				next := at + rapid.Int64Range(1, 20).Draw(t, "length")
				all.add(stretchOf(at, next-1))
				at = next
				boundaries = append(boundaries, at)
			}
			end = at
		}
		total := all.sum(&spec.Spec{})
		require.Equal(t, end, total.Views.Read)
		require.Equal(t, end, total.Views.Open, "nothing was joined")
		require.NoError(t, total.Check())
	})
}

func joinedOf(bucket, shard, shards, samples int64) *account {
	l := ledger.New()
	l.Views.Samples = samples
	l.Timeline[bucket] = &ledger.Interval{Samples: samples}
	return &account{Step: steps[ledger.Joined], Bucket: bucket, Shard: shard, Shards: shards, Ledger: l}
}

func TestAccountsOfBuckets(t *testing.T) {
	var all accounts
	all.add(stretchOf(0, 99))
	for _, a := range []*account{
		joinedOf(0, 0, 2, 10), joinedOf(0, 1, 2, 11),
		joinedOf(0, 1, 2, 11),     // once more after a restart
		joinedOf(60_000, 0, 2, 5), // the other shard's never came: a job with three shards went on
		joinedOf(60_000, 0, 3, 3), joinedOf(60_000, 1, 3, 4), joinedOf(60_000, 2, 3, 5),
	} {
		all.add(a)
	}
	total := all.sum(&spec.Spec{Bucket: 60_000_000_000})
	require.Equal(t, int64(33), total.Views.Samples)
	require.Equal(t, int64(67), total.Views.Open)
	require.Equal(t, [2]int64{0, 120_000}, [2]int64{total.From, total.To})
}
