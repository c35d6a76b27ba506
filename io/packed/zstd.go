package packed

import (
	"bufio"
	"errors"
	"io"

	"github.com/klauspost/compress/zstd"
)

var zstdCodec = codec{"zstd", []string{".zst", ".zstd"}, [][]byte{zstdMark}, openZstd}

// maxWindow is what the zstd command unpacks without being asked to use more memory; it compresses so with --long.
const maxWindow = 128 << 20

var zstdMark = []byte("\x28\xb5\x2f\xfd")

func openZstd(packed *bufio.Reader) (io.Reader, error) {
	if err := begins(packed, func(mark [4]byte) bool { return string(mark[:]) == string(zstdMark) || skipped(mark) }, zstdMark); err != nil {
		return nil, err
	}
	// With one decoder it works in Read alone, and there is nothing to close.
	r, err := zstd.NewReader(packed, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
	return unzstd{r}, err
}

// windowError is that of a frame which asks for more memory than it gets, or of a block that does not fit its frame.
type windowError struct{ err error }

func (e *windowError) Error() string { return e.err.Error() }
func (e *windowError) Unwrap() error { return e.err }

type unzstd struct{ r *zstd.Decoder }

func (u unzstd) Read(p []byte) (int, error) {
	n, err := u.r.Read(p)
	if errors.Is(err, zstd.ErrWindowSizeExceeded) || errors.Is(err, zstd.ErrDecoderSizeExceeded) {
		err = &windowError{err}
	}
	return n, err
}
