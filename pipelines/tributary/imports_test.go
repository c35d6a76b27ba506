package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// mayImport says which folders of this module the packages below a folder import, the most special folder first.
// Tests may import more: a real service is started by runners/devcluster.
var mayImport = []struct {
	folder string
	from   []string
}{
	{"io/kafkaio/", []string{"io/kafkaio/", "io/record", "io/expression", "io/watermark", "io/format", "io/wire", "io/pool", "io/dofn"}},
	{"io/", []string{"io/"}},
	{"transforms/attribution/bucket/", []string{"transforms/attribution/rules", "transforms/sample", "transforms/label", "io/record"}},
	{"transforms/", []string{"transforms/", "io/record", "io/expression", "io/format", "io/wire", "io/dofn", "io/spill"}},
	{"runners/", []string{"runners"}},
	{"pipelines/", []string{"pipelines/", "transforms/", "io/", "runners"}},
}

// withoutBeam are the folders whose packages do not know Beam: what they decide is tried without a pipeline.
var withoutBeam = []string{
	"transforms/attribution/", "transforms/label/", "transforms/sample/", "transforms/account/", "transforms/recipe/", "io/record/", "io/expression/", "io/format/", "io/wire/", "io/pool/",
}

// TestImportsPointOneWay: pipelines import transforms, io and runners; transforms only what records are; io neither,
// nor a runner; the rooms of io/kafkaio not the house; the cores not Beam.
func TestImportsPointOneWay(t *testing.T) {
	root := "../.."
	found := 0
	require.NoError(t, filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return err
		}
		name := filepath.ToSlash(strings.TrimPrefix(file, root+"/"))
		folder := path.Dir(name) + "/"
		if strings.HasSuffix(folder, "test/") { // packages of helpers for tests
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range parsed.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			require.False(t, strings.HasPrefix(imported, "github.com/apache/beam/") && core(folder), "%s imports %s", name, imported)
			imported, ours := strings.CutPrefix(imported, "tributary/")
			if !ours {
				continue
			}
			found++
			require.True(t, allowed(folder, imported), "%s imports %s", name, imported)
		}
		return nil
	}))
	require.Greater(t, found, 300)
	for _, wrong := range [][2]string{
		{"io/kafkaio/sink/", "io/kafkaio"},
		{"io/fileio/", "runners/flink"},
		{"transforms/sample/", "io/kafkaio/source"},
		{"runners/flink/", "pipelines/job"},
		{"pipelines/job/", "testdata/services"},
	} {
		require.False(t, allowed(wrong[0], wrong[1]), "%s may not import %s", wrong[0], wrong[1])
	}
}

// core tells whether the packages of a folder do not know Beam: those below the one with the composite.
func core(folder string) bool {
	return folder != "transforms/attribution/" && slices.ContainsFunc(withoutBeam, func(core string) bool { return strings.HasPrefix(folder, core) })
}

func allowed(folder, imported string) bool {
	for _, rule := range mayImport {
		if !strings.HasPrefix(folder, rule.folder) || folder == rule.folder {
			continue
		}
		for _, from := range rule.from {
			if strings.HasPrefix(imported+"/", from) || imported == strings.TrimSuffix(from, "/") {
				return rule.folder != "io/kafkaio/" || imported != "io/kafkaio"
			}
		}
		return false
	}
	return !strings.HasPrefix(imported, "testdata/")
}
