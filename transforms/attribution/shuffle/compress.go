package shuffle

import (
	"encoding/binary"
	"fmt"
	"sync"

	"github.com/klauspost/compress/zstd"

	"tributary/io/wire"
)

// How the records of a block are packed.
const (
	plainRecords = iota
	zstdRecords
	// correction: there are none, but a count of corrections, see NewCorrection.
	correction
	// marked is set where markers stand before the records.
	marked = 0x80
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

// finished returns the block that was written, its records compressed if they are to be, and if that is any use.
func (w *blockWriter) finished(compress bool) []byte {
	out := make([]byte, 0, w.size()+binary.MaxVarintLen32)
	out = append(out, w.block[:w.header]...)
	packing := &out[w.header-1]
	if len(w.markers) > 0 {
		*packing |= marked
		out = wire.AppendBytes(out, w.markers)
	}
	records, before := w.block[w.header:], len(out)
	if !compress || len(records) < compressFrom {
		return append(out, records...)
	}
	encoder, _ := codec()
	if out = encoder.EncodeAll(records, out); len(out)-before >= len(records) {
		return append(out[:before], records...)
	}
	out[w.header-1] |= zstdRecords
	return out
}

// unpack makes the reader stand before plain records, and returns the markers before them; of a correction there are neither.
func (d *blockReader) unpack() (markers []byte, corrections int64, err error) {
	packing := d.Byte()
	if packing&marked != 0 {
		markers, packing = d.Bytes(), packing&^marked
	}
	switch {
	case d.Short():
		return nil, 0, errShort
	case packing == plainRecords:
		return markers, 0, nil
	case packing == zstdRecords:
		_, decoder := codec()
		plain, err := decoder.DecodeAll(d.Rest(), nil)
		if err != nil {
			return nil, 0, fmt.Errorf("compressed records: %w", err)
		}
		d.Reader = wire.NewReader(plain)
		return markers, 0, nil
	case packing == correction:
		return nil, int64(d.Uvarint()), nil
	default:
		return nil, 0, fmt.Errorf("packing %d is not known", packing)
	}
}
