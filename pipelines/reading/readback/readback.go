// Package readback has the tests read what a join writes with a reader that is not ours:
// fastavro, and DuckDB for tables.
package readback

import (
	"bytes"
	_ "embed"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/io/fileio"
	"tributary/pipelines/report/show"
	"tributary/runners/devcluster/services"
)

//go:embed readback.py
var script string

// Check reads every record of every file below dir, Avro or JSON lines, and fails the test
// unless each can be read and is what `tributary show --json` has of it. It returns how many
// records there are.
func Check(t *testing.T, dir string) int {
	t.Helper()
	paths := pathsBelow(t, dir)
	show.InOrder(paths)
	var shown, said bytes.Buffer
	require.NoError(t, show.Run(t.Context(), dir, show.Options{JSON: true}, &shown, &said))
	require.Empty(t, said.String(), "what show cannot read in %s", dir)
	out := Python(t, script, &shown, paths...)
	n, err := strconv.Atoi(strings.TrimSpace(out))
	require.NoError(t, err)
	return n
}

//go:embed tables.py
var tables string

// CheckTables fails the test unless the CSV files below dir, read by DuckDB, hold in the same order what the Avro files
// below avro do, read by fastavro. It returns how many records there are.
func CheckTables(t *testing.T, avro, dir string) int {
	t.Helper()
	args := pathsBelow(t, avro)
	args = append([]string{strconv.Itoa(len(args))}, append(args, pathsBelow(t, dir)...)...)
	out := Python(t, tables, nil, args...)
	n, err := strconv.Atoi(strings.TrimSpace(out))
	require.NoError(t, err)
	return n
}

func pathsBelow(t *testing.T, dir string) []string {
	t.Helper()
	files, err := fileio.List(t.Context(), dir)
	require.NoError(t, err)
	paths := make([]string, len(files))
	for i, f := range files {
		paths[i] = f.Path
	}
	return paths
}

// Python runs a script with what `runners/devcluster/services/readers.sh` installs, and returns what it prints.
// It fails the test, with what was said on stderr, if the script does.
func Python(t *testing.T, script string, stdin io.Reader, args ...string) string {
	t.Helper()
	python, err := services.Service{Name: "readers", Data: t.TempDir(), Log: os.Stderr}.Start(t.Context())
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), string(python), append([]string{"-c", script}, args...)...)
	cmd.Env = append(os.Environ(), "PYTHONUTF8=1")
	cmd.Stdin = stdin
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	require.NoError(t, cmd.Run(), said.String())
	return out.String()
}
