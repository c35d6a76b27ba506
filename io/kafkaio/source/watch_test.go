package source

import (
	"errors"
	"math"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"tributary/io/kafkaio/internal/kafkatest"
	"tributary/io/record"
)

// TestNewPartitions: of what a topic has now, a reader takes up what is its own and not yet
// read, once it is known where it ends; one that ends takes up nothing.
func TestNewPartitions(t *testing.T) {
	ends := kadm.ListedOffsets{"t": {
		-1: {}, 0: {Offset: 9}, 1: {Offset: 9}, 2: {Offset: 9}, 3: {Offset: 0}, 5: {Offset: 4},
	}}
	r := &Reader{
		config: Config{Readers: 2}, index: 1,
		topics: []*topic{{Topic: Topic{Name: "other", Cluster: "c"}}, {Topic: Topic{Name: "t"}}},
	}
	l := &link{parts: map[string]map[int32]*partition{"t": {1: {}}}}
	fresh := func(number int32) position {
		return position{Topic: 1, Partition: number, Stop: noStop, Clock: record.NoClock}
	}
	added, all := r.newPartitions(l, "", ends)
	require.ElementsMatch(t, []position{fresh(3), fresh(5)}, added)
	require.True(t, all)
	ends["t"][7] = kadm.ListedOffset{Err: kerr.LeaderNotAvailable}
	added, all = r.newPartitions(l, "", ends)
	require.ElementsMatch(t, []position{fresh(3), fresh(5)}, added)
	require.False(t, all, "the watermark waits for partition 7")
	r.config.Stop.At = StopAtEnd
	added, all = r.newPartitions(l, "", ends)
	require.Empty(t, added)
	require.True(t, all)
}

// TestQuiet: only looks that follow one another prove that nothing came between them, and each
// proves a bounded time.
func TestQuiet(t *testing.T) {
	start := time.Now()
	p := &partition{}
	look := func(second int, end int64) time.Duration {
		p.found(end, start.Add(time.Duration(second)*time.Second), 4*time.Second)
		return p.quiet
	}
	p.after.Next = 3
	require.Zero(t, look(0, 3), "nothing is known of before the first look")
	require.Equal(t, 2*time.Second, look(2, 3))
	require.Equal(t, 3*time.Second, look(3, 3))
	require.Equal(t, 7*time.Second, look(100, 3), "what happened meanwhile was not looked at")
	require.Equal(t, 8*time.Second, look(101, 5), "two records have just come")
	p.timeless = true
	require.Zero(t, look(102, 5), "and were not read until now")
	require.False(t, p.timeless)
	p.after.Next = 5
	require.Equal(t, time.Second, look(103, 5))
	p.lost()
	require.Zero(t, p.quiet)
	require.Zero(t, look(104, 5), "nobody knows what came while the broker was away")
	require.Equal(t, time.Second, look(105, 5))
}

// TestDeclareIdle: one condition less, and a partition holds the watermark.
func TestDeclareIdle(t *testing.T) {
	logged := kafkatest.CaptureLog(t)
	for _, tt := range []struct {
		name   string
		change func(p *partition)
		idle   bool
	}{
		{"read to its end and quiet", func(*partition) {}, true},
		{"quiet for a moment less", func(p *partition) { p.quiet-- }, false},
		{"its end was not told", func(p *partition) { p.known = false }, false},
		{"a record is not read yet", func(p *partition) { p.listed++ }, false},
		{"records without event times are not read yet", func(p *partition) { p.listed++; p.timeless = true }, true},
		{"at its stop", func(p *partition) { p.after.Stop = 5 }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := &Reader{config: Config{IdleAfter: time.Minute}}
			p := &partition{
				batcher: batcher{topic: &topic{Topic: Topic{Name: "t"}}, after: position{Next: 5, Stop: noStop}},
				listed:  5, known: true, quiet: time.Minute,
			}
			tt.change(p)
			r.parts = []*partition{p}
			at := Restriction{Partitions: []position{p.after}}
			require.NoError(t, r.declareIdle(t.Context(), Output{Claim: func(c Claim) bool { c(&at); return true }}))
			require.Equal(t, tt.idle, at.Partitions[0].Idle, "for whoever goes on")
			require.Equal(t, tt.idle, p.after.Idle)
		})
	}
	require.Contains(t, logged.String(), "t/0: idle, without a record that has a usable event time for 1m0s")
}

// TestWakeUnknown: only what is idle, and of which it is not known any more where it ends, wakes up.
func TestWakeUnknown(t *testing.T) {
	r := &Reader{}
	var at Restriction
	for number, idle := range []bool{true, true, false} {
		p := position{Partition: int32(number), Next: 5, Stop: noStop, Clock: kafkatest.ClockAt(500), Idle: idle}
		at.Partitions = append(at.Partitions, p)
		r.parts = append(r.parts, &partition{batcher: batcher{after: p, watermark: 800, outOfOrderness: 10}, known: number == 1})
	}
	want := at.clone()
	want.Partitions[0].Idle = false
	want.Partitions[0].raise(810, 0)
	require.NoError(t, r.wakeUnknown(Output{Claim: func(c Claim) bool { c(&at); return true }}))
	require.Equal(t, want, at)
	for i := range want.Partitions {
		require.Equal(t, want.Partitions[i], r.parts[i].after)
	}
}

// TestAdvance: the watermark that a call ends with.
func TestAdvance(t *testing.T) {
	now := time.UnixMilli(1_000_000)
	idle := position{Next: 1, Stop: noStop, Clock: kafkatest.ClockAt(500), Idle: true}
	busy := position{Next: 1, Stop: noStop, Clock: kafkatest.ClockAt(800)}
	for _, tt := range []struct {
		name    string
		at      Restriction
		known   bool
		allowed int64
		want    int64
	}{
		{"as far as the partition", Restriction{Watermark: record.NoTime, Partitions: []position{busy}}, true, math.MaxInt64, 790},
		{"no further than at the last look", Restriction{Watermark: record.NoTime, Partitions: []position{busy}}, true, 650, 650},
		{"not back, where no look has said how far", Restriction{Watermark: 700, Partitions: []position{busy}}, true, record.NoTime, 700},
		{"all idle: with the clock", Restriction{Watermark: 700, Partitions: []position{idle}}, true, record.NoTime, 1_000_000 - 60_000 - 10},
		{"all idle, but an end is not known any more", Restriction{Watermark: 700, Partitions: []position{idle}}, false, record.NoTime, 700},
		{"all idle in a run that ends", Restriction{Watermark: 700, Ends: true, Partitions: []position{idle}}, true, record.NoTime, 700},
		{"a run that ends needs no look", Restriction{Watermark: record.NoTime, Ends: true, Partitions: []position{busy}}, true, record.NoTime, 790},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := &Reader{config: Config{IdleAfter: time.Minute, OutOfOrderness: 10 * time.Millisecond}, outOfOrderness: 10, Now: func() time.Time { return now }}
			r.watch.allowed = tt.allowed
			for _, p := range tt.at.Partitions {
				r.parts = append(r.parts, &partition{batcher: batcher{after: p}, known: tt.known})
			}
			at := tt.at.clone()
			got, err := r.advance(Output{Claim: func(c Claim) bool { c(&at); return true }})
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
			require.Equal(t, tt.want, at.Watermark)
			require.Equal(t, tt.want, r.watermark)
			_, err = r.advance(Output{Claim: func(Claim) bool { return false }})
			require.ErrorIs(t, err, ErrHandedOver)
		})
	}
}

// TestWatermarkWaitsForTheEnds: records alone do not move it, while brokers do not tell which
// partitions there are and where their logs end.
func TestWatermarkWaitsForTheEnds(t *testing.T) {
	t.Setenv("TRIBUTARY_KAFKA", "")
	kafkatest.CaptureLog(t)
	b := kafkatest.NewBroker(t)
	topic := b.Topic(1)
	r := readingOf(b, topic)
	r.Stop, r.PollBudget = Stop{}, 50*time.Millisecond
	s := newSession(t, r, 0)
	b.Produce(topic, 0, kafkatest.At(1_000))
	s.until(func() bool { return s.at.Watermark == 990 })
	var silent atomic.Bool
	silent.Store(true)
	b.Fake.ControlKey(int16(kmsg.ListOffsets), func(kmsg.Request) (kmsg.Response, error, bool) {
		b.Fake.KeepControl()
		return nil, errors.New("gone"), silent.Load()
	})
	b.Produce(topic, 0, kafkatest.At(2_000))
	looks := 0
	for last := s.reader.watch.ends; looks < 2; {
		require.NoError(t, s.slice())
		if s.reader.watch.ends != last {
			last = s.reader.watch.ends
			looks++
		}
	}
	s.until(func() bool { return s.at.Partitions[0].Next == 2 })
	require.EqualValues(t, 990, s.at.Watermark)
	silent.Store(false)
	s.until(func() bool { return s.at.Watermark == 1_990 })
}

// TestNewPartitionWithoutItsStart: a partition that is there holds the watermark, though it is
// not known yet from where on it is to be read.
func TestNewPartitionWithoutItsStart(t *testing.T) {
	t.Setenv("TRIBUTARY_KAFKA", "")
	logged := kafkatest.CaptureLog(t)
	b := kafkatest.NewBroker(t)
	topic := b.Topic(1)
	r := readingOf(b, topic)
	r.Stop, r.PollBudget = Stop{}, 50*time.Millisecond
	s := newSession(t, r, 0)
	b.Produce(topic, 0, kafkatest.At(1_000))
	s.until(func() bool { return s.at.Watermark == 990 })
	var known atomic.Bool
	b.Fake.ControlKey(int16(kmsg.ListOffsets), func(req kmsg.Request) (kmsg.Response, error, bool) {
		b.Fake.KeepControl()
		const earliest = -2
		asked := req.(*kmsg.ListOffsetsRequest)
		if known.Load() || asked.Topics[0].Partitions[0].Timestamp != earliest {
			return nil, nil, false
		}
		resp := asked.ResponseKind().(*kmsg.ListOffsetsResponse)
		for _, topic := range asked.Topics {
			answer := kmsg.NewListOffsetsResponseTopic()
			answer.Topic = topic.Topic
			for _, p := range topic.Partitions {
				part := kmsg.NewListOffsetsResponseTopicPartition()
				part.Partition, part.ErrorCode = p.Partition, kerr.UnknownServerError.Code
				answer.Partitions = append(answer.Partitions, part)
			}
			resp.Topics = append(resp.Topics, answer)
		}
		return resp, nil, true
	})
	_, err := b.Admin.CreatePartitions(t.Context(), 1, topic)
	require.NoError(t, err)
	b.Client = b.Writer()
	b.Produce(topic, 0, kafkatest.At(9_000))
	s.until(func() bool {
		return s.at.Partitions[0].Next == 2 && strings.Contains(logged.String(), "where the new partition 1 of "+topic+" begins")
	})
	for last := s.reader.watch.ends; s.reader.watch.ends.Equal(last); { // and another look
		require.NoError(t, s.slice())
	}
	require.EqualValues(t, 990, s.at.Watermark)
	known.Store(true)
	s.until(func() bool { return len(s.at.Partitions) == 2 })
	require.EqualValues(t, 990, s.at.Watermark)
	require.True(t, s.at.Partitions[1].Raised, "what it brings from before that is late")
}
