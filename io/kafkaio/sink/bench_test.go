package sink

import (
	"context"
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/kafkaio/commitlog"
	"tributary/io/kafkaio/internal/kafkatest"
)

// BenchmarkTrap11EpochWrap writes more transactions than an epoch of 16 bits counts: brokers
// raise it with each, and give the producer a new id when it is used up. Every group must be
// there once, and a new writer must find them. It is a benchmark for what it costs.
func BenchmarkTrap11EpochWrap(b *testing.B) {
	const transactions = 33_500
	for b.Loop() {
		r := newWriteRig(b, 1)
		r.w.Keep = 100
		p := r.process()
		for id := range int64(transactions) {
			acks, err := p.write(context.Background(), 0, []*group{makeGroup(b, 0, id, 1, 0)})
			require.NoError(b, err)
			require.Equal(b, []commitlog.Committed{{ID: id, Version: 1, Records: 1}}, acks)
		}
		acks, err := r.process().write(context.Background(), 0, []*group{makeGroup(b, 0, transactions-1, 1, 0)})
		require.NoError(b, err)
		require.True(b, acks[0].Skipped)
		require.Len(b, r.Samples(), transactions)
	}
	b.ReportMetric(b.Elapsed().Seconds()*1000/float64(b.N)/transactions, "ms/txn")
}

// BenchmarkWrite writes groups of 1,000 samples of 150 bytes, some of them in a transaction:
// framed records in and acknowledgements out, and with a plain
// transactional producer, the same records in the same transactions without a commit log.
func BenchmarkWrite(b *testing.B) {
	const size, bytes = 1000, 150
	for _, groups := range []int{1, 10} {
		perOp := float64(groups * size)
		b.Run(fmt.Sprintf("groups=%d/sink", groups), func(b *testing.B) {
			r := newWriteRig(b, 1)
			ctx := context.Background()
			w, err := NewWriters(r.w)
			require.NoError(b, err)
			defer w.CloseIdle()
			acks := 0
			payload := kafkatest.RandomBytes(bytes)
			bundles := int64(0)
			for b.Loop() {
				var bundle Bundle
				for n := range groups {
					g := Group{ID: bundles*int64(groups) + int64(n), Last: true}
					for i := range size {
						binary.BigEndian.PutUint64(payload, uint64(i))
						g.Records = AppendRecord(g.Records, payload[:16], payload[16:], 1_700_000_000_000)
					}
					_, err := bundle.Add(g)
					require.NoError(b, err)
				}
				done, err := w.Write(ctx, 0, &bundle)
				require.NoError(b, err)
				acks += len(done)
				bundles++
			}
			b.ReportMetric(perOp*float64(b.N)/b.Elapsed().Seconds(), "records/s")
			require.Equal(b, int(bundles)*groups, acks)
		})
		b.Run(fmt.Sprintf("groups=%d/plain", groups), func(b *testing.B) {
			r := newWriteRig(b, 1)
			ctx := context.Background()
			client := r.Client(kgo.TransactionalID(r.w.Job), kgo.DefaultProduceTopic(r.w.Topic), kgo.MaxBufferedRecords(1<<20))
			defer client.Close()
			payload := kafkatest.RandomBytes(bytes)
			for b.Loop() {
				require.NoError(b, client.BeginTransaction())
				for range groups {
					for i := range size {
						v := append([]byte(nil), payload...)
						binary.BigEndian.PutUint64(v, uint64(i))
						client.Produce(ctx, &kgo.Record{Key: v[:16], Value: v[16:]}, nil)
					}
				}
				require.NoError(b, client.Flush(ctx))
				require.NoError(b, client.EndTransaction(ctx, kgo.TryCommit))
			}
			b.ReportMetric(perOp*float64(b.N)/b.Elapsed().Seconds(), "records/s")
		})
	}
}
