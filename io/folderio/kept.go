package folderio

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
	"github.com/zeebo/xxh3"

	"tributary/io/fileio"
	"tributary/io/format"
	"tributary/io/wire"
)

// kept writes a group that waits to be put together with others: its framed records, compressed. What
// acknowledges the group says how many they are and their digest.
type kept struct {
	to    *zstd.Encoder
	frame []byte
}

func newKept(w *fileio.Writer) (format.Records, error) {
	to, err := zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	return &kept{to: to}, err
}

func (k *kept) Append(record []byte) error {
	k.frame = wire.AppendBytes(k.frame[:0], record)
	_, err := k.to.Write(k.frame)
	return err
}

func (k *kept) Close() error { return k.to.Close() }

// readKept calls each for the records of a group, and fails unless they are those that were acknowledged. What
// each is given is valid for the call.
func (w *Writer) readKept(ctx context.Context, of Written, each func(record []byte) error) (err error) {
	path := w.c.kept(of.Shard, of.ID)
	file, err := w.steps.open(ctx, path)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // only read
	plain, err := zstd.NewReader(file, zstd.WithDecoderConcurrency(1))
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	defer plain.Close()
	digest := xxh3.New()
	n, err := eachFramed(io.TeeReader(plain, digest), each)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if n != of.Records || digest.Sum64() != of.Digest {
		return fmt.Errorf("%s holds %d records of digest %016x, and %d of %016x were written there: it was changed by another process", path, n, digest.Sum64(), of.Records, of.Digest)
	}
	return nil
}

// eachFramed reads framed records to their end.
func eachFramed(r io.Reader, each func(record []byte) error) (n int64, err error) {
	in := bufio.NewReader(r)
	var record []byte
	for ; ; n++ {
		size, err := binary.ReadUvarint(in)
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, err
		}
		if size > uint64(cap(record)) {
			record = make([]byte, size)
		}
		if _, err := io.ReadFull(in, record[:size]); err != nil {
			return n, err
		}
		if err := each(record[:size]); err != nil {
			return n, err
		}
	}
}
