package batch

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"tributary/io/fileio"
	"tributary/io/format"
)

// spool is a file of encoded samples that are written again, in the format of the spec, when all of them are there.
//
//	spool = { size (uvarint) sample }
type spool struct {
	to   *bufio.Writer
	head []byte
}

func newSpool(w io.Writer) *spool { return &spool{to: bufio.NewWriterSize(w, 256<<10)} }

// Append writes a sample.
func (s *spool) Append(encoded []byte) error {
	s.head = binary.AppendUvarint(s.head[:0], uint64(len(encoded)))
	if _, err := s.to.Write(s.head); err != nil {
		return err
	}
	_, err := s.to.Write(encoded)
	return err
}

// Close writes what is left; the file stays open.
func (s *spool) Close() error { return s.to.Flush() }

// spooled gives the samples of a spool to who writes them, and says how many they are: none, if there is no file.
func spooled(ctx context.Context, path string, to format.Records) (n int64, err error) {
	file, err := fileio.Open(ctx, path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	from := bufio.NewReaderSize(file, 256<<10)
	var encoded []byte
	for ; ctx.Err() == nil; n++ {
		size, err := binary.ReadUvarint(from)
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, fmt.Errorf("%s: %w", path, err)
		}
		encoded = append(encoded[:0], make([]byte, size)...)
		if _, err := io.ReadFull(from, encoded); err != nil {
			return n, fmt.Errorf("%s: %w", path, err)
		}
		if err := to.Append(encoded); err != nil {
			return n, err
		}
	}
	return n, ctx.Err()
}
