package kafkatest

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tributary/io/record"
)

// At is a record with that event time.
func At(ms int64, more ...any) string {
	return fmt.Sprintf(`{"t":%d,"x":%q}`, ms, fmt.Sprint(more...))
}

// Read is a record as it came, with the largest event time before it that its batch tells.
type Read struct {
	Partition int32
	Offset    int64
	Before    int64
	Value     string
	Schema    uint64
}

// Records takes batches apart.
func Records(t require.TestingT, batches []record.Batch) []Read {
	var all []Read
	for _, b := range batches {
		before, rest := b.MaxTime, b.Records
		for range b.Count {
			distance, record, after, err := record.NextFramed(rest)
			require.NoError(t, err)
			all = append(all, Read{b.Partition, b.Offset + distance, before, string(record), b.Schema})
			before, rest = max(before, TimeIn(string(record))), after
		}
		require.Empty(t, rest)
	}
	return all
}

// TimeIn reads the event time of a test's record the simple way.
func TimeIn(value string) int64 {
	var ms int64
	if _, err := fmt.Sscanf(value, `{"t":%d,`, &ms); err != nil {
		return record.NoTime
	}
	return ms
}

// LogOf is what a plain consumer reads from topics, with the largest event time before each
// record: what the source has to say.
func LogOf(b *Broker, topics ...string) []Read {
	b.T.Helper()
	slices.Sort(topics)
	var want []Read
	ends, err := b.Admin.ListEndOffsets(b.T.Context(), topics...)
	require.NoError(b.T, err)
	for rank, topic := range topics {
		for p := range int32(len(ends[topic])) {
			before := int64(record.NoTime)
			for _, r := range b.Consume(topic, p, ends[topic][p].Offset) {
				want = append(want, Read{int32(rank)<<20 | p, r.Offset, before, string(r.Value), 0})
				before = max(before, TimeIn(string(r.Value)))
			}
		}
	}
	return want
}

// Sorted brings records in order of partitions and offsets.
func Sorted(all []Read) []Read {
	slices.SortStableFunc(all, func(a, b Read) int {
		return cmp.Or(cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Offset, b.Offset))
	})
	return all
}

// ClockAt is the clock of a partition whose records have come to that event time.
func ClockAt(ms int64) record.Clock {
	c := record.NoClock
	c.Add(ms)
	return c
}

// Disorder makes n records whose event times go back now and then.
func Disorder(seed, n int) []string {
	times := rapid.Custom(func(t *rapid.T) []string {
		var out []string
		for i := range n {
			ms := int64(1_000+i*3) - rapid.Int64Range(0, 40).Draw(t, "back")
			if rapid.IntRange(0, 30).Draw(t, "kind") == 0 {
				out = append(out, `{"no":"time"}`)
				continue
			}
			out = append(out, At(ms, seed, i))
		}
		return out
	})
	return times.Example(seed)
}
