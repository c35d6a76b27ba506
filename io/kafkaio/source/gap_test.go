package source

import (
	"encoding/binary"
	"hash/crc32"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"tributary/io/kafkaio/cluster"
	"tributary/io/kafkaio/internal/kafkatest"
	"tributary/io/kafkaio/timeindex"
)

// emptyBatch is what compaction leaves of a batch with the offsets first to last when all its
// records are gone.
func emptyBatch(first, last int64) []byte {
	b := kmsg.RecordBatch{
		FirstOffset: first, Length: batchHeader - batchLength - 4, PartitionLeaderEpoch: -1, Magic: 2, LastOffsetDelta: int32(last - first),
		ProducerID: -1, ProducerEpoch: -1, FirstSequence: -1,
	}
	out := b.AppendTo(nil)
	const crc = 17 // the checksum is that of all behind it
	binary.BigEndian.PutUint32(out[crc:], crc32.Checksum(out[crc+4:], crc32.MakeTable(crc32.Castagnoli)))
	return out
}

// TestEmptyTail: a log may end in a batch whose records compaction took away, of which clients
// say nothing. The reader gets to the end of it all the same.
func TestEmptyTail(t *testing.T) {
	t.Setenv("TRIBUTARY_KAFKA", "")
	b := kafkatest.NewBroker(t)
	topic := b.Topic(1)
	b.Produce(topic, 0, kafkatest.At(1), kafkatest.At(2), kafkatest.At(3))
	b.Produce(topic, 0, kafkatest.At(4), kafkatest.At(5)) // these are gone
	b.Fake.ControlKey(int16(kmsg.Fetch), func(req kmsg.Request) (kmsg.Response, error, bool) {
		b.Fake.KeepControl()
		fetch := req.(*kmsg.FetchRequest)
		if len(fetch.Topics) != 1 || fetch.Topics[0].Partitions[0].FetchOffset >= 5 {
			return nil, nil, false
		}
		resp := req.ResponseKind().(*kmsg.FetchResponse)
		answer := kmsg.NewFetchResponseTopic()
		answer.Topic, answer.TopicID = fetch.Topics[0].Topic, fetch.Topics[0].TopicID
		part := kmsg.NewFetchResponseTopicPartition()
		part.HighWatermark, part.LastStableOffset, part.RecordBatches = 5, 5, emptyBatch(3, 4)
		answer.Partitions = append(answer.Partitions, part)
		resp.Topics = append(resp.Topics, answer)
		return resp, nil, true
	})
	r := readingOf(b, topic)
	r.Start = Start{At: AtOffsets, Offsets: map[cluster.Partition]timeindex.Position{{Topic: topic}: {Offset: 3, Clock: kafkatest.ClockAt(3)}}}
	s := newSession(t, r, 0)
	now := time.Now()
	s.reader.Now = func() time.Time { now = now.Add(time.Second); return now } // time passes
	s.until(func() bool { return s.at.done() })
	require.EqualValues(t, 5, s.at.Partitions[0].Next)
	require.Empty(t, s.batches)
}

func TestBehindEmpty(t *testing.T) {
	full := emptyBatch(7, 9)
	binary.BigEndian.PutUint32(full[batchCount:], 1)
	for _, tt := range []struct {
		name    string
		batches []byte
		want    int64
	}{
		{"nothing", nil, 4},
		{"an empty batch", emptyBatch(3, 6), 7},
		{"one before the position", emptyBatch(1, 3), 4},
		{"one that is at the position alone", emptyBatch(4, 4), 5},
		{"two, and one with records", slices.Concat(emptyBatch(2, 4), emptyBatch(5, 6), full), 7},
		{"records first", slices.Concat(full, emptyBatch(10, 12)), 4},
		{"cut", emptyBatch(3, 6)[:batchHeader-1], 4},
		{"a length that cannot be", append(slices.Clone(emptyBatch(3, 6)[:batchLength]), make([]byte, batchHeader)...), 4},
	} {
		t.Run(tt.name, func(t *testing.T) { require.EqualValues(t, tt.want, behindEmpty(tt.batches, 4)) })
	}
}
