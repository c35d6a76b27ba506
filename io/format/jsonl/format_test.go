package jsonl

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/io/format"
	"tributary/io/iotest"
)

func TestConformance(t *testing.T) {
	files, err := format.Get[format.Files]("json")
	require.NoError(t, err)
	iotest.RunFormat(t, iotest.FormatHarness{
		Format: files,
		Write: func(t testing.TB, rows []iotest.Row) []byte {
			var out bytes.Buffer
			w := json.NewEncoder(&out)
			for _, row := range rows {
				require.NoError(t, w.Encode(map[string]any{"n": row.N, "text": row.Text}))
			}
			return out.Bytes()
		},
		Spoil: func(_ testing.TB, file []byte) ([]byte, int) {
			file = bytes.Clone(file)
			file[bytes.IndexByte(file[len(file)/2:], '\n')+len(file)/2-1] = 'x' // the brace at the end of a line
			return file, 1
		},
		Whole: func(file []byte, cut int) bool { return file[cut] == '\n' || file[cut-1] == '\n' },
	})
}
