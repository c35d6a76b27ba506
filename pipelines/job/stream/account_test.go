package stream

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	"pgregory.net/rapid"

	"tributary/io/kafkaio/cluster"
	"tributary/io/kafkaio/timeindex"
	"tributary/io/record"
	"tributary/pipelines/spec"
	"tributary/transforms/account"
)

// put adds the account of a ledger, as the topic has it.
func (all *accounts) put(t require.TestingT, a counted, l *account.Sheet) {
	text, err := l.MarshalJSON()
	require.NoError(t, err)
	a.Sheet = text
	value, err := json.Marshal(&a)
	require.NoError(t, err)
	require.NoError(t, all.take(&kgo.Record{Key: []byte(a.key()), Value: value}))
}

func (all *accounts) total(t require.TestingT, bucket time.Duration) *account.Sheet {
	total, err := all.sum(&spec.Spec{Bucket: bucket})
	require.NoError(t, err)
	return total
}

func stretchOf(first, last int64) (counted, *account.Sheet) {
	l := account.New()
	l.Views.N[account.Read] = last - first + 1
	return counted{Step: steps[account.StepRead], Role: viewsRole, Partition: &cluster.Partition{Topic: "views"}, First: first, Last: last}, l
}

// TestAccountsCountEachRecordOnce reads a log as a job does that goes back again and again
// to where an offset range of the attempt before had ended, and cuts the log elsewhere each time.
func TestAccountsCountEachRecordOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := newAccounts()
		boundaries := []int64{0}
		end := int64(0)
		for range rapid.IntRange(1, 6).Draw(t, "attempts") {
			from := rapid.IntRange(0, len(boundaries)-1).Draw(t, "from")
			boundaries = boundaries[:from+1]
			at := boundaries[from]
			// It gets as far as the one before, at least: accounts are complete only then.
			for steps := rapid.IntRange(1, 9).Draw(t, "offset ranges"); steps > 0 || at < end; steps-- {
				next := at + rapid.Int64Range(1, 20).Draw(t, "length")
				a, l := stretchOf(at, next-1)
				all.put(t, a, l)
				at = next
				boundaries = append(boundaries, at)
			}
			end = at
		}
		total := all.total(t, 0)
		require.Equal(t, end, total.Views.N[account.Read])
		require.Equal(t, end, total.Views.N[account.Open], "nothing was joined")
		require.NoError(t, total.Check())
	})
}

// TestCutsLeaveNothingOut: wherever a job goes on from, by cuts, by entries of the time index anywhere in
// the log, after attempts that ended anywhere and idle partitions, all it reads is accounted for once.
func TestCutsLeaveNothingOut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		topic := accountsTopic{t: t}
		p := cluster.Partition{Topic: "views"}
		var entries []timeindex.Entry
		note := func(offset int64) {
			entries = append(entries, timeindex.Entry{Partition: p, Position: timeindex.Position{Offset: offset, Clock: record.Clock{Largest: offset, Second: offset}}})
		}
		at := int64(0)
		attempt := func(upTo int64) {
			for at < upTo {
				next := at + rapid.Int64Range(1, 20).Draw(t, "length")
				a, l := stretchOf(at, next-1)
				clock := at
				a.MaxTimeMs, a.SecondTimeMs, a.AfterIdle = &clock, &clock, rapid.Bool().Draw(t, "idle")
				topic.put(a, l)
				// Entries are about the log: readers note them wherever they are.
				note(rapid.Int64Range(at, next).Draw(t, "noted"))
				at = next
			}
			note(at + rapid.Int64Range(0, 9).Draw(t, "read and not accounted for"))
		}
		attempts := rapid.IntRange(1, 6).Draw(t, "attempts")
		reached := int64(0)
		for i := range attempts {
			upTo := at + rapid.Int64Range(1, 60).Draw(t, "records")
			if i == attempts-1 {
				upTo = max(upTo, reached) // accounts are complete only then
			}
			attempt(upTo)
			reached = max(reached, at)
			if i == attempts-1 {
				break
			}
			before := rapid.Int64Range(0, reached+20).Draw(t, "before")
			at = timeindex.Resume(entries, readAll(t, topic.records).cuts(), before)[p].Offset
		}
		total := readAll(t, topic.records).total(t, 0)
		require.Equal(t, at, total.Views.N[account.Read])
	})
}

func joinedOf(bucket, shard, shards, samples int64) (counted, *account.Sheet) {
	l := account.New()
	l.Views.N[account.Samples] = samples
	l.Timeline[bucket] = &account.Interval{Samples: samples}
	return counted{Step: steps[account.StepJoined], Bucket: bucket, Shard: shard, Shards: shards}, l
}

func TestAccountsOfBuckets(t *testing.T) {
	all := newAccounts()
	a, l := stretchOf(0, 99)
	all.put(t, a, l)
	for _, part := range [][4]int64{
		{0, 0, 2, 10},
		{0, 1, 2, 11},
		{0, 1, 2, 11},     // once more after a restart
		{60_000, 0, 2, 5}, // the other shard's never came: a job with three shards went on
		{60_000, 0, 3, 3},
		{60_000, 1, 3, 4},
		{60_000, 2, 3, 5},
	} {
		a, l := joinedOf(part[0], part[1], part[2], part[3])
		all.put(t, a, l)
	}
	total := all.total(t, time.Minute)
	require.Equal(t, int64(33), total.Views.N[account.Samples])
	require.Equal(t, int64(67), total.Views.N[account.Open])
	require.Equal(t, [2]int64{0, 120_000}, [2]int64{total.From, total.To})
}
