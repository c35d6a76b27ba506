package avro

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
)

// Names of the codecs, as the headers of files have them.
const (
	CodecNull      = "null"
	CodecDeflate   = "deflate"
	CodecSnappy    = "snappy"
	CodecZstandard = "zstandard"
)

// Codecs lists the codecs that can be read and written.
var Codecs = []string{CodecNull, CodecDeflate, CodecSnappy, CodecZstandard}

func checkCodec(name string) error {
	if slices.Contains(Codecs, name) {
		return nil
	}
	return fmt.Errorf("codec %q is not supported: it must be one of %s", name, strings.Join(Codecs, ", "))
}

var errTooLarge = errors.New("its records are larger than the limit")

// decompress appends the plain form of a block to dst, at most limit bytes of it.
func decompress(dst []byte, codec string, data []byte, limit int64) ([]byte, error) {
	switch codec {
	case CodecDeflate:
		return inflate(dst, data, limit)
	case CodecSnappy:
		return unsnap(dst, data, limit)
	case CodecZstandard:
		return unzstd(dst, data, limit)
	default:
		if int64(len(data)) > limit {
			return dst, errTooLarge
		}
		return append(dst, data...), nil
	}
}

// inflater is a reader of deflated data that is used again and again.
type inflater struct {
	source bytes.Reader
	reader io.ReadCloser // also a flate.Resetter
}

var inflaters = sync.Pool{New: func() any {
	f := &inflater{}
	f.reader = flate.NewReader(&f.source)
	return f
}}

func inflate(dst, data []byte, limit int64) ([]byte, error) {
	f := inflaters.Get().(*inflater)
	defer inflaters.Put(f)
	defer f.source.Reset(nil) // the pool must not keep the block alive
	f.source.Reset(data)
	if err := f.reader.(flate.Resetter).Reset(&f.source, nil); err != nil {
		return dst, fmt.Errorf("deflate: %w", err)
	}
	start := len(dst)
	// Records seldom compress to less than a quarter: one growth is usual, not many.
	dst = slices.Grow(dst, min(4*len(data)+512, int(limit)))
	for {
		if len(dst) == cap(dst) {
			dst = slices.Grow(dst, 1)
		}
		n, err := f.reader.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		switch {
		case int64(len(dst)-start) > limit:
			return dst[:start], errTooLarge
		case errors.Is(err, io.EOF):
			// What follows the data belongs to other blocks: the size is damaged.
			if f.source.Len() > syncSize {
				return dst[:start], errors.New("deflate: the block holds more than its data")
			}
			return dst, nil
		case err != nil:
			return dst[:start], fmt.Errorf("deflate: %w", err)
		}
	}
}

// unsnap decodes snappy's block format, which Avro follows with the checksum of the
// plain bytes.
func unsnap(dst, data []byte, limit int64) ([]byte, error) {
	if len(data) < crc32.Size {
		return dst, errors.New("snappy: the checksum is missing")
	}
	data, sum := data[:len(data)-crc32.Size], binary.BigEndian.Uint32(data[len(data)-crc32.Size:])
	n, err := snappy.DecodedLen(data)
	if err != nil {
		return dst, fmt.Errorf("snappy: %w", err)
	}
	if int64(n) > limit {
		return dst, errTooLarge
	}
	// Snappy copies at most 64 bytes for 2: a claim beyond that is a lie, not worth
	// the memory.
	if n/64 > len(data) {
		return dst, fmt.Errorf("snappy: %d bytes cannot hold %d", len(data), n)
	}
	start := len(dst)
	if cap(dst)-start < n { // without clearing what is there to be written
		dst = slices.Grow(dst, n)
	}
	plain, err := snappy.Decode(dst[start:start+n], data)
	if err != nil {
		return dst[:start], fmt.Errorf("snappy: %w", err)
	}
	if got := crc32.ChecksumIEEE(plain); got != sum {
		return dst[:start], fmt.Errorf("snappy: the checksum is %08x, the records' is %08x", sum, got)
	}
	return dst[:start+n], nil
}

// unzstds holds a decoder for each limit in use; a decoder serves all goroutines.
var unzstds sync.Map // int64 -> *zstd.Decoder

func unzstd(dst, data []byte, limit int64) ([]byte, error) {
	d, ok := unzstds.Load(limit)
	if !ok {
		fresh, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(uint64(limit)))
		if err != nil {
			return dst, fmt.Errorf("zstandard: %w", err)
		}
		d, _ = unzstds.LoadOrStore(limit, fresh)
	}
	start := len(dst)
	out, err := d.(*zstd.Decoder).DecodeAll(data, dst)
	switch {
	case errors.Is(err, zstd.ErrDecoderSizeExceeded), errors.Is(err, zstd.ErrWindowSizeExceeded):
		return dst[:start], errTooLarge
	case err != nil:
		return dst[:start], fmt.Errorf("zstandard: %w", err)
	case int64(len(out)-start) > limit:
		return dst[:start], errTooLarge
	}
	return out, nil
}

// compress appends the stored form of a plain block to dst. It depends on plain alone.
func compress(dst []byte, codec string, plain []byte) ([]byte, error) {
	switch codec {
	case CodecDeflate:
		return deflate(dst, plain)
	case CodecSnappy:
		return snap(dst, plain)
	case CodecZstandard:
		return zstdEncoder().EncodeAll(plain, dst), nil
	default:
		return append(dst, plain...), nil
	}
}

// zstdEncoder serves all writers. Measured on views: the fastest level makes files 9 %
// larger than the default one and is 1.4 times as fast.
var zstdEncoder = sync.OnceValue(func() *zstd.Encoder {
	e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest))
	if err != nil {
		panic("avro: zstandard encoder: " + err.Error()) // only for options that are wrong
	}
	return e
})

var deflaters = sync.Pool{New: func() any {
	w, err := flate.NewWriter(nil, flate.DefaultCompression)
	if err != nil {
		panic("avro: deflate encoder: " + err.Error()) // only for a level that is wrong
	}
	return w
}}

func deflate(dst, plain []byte) ([]byte, error) {
	w := deflaters.Get().(*flate.Writer)
	defer deflaters.Put(w)
	out := sliceWriter(dst)
	w.Reset(&out)
	defer w.Reset(nil) // the pool must not keep the block alive
	if _, err := w.Write(plain); err != nil {
		return dst, fmt.Errorf("deflate: %w", err)
	}
	if err := w.Close(); err != nil {
		return dst, fmt.Errorf("deflate: %w", err)
	}
	return out, nil
}

// sliceWriter appends what is written to it.
type sliceWriter []byte

func (s *sliceWriter) Write(p []byte) (int, error) {
	*s = append(*s, p...)
	return len(p), nil
}

// snap writes snappy's block format and the checksum. Of the library's two encoders of the
// format, the other makes blocks of views a tenth smaller, in half as much time again.
func snap(dst, plain []byte) ([]byte, error) {
	most := snappy.MaxEncodedLen(len(plain))
	if most < 0 {
		return dst, fmt.Errorf("snappy: a block of %d bytes is too large", len(plain))
	}
	start := len(dst)
	dst = slices.Grow(dst, most+crc32.Size)
	stored := s2.EncodeSnappy(dst[start:start+most], plain)
	return binary.BigEndian.AppendUint32(dst[:start+len(stored)], crc32.ChecksumIEEE(plain)), nil
}
