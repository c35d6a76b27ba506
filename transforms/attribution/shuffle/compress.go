package shuffle

import (
	"fmt"
	"sync"

	"github.com/klauspost/compress/zstd"

	"tributary/io/wire"
)

// How the records of a block are packed.
const (
	plainRecords = iota
	zstdRecords
)

// compressFrom is the size from which a block is compressed: below, the frame of zstd takes
// what it saves.
const compressFrom = 256

// largestBlock is far beyond a block with the largest record that brokers take.
const largestBlock = 1 << 30

// codec compresses blocks. Fastest: the next level saves no more and takes longer; lz4 takes
// less than half the time and leaves nearly twice as much (BenchmarkCompress). Both halves
// are safe for concurrent use.
var codec = sync.OnceValues(func() (*zstd.Encoder, *zstd.Decoder) {
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(false))
	if err != nil {
		panic(fmt.Errorf("attribution: %w", err)) // the options are wrong
	}
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(largestBlock))
	if err != nil {
		panic(fmt.Errorf("attribution: %w", err))
	}
	return encoder, decoder
})

// compressed returns a copy of a block of plain records, compressed if that is any use.
func compressed(block []byte, meaning uint64, bucket int64) []byte {
	if len(block) < compressFrom {
		return append([]byte(nil), block...)
	}
	encoder, _ := codec()
	header := append(appendHeader(make([]byte, 0, len(block)), meaning, bucket), zstdRecords)
	out := encoder.EncodeAll(block[len(header):], header)
	if len(out) >= len(block) {
		return append(out[:0], block...)
	}
	return out
}

// unpack makes the reader stand before plain records.
func (d *blockReader) unpack() error {
	switch packing := d.Byte(); {
	case d.Short():
		return errShort
	case packing == plainRecords:
		return nil
	case packing == zstdRecords:
		_, decoder := codec()
		plain, err := decoder.DecodeAll(d.Rest(), nil)
		if err != nil {
			return fmt.Errorf("compressed records: %w", err)
		}
		d.Reader = wire.NewReader(plain)
		return nil
	default:
		return fmt.Errorf("packing %d is not known", packing)
	}
}
