package format_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/io/format"
	_ "tributary/io/format/all"  // registers what the product has
	_ "tributary/io/iotest/ltsv" // registers ltsv, which only tests have
)

// TestRegistry: a format is there by being imported, for what it can do and no more.
func TestRegistry(t *testing.T) {
	require.Equal(t, []string{"avro", "csv", "json", "ltsv", "parquet"}, format.Names[format.Files]())
	require.Equal(t, []string{"avro", "csv", "json", "parquet", "tfrecord"}, format.Names[format.Writer]())
	require.Equal(t, []string{"json"}, format.Names[format.JSONWriter]())
	f, err := format.Get[format.Files]("ltsv")
	require.NoError(t, err)
	require.True(t, f.Text())
	_, err = format.Get[format.Writer]("ltsv")
	require.EqualError(t, err, `format "ltsv": there are avro, csv, json, parquet, tfrecord`)
	require.PanicsWithValue(t, "format.Register: two formats are called ltsv", func() { format.Register(f) })
}

func TestOf(t *testing.T) {
	for path, want := range map[string]string{
		"a/b.avro": "avro", "b.avro.gz": "", "x.json": "json", "x.jsonl": "json", "x.ndjson.gz": "json", "gs://b/t.csv.gz": "csv", "t.ltsv": "ltsv",
		"x.json.zst": "json", "x.csv.zstd": "csv", "x.csv.lz4": "csv", "b.avro.zst": "", "x.lz4": "",
		"x": "", "x.gz": "", "x.parquet": "parquet", "x.parquet.gz": "", "x.tfrecord": "", "avro": "",
	} {
		got := ""
		if f := format.Of(path); f != nil {
			got = f.Name()
		}
		require.Equal(t, want, got, path)
	}
	require.Equal(t, "avro", format.Sniff([]byte("Obj\x01")).Name())
	require.Equal(t, "parquet", format.Sniff([]byte("PAR1")).Name())
	require.Equal(t, "json", format.Sniff([]byte("\n {\"")).Name())
	require.Nil(t, format.Sniff([]byte("a,b\n")))
	require.Nil(t, format.Sniff(nil))
}
