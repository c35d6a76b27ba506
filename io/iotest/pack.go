package iotest

import (
	"bytes"
	"io"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/stretchr/testify/require"

	"tributary/io/packed"
)

// Pack returns the bytes of a file with that content whose name ends so: compressed, if the ending is one of those of package
// packed, as it is otherwise.
func Pack(t testing.TB, name string, content []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := Packer(t, name, &out)
	_, err := w.Write(content)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return out.Bytes()
}

// Packer writes a file whose name ends so to w. Closing it does not close w.
func Packer(t testing.TB, name string, w io.Writer) io.WriteCloser {
	t.Helper()
	switch _, codec := packed.Cut(name); codec {
	case "gzip":
		return gzip.NewWriter(w)
	case "zstd":
		zipped, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1))
		require.NoError(t, err)
		return zipped
	case "lz4":
		return lz4.NewWriter(w)
	}
	return plain{w}
}

type plain struct{ io.Writer }

func (plain) Close() error { return nil }
