package spill

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/io/fileio"
)

// files are those below a folder, unfinished ones too.
func files(t *testing.T, folder string) (paths []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			paths = append(paths, path)
		}
		return err
	}))
	return paths
}

// keep writes values to one file.
func keep(t *testing.T, folder string, values ...string) (refs []Ref) {
	t.Helper()
	w, err := Create(t.Context(), folder)
	require.NoError(t, err)
	defer w.Abort()
	for _, value := range values {
		ref, err := w.Put([]byte(value))
		require.NoError(t, err)
		refs = append(refs, ref)
	}
	require.NoError(t, w.Commit())
	return refs
}

// TestValuesComeBack: what was kept is read back by its reference, in any order, whatever its size.
func TestValuesComeBack(t *testing.T) {
	folder := t.TempDir() + "/kept"
	large := strings.Repeat("x", bufferBytes-1)
	values := []string{"first", "", large, "after", large + large, "last"}
	refs := keep(t, folder, values...)
	require.Len(t, files(t, folder), 1)
	for i := range values {
		at := len(values) - 1 - i
		got, err := Get(t.Context(), folder, refs[at])
		require.NoError(t, err)
		require.Equal(t, values[at], string(got))
		require.Equal(t, values[at][:min(len(values[at]), headBytes)], string(refs[at].Head))
	}
	other := keep(t, folder, "of another bundle")
	require.Len(t, files(t, folder), 2, "each writes a file of its own")
	got, err := Get(t.Context(), folder, other[0])
	require.NoError(t, err)
	require.Equal(t, "of another bundle", string(got))
}

// TestGetRefuses: a value that is gone, cut short or changed is an error that names its file.
func TestGetRefuses(t *testing.T) {
	tests := []struct {
		name   string
		change func(path string) error
		want   string
	}{
		{"gone", os.Remove, "no such file"},
		{"cut short", func(path string) error { return os.Truncate(path, 7) }, "unexpected EOF"},
		{"empty", func(path string) error { return os.Truncate(path, 0) }, "EOF"},
		{"changed", func(path string) error { return os.WriteFile(path, []byte("one, TWO"), 0o600) }, "has changed: 3 bytes from 5"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			folder := t.TempDir()
			refs := keep(t, folder, "one, ", "two")
			path := files(t, folder)[0]
			require.NoError(t, tt.change(path))
			_, err := Get(t.Context(), folder, refs[1])
			require.ErrorContains(t, err, tt.want)
			require.ErrorContains(t, err, path)
		})
	}
}

// TestRefs: references are read as they were written, and what is none is refused.
func TestRefs(t *testing.T) {
	ref := Ref{Name: "ab/c", Offset: 300, Size: 4, Hash: 5, Head: []byte("head")}
	good := EncodeRef(ref)
	again, err := DecodeRef(good)
	require.NoError(t, err)
	require.Equal(t, ref, again)
	for i := range good {
		_, err := DecodeRef(good[:i])
		require.ErrorContains(t, err, "no reference", "%d bytes of %d", i, len(good))
	}
	_, err = DecodeRef(append(bytes.Clone(good), 0))
	require.ErrorContains(t, err, "no reference")
}

// TestCommitFails: without a Commit there is no file, and so it is if the folder goes.
func TestCommitFails(t *testing.T) {
	folder := t.TempDir() + "/kept"
	w, err := Create(t.Context(), folder)
	require.NoError(t, err)
	_, err = w.Put([]byte("value"))
	require.NoError(t, err)
	w.Abort()
	require.Empty(t, files(t, folder))

	w, err = Create(t.Context(), folder)
	require.NoError(t, err)
	require.NoError(t, fileio.RemoveAll(t.Context(), folder))
	require.Error(t, w.Commit())
}
