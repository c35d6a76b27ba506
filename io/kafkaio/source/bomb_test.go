package source

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/kafkaio/internal/kafkatest"
	"tributary/io/record"
)

// TestDecompressionBomb: a batch that unpacks a thousandfold is a dead letter with its place,
// wherever it stands, and the records around it are read.
func TestDecompressionBomb(t *testing.T) {
	b := kafkatest.NewBroker(t)
	name := b.Topic(1)
	client, err := kgo.NewClient(kgo.SeedBrokers(b.Brokers...), kgo.ProducerBatchMaxBytes(1<<28), kgo.BrokerMaxWriteBytes(1<<29),
		kgo.ProducerBatchCompression(kgo.GzipCompression()), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	require.NoError(t, err)
	defer client.Close()
	bomb := func() {
		require.NoError(t, client.ProduceSync(t.Context(), &kgo.Record{Topic: name, Value: make([]byte, maxBatchBytes+1)}).FirstErr())
	}
	bomb() // at the head of the partition
	b.Produce(name, 0, kafkatest.At(1), kafkatest.At(2))
	bomb()
	bomb()
	b.Produce(name, 0, kafkatest.At(3))
	bomb()
	s := newSession(t, readingOf(b, name), 0)
	s.finish()
	var offsets []int64
	for _, r := range s.rejected {
		require.Equal(t, record.ReasonMalformed, r.Reason)
		require.Equal(t, int64(1), r.Count)
		require.Regexp(t, `^the batch of records from offset \d to \d unpacks to more than 128 MiB$`, r.Detail)
		require.Empty(t, r.Record)
		offsets = append(offsets, r.Offset)
	}
	require.Equal(t, []int64{0, 3, 4, 6}, offsets)
	require.Equal(t, int64(7), s.at.Partitions[0].Next)
	require.Equal(t, int64(3), s.at.Partitions[0].Clock.Largest)
}
