package ltsv

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/io/format"
	"tributary/io/iotest"
)

func TestConformance(t *testing.T) {
	files, err := format.Get[format.Files]("ltsv")
	require.NoError(t, err)
	iotest.RunFormat(t, iotest.FormatHarness{
		Format: files,
		Write: func(_ testing.TB, rows []iotest.Row) []byte {
			var out bytes.Buffer
			for _, row := range rows {
				fmt.Fprintf(&out, "n:%d\ttext:%s\tend:\n", row.N, row.Text)
			}
			return out.Bytes()
		},
		Spoil: func(_ testing.TB, file []byte) ([]byte, int) {
			file = bytes.Clone(file)
			file[bytes.IndexByte(file[len(file)/2:], '\n')+len(file)/2-1] = 'x' // the last label's colon
			return file, 1
		},
		Whole: func(file []byte, cut int) bool { return file[cut-1] == '\n' },
	})
}
