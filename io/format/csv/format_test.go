package csv

import (
	"bytes"
	"encoding/csv"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/io/format"
	"tributary/io/iotest"
)

func TestConformance(t *testing.T) {
	files, err := format.Get[format.Files]("csv")
	require.NoError(t, err)
	iotest.RunFormat(t, iotest.FormatHarness{
		Format: files,
		Write: func(t testing.TB, rows []iotest.Row) []byte {
			var out bytes.Buffer
			w := csv.NewWriter(&out)
			require.NoError(t, w.Write([]string{"n", "text"}))
			for _, row := range rows {
				require.NoError(t, w.Write([]string{strconv.FormatInt(row.N, 10), row.Text}))
			}
			w.Flush()
			require.NoError(t, w.Error())
			return out.Bytes()
		},
		Spoil: func(_ testing.TB, file []byte) ([]byte, int) {
			file = bytes.Clone(file)
			file[bytes.IndexByte(file[len(file)/2:], '\n')+len(file)/2-1] = 'x' // the quote at the end of a row
			return file, 1
		},
		// Behind a quote or a comma the row may have ended before its line has; and a header may be any text.
		Whole: func(file []byte, cut int) bool {
			return bytes.IndexByte([]byte("\",\n"), file[cut-1]) >= 0 || cut <= bytes.IndexByte(file, '\n')
		},
	})
}
