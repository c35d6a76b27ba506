package kafkaio

import (
	"context"
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
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
			require.Equal(b, []Committed{{ID: id, Version: 1, Records: 1}}, acks)
		}
		acks, err := r.process().write(context.Background(), 0, []*group{makeGroup(b, 0, transactions-1, 1, 0)})
		require.NoError(b, err)
		require.True(b, acks[0].Skipped)
		require.Len(b, r.samples(), transactions)
	}
	b.ReportMetric(b.Elapsed().Seconds()*1000/float64(b.N)/transactions, "ms/txn")
}

// BenchmarkWrite writes groups of 1,000 samples of 150 bytes, some of them in a transaction:
// through the DoFn, framed records in and acknowledgements out, and with a plain
// transactional producer, the same records in the same transactions without a ledger.
func BenchmarkWrite(b *testing.B) {
	const size, bytes = 1000, 150
	for _, groups := range []int{1, 10} {
		perOp := float64(groups * size)
		b.Run(fmt.Sprintf("groups=%d/sink", groups), func(b *testing.B) {
			r := newWriteRig(b, 1)
			ctx := context.Background()
			f := &writeFn{Writing: r.w}
			require.NoError(b, f.Setup())
			defer f.Teardown()
			acks := 0
			emit := func(beam.EventTime, Committed) { acks++ }
			refuse := func(beam.EventTime, Refused) {}
			payload := randomBytes(bytes)
			bundles := int64(0)
			for b.Loop() {
				f.StartBundle(ctx, emit, refuse)
				for n := range groups {
					g := Group{ID: bundles*int64(groups) + int64(n), Last: true}
					for i := range size {
						binary.BigEndian.PutUint64(payload, uint64(i))
						g.Records = AppendRecord(g.Records, payload[:16], payload[16:], 1_700_000_000_000)
					}
					require.NoError(b, f.ProcessElement(ctx, 0, g, emit, refuse))
				}
				require.NoError(b, f.FinishBundle(ctx, emit, refuse))
				bundles++
			}
			b.ReportMetric(perOp*float64(b.N)/b.Elapsed().Seconds(), "records/s")
			require.Equal(b, int(bundles)*groups, acks)
		})
		b.Run(fmt.Sprintf("groups=%d/plain", groups), func(b *testing.B) {
			r := newWriteRig(b, 1)
			ctx := context.Background()
			client := r.client(kgo.TransactionalID(r.w.Job), kgo.DefaultProduceTopic(r.w.Topic), kgo.MaxBufferedRecords(1<<20))
			defer client.Close()
			payload := randomBytes(bytes)
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
