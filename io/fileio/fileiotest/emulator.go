// Package fileiotest gives tests a cloud store of their own.
package fileiotest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"cloud.google.com/go/storage"
	"github.com/stretchr/testify/require"
	"google.golang.org/api/option"
)

// StartEmulator starts the server of testdata/services/gcs.sh with one empty bucket, named
// bucket, and makes it what gs:// means until the test ends. It is for packages two folders
// below the module's root, where the script is looked for, and not for parallel tests: the
// server is told by an environment variable.
func StartEmulator(t *testing.T) {
	t.Helper()
	data := t.TempDir()
	script, err := filepath.Abs("../../testdata/services/gcs.sh")
	require.NoError(t, err)
	run := func(verb string) string {
		cmd := exec.Command(script, verb, "--data", data)
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		require.NoError(t, err, verb)
		return strings.TrimSpace(string(out))
	}
	t.Cleanup(func() { run("stop") })
	t.Setenv("STORAGE_EMULATOR_HOST", run("start"))
	c, err := storage.NewClient(t.Context(), option.WithoutAuthentication())
	require.NoError(t, err)
	require.NoError(t, c.Bucket("bucket").Create(t.Context(), "project", nil))
	require.NoError(t, c.Close())
}
