package source

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/kafkaio/internal/kafkatest"
	"tributary/io/record"
)

// TestTopics is what a source of topics has to do beyond what iotest asks of any. It runs against a
// broker in this process; TRIBUTARY_KAFKA=host:port points it at a real one.
func TestTopics(t *testing.T) {
	tests := []struct {
		name string
		test func(*testing.T, *kafkatest.Broker)
	}{
		{"several readers read all, each partition in order", testSeveralReaders},
		{"aborted and open transactions are not read", testTransactions},
		{"partitions that are added are read from their start", testNewPartitions},
		{"an idle partition stops holding the watermark", testIdle},
		{"an empty partition holds the watermark", testEmptyHolds},
		{"deleted records are told", testTruncated},
		{"starts", testStarts},
		{"stops", testStops},
		{"tombstones are told apart", testTombstones},
		{"a clock that is years ahead", testAhead},
		{"nothing but records from the future", testManyAhead},
		{"one record ahead of all others", testOneAhead},
		{"a producer's clock that is a month ahead", testStamps},
		{"a partition without event times is idle", testTimeless},
		{"a topic that is deleted or made anew", testDeleted},
		{"batches end at 500 records and at 256 KiB", testBatchSizes},
		{"each input of a topic gets each batch", testInputs},
		{"a topic that is not there", testMissingTopic},
		{"the group's offsets follow", testGroupFollows},
		{"a log without an end is read as it grows", testGrowing},
		{"a call ends though records keep coming", testKeepComing},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { tt.test(t, kafkatest.NewBroker(t)) })
	}
}

func testSeveralReaders(t *testing.T, b *kafkatest.Broker) {
	topics := []string{b.Topic(5), b.Topic(3)}
	for i, topic := range topics {
		for p := range int32(5 - 2*i) {
			b.Produce(topic, p, kafkatest.Disorder(int(p)+10*i, 700)...)
		}
	}
	var got []kafkatest.Read
	for i := range 3 {
		r := readingOf(b, topics[1], topics[0]) // ranks do not follow the order of the list
		r.Readers = 3
		s := newSession(t, r, i)
		s.finish()
		read := kafkatest.Records(t, s.batches)
		for _, rec := range read {
			require.Equal(t, i, int(rec.Partition&(1<<rankBits-1))%3)
		}
		got = append(got, read...)
		for _, w := range s.watermarks {
			require.LessOrEqual(t, w, slices.Max(s.watermarks))
		}
		for j, at := range s.times {
			require.Equal(t, behind(s.batches[j].MaxTime, 10), at)
		}
	}
	// Stable: within a partition records must have come in order.
	slices.SortStableFunc(got, func(a, b kafkatest.Read) int { return int(a.Partition - b.Partition) })
	require.Equal(t, kafkatest.LogOf(b, topics...), got)
}

func testTransactions(t *testing.T, b *kafkatest.Broker) {
	topic := b.Topic(1)
	writer := func(id string) *kgo.Client {
		return b.Connect(kgo.TransactionalID(topic+id), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	}
	write := func(c *kgo.Client, value string) {
		require.NoError(t, c.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Value: []byte(value)}).FirstErr())
	}
	first, second := writer("a"), writer("b")
	require.NoError(t, first.BeginTransaction())
	write(first, kafkatest.At(10, "committed"))
	require.NoError(t, first.EndTransaction(t.Context(), kgo.TryCommit))
	require.NoError(t, first.BeginTransaction())
	write(first, kafkatest.At(99_999, "aborted"))
	require.NoError(t, first.EndTransaction(t.Context(), kgo.TryAbort))
	r := readingOf(b, topic)
	r.IdleAfter = time.Millisecond
	s := newSession(t, r, 0)
	s.finish() // though the last record of the log is a marker, and those before it are void
	require.Equal(t, []kafkatest.Read{row(0, 0, record.NoTime, kafkatest.At(10, "committed"))}, kafkatest.Records(t, s.batches))

	require.NoError(t, second.BeginTransaction())
	write(second, kafkatest.At(50, "later"))
	open := newSession(t, r, 0)
	require.EqualValues(t, 4, open.at.Partitions[0].Stop, "the last stable offset")
	r.Stop = Stop{}
	live := newSession(t, r, 0)
	live.until(func() bool { return live.at.Partitions[0].Next == 4 })
	for range 3 {
		require.NoError(t, live.slice())
	}
	require.False(t, live.at.Partitions[0].Idle, "records wait for their commit")
	require.NoError(t, second.EndTransaction(t.Context(), kgo.TryCommit))
	live.until(func() bool { return live.at.Partitions[0].Next == 6 })
	require.Equal(t, []kafkatest.Read{row(0, 0, record.NoTime, kafkatest.At(10, "committed")), row(0, 4, 10, kafkatest.At(50, "later"))}, kafkatest.Records(t, live.batches))
	live.until(func() bool { return live.at.Partitions[0].Idle })
}

func testTruncated(t *testing.T, b *kafkatest.Broker) {
	topic := b.Topic(1)
	b.Produce(topic, 0, kafkatest.At(1), kafkatest.At(2), kafkatest.At(3), kafkatest.At(4), kafkatest.At(5))
	r := readingOf(b, topic)
	r.Stop = Stop{}
	s := newSession(t, r, 0)
	r.OnTruncation = SkipTruncated
	skipping := newSession(t, r, 0)
	offsets := kadm.Offsets{}
	offsets.AddOffset(topic, 0, 3, -1)
	_, err := b.Admin.DeleteRecords(t.Context(), offsets)
	require.NoError(t, err)
	deadline := time.Now().Add(20 * time.Second)
	for err == nil && time.Now().Before(deadline) {
		err = s.slice()
	}
	require.EqualError(t, err, topic+"/0: offset 0 is wanted, but the log holds 3 to 5 only: records were deleted before they were read")
	require.Empty(t, s.batches)
	skipping.until(func() bool { return len(skipping.batches) == 1 })
	require.EqualValues(t, 3, skipping.truncated)
	require.Equal(t, []kafkatest.Read{row(0, 3, record.NoTime, kafkatest.At(4)), row(0, 4, 4, kafkatest.At(5))}, kafkatest.Records(t, skipping.batches))

	// A position behind the end is another log's: there is nothing to skip to.
	skipping.at.Partitions[0].Next = 50
	for err = nil; err == nil && time.Now().Before(deadline); {
		err = skipping.slice()
	}
	require.EqualError(t, err, topic+"/0: offset 50 is wanted, but the log ends at 5: it was truncated or made anew")
}

func testTombstones(t *testing.T, b *kafkatest.Broker) {
	topic := b.Topic(1)
	b.Produce(topic, 0, kafkatest.At(1_000))
	require.NoError(t, b.Client.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Key: []byte("k")}).FirstErr())
	b.Produce(topic, 0, kafkatest.At(1_001), "")
	r := readingOf(b, topic)
	r.Topics[0].Inputs = []int32{3, 5}
	s := newSession(t, r, 0)
	s.finish()
	tombstone := record.Rejected{
		Reason: record.ReasonTombstone, Input: 3, Offset: 1, Count: 1,
		EventTime: record.NoTime, Watermark: 990,
	}
	other := tombstone
	other.Input = 5
	require.Equal(t, []record.Rejected{tombstone, other}, s.rejected)
	require.Equal(t, []kafkatest.Read{row(0, 0, record.NoTime, kafkatest.At(1_000)), row(0, 2, 1_000, kafkatest.At(1_001)), row(0, 3, 1_001, "")}, kafkatest.Records(t, s.batches[:1]))
}

func testBatchSizes(t *testing.T, b *kafkatest.Broker) {
	topic := b.Topic(1)
	b.Produce(topic, 0, kafkatest.Disorder(1, 1_001)...)
	wide := make([]string, 10)
	for i := range wide {
		wide[i] = kafkatest.At(int64(i), strings.Repeat("y", 100<<10))
	}
	b.Produce(topic, 0, wide...)
	s := newSession(t, readingOf(b, topic), 0)
	s.finish()
	require.Equal(t, kafkatest.LogOf(b, topic), kafkatest.Records(t, s.batches))
	for _, batch := range s.batches {
		require.LessOrEqual(t, batch.Count, int32(batchRecords))
		require.LessOrEqual(t, len(batch.Records), batchBytes+batchRecords*10)
	}
	require.Less(t, len(s.batches), 12, "batches are full")
}

func testInputs(t *testing.T, b *kafkatest.Broker) {
	topic := b.Topic(1)
	b.Produce(topic, 0, kafkatest.At(1), kafkatest.At(2))
	r := readingOf(b, topic)
	r.Topics[0].Inputs = []int32{7, 2}
	s := newSession(t, r, 0)
	s.finish()
	require.Len(t, s.batches, 2)
	require.Equal(t, []int32{7, 2}, []int32{s.batches[0].Input, s.batches[1].Input})
	require.Equal(t, kafkatest.Records(t, s.batches[:1]), kafkatest.Records(t, s.batches[1:]))
}

func testMissingTopic(t *testing.T, b *kafkatest.Broker) {
	r := readingOf(b, "no-such-topic").Normal()
	_, err := r.Initial(t.Context(), 0)
	require.ErrorContains(t, err, "topic no-such-topic")
	require.ErrorContains(t, err, b.Brokers[0])
}

func testGroupFollows(t *testing.T, b *kafkatest.Broker) {
	topic := b.Topic(1)
	b.Produce(topic, 0, kafkatest.At(1), kafkatest.At(2), kafkatest.At(3))
	r := readingOf(b, topic)
	r.Group = "group-" + topic
	s := newSession(t, r, 0)
	s.finish()
	s.reader.Note(t.Context(), s.at)
	<-s.reader.notes.done
	got, err := b.Admin.FetchOffsets(t.Context(), r.Group)
	require.NoError(t, err)
	found, ok := got.Lookup(topic, 0)
	require.True(t, ok)
	require.EqualValues(t, 3, found.At)
}

func testGrowing(t *testing.T, b *kafkatest.Broker) {
	topic := b.Topic(2)
	r := readingOf(b, topic)
	r.Stop = Stop{}
	s := newSession(t, r, 0)
	for i := range int64(20) {
		b.Produce(topic, int32(i%2), kafkatest.At(1_000+i, i))
		s.until(func() bool { return len(kafkatest.Records(t, s.batches)) == int(i)+1 })
		if i == 10 {
			s.restart()
		}
	}
	require.Equal(t, kafkatest.LogOf(b, topic), kafkatest.Sorted(kafkatest.Records(t, s.batches)))
	s.until(func() bool { return s.at.Watermark == 1_018-10 }) // as soon as the logs' ends were asked for
	require.True(t, slices.IsSorted(s.watermarks), fmt.Sprint(s.watermarks))
}

func testKeepComing(t *testing.T, b *kafkatest.Broker) {
	topic := b.Topic(2)
	r := readingOf(b, topic)
	r.Stop, r.PollBudget = Stop{}, time.Hour
	s := newSession(t, r, 0)
	stop, stopped := make(chan struct{}), make(chan error, 1)
	go func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				stopped <- nil
				return
			default:
			}
			record := &kgo.Record{Topic: topic, Partition: int32(i % 2), Value: []byte(kafkatest.At(int64(1_000 + i)))}
			if err := b.Client.ProduceSync(t.Context(), record).FirstErr(); err != nil {
				stopped <- err
				return
			}
		}
	}()
	s.until(func() bool { return len(kafkatest.Records(t, s.batches)) > 100 })
	close(stop)
	require.NoError(t, <-stopped)
}
