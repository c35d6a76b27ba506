package fileio

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// testRemoveAll: what is below a folder goes, whatever its name, and nothing beside it.
func testRemoveAll(t *testing.T, root string) {
	for _, name := range []string{"a/.hidden/x", "a/b/c/one", "a/b/c/two", "a/b/three", "a/four", "a/five", "ab/c", "b"} {
		write(t, root+name, name)
	}
	require.NoError(t, RemoveAll(t.Context(), root+"a"))
	require.NoError(t, RemoveAll(t.Context(), root+"a/"), "there is none")
	for name, want := range map[string]bool{"a/.hidden/x": false, "a/b/c/one": false, "a/four": false, "ab/c": true, "b": true} {
		there, err := Exists(t.Context(), root+name)
		require.NoError(t, err)
		require.Equal(t, want, there, name)
	}
}
