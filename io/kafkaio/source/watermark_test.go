package source

import (
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"tributary/io/kafkaio/internal/kafkatest"
	"tributary/io/record"
)

func testNewPartitions(t *testing.T, b *kafkatest.Broker) {
	topic := b.Topic(1)
	b.Produce(topic, 0, kafkatest.At(1_000))
	r := readingOf(b, topic)
	r.Stop = Stop{}
	s := newSession(t, r, 0)
	s.until(func() bool { return len(s.batches) == 1 })
	_, err := b.Admin.CreatePartitions(t.Context(), 1, topic)
	require.NoError(t, err)
	b.Client = b.Writer()
	b.Produce(topic, 1, kafkatest.At(700), kafkatest.At(1_200))
	s.until(func() bool { return len(s.batches) == 2 })
	late := s.batches[1]
	require.EqualValues(t, 1, late.Partition)
	require.True(t, late.AfterIdle, "the watermark had gone on without it")
	require.EqualValues(t, 1_000, late.MaxTime)
	require.Equal(t, record.NoClock, late.LogClock(), "by its own log nothing is late")
	require.Equal(t, []int64{record.NoTime, 990}, s.times)
	b.Produce(topic, 1, kafkatest.At(1_300))
	s.until(func() bool { return len(s.batches) == 3 })
	require.False(t, s.batches[2].AfterIdle, "the log tells its largest time again")
	require.EqualValues(t, 1_200, s.batches[2].MaxTime)
	require.EqualValues(t, 990, slices.Max(s.watermarks), "held by the first partition")
}

func testIdle(t *testing.T, b *kafkatest.Broker) {
	topic := b.Topic(3)
	b.Produce(topic, 0, kafkatest.At(1_000))
	b.Produce(topic, 1, kafkatest.At(500))
	r := readingOf(b, topic)
	r.Stop, r.IdleAfter = Stop{}, 200*time.Millisecond
	s := newSession(t, r, 0)
	s.until(func() bool { return len(s.batches) == 2 })
	require.EqualValues(t, record.NoTime, s.watermarks[0], "the third has no record yet")
	var kept int
	s.until(func() bool { // the first goes on, the others stop
		kept++
		b.Produce(topic, 0, kafkatest.At(1_000+int64(kept)))
		return s.at.Partitions[1].Idle && s.at.Partitions[2].Idle
	})
	require.False(t, s.at.Partitions[0].Idle)
	require.Greater(t, slices.Max(s.watermarks), int64(980), "nothing but the first holds it")
	s.restart() // a restart decides the same
	watermark := s.at.Watermark
	b.Produce(topic, 1, kafkatest.At(600), kafkatest.At(5_000), kafkatest.At(4_000))
	before := len(s.batches)
	var back record.Batch
	s.until(func() bool {
		for i, batch := range s.batches[before:] {
			if batch.Partition == 1 {
				back = batch
				require.EqualValues(t, watermark, s.times[before+i], "on time for the runner")
				return true
			}
		}
		return false
	})
	require.True(t, back.AfterIdle)
	require.EqualValues(t, watermark+10, back.MaxTime, "and judged late by its own partition")
	require.False(t, s.at.Partitions[1].Raised || s.at.Partitions[1].Idle)
	require.EqualValues(t, 5_000, s.at.Partitions[1].Clock.Largest)

	// All are idle: a reader must not hold the others for ever, and follows the clock.
	started := time.Now()
	s.until(func() bool { return s.at.Watermark > started.UnixMilli() })
	require.LessOrEqual(t, s.at.Watermark, time.Now().Add(-r.IdleAfter-r.OutOfOrderness).UnixMilli())
}

func testEmptyHolds(t *testing.T, b *kafkatest.Broker) {
	topic := b.Topic(2)
	b.Produce(topic, 0, kafkatest.At(1_000))
	r := readingOf(b, topic)
	r.Stop = Stop{}
	s := newSession(t, r, 0)
	s.until(func() bool { return len(s.batches) == 1 })
	for range 5 {
		require.NoError(t, s.slice())
	}
	require.EqualValues(t, record.NoTime, slices.Max(s.watermarks))
	b.Produce(topic, 1, kafkatest.At(400))
	s.until(func() bool { return s.at.Watermark == 390 })
	require.False(t, s.batches[1].AfterIdle)
}

// TestTellsWhatItWaitsFor: nothing holds a job up without a line in the log.
func TestTellsWhatItWaitsFor(t *testing.T) {
	logged := kafkatest.CaptureLog(t)
	now := time.Now()
	r := &Reader{Now: func() time.Time { return now }, outOfOrderness: 10}
	for i, at := range []position{
		{Next: 5, Stop: noStop, Clock: kafkatest.ClockAt(2_020)},
		{Stop: noStop, Clock: kafkatest.ClockAt(record.NoTime)},
		{Next: 5, Stop: noStop, Clock: kafkatest.ClockAt(2_030)},
		{Next: 5, Stop: 5, Clock: kafkatest.ClockAt(record.NoTime)},
		{Stop: noStop, Clock: kafkatest.ClockAt(record.NoTime), Idle: true},
		{Next: 5, Stop: noStop, Clock: kafkatest.ClockAt(2_010)},
		{Next: 5, Stop: noStop, Clock: kafkatest.ClockAt(1), Idle: true},
	} {
		at.Partition = int32(i)
		p := &partition{batcher: batcher{topic: &topic{Topic: Topic{Name: "t"}}, index: i, after: at}, timedSince: now, end: at.Next}
		r.parts = append(r.parts, p)
	}
	r.parts[0].end = 9
	now = now.Add(tellEvery - 1)
	r.tellWhatIsAwaited(t.Context(), now)
	require.Empty(t, logged.String())
	for range 2 { // not at every call
		now = now.Add(1)
		r.tellWhatIsAwaited(t.Context(), now)
	}
	require.Equal(t, "t/0: nothing came for 30s, though the log goes from offset 5 to 9: held back by an open transaction, or its broker is slow\n"+
		"t/1: nothing came yet, for 30s: it holds back the watermark, and with it every sample, for as long as nothing comes (idle_timeout would end that)\n"+
		"t/5: nothing came for 30s: it holds back the watermark, and with it every sample, at 1970-01-01T00:00:02Z, for as long as nothing comes (idle_timeout would end that)\n", logged.String())

	r.config.IdleAfter = 5 * time.Minute
	now = now.Add(tellEvery)
	r.tellWhatIsAwaited(t.Context(), now)
	require.Contains(t, logged.String(), "t/5: nothing came for 1m0s: it holds back the watermark, and with it every sample, at 1970-01-01T00:00:02Z, until it is idle, after 5m0s\n")
}

// TestBrokerGone: a cluster that stops answering is waited for, with a line in the log, and
// read on once it is back.
func TestBrokerGone(t *testing.T) {
	t.Setenv("TRIBUTARY_KAFKA", "")
	logged := kafkatest.CaptureLog(t)
	b := kafkatest.NewBroker(t)
	topic := b.Topic(1)
	r := readingOf(b, topic)
	r.Stop, r.PollBudget = Stop{}, 100*time.Millisecond
	s := newSession(t, r, 0)
	b.Produce(topic, 0, kafkatest.At(1))
	s.until(func() bool { return len(s.batches) == 1 })
	var gone atomic.Bool
	gone.Store(true)
	b.Fake.Control(func(kmsg.Request) (kmsg.Response, error, bool) {
		b.Fake.KeepControl()
		return nil, errors.New("gone"), gone.Load() // closes the connection
	})
	s.until(func() bool { return strings.Contains(logged.String(), "waiting for an answer, the last came ") })
	gone.Store(false)
	b.Produce(topic, 0, kafkatest.At(2))
	s.until(func() bool { return len(s.batches) == 2 })
	require.Equal(t, kafkatest.LogOf(b, topic), kafkatest.Records(t, s.batches))
}
