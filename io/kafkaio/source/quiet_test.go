package source

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"tributary/io/kafkaio/internal/kafkatest"
	"tributary/io/record"
)

// TestOutageIsNotIdleness: brokers that are away for longer than partitions may be silent
// make none of them idle, and what producers bring afterwards is in time.
func TestOutageIsNotIdleness(t *testing.T) {
	t.Setenv("TRIBUTARY_KAFKA", "")
	for _, c := range []struct {
		name string
		all  bool // or just the leader of the second partition
	}{{"all brokers", true}, {"one broker", false}} {
		t.Run(c.name, func(t *testing.T) {
			kafkatest.CaptureLog(t)
			b := kafkatest.NewBroker(t)
			topic := b.Topic(2)
			require.NoError(t, b.Fake.MoveTopicPartition(topic, 0, 0))
			require.NoError(t, b.Fake.MoveTopicPartition(topic, 1, 1))
			b.Client = b.Writer()
			r := readingOf(b, topic)
			r.Stop, r.PollBudget, r.IdleAfter = Stop{}, 50*time.Millisecond, 600*time.Millisecond
			s := newSession(t, r, 0)
			begun := time.Now().UnixMilli()
			b.Produce(topic, 0, kafkatest.At(begun))
			b.Produce(topic, 1, kafkatest.At(begun))
			s.until(func() bool { return len(kafkatest.Records(t, s.batches)) == 2 && s.at.Watermark == begun-10 })
			var gone atomic.Bool
			gone.Store(true)
			b.Fake.Control(func(kmsg.Request) (kmsg.Response, error, bool) {
				b.Fake.KeepControl()
				return nil, errors.New("gone"), gone.Load() && (c.all || b.Fake.CurrentNode() == 1)
			})
			away := time.Now()
			s.until(func() bool {
				if !c.all {
					b.Produce(topic, 0, kafkatest.At(time.Now().UnixMilli()))
				}
				return time.Since(away) > 4*r.IdleAfter
			})
			require.False(t, s.at.Partitions[1].Idle)
			require.Equal(t, begun-10, s.at.Watermark, "what the partition brings next is not known")
			gone.Store(false)
			b.Produce(topic, 1, kafkatest.At(begun+20))
			s.until(func() bool { return s.at.Partitions[1].Next == 2 })
			for _, batch := range s.batches {
				require.False(t, batch.AfterIdle)
			}
			s.until(func() bool { // it is silent from now on
				b.Produce(topic, 0, kafkatest.At(time.Now().UnixMilli()))
				return s.at.Partitions[1].Idle
			})
		})
	}
}

// TestIdleEndsWithTheAnswers: a partition that was idle when its broker went away holds the
// watermark again.
func TestIdleEndsWithTheAnswers(t *testing.T) {
	t.Setenv("TRIBUTARY_KAFKA", "")
	kafkatest.CaptureLog(t)
	b := kafkatest.NewBroker(t)
	topic := b.Topic(1)
	r := readingOf(b, topic)
	r.Stop, r.PollBudget, r.IdleAfter = Stop{}, 50*time.Millisecond, 300*time.Millisecond
	s := newSession(t, r, 0)
	begun := time.Now().UnixMilli()
	s.until(func() bool { return s.at.Partitions[0].Idle && s.at.Watermark >= begun })
	var gone atomic.Bool
	gone.Store(true)
	b.Fake.Control(func(kmsg.Request) (kmsg.Response, error, bool) {
		b.Fake.KeepControl()
		return nil, errors.New("gone"), gone.Load()
	})
	s.until(func() bool { return !s.at.Partitions[0].Idle })
	held := s.at.Watermark
	gone.Store(false)
	b.Produce(topic, 0, kafkatest.At(held+5))
	s.until(func() bool { return s.at.Partitions[0].Next == 1 })
	last := s.batches[len(s.batches)-1]
	require.True(t, last.AfterIdle)
	require.Equal(t, held+10, last.MaxTime, "in time for all that closes from now on")
}

// testTimeless: a partition that brings only what has no event time is as silent as one that
// brings nothing, and is not woken by it.
func testTimeless(t *testing.T, b *kafkatest.Broker) {
	topic := b.Topic(2)
	r := readingOf(b, topic)
	r.Stop, r.PollBudget, r.IdleAfter = Stop{}, 50*time.Millisecond, 400*time.Millisecond
	s := newSession(t, r, 0)
	first := time.Now().UnixMilli()
	beat := func() {
		b.Produce(topic, 0, kafkatest.At(time.Now().UnixMilli()))
		b.Produce(topic, 1, `{"heartbeat":true}`)
		require.NoError(t, b.Client.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Partition: 1}).FirstErr())
	}
	s.until(func() bool { beat(); return s.at.Partitions[1].Idle && s.at.Watermark >= first })
	held := s.at.Watermark
	s.until(func() bool {
		beat()
		require.True(t, s.at.Partitions[1].Idle, "still")
		return s.at.Watermark > held+300
	})
	before := len(s.batches)
	b.Produce(topic, 1, kafkatest.At(first))
	s.until(func() bool {
		for _, batch := range s.batches[before:] {
			if batch.Partition == 1 && batch.AfterIdle {
				require.Greater(t, batch.MaxTime, held)
				return true
			}
		}
		return false
	})
}

// TestPartitionsAddedMeanwhile: a topic got a partition while nobody read it. What both
// partitions then hold was written side by side, and none of it is late.
func TestPartitionsAddedMeanwhile(t *testing.T) {
	t.Setenv("TRIBUTARY_KAFKA", "")
	b := kafkatest.NewBroker(t)
	topic := b.Topic(1)
	hour := time.Hour.Milliseconds()
	b.Produce(topic, 0, kafkatest.At(100*hour))
	r := readingOf(b, topic)
	r.Stop, r.PollBudget = Stop{}, 50*time.Millisecond
	s := newSession(t, r, 0)
	s.until(func() bool { return s.at.Watermark == 100*hour-10 })
	_, err := b.Admin.CreatePartitions(t.Context(), 1, topic)
	require.NoError(t, err)
	b.Client = b.Writer()
	for i := range int64(13) {
		b.Produce(topic, 0, kafkatest.At(100*hour+i*600_000))
		b.Produce(topic, 1, kafkatest.At(100*hour+i*600_000))
	}
	s.restart()
	s.until(func() bool { return len(s.at.Partitions) == 2 && s.at.Partitions[1].Next == 13 })
	for i, batch := range s.batches {
		require.LessOrEqual(t, batch.MaxTime, kafkatest.TimeIn(kafkatest.Records(t, s.batches[i:i+1])[0].Value), "batch %d: its first record is not behind", i)
	}
	s.until(func() bool { return s.at.Watermark == 102*hour-10 })
}

// TestNewPartitionHolds: the watermark does not move over a partition that was added while
// the job runs, before what it holds was read.
func TestNewPartitionHolds(t *testing.T) {
	t.Setenv("TRIBUTARY_KAFKA", "")
	b := kafkatest.NewBroker(t)
	topic := b.Topic(1)
	r := readingOf(b, topic)
	r.Stop, r.PollBudget = Stop{}, 50*time.Millisecond
	s := newSession(t, r, 0)
	b.Produce(topic, 0, kafkatest.At(1_000))
	s.until(func() bool { return s.at.Watermark == 990 })
	_, err := b.Admin.CreatePartitions(t.Context(), 1, topic)
	require.NoError(t, err)
	b.Client = b.Writer()
	b.Produce(topic, 0, kafkatest.At(9_000))
	s.until(func() bool { return s.at.Partitions[0].Next == 2 && len(s.at.Partitions) == 2 })
	for range 5 {
		require.NoError(t, s.slice())
	}
	require.EqualValues(t, 990, s.at.Watermark)
	b.Produce(topic, 1, kafkatest.At(2_000), kafkatest.At(2_001))
	s.until(func() bool { return s.at.Watermark == 1_991 })
	require.Equal(t, []kafkatest.Read{row(0, 0, record.NoTime, kafkatest.At(1_000)), row(0, 1, 1_000, kafkatest.At(9_000)), row(1, 0, 1_000, kafkatest.At(2_000)), row(1, 1, 2_000, kafkatest.At(2_001))}, kafkatest.Sorted(kafkatest.Records(t, s.batches)))
}

// testOneAhead: one record far ahead of all others in its partition moves the watermark only
// once another has come near it.
func testOneAhead(t *testing.T, b *kafkatest.Broker) {
	topic := b.Topic(1)
	r := readingOf(b, topic)
	r.Stop, r.PollBudget, r.MaxAhead = Stop{}, 50*time.Millisecond, time.Minute
	s := newSession(t, r, 0)
	minute := time.Minute.Milliseconds()
	for i, step := range []struct{ time, watermark int64 }{
		{1_000_000, 1_000_000},
		{1_000_000 + 59*minute, 1_000_000},
		{1_000_500, 1_000_500},
		{1_000_000 + 2*minute, 1_000_000 + 2*minute},
		{1_000_000 + 58*minute, 1_000_000 + 59*minute}, // the first one was no mistake
		{1_000_000 + 70*minute, 1_000_000 + 59*minute}, // and this may be one
		{1_000_001 + 70*minute, 1_000_001 + 70*minute},
	} {
		b.Produce(topic, 0, kafkatest.At(step.time))
		s.restart() // all that it needs is in the position
		s.until(func() bool { return s.at.Partitions[0].Next == int64(i)+1 })
		s.until(func() bool { return s.at.Watermark >= step.watermark-10 })
		for range 3 {
			require.NoError(t, s.slice())
		}
		require.Equal(t, step.watermark-10, s.at.Watermark, "after record %d", i)
	}
	require.Empty(t, s.rejected, "they are joined as they are")
}

// testStamps: a record from the future is not believed because its producer says that it was
// written then.
func testStamps(t *testing.T, b *kafkatest.Broker) {
	now := time.Now()
	far := now.Add(30 * 24 * time.Hour)
	write := func(topic string, of, stamp time.Time) {
		record := &kgo.Record{Topic: topic, Value: []byte(kafkatest.At(of.UnixMilli())), Timestamp: stamp}
		require.NoError(t, b.Client.ProduceSync(t.Context(), record).FirstErr())
	}
	topic := b.Topic(1, "message.timestamp.after.max.ms", "9223372036854775807")
	write(topic, now, now)
	write(topic, far, far)
	write(topic, now.Add(time.Second), now)
	r := readingOf(b, topic)
	r.MaxAhead = time.Minute
	s := newSession(t, r, 0)
	s.finish()
	require.Len(t, s.rejected, 1)
	require.Contains(t, s.rejected[0].Detail, ", when it was read, as is the time that its producer gave it, by more than max_future_skew, 1m0s: some clock is wrong")
	require.Equal(t, now.Add(time.Second).UnixMilli(), s.at.Partitions[0].Clock.Largest)
}

// TestSteadyClock goes on evenly, from the time of day.
func TestSteadyClock(t *testing.T) {
	clock := steadyClock()
	before := clock()
	require.WithinDuration(t, time.Now(), before, time.Second)
	require.False(t, clock().Before(before))
}
