package fileio

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

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

// TestRemoveAllEnds: consoles make objects with a final slash, which have no path here.
func TestRemoveAllEnds(t *testing.T) {
	within := endWithin
	t.Cleanup(func() { endWithin = within })
	endWithin = 10 * time.Millisecond
	f := newFakeCloud(t)
	f.put("a/b/", nil)
	f.put("a/b/c", nil)
	f.put("a/d", nil)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	require.EqualError(t, RemoveAll(ctx, "gs://bucket/a"), "remove gs://bucket/a/: b/ is still there: others write into it, or it is an object of that name")
	require.Len(t, f.objects, 1)
}

// TestRemoveAllBesideWriters: workers of a job that was given up may still be writing.
func TestRemoveAllBesideWriters(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "kept")
	until := time.Now().Add(300 * time.Millisecond)
	var writers sync.WaitGroup
	for w := range 4 {
		writers.Go(func() {
			for i := 0; time.Now().Before(until); i++ {
				_ = os.MkdirAll(fmt.Sprintf("%s/%d-%d/block", folder, w, i), 0o700) // where it can
			}
		})
	}
	for time.Now().Before(until) {
		require.NoError(t, RemoveAll(t.Context(), folder))
	}
	writers.Wait()
}
