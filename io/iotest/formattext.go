package iotest

import (
	"bytes"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/io/format"
	"tributary/io/packed"
)

// packed reads the text through decompression: the same, and a stream that is cut off is told.
func (h FormatHarness) packed(t *testing.T) {
	for _, ending := range packed.Endings() {
		t.Run(ending, func(t *testing.T) { h.packedAs(t, ending) })
	}
}

func (h FormatHarness) packedAs(t *testing.T, ending string) {
	content := h.Write(t, rowsOf(3000))
	file := Pack(t, ending, content)
	unpacked := func(file []byte) *format.File {
		return &format.File{Path: "file" + ending, Open: func(offset int64) (io.ReadCloser, error) {
			plain := packed.NewReader("file"+ending, bytes.NewReader(file))
			_, err := io.CopyN(io.Discard, plain, offset)
			return io.NopCloser(plain), err
		}}
	}
	want := h.read(t, fileOf(content, nil), format.Place{})
	got := h.read(t, unpacked(file), format.Place{})
	require.NoError(t, got.err)
	require.Equal(t, want.rows, got.rows)
	middle := want.chunks[len(want.chunks)/2].Place
	got = h.read(t, unpacked(file), middle)
	require.NoError(t, got.err)
	require.Equal(t, want.rows[middle.Index:], got.rows)

	got = h.read(t, unpacked(file[:len(file)/2]), format.Place{})
	require.ErrorIs(t, got.err, io.ErrUnexpectedEOF)
	require.Equal(t, want.rows[:len(got.rows)], append([]Row{}, got.rows...))
}

// schema converts text to Avro; a record that does not fit is bad, and takes its index.
func (h FormatHarness) schema(t *testing.T) {
	rows := rowsOf(2000)
	rows[700].N = 1 << 40
	f := fileOf(h.Write(t, rows), nil)
	f.Schema = `{"type":"record","name":"row","fields":[{"name":"n","type":"int"},{"name":"text","type":"string"}]}`
	got := h.read(t, f, format.Place{})
	require.NoError(t, got.err)
	require.Len(t, got.bad, 1)
	require.EqualValues(t, 700, got.bad[0].Index)
	require.EqualValues(t, 1, got.bad[0].Count)
	require.ErrorContains(t, got.bad[0].Err, "n: want a whole number")
	require.Len(t, got.rows, len(rows)-1)
	for i, row := range got.rows {
		require.Equal(t, rows[got.indexes[i]], row)
	}
	f.Schema = `{"type":"record","name":"row","fields":[{"name":"n","type":"nothing"}]}`
	require.Error(t, h.read(t, f, format.Place{}).err)
}
