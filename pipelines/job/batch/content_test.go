package batch

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/stretchr/testify/require"

	"tributary/io/iotest"
	"tributary/transforms/account"
)

// TestContentDecides: an interval is joined again if the bytes of a file are others, though its size
// and time are the same; and is not if they are the same, though its time is another.
func TestContentDecides(t *testing.T) {
	zipped := func(text string) string {
		var out bytes.Buffer
		w := gzip.NewWriter(&out)
		_, err := w.Write([]byte(text))
		require.NoError(t, err)
		require.NoError(t, w.Close())
		return out.String()
	}
	one := `{"view_id":"v1","ts":"2026-01-01T10:00:00Z"}` + "\n"
	other := strings.ReplaceAll(one, "v1", "v2")
	avro := func(row string) string {
		path := t.TempDir() + "/x.avro"
		writeAvro(t, path, `{"type":"record","name":"V","fields":[{"name":"view_id","type":"string"},{"name":"ts","type":"string"}]}`, 0, row)
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		return string(content)
	}
	for ending, contents := range map[string][2]string{
		"jsonl": {one, other}, "jsonl.gz": {zipped(one), zipped(other)}, "avro": {avro(one), avro(other)},
		"jsonl.zst": {string(iotest.Pack(t, ".zst", []byte(one))), string(iotest.Pack(t, ".zst", []byte(other)))},
		"csv":       {"view_id,ts\nv1,2026-01-01T10:00:00Z\n", "view_id,ts\nv2,2026-01-01T10:00:00Z\n"},
	} {
		t.Run(ending, func(t *testing.T) {
			dir, at := t.TempDir(), time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)
			write(t, dir+"/likes.jsonl", `{"view_id":"v1","ts":"2026-01-01T10:00:09Z"}`+"\n")
			s := parse(t, dir, `
views: {inputs: views.`+ending+`, id: view_id, time: ts}
engagements:
  like: {inputs: likes.jsonl, view: view_id, time: ts, window: 30m}
outputs: {samples: out/samples}
`)
			path := dir + "/views." + ending
			require.Len(t, contents[0], len(contents[1]))
			put := func(content string, at time.Time) {
				write(t, path, content)
				require.NoError(t, os.Chtimes(path, at, at))
			}
			put(contents[0], at)
			require.Equal(t, int64(1), join(t, s, Options{}).Accounts.Views.N[account.Positives])
			put(contents[1], at)
			require.Equal(t, int64(0), join(t, s, Options{}).Accounts.Views.N[account.Positives])
			put(contents[1], at.Add(time.Hour))
			require.Equal(t, int64(0), join(t, s, Options{}).Events, "it was joined again")
		})
	}
}
