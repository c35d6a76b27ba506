package iotest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/io/format"
	"tributary/io/format/avro"
	"tributary/io/packed"
)

// rowSchema is that of the rows as they are written.
const rowSchema = `{"type":"record","name":"row","fields":[{"name":"n","type":"long"},{"name":"text","type":"string"}]}`

// write has a format that is written, too, write rows in each of its codecs, and reads them back. The same
// rows are the same bytes; an error of the writer beneath is told, at the end at the latest.
func (h FormatHarness) write(t *testing.T, w format.Writer) {
	schema, err := avro.ParseSchema(rowSchema)
	require.NoError(t, err)
	asJSON, err := avro.NewJSON(schema)
	require.NoError(t, err)
	rows := rowsOf(3000)
	for _, codec := range w.Codecs() {
		to := func(out io.Writer) error {
			records, err := w.Write(out, format.WriteOptions{Codec: codec, Schema: rowSchema, JSON: func(dst, encoded []byte) ([]byte, error) {
				dst, _, err := asJSON.Append(dst, encoded)
				return dst, err
			}})
			if err != nil {
				return err
			}
			var datum []byte
			for _, row := range rows {
				datum = binary.AppendVarint(binary.AppendVarint(datum[:0], row.N), int64(len(row.Text)))
				if err := records.Append(append(datum, row.Text...)); err != nil {
					return errors.Join(err, records.Close())
				}
			}
			return records.Close()
		}
		var first, again bytes.Buffer
		require.NoError(t, to(&first), codec)
		require.NoError(t, to(&again), codec)
		require.True(t, bytes.Equal(first.Bytes(), again.Bytes()), "%s: the same rows are the same bytes", codec)

		name := "file" + w.Ending(codec)
		require.Equal(t, h.Format, format.Of(name), "%s: the ending tells the format", codec)
		plain, err := io.ReadAll(packed.NewReader(name, bytes.NewReader(first.Bytes())))
		require.NoError(t, err)
		got := h.read(t, fileOf(plain, nil), format.Place{})
		require.NoError(t, got.err)
		require.Empty(t, got.bad)
		require.Equal(t, rows, got.rows, codec)

		for _, room := range []int{0, first.Len() / 2, first.Len() - 1} {
			require.ErrorIs(t, to(&fullDisk{room: room}), errFull, "%s: %d of %d bytes could be written", codec, room, first.Len())
		}
	}
	_, err = w.Write(io.Discard, format.WriteOptions{Codec: "no codec", Schema: rowSchema, JSON: func(dst, _ []byte) ([]byte, error) { return dst, nil }})
	require.Error(t, err, "a codec that is none")
}

var errFull = errors.New("the disk is full")

// fullDisk takes so many bytes.
type fullDisk struct{ room int }

func (d *fullDisk) Write(p []byte) (int, error) {
	n := min(len(p), d.room)
	d.room -= n
	if n < len(p) {
		return n, errFull
	}
	return n, nil
}
