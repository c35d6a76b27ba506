package parquet

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"

	"tributary/io/format"
	"tributary/io/iotest"
)

const rowSchema = `{"type":"record","name":"row","fields":[{"name":"n","type":"long"},{"name":"text","type":"string"}]}`

// written is a file of rows in row groups of some kilobytes.
func written(t testing.TB, rows []iotest.Row) []byte {
	var out bytes.Buffer
	w, err := begin(&out, format.WriteOptions{Codec: codecSnappy, Schema: rowSchema}, 16<<10)
	require.NoError(t, err)
	for _, row := range rows {
		require.NoError(t, w.Append(appendBytes(binary.AppendVarint(nil, row.N), []byte(row.Text))))
	}
	require.NoError(t, w.Close())
	return out.Bytes()
}

func TestConformance(t *testing.T) {
	iotest.RunFormat(t, iotest.FormatHarness{
		Format: files{},
		Write:  written,
		Spoil: func(t testing.TB, file []byte) ([]byte, int) {
			f, err := parquet.OpenFile(bytes.NewReader(file), int64(len(file)))
			require.NoError(t, err)
			rg := f.Metadata().RowGroups[len(f.Metadata().RowGroups)/2]
			file = bytes.Clone(file)
			at := rg.Columns[1].MetaData
			for i := range int64(20) {
				file[startOf(&at)+at.TotalCompressedSize/2+i] ^= 0x55
			}
			return file, int(rg.NumRows)
		},
		Whole: func([]byte, int) bool { return false },
	})
}
