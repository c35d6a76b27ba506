package timeindex

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tributary/io/kafkaio/cluster"
	"tributary/io/kafkaio/internal/kafkatest"
	"tributary/io/record"
)

// TestTiersAreBounded: compaction keeps entries near any event time that a job may go back
// to, and their number does not grow.
func TestTiersAreBounded(t *testing.T) {
	p := cluster.Partition{Topic: "t"}
	kept := map[string]Entry{}
	end := int64(60 * 24 * 60) // minutes, of sixty days
	for minute := range end + 1 {
		m := Entry{Partition: p, Position: Position{Offset: minute, Clock: kafkatest.ClockAt(minute * 60_000)}}
		records, err := m.Records("entries")
		require.NoError(t, err)
		for _, r := range records {
			kept[string(r.Key)], err = parse(r)
			require.NoError(t, err)
		}
	}
	require.Len(t, kept, 1024)
	for _, tt := range []struct{ back, within int64 }{{1, 1}, {500, 1}, {600, 60}, {500 * 60, 60}, {60 * 24 * 60, 0}} {
		from, ok := Resume(slices.Collect(maps.Values(kept)), Cuts{}, (end-tt.back)*60_000)[p]
		require.Equal(t, tt.within > 0, ok, "%d minutes back", tt.back)
		require.True(t, !ok || from.Offset >= end-tt.back-1-tt.within, "%d minutes back: %d of %d", tt.back, from.Offset, end)
	}
}

// TestResume: nothing at or after the time is left out, and no more is read than the entries
// allow.
func TestResume(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		log := rapid.SliceOfN(rapid.Int64Range(0, 100), 0, 30).Draw(t, "times")
		p := cluster.Partition{Topic: "t"}
		var entries []Entry
		largest := int64(record.NoTime)
		best := int64(0)
		before := rapid.Int64Range(0, 110).Draw(t, "before")
		for offset, ms := range log {
			if rapid.Bool().Draw(t, "marked") {
				entries = append(entries, Entry{Partition: p, Position: placeAt(int64(offset), largest)})
				if largest < before {
					best = int64(offset)
				}
			}
			largest = max(largest, ms)
		}
		entries = rapid.Permutation(entries).Draw(t, "order")
		from := Resume(entries, Cuts{}, before)[p]
		require.Equal(t, best, from.Offset)
		for offset, ms := range log {
			if ms >= before {
				require.LessOrEqual(t, from.Offset, int64(offset))
			}
		}
	})
}

func TestReadNothing(t *testing.T) {
	b := kafkatest.NewBroker(t)
	found, err := Read(t.Context(), cluster.Config{Brokers: b.Brokers}, b.Topic(1))
	require.NoError(t, err)
	require.Empty(t, found)
	topic := b.Topic(1)
	b.Produce(topic, 0, "no mark")
	_, err = Read(t.Context(), cluster.Config{Brokers: b.Brokers}, topic)
	require.ErrorContains(t, err, "time index in topic "+topic+": ")
	require.ErrorContains(t, err, "read "+topic+"/0@0: an entry of the time index: ")
	_, err = Read(t.Context(), cluster.Config{Brokers: b.Brokers}, "no-such-topic")
	require.ErrorContains(t, err, "time index in topic no-such-topic: ")
}

// placeAt is a place in a log whose records have come to that event time.
func placeAt(offset, ms int64) Position {
	return Position{Offset: offset, Clock: kafkatest.ClockAt(ms)}
}
