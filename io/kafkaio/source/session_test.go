package source

import (
	"fmt"
	"math"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/io/kafkaio/cluster"
	"tributary/io/kafkaio/internal/kafkatest"
	"tributary/io/kafkaio/timeindex"
	"tributary/io/record"
)

var jobsMade atomic.Int64

// readingOf is the reading of topics of JSON, in one reader, from the start to the present end.
func readingOf(b *kafkatest.Broker, topics ...string) Config {
	r := Config{
		Job: fmt.Sprint(b.T.Name(), jobsMade.Add(1)), Clusters: []cluster.Config{{Brokers: b.Brokers}}, Readers: 1, OutOfOrderness: 10 * time.Millisecond,
		PollBudget: 2 * time.Second, Rest: time.Millisecond, Stop: Stop{At: StopAtEnd},
	}
	for _, name := range topics {
		r.Topics = append(r.Topics, Topic{Name: name, Format: JSON, Time: Field{Path: "t", Unit: record.UnitEpochMs}, Inputs: []int32{0}})
	}
	return r
}

// session is one reader's reading, as a runner drives it.
type session struct {
	t      testing.TB
	config Config
	index  int
	reader *Reader
	at     Restriction

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

func newSession(t testing.TB, r Config, index int) *session {
	t.Helper()
	require.NoError(t, r.Validate())
	s := &session{t: t, config: r.Normal(), index: index, claims: math.MaxInt}
	var err error
	s.at, err = s.config.Initial(t.Context(), index)
	require.NoError(t, err)
	s.restart()
	t.Cleanup(func() { s.reader.Close() })
	return s
}

// restart goes on with another reader that knows nothing but the restriction, as encoded.
func (s *session) restart() {
	s.t.Helper()
	if s.reader != nil {
		s.reader.Close()
	}
	var err error
	s.reader, err = NewReader(s.t.Context(), s.config, s.index)
	require.NoError(s.t, err)
	s.at, err = decodeRestriction(encodeRestriction(s.at))
	require.NoError(s.t, err)
}

// slice makes one call.
func (s *session) slice() error {
	tracked, claims := NewTracker(s.at), 0
	s.reader.Stats = Stats{}
	watermark, err := s.reader.Poll(s.t.Context(), s.at, time.Now().Add(s.config.PollBudget), Output{
		Claim: func(c Claim) bool {
			if claims++; claims > s.claims {
				_, _, err := tracked.TrySplit(0)
				require.NoError(s.t, err)
			}
			return tracked.TryClaim(c)
		},
		Batch: func(at int64, b record.Batch) {
			if s.counted += int64(b.Count); s.count != nil {
				s.count(b)
				return
			}
			s.batches, s.times = append(s.batches, b), append(s.times, at)
		},
		Reject: func(_ int64, r record.Rejected) { s.rejected = append(s.rejected, r) },
	})
	s.truncated += s.reader.Stats.Truncated
	if err == nil {
		s.watermarks = append(s.watermarks, watermark)
	}
	s.at = tracked.at
	return err
}

// finish makes calls until all is read.
func (s *session) finish() {
	s.t.Helper()
	deadline := time.Now().Add(2 * time.Minute)
	for !s.at.done() {
		if err := s.slice(); err != nil {
			require.ErrorIs(s.t, err, ErrHandedOver)
			s.restart()
		}
		require.True(s.t, time.Now().Before(deadline), "stuck at %+v", s.at)
	}
}

// until makes calls until the condition holds.
func (s *session) until(condition func() bool) {
	s.t.Helper()
	deadline := time.Now().Add(2 * time.Minute)
	for !condition() {
		require.NoError(s.t, s.slice())
		require.True(s.t, time.Now().Before(deadline), "stuck at %+v", s.at)
	}
}

// row is a record of bytes without a schema, as records takes batches apart.
func row(partition int32, offset, before int64, value string) kafkatest.Read {
	return kafkatest.Read{Partition: partition, Offset: offset, Before: before, Value: value}
}

// positionAt is a place in a log whose records have come to that event time.
func positionAt(offset, ms int64) timeindex.Position {
	return timeindex.Position{Offset: offset, Clock: kafkatest.ClockAt(ms)}
}
