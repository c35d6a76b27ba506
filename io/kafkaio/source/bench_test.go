package source

import (
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/kafkaio/internal/kafkatest"
	"tributary/io/record"
)

const benchSchema = `{"type":"record","name":"View","fields":[
	{"name":"view_id","type":"string"},{"name":"ts","type":{"type":"long","logicalType":"timestamp-millis"}},
	{"name":"features","type":"string"}]}`

// benchRecord is a view of about 105 bytes.
func benchRecord(i int) []byte {
	text := func(out []byte, s string) []byte {
		return append(binary.AppendVarint(out, int64(len(s))), s...)
	}
	out := text(nil, fmt.Sprintf("view-%012d", i))
	out = binary.AppendVarint(out, 1_700_000_000_000+int64(i))
	return text(out, fmt.Sprintf("%079d", i))
}

// BenchmarkRead reads the same topic with the reader and, as the control, by polling a plain
// client that looks at each record's length.
func BenchmarkRead(b *testing.B) {
	const partitions, each = 4, 250_000
	broker := kafkatest.NewBroker(b)
	topic := broker.Topic(partitions)
	for p := range int32(partitions) {
		for i := range each {
			broker.Client.Produce(b.Context(), &kgo.Record{Topic: topic, Partition: p, Value: benchRecord(i)}, func(_ *kgo.Record, err error) {
				if err != nil {
					b.Error(err)
				}
			})
		}
	}
	require.NoError(b, broker.Client.Flush(b.Context()))
	perRecord := func(b *testing.B) {
		b.SetBytes(partitions * each * int64(len(benchRecord(0))))
		b.ReportMetric(float64(b.N)*partitions*each/b.Elapsed().Seconds(), "records/s")
	}
	b.Run("reader", func(b *testing.B) {
		for b.Loop() {
			r := readingOf(broker, topic)
			r.Topics[0].Format, r.Topics[0].Schema, r.Topics[0].Time = Avro, benchSchema, Field{Path: "ts"}
			s := newSession(b, r, 0)
			s.count = func(batch record.Batch) { require.Positive(b, batch.Count) }
			s.finish()
			require.EqualValues(b, partitions*each, s.counted)
			s.reader.Close()
		}
		perRecord(b)
	})
	b.Run("plain", func(b *testing.B) {
		for b.Loop() {
			client := broker.Connect(kgo.ConsumeTopics(topic), kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()),
				kgo.FetchMaxBytes(fetchBytes), kgo.FetchMaxPartitionBytes(fetchPartitionBytes), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
			for n, bytes := 0, 0; n < partitions*each; {
				client.PollFetches(b.Context()).EachRecord(func(r *kgo.Record) { n, bytes = n+1, bytes+len(r.Value) })
			}
			client.Close()
		}
		perRecord(b)
	})
}
