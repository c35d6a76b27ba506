package shuffle

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/io/record"
	"tributary/transforms/attribution/attributiontest"
	"tributary/transforms/attribution/bucket"
)

// BenchmarkBlocks appends the records of a bucket to a block and reads them back.
func BenchmarkBlocks(b *testing.B) {
	p, batches := attributiontest.Hour(b)
	var largest Block
	k := NewPacker(p, func(_ Place, block Block) {
		if len(block.encoded) > len(largest.encoded) {
			largest = block
		}
	}, func(record.Rejected) {})
	for _, batch := range batches {
		require.NoError(b, k.Add(batch))
	}
	packed(p, k)
	var bucket bucket.Bucket
	read := func() {
		index, err := largest.Bucket()
		require.NoError(b, err)
		bucket.Reset(index)
		require.NoError(b, largest.AddTo(&bucket, p.Meaning().Fingerprint(), p.Bucket))
	}
	read()
	records := len(bucket.Views) + len(bucket.Engagements)
	report := func(b *testing.B) {
		b.SetBytes(int64(len(largest.encoded)))
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(records), "ns/record")
	}
	b.Run("read", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			read()
		}
		report(b)
	})
	b.Run("append", func(b *testing.B) {
		b.ReportAllocs()
		w := blockWriter{block: make([]byte, 0, 2*len(largest.encoded))}
		for b.Loop() {
			w.open(p.Meaning().Fingerprint(), bucket.Index, bucket.Index*p.Bucket)
			for i := range bucket.Views {
				w.view(&bucket.Views[i], insideOf(&bucket.Views[i]))
			}
			for i := range bucket.Engagements {
				w.engagement(&bucket.Engagements[i])
			}
		}
		require.Len(b, w.block, len(largest.encoded))
		report(b)
	})
}
