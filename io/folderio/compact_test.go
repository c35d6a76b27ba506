package folderio

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/io/format"
	_ "tributary/io/format/csv"      // registers csv
	_ "tributary/io/format/parquet"  // registers parquet
	_ "tributary/io/format/tfrecord" // registers tfrecord
)

// TestCompact: groups of encoded records are put together in one file, which holds the bytes of one that is written
// at once, and a replay writes the same.
func TestCompact(t *testing.T) {
	for _, to := range [][2]string{{"parquet", "zstd"}, {"csv", "none"}, {"csv", "gzip"}, {"tfrecord", "none"}} {
		t.Run(strings.Join(to[:], " "), func(t *testing.T) { compact(t, to[0], to[1]) })
	}
}

func compact(t *testing.T, name, codec string) {
	const schema = `{"type":"record","name":"r","fields":[{"name":"t","type":"string"}]}`
	c := Config{
		Path: t.TempDir(), Job: "job", Format: name, Codec: codec, Schema: schema, Step: 60_000, Compact: 3_600_000, Shards: 1,
		Meaning: map[string]string{"window": "1m"},
	}
	require.NoError(t, c.Validate())
	p, err := Begin(t.Context(), c)
	require.NoError(t, err)
	c.FencingEpoch = p.FencingEpoch

	in, err := format.Get[format.Writer](name)
	require.NoError(t, err)
	var want bytes.Buffer
	whole, err := in.Write(&want, format.WriteOptions{Codec: codec, Schema: schema})
	require.NoError(t, err)

	w := NewWriter(c)
	b := w.Bundle()
	for id := int64(0); id < 5; id++ {
		g := Group{ID: id * c.Step, Last: true}
		for i := range 100 {
			text := fmt.Sprintf("record %d of %d", i, id)
			record := append(binary.AppendVarint(nil, int64(len(text))), text...)
			g.Records = AppendRecord(g.Records, record)
			require.NoError(t, whole.Append(record))
		}
		_, err := b.Add(t.Context(), g)
		require.NoError(t, err)
	}
	require.NoError(t, whole.Close())
	acks, err := b.Publish(t.Context())
	require.NoError(t, err)
	for range 2 {
		written, err := w.Compact(t.Context(), acks)
		require.NoError(t, err)
		require.EqualValues(t, 500, written.Records)
		files, err := filepath.Glob(c.Path + "/dt=*/*" + in.Ending(codec))
		require.NoError(t, err)
		require.Len(t, files, 1)
		got, err := os.ReadFile(files[0])
		require.NoError(t, err)
		require.True(t, bytes.Equal(want.Bytes(), got))
	}
}
