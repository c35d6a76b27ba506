package source

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/kafkaio/internal/kafkatest"
	"tributary/io/record"
)

// testAhead: a record whose event time is years ahead of its timestamp is set aside, and those
// after it are as much in time as if it had not been there.
func testAhead(t *testing.T, b *kafkatest.Broker) {
	topic := b.Topic(1)
	written := time.UnixMilli(1_000_000)
	write := func(ms int64, stamp time.Time) {
		record := &kgo.Record{Topic: topic, Value: []byte(kafkatest.At(ms)), Timestamp: stamp}
		require.NoError(t, b.Client.ProduceSync(t.Context(), record).FirstErr())
	}
	write(999_000, written)
	write(4_000_000_000_000, written) // in the year 2096
	write(999_500, written)
	write(1_060_000, written) // just as far ahead as it may be
	write(1_060_001, written)
	write(1_060_001, written.Add(time.Millisecond))
	r := readingOf(b, topic)
	r.MaxAhead = time.Minute
	r.Topics[0].Inputs = []int32{4}
	s := newSession(t, r, 0)
	s.finish()
	require.Equal(t, []kafkatest.Read{
		row(0, 0, record.NoTime, kafkatest.At(999_000)), row(0, 2, 999_000, kafkatest.At(999_500)), row(0, 3, 999_500, kafkatest.At(1_060_000)), row(0, 5, 1_060_000, kafkatest.At(1_060_001)),
	}, kafkatest.Records(t, s.batches))
	require.Len(t, s.rejected, 2)
	require.Equal(t, record.Rejected{
		Reason: record.ReasonMalformed, Input: 4, Offset: 1, Count: 1, EventTime: 4_000_000_000_000, Watermark: 998_990, Record: []byte(kafkatest.At(4_000_000_000_000)),
		Detail: "event time 2096-10-02T07:06:40Z is ahead of 1970-01-01T00:16:40Z, when Kafka has it written, by more than max_future_skew, 1m0s: some clock is wrong",
	}, s.rejected[0])
	require.EqualValues(t, 4, s.rejected[1].Offset)
	require.EqualValues(t, 1_060_001, s.at.Partitions[0].Clock.Largest, "and the entries that come of it")

	r.MaxAhead = 0
	s = newSession(t, r, 0)
	s.finish()
	require.Len(t, kafkatest.Records(t, s.batches), 6)
	require.EqualValues(t, 4_000_000_000_000, s.at.Partitions[0].Clock.Largest)
}

// testManyAhead: a producer that writes nothing but records from the future fills no memory.
func testManyAhead(t *testing.T, b *kafkatest.Broker) {
	topic := b.Topic(1)
	values := make([]string, 3*batchRecords)
	for i := range values {
		values[i] = kafkatest.At(4_000_000_000_000)
	}
	b.Produce(topic, 0, values...)
	r := readingOf(b, topic)
	r.MaxAhead = time.Hour
	s := newSession(t, r, 0)
	s.claims = 2
	require.ErrorIs(t, s.slice(), ErrHandedOver)
	require.Len(t, s.rejected, 2*batchRecords, "what was claimed, and no more")
	s.claims = 1 << 30
	s.restart()
	s.finish()
	require.Len(t, s.rejected, len(values))
	require.EqualValues(t, record.NoTime, s.at.Watermark)
}
