package spec

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"tributary/pipelines/spec/problem"
)

var update = flag.Bool("update", false, "rewrite the goldens in testdata")

// corpus returns the specs in a folder of testdata by name.
func corpus(t *testing.T, folder string) map[string][]byte {
	t.Helper()
	out := corpusOf(folder)
	require.NotEmpty(t, out)
	return out
}

func corpusOf(folder string) map[string][]byte {
	out := map[string][]byte{}
	files, _ := filepath.Glob(filepath.Join("testdata", folder, "*.yaml"))
	for _, file := range files {
		if content, err := os.ReadFile(file); err == nil {
			out[strings.TrimSuffix(filepath.Base(file), ".yaml")] = content
		}
	}
	return out
}

func TestGoodSpecsHaveNoProblem(t *testing.T) {
	for name, content := range corpus(t, "good") {
		t.Run(name, func(t *testing.T) {
			s, err := Parse("spec.yaml", content)
			require.NoError(t, err)
			assert.Empty(t, s.Warnings)
		})
	}
}

// TestBadSpecs compares what is said about each bad spec with its golden. The name of
// a file begins with the code that must be among its problems.
func TestBadSpecs(t *testing.T) {
	for name, content := range corpus(t, "bad") {
		t.Run(name, func(t *testing.T) {
			s, err := Parse(name+".yaml", content)
			assert.Nil(t, s)
			golden(t, "bad", name, err)
		})
	}
}

func TestSpecsWithWarnings(t *testing.T) {
	for name, content := range corpus(t, "warn") {
		t.Run(name, func(t *testing.T) {
			s, err := Parse(name+".yaml", content)
			require.NoError(t, err)
			golden(t, "warn", name, s.Warnings)
		})
	}
}

func golden(t *testing.T, folder, name string, err error) {
	t.Helper()
	var list problem.List
	require.True(t, errors.As(err, &list), "got %v", err)
	require.NotEmpty(t, list)
	if code, _, ok := strings.Cut(name, "_"); ok && strings.HasPrefix(code, "T") {
		assert.True(t, slices.Contains(codesOf(list), code), "want %s among:\n%v", code, list)
	}
	assert.True(t, slices.IsSortedFunc(list, func(a, b problem.Problem) int { return a.Line - b.Line }), "in the order of the file")
	file := filepath.Join("testdata", folder, name+".txt")
	got := list.Error() + "\n"
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
		return
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(want), got)
}
