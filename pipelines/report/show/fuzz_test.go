package show

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"tributary/pipelines/report"
)

// Whatever is in a file is shown or refused, and what is shown is harmless.
func FuzzShow(f *testing.F) {
	for _, content := range []string{
		"{}", "{}\n{\"a\":1}", "[]", "null", "1", "{\"\":1}", "{\"a\":{}}", "\"\"", "a,b\n1", "\n\n", ",\n,", lines[0],
		`{"view_id":"v","view_time":9223372036854775807,"positive":true,"labels":{},"delay_ms":{}}`,
		`{"view_id":{},"view_time":null,"positive":true,"labels":{"":9},"delay_ms":{"":9223372036854775807}}`,
		`{"from_ms":5,"views":{"read":-1,"positives":1},"engagements":{"like":{"positives":-9}},"timeline":{"0":{"samples":-1,"positives":{"like":-4}},"7":{"samples":9223372036854775807,"positives":{"like":9223372036854775807}}}}`,
		`{"from_ms":5,"views":{"reasons":{"a":null}},"engagements":{},"inputs":{"a":null}}`,
		"Obj\x01",
	} {
		for kind := range byte(3) {
			f.Add([]byte(content), kind, byte(40))
		}
	}
	f.Fuzz(func(t *testing.T, content []byte, kind, width byte) {
		path := filepath.Join(t.TempDir(), []string{"a.jsonl", "a.csv", "a.avro"}[int(kind)%3])
		require.NoError(t, os.WriteFile(path, content, 0o600))
		for _, asJSON := range []bool{false, true} {
			var out, warn bytes.Buffer
			if Run(t.Context(), path, Options{Limit: 20, Width: int(width), JSON: asJSON}, &out, &warn) != nil {
				continue
			}
			for line := range strings.SplitSeq(out.String(), "\n") {
				assert.Equal(t, report.Harmless(line), line)
				if width >= 60 && !asJSON && !strings.Contains(line, path) {
					assert.LessOrEqual(t, text.StringWidth(line), int(width), "%q", line)
				}
			}
		}
	})
}
