package stream

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/pipelines/spec"
	"tributary/pipelines/spec/problem"
)

// TestFilesRefused: accounts of a stream go to a topic, and so a folder of them would stay empty.
func TestFilesRefused(t *testing.T) {
	s, err := spec.Parse("spec.yaml", []byte(`
clusters: {main: {brokers: "127.0.0.1:1"}}
views: {inputs: [{topic: views, format: json}, more/*.avro], id: view_id, time: ts}
engagements:
  like: {inputs: likes/*.csv, view: view_id, time: ts, window: 30m}
outputs: {samples: {topic: samples, format: json}, accounts: out/accounts}
`))
	require.NoError(t, err)
	_, err = New(t.Context(), s, Options{})
	var list problem.List
	require.ErrorAs(t, err, &list)
	var lines []int
	for _, p := range list {
		require.Equal(t, codeFiles, p.Code)
		lines = append(lines, p.Line)
	}
	require.Equal(t, []int{6}, lines)
}
