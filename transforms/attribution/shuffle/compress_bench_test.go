package shuffle

import (
	"fmt"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/stretchr/testify/require"

	"tributary/io/record"
	"tributary/transforms/attribution/attributiontest"
)

// BenchmarkCompress compresses blocks of several sizes as they could be, and reports what is
// left of them in percent.
func BenchmarkCompress(b *testing.B) {
	level := func(l zstd.EncoderLevel) func(block, out []byte) []byte {
		encoder, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(l), zstd.WithEncoderCRC(false))
		require.NoError(b, err)
		return func(block, out []byte) []byte { return encoder.EncodeAll(block, out) }
	}
	for _, size := range []int{64 << 10, 4 << 10, 512} {
		block := benchBlock(b, size)
		for _, codec := range []struct {
			name     string
			compress func(block, out []byte) []byte
		}{
			{"zstd_fastest", level(zstd.SpeedFastest)},
			{"zstd_default", level(zstd.SpeedDefault)},
			{"lz4", func(block, out []byte) []byte {
				n, err := lz4.CompressBlock(block, out[:cap(out)], nil)
				require.NoError(b, err)
				if n == 0 { // it does not get smaller
					return append(out, block...)
				}
				return out[:n]
			}},
		} {
			b.Run(fmt.Sprintf("%d/%s", size, codec.name), func(b *testing.B) {
				out := make([]byte, 0, lz4.CompressBlockBound(len(block)))
				b.SetBytes(int64(len(block)))
				for b.Loop() {
					out = codec.compress(block, out[:0])
				}
				b.ReportMetric(100*float64(len(out))/float64(len(block)), "%left")
			})
		}
	}
}

// benchBlock returns the first block of some input that has at least so many bytes, cut there.
func benchBlock(b *testing.B, size int) []byte {
	b.Helper()
	p, batches := attributiontest.Hour(b)
	var found []byte
	k := NewPacker(p, func(_ Place, block Block) {
		if found == nil && len(block.encoded) >= size {
			found = block.encoded[:size]
		}
	}, func(record.Rejected) {})
	for _, batch := range batches {
		require.NoError(b, k.Add(batch))
	}
	packed(p, k)
	require.NotNil(b, found)
	return found
}
