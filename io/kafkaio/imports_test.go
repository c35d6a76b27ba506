package kafkaio

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// below are the packages here that each may import: none above it, so there is no cycle.
var below = map[string][]string{
	".":                  {"source", "sink", "commitlog"},
	"source":             {"timeindex", "registry", "cluster"},
	"sink":               {"commitlog", "cluster"},
	"timeindex":          {"cluster"},
	"registry":           {"cluster"},
	"commitlog":          {"cluster"},
	"cluster":            {},
	"internal/kafkatest": {},
}

// TestImports: packages import those below them, and none a runner of Beam's.
func TestImports(t *testing.T) {
	require.NoError(t, filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, i := range file.Imports {
			name, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			require.NotContains(t, name, "beam/runners/", path)
			if other, ok := strings.CutPrefix(name, "tributary/io/kafkaio/"); ok {
				require.Contains(t, below[filepath.ToSlash(filepath.Dir(path))], other, path)
			}
		}
		return nil
	}))
}
