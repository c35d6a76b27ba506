package batch

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/pipelines/job"
	"tributary/pipelines/spec"
	"tributary/transforms/account"
	"tributary/transforms/sample"
)

// TestWriteInOrder cuts buckets into the files of intervals as they come, each whole before the next begins. Buckets out of order
// are refused, and what is not finished leaves no file.
func TestWriteInOrder(t *testing.T) {
	schema, err := sample.Schema(nil, false, `{"type":"record","name":"V","fields":[]}`)
	require.NoError(t, err)
	dir := t.TempDir()
	f := &writeInOrderFn{
		Write: writeSamplesFn{
			Files:  []sampleFile{{dir + "/a.avro", 0, 100}, {dir + "/b.avro", 100, 200}, {dir + "/c.avro", 200, 300}},
			Format: job.NewSampleFormat(&spec.Output{Path: dir, Format: "avro"}, schema, false),
		},
		Ends: []int64{100, 200, 300},
	}
	var encoder sample.Encoder
	block := func(start int64, times ...int64) sample.Block {
		var samples []byte
		for _, at := range times {
			samples = sample.AppendTo(samples, encoder.Append(nil, &sample.Sample{ViewID: []byte("v"), ViewTime: at}))
		}
		return sample.NewBlock(sample.Header{Start: start, Last: true}, samples)
	}
	var files []account.File
	accounts := func(s account.Sheet) { files = append(files, s.Files...) }
	there := func() (names []string) {
		found, err := filepath.Glob(dir + "/*.avro")
		require.NoError(t, err)
		for _, path := range found {
			names = append(names, filepath.Base(path))
		}
		return names
	}
	f.StartBundle(accounts)
	for _, b := range []sample.Block{block(0, 10, 90), block(0, 20, 110), block(150), block(150, 160, 250), block(150, 199)} {
		require.NoError(t, f.ProcessElement(t.Context(), b, accounts))
	}
	require.Equal(t, []string{"a.avro"}, there(), "the first bucket is written, and ends in the second file")
	require.NoError(t, f.FinishBundle(t.Context(), accounts))
	require.Equal(t, []string{"a.avro", "b.avro", "c.avro"}, there())
	require.Len(t, files, 3)
	var got []int64
	eachRecord(t, dir, func(_ string, text []byte) { got = append(got, int64(len(text))) })
	require.Len(t, got, 7)

	require.NoError(t, os.Remove(dir+"/b.avro"))
	f.StartBundle(accounts)
	require.NoError(t, f.ProcessElement(t.Context(), block(150, 160), accounts))
	require.ErrorContains(t, f.ProcessElement(t.Context(), block(0, 10), accounts), "the runner does not keep the order")
	require.NoError(t, f.ProcessElement(t.Context(), block(160, 170), accounts), "which begins a file")
	f.Teardown()
	require.Equal(t, []string{"a.avro", "c.avro"}, there())
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, left, 2, "and nothing unfinished")
}
