package batch

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/pipelines/spec"
	"tributary/pipelines/spec/problem"
)

// TestASpecOfTopics: joining it as far as it goes takes a folder of accounts, and its
// tests run all the same.
func TestASpecOfTopics(t *testing.T) {
	s, err := spec.Load("../../../testdata/specs/stream.yaml")
	require.NoError(t, err)
	_, err = Run(t.Context(), s, Options{})
	var list problem.List
	require.ErrorAs(t, err, &list)
	require.Len(t, list, 1)
	require.Equal(t, "T2012", list[0].Code)
	require.Equal(t, "outputs", list[0].Field)
	require.Contains(t, list[0].Hint, "tributary run")

	results, err := Test(t.Context(), s)
	require.NoError(t, err)
	require.NotEmpty(t, results)
	for _, r := range results {
		require.Empty(t, r.Differences, r.Name)
	}
}
