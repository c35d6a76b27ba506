package kafkaio

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tributary/io/kafkaio/cluster"
	"tributary/io/kafkaio/internal/kafkatest"
	"tributary/io/record"
)

// at is a record with that event time.
func at(ms int64, more ...any) string {
	return fmt.Sprintf(`{"t":%d,"x":%q}`, ms, fmt.Sprint(more...))
}

var jobsMade atomic.Int64

// readingOf is the reading of topics of JSON, in one reader, from the start to the present end.
func readingOf(b *kafkatest.Broker, topics ...string) Reading {
	r := Reading{
		Job: fmt.Sprint(b.T.Name(), jobsMade.Add(1)), Clusters: []cluster.Config{{Brokers: b.Brokers}}, Readers: 1, OutOfOrderness: 10 * time.Millisecond,
		SliceTime: 2 * time.Second, Rest: time.Millisecond, Stop: Stop{At: StopAtEnd},
	}
	for _, name := range topics {
		r.Topics = append(r.Topics, Topic{Name: name, Format: JSON, Time: Field{Path: "t", Unit: record.UnitEpochMs}, Inputs: []int32{0}})
	}
	return r
}

// session is one reader's reading, as a runner drives it.
type session struct {
	t       testing.TB
	reading Reading
	index   int
	reader  *reader
	at      restriction

	batches    []record.Batch
	times      []int64 // of batches
	rejected   []record.Rejected
	watermarks []int64
	truncated  int64
	// count, if set, is given batches instead of keeping them.
	count   func(record.Batch)
	counted int64
	// claims is after how many claims the runner takes the rest away; it then goes on.
	claims int
}

func newSession(t testing.TB, r Reading, index int) *session {
	t.Helper()
	require.NoError(t, r.Validate())
	s := &session{t: t, reading: r.normal(), index: index, claims: math.MaxInt}
	var err error
	s.at, err = s.reading.initial(t.Context(), index)
	require.NoError(t, err)
	s.restart()
	t.Cleanup(func() { s.reader.close() })
	return s
}

// restart goes on with another reader that knows nothing but the restriction, as encoded.
func (s *session) restart() {
	s.t.Helper()
	if s.reader != nil {
		s.reader.close()
	}
	var err error
	s.reader, err = newReader(s.t.Context(), s.reading, s.index)
	require.NoError(s.t, err)
	s.at, err = decodeRestriction(encodeRestriction(s.at))
	require.NoError(s.t, err)
}

// slice makes one call.
func (s *session) slice() error {
	tracked, claims := newTracker(s.at), 0
	s.reader.stats = stats{}
	watermark, err := s.reader.slice(s.t.Context(), s.at, time.Now().Add(s.reading.SliceTime), output{
		claim: func(c claim) bool {
			if claims++; claims > s.claims {
				_, _, err := tracked.TrySplit(0)
				require.NoError(s.t, err)
			}
			return tracked.TryClaim(c)
		},
		batch: func(at int64, b record.Batch) {
			if s.counted += int64(b.Count); s.count != nil {
				s.count(b)
				return
			}
			s.batches, s.times = append(s.batches, b), append(s.times, at)
		},
		reject: func(_ int64, r record.Rejected) { s.rejected = append(s.rejected, r) },
	})
	s.truncated += s.reader.stats.truncated
	if err == nil {
		s.watermarks = append(s.watermarks, watermark)
	}
	s.at = tracked.at
	return err
}

// finish makes calls until all is read.
func (s *session) finish() {
	s.t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !s.at.done() {
		if err := s.slice(); err != nil {
			require.ErrorIs(s.t, err, errHandedOver)
			s.restart()
		}
		require.True(s.t, time.Now().Before(deadline), "stuck at %+v", s.at)
	}
}

// until makes calls until the condition holds.
func (s *session) until(condition func() bool) {
	s.t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !condition() {
		require.NoError(s.t, s.slice())
		require.True(s.t, time.Now().Before(deadline), "stuck at %+v", s.at)
	}
}

// read is a record as it came, with the largest event time before it that its batch tells.
type read struct {
	Partition int32
	Offset    int64
	Before    int64
	Value     string
	Schema    uint64
}

// records takes batches apart.
func records(t require.TestingT, batches []record.Batch) []read {
	var all []read
	for _, b := range batches {
		before, rest := b.MaxTime, b.Records
		for range b.Count {
			distance, record, after, err := record.NextFramed(rest)
			require.NoError(t, err)
			all = append(all, read{b.Partition, b.Offset + distance, before, string(record), b.Schema})
			before, rest = max(before, timeIn(string(record))), after
		}
		require.Empty(t, rest)
	}
	return all
}

// timeIn reads the event time of a test's record the simple way.
func timeIn(value string) int64 {
	var ms int64
	if _, err := fmt.Sscanf(value, `{"t":%d,`, &ms); err != nil {
		return record.NoTime
	}
	return ms
}

// logOf is what a plain consumer reads from topics, with the largest event time before each
// record: what the source has to say.
func logOf(b *kafkatest.Broker, topics ...string) []read {
	b.T.Helper()
	slices.Sort(topics)
	var want []read
	ends, err := b.Admin.ListEndOffsets(b.T.Context(), topics...)
	require.NoError(b.T, err)
	for rank, topic := range topics {
		for p := range int32(len(ends[topic])) {
			before := int64(record.NoTime)
			for _, r := range b.Consume(topic, p, ends[topic][p].Offset) {
				want = append(want, read{int32(rank)<<rankBits | p, r.Offset, before, string(r.Value), 0})
				before = max(before, timeIn(string(r.Value)))
			}
		}
	}
	return want
}

func sorted(all []read) []read {
	slices.SortStableFunc(all, func(a, b read) int {
		return cmp.Or(cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Offset, b.Offset))
	})
	return all
}

// clockAt is the clock of a partition whose records have come to that event time.
func clockAt(ms int64) record.Clock {
	c := record.NoClock
	c.Add(ms)
	return c
}

// positionAt is a place in a log whose records have come to that event time.
func positionAt(offset, ms int64) Position { return Position{Offset: offset, Clock: clockAt(ms)} }

// disorder makes n records whose event times go back now and then.
func disorder(seed, n int) []string {
	times := rapid.Custom(func(t *rapid.T) []string {
		var out []string
		for i := range n {
			ms := int64(1_000+i*3) - rapid.Int64Range(0, 40).Draw(t, "back")
			if rapid.IntRange(0, 30).Draw(t, "kind") == 0 {
				out = append(out, `{"no":"time"}`)
				continue
			}
			out = append(out, at(ms, seed, i))
		}
		return out
	})
	return times.Example(seed)
}
