package fileio

import (
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestLinks: links are followed wherever they stand, not into circles; a file that has several
// paths is there once, by the one without links if there is one.
func TestLinks(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "v/real/a", "")
	write(t, "elsewhere/c", "")
	write(t, "elsewhere/deep/d", "")
	for link, to := range map[string]string{
		"v/another": "real", "v/real/b": "a", "v/real/up": "..", "v/top": "/", "v/self": ".", "v/out": "../elsewhere",
		"elsewhere/back": "../v", "elsewhere/deep/up": "../deep", "v/_hidden": "../elsewhere",
	} {
		require.NoError(t, os.Symlink(to, link))
	}
	for pattern, want := range map[string]string{
		"v":              "v/out/c v/out/deep/d v/real/a",
		"v/**":           "v/out/c v/out/deep/d v/real/a",
		"v/*":            "v/out/c v/out/deep/d v/real/a",
		"v/*/*":          "v/out/c v/out/deep/d v/real/a",
		"v/**/d":         "v/out/deep/d",
		"v/o*/d*/d":      "v/out/deep/d",
		"v/real/b":       "v/real/b",
		"v/another":      "v/another/a",
		"v/real/up/r*/a": "v/real/up/real/a",
		"v/_h*/c":        "v/_hidden/c",
		"*/deep/*":       "elsewhere/deep/d",
	} {
		require.Equal(t, want, strings.Join(paths(t, pattern), " "), pattern)
	}
	require.Equal(t, []string{"v/out/c", "v/out/deep/d", "v/real/a"}, paths(t, "v/another/*", "v/*/*", "./v//real/a"))
	_, err := List(t.Context(), "*.avro")
	require.EqualError(t, err, "*.avro matches no file: nothing in . matches *.avro; there is v/, elsewhere/")
}

func paths(t *testing.T, patterns ...string) (all []string) {
	t.Helper()
	files, err := List(t.Context(), patterns...)
	require.NoError(t, err, patterns)
	for _, f := range files {
		all = append(all, f.Path)
	}
	return all
}

// TestNotFiles: what matches and cannot be read as a file is told, all of it, and nothing
// waits for it.
func TestNotFiles(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "v/good", "")
	write(t, "v/empty/_SUCCESS", "")
	require.NoError(t, os.Symlink("nowhere", "v/dangling"))
	require.NoError(t, os.Symlink("loop", "v/loop"))
	require.NoError(t, os.Symlink("good/below", "v/below"))
	require.NoError(t, os.Symlink("/dev/null", "v/device"))
	require.NoError(t, syscall.Mkfifo("v/pipe", 0o600))
	socket, err := net.Listen("unix", "v/socket")
	require.NoError(t, err)
	defer socket.Close() //nolint:errcheck // nobody has connected
	wants := []string{
		"v/below is a link to good/below, which is not there, not a file", "v/dangling is a link to nowhere, which is not there, not a file",
		"v/device is a device, not a file", "v/loop is a link to loop, which is not there, not a file", "v/pipe is a named pipe, not a file",
		"v/socket is a socket, not a file",
	}
	for _, pattern := range []string{"v/*", "v", "v/**", "**"} {
		_, err := List(t.Context(), pattern)
		require.EqualError(t, err, strings.Join(wants, "\n"), pattern)
	}
	for i, name := range []string{"below", "dangling", "device", "loop", "pipe", "socket"} {
		_, err := List(t.Context(), "v/"+name)
		require.EqualError(t, err, wants[i])
		_, err = Open(t.Context(), "v/"+name)
		require.Error(t, err)
	}
	// A folder without files is none of these: it may be a result without rows.
	found, err := Find(t.Context(), "v/{good,emp*}")
	require.NoError(t, err)
	require.Equal(t, []string{"v/empty/"}, found.Empty)
	require.Len(t, found.Files, 1)
	_, err = List(t.Context(), "v/emp*")
	require.EqualError(t, err, "v/emp* matches no file: v/empty/ is empty")
}
