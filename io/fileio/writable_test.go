package fileio

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func testWritable(t *testing.T, root string) {
	require.NoError(t, Writable(t.Context(), root+"new/folder/"))
	require.NoError(t, Writable(t.Context(), root+"new"))
	_, err := List(t.Context(), root+"**", root+"**/.*")
	require.ErrorContains(t, err, "matches no file", "it has left something")
}

// TestNotWritable: what is in the way is named, and nothing is made on the way to it.
func TestNotWritable(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "file", "")
	require.NoError(t, os.Symlink("nowhere/at/all", "link"))
	require.EqualError(t, Writable(t.Context(), "file"), "file is not a folder")
	require.EqualError(t, Writable(t.Context(), "file/below/it"), "file is not a folder")
	require.ErrorContains(t, Writable(t.Context(), "link/below"), "link")
	require.Error(t, Writable(t.Context(), "/proc/self/nothing/here"))
	require.Error(t, Writable(t.Context(), "hdfs://bucket/x"))
	entries, err := os.ReadDir(".")
	require.NoError(t, err)
	require.Len(t, entries, 2)
}

func TestMatches(t *testing.T) {
	t.Chdir(t.TempDir())
	here, err := os.Getwd()
	require.NoError(t, err)
	for _, c := range []struct {
		pattern, path string
		want          bool
	}{
		{"v/*.avro", "v/a.avro", true},
		{"v/*.avro", "v/a.avro/b", true},
		{"v/*.avro", "v/b/a.avro", false},
		{"v/**", "v/b/a.avro", true},
		{"v", "v/b/a.avro", true},
		{"v/**", "v/_b/a.avro", false},
		{"v/**/*.avro", "v/out/dt=2026-01-01/part-1.avro", true},
		{here + "/v/*", "v/a", true},
		{"v/*", here + "/v/a", true},
		{"./v/../w/*", "w/a", true},
		{"../*/w", here + "/w/a", true},
		{"v/*", "/v/a", false},
		{"gs://bucket/v/*", "gs://bucket/v/a", true},
		{"gs://bucket/v/*", "gs://other/v/a", false},
		{"gs://bucket/v/*", "v/a", false},
		{"v/*", "gs://bucket/v/a", false},
		{"{v,w}/a", "w/a", true},
		{"v[", "v[", false},
	} {
		assert.Equal(t, c.want, Matches(c.pattern, c.path), "%s %s", c.pattern, c.path)
	}
}
