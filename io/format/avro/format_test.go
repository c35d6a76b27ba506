package avro_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/io/format"
	"tributary/io/format/avro"
	"tributary/io/iotest"
)

func TestConformance(t *testing.T) {
	schema, err := avro.ParseSchema(`{"type":"record","name":"row","fields":[{"name":"n","type":"long"},{"name":"text","type":"string"}]}`)
	require.NoError(t, err)
	files, err := format.Get[format.Files]("avro")
	require.NoError(t, err)
	for _, codec := range avro.Codecs {
		t.Run(codec, func(t *testing.T) {
			iotest.RunFormat(t, iotest.FormatHarness{
				Format: files,
				Write: func(t testing.TB, rows []iotest.Row) []byte {
					var out bytes.Buffer
					w, err := avro.NewWriter(&out, schema, avro.WriterOptions{Codec: codec, BlockBytes: 4 << 10})
					require.NoError(t, err)
					var datum []byte
					for _, row := range rows {
						datum = binary.AppendVarint(datum[:0], row.N)
						datum = append(binary.AppendVarint(datum, int64(len(row.Text))), row.Text...)
						require.NoError(t, w.Append(datum))
					}
					require.NoError(t, w.Close())
					return out.Bytes()
				},
				Spoil: spoilBlock,
				Whole: func(file []byte, cut int) bool { return endsBlock(t, file, cut) },
			})
		})
	}
}

// spoilBlock breaks the sync marker behind a block in the middle of a file.
func spoilBlock(t testing.TB, file []byte) (spoiled []byte, lost int) {
	blocks, ends := blocksOf(t, file)
	middle := len(blocks) / 2
	spoiled = bytes.Clone(file)
	spoiled[ends[middle]-1] ^= 1
	return spoiled, int(blocks[middle].Count)
}

// endsBlock tells whether a block ends there, or the header.
func endsBlock(t testing.TB, file []byte, cut int) bool {
	r, err := avro.NewReader(bytes.NewReader(file))
	require.NoError(t, err)
	_, ends := blocksOf(t, file)
	return int64(cut) == r.Header().Size || slices.Contains(ends, cut)
}

// blocksOf are the blocks of a sound file, with where each ends.
func blocksOf(t testing.TB, file []byte) (blocks []avro.Block, ends []int) {
	r, err := avro.NewReader(bytes.NewReader(file))
	require.NoError(t, err)
	sync := r.Header().Sync
	for {
		b, err := r.Next()
		if errors.Is(err, io.EOF) {
			return blocks, ends
		}
		require.NoError(t, err)
		end := int(b.Offset) + bytes.Index(file[b.Offset:], sync[:]) + len(sync)
		blocks, ends = append(blocks, b), append(ends, end)
	}
}
