package avro

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

// TestReaderPassesErrorsOn: what the source fails with is neither damage nor an end.
func TestReaderPassesErrorsOn(t *testing.T) {
	broken := errors.New("connection lost")
	file := writeFile(t, mustParse(t, viewSchema), WriterOptions{BlockBytes: 1 << 10}, viewDatums(t, 100))
	r, err := NewReader(io.MultiReader(bytes.NewReader(file[:len(file)-500]), iotest.ErrReader(broken)))
	require.NoError(t, err)
	for {
		if _, err = r.Next(); err != nil {
			break
		}
	}
	require.ErrorIs(t, err, broken)
	var d *DamageError
	require.NotErrorAs(t, err, &d)
	_, again := r.Next()
	require.ErrorIs(t, again, broken)
	_, err = NewReader(iotest.ErrReader(broken))
	require.ErrorIs(t, err, broken)
}

type failingWriter struct{ left int }

var errDisk = errors.New("disk full")

func (w *failingWriter) Write(p []byte) (int, error) {
	if w.left -= len(p); w.left < 0 {
		return 0, errDisk
	}
	return len(p), nil
}

// TestWriterPassesErrorsOn: a failed write shows in Append at the latest some blocks
// later, in Close always, and nothing hangs.
func TestWriterPassesErrorsOn(t *testing.T) {
	s, datums := mustParse(t, viewSchema), viewDatums(t, 2000)
	_, err := NewWriter(&failingWriter{}, s, WriterOptions{})
	require.ErrorIs(t, err, errDisk)
	w, err := NewWriter(&failingWriter{left: 9000}, s, WriterOptions{BlockBytes: 2 << 10})
	require.NoError(t, err)
	for i := 0; err == nil; i = (i + 1) % len(datums) {
		err = w.Append(datums[i])
	}
	require.ErrorIs(t, err, errDisk)
	require.ErrorIs(t, w.Close(), errDisk)
	require.ErrorIs(t, w.Close(), errDisk)
	require.ErrorIs(t, w.Append(datums[0]), errClosed)
	_, err = NewWriter(io.Discard, s, WriterOptions{Codec: "lzo"})
	require.ErrorContains(t, err, `codec "lzo" is not supported`)
	_, err = NewWriter(io.Discard, s, WriterOptions{Meta: map[string][]byte{"avro.x": nil}})
	require.ErrorContains(t, err, `metadata key "avro.x"`)
}
