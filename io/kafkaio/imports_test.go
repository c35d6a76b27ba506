package kafkaio

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// below are the packages here that each may import: none above it, so there is no cycle.
var below = map[string][]string{
	"":                   {"source", "sink", "commitlog"},
	"source":             {"timeindex", "registry", "cluster"},
	"sink":               {"commitlog", "cluster"},
	"timeindex":          {"cluster"},
	"registry":           {"cluster"},
	"commitlog":          {"cluster"},
	"cluster":            {},
	"internal/kafkatest": {},
}

// TestImports: packages import those below them, and nothing in io knows transforms, pipelines or
// runners.
func TestImports(t *testing.T) {
	const module, here = "tributary/", "tributary/io/kafkaio"
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		of := strings.TrimPrefix(filepath.ToSlash(filepath.Dir(path)), "../")
		for _, i := range file.Imports {
			name, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			if rest, ok := strings.CutPrefix(name, module); ok && !strings.HasSuffix(of, "test") { // tests start servers
				require.True(t, strings.HasPrefix(rest, "io/"), "%s imports %s", path, name)
			}
			require.NotContains(t, name, "beam/runners/", "%s knows a runner", path)
			room, isHere := strings.CutPrefix(of, "kafkaio")
			if other, ok := strings.CutPrefix(name, here); ok && isHere {
				room, other = strings.TrimPrefix(room, "/"), strings.TrimPrefix(other, "/")
				require.True(t, slices.Contains(below[room], other), "%s imports %s", path, name)
			}
		}
		return nil
	})
	require.NoError(t, err)
}
