package fileio

import (
	"context"
	"errors"
	"fmt"
	"io"

	"tributary/io/packed"
)

// OpenText opens a file of text, compressed or not (see package packed), at a byte of its plain text, to its end. All before
// it has to be unpacked.
func OpenText(ctx context.Context, path string, offset int64) (io.ReadCloser, error) {
	if !packed.Is(path) {
		return OpenAt(ctx, path, offset)
	}
	r, err := Open(ctx, path)
	if err != nil {
		return nil, err
	}
	plain := packed.NewReader(path, r)
	if _, err := io.CopyN(io.Discard, plain, offset); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: skip to byte %d of the text: %w", path, offset, err), r.Close())
	}
	return struct {
		io.Reader
		io.Closer
	}{plain, r}, nil
}
