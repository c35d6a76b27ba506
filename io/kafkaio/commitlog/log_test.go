package commitlog

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
)

// TestLogTakes: records of a shard's commit log, one after another, and those that are none of it.
func TestLogTakes(t *testing.T) {
	l := NewLog()
	take := func(partition int32, key, job string, truncatedBefore int64) error {
		v := Record{Entry: Entry{Version: 2, Records: 3, Digest: 4}, TruncatedBefore: truncatedBefore, Job: job}
		return l.Take(&kgo.Record{Partition: partition, Key: []byte(key), Value: v.Value()}, "own")
	}
	require.NoError(t, take(1, "1/10", "own", 5))
	require.NoError(t, take(1, "1/20", "own", 4))
	require.Equal(t, &Log{
		Entries:         map[int64]Entry{10: {Version: 2, Records: 3, Digest: 4}, 20: {Version: 2, Records: 3, Digest: 4}},
		TruncatedBefore: 5, Through: NoID,
	}, l)
	require.NoError(t, l.Take(&kgo.Record{Partition: 1, Key: []byte("1/10")}, "own"))
	require.Len(t, l.Entries, 1, "it was let go")
	require.ErrorContains(t, take(1, "1/30", "other", 5), `it belongs to job "other", not "own"`)
	require.ErrorContains(t, take(2, "1/30", "own", 5), "record 1/30 lies in partition 2")
	require.ErrorContains(t, take(1, "1-30", "own", 5), `commit log key "1-30"`)
	require.Len(t, l.Entries, 1)
}

func TestPartialEntry(t *testing.T) {
	for _, partial := range []bool{false, true} {
		r := Record{Shard: 1, ID: 7, Entry: Entry{Version: 3, Records: 9, Digest: 11, Partial: partial}, TruncatedBefore: -5, Job: "job"}
		e, truncatedBefore, job, err := ParseValue(r.Value())
		require.NoError(t, err)
		require.Equal(t, r.Entry, e)
		require.Equal(t, int64(-5), truncatedBefore)
		require.Equal(t, "job", job)
	}
	_, _, _, err := ParseValue([]byte{3, 0})
	require.ErrorContains(t, err, "want schema 1 or 2")
}

// TestCorrected: of what a run does not write, the versions above the first; nothing of what it writes again, or may write.
func TestCorrected(t *testing.T) {
	l := NewLog()
	l.Header, l.TruncatedBefore = &Header{Corrected: map[int64]int32{5: 2, 10: 2, 15: 3}}, 10
	l.Entries = map[int64]Entry{
		10: {Version: 3}, 11: {Version: 1}, 12: {Version: 2, Partial: true}, 18: {Version: 2}, 20: {Version: 2}, 30: {Version: 4}, 40: {Version: 1},
	}
	want := map[int32]map[int64]int32{1: {10: 3, 15: 3, 18: 2, 30: 4}}
	require.Equal(t, want, Corrected([]*Log{NewLog(), l}, 20, map[int32][]int64{1: {30, 40}}))
}

// TestKeepParts: what is written in part does not stay, and what stayed once does so under any meaning.
func TestKeepParts(t *testing.T) {
	l := NewLog()
	l.Header = &Header{Kept: []int64{30}}
	l.Entries[20], l.Entries[40], l.Entries[50] = Entry{Version: 1}, Entry{Version: 1, Partial: true}, Entry{Version: 1}
	require.Equal(t, map[int32][]int64{1: {20, 30, 50}}, keepParts([]*Log{NewLog(), l}, 20, true))
	require.Equal(t, map[int32][]int64{1: {30}}, keepParts([]*Log{NewLog(), l}, 20, false))
	require.Empty(t, keepParts([]*Log{NewLog(), l}, 31, false))
}
