package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// mostWithoutMap is how many files a package may have whose page does not say what is where.
const mostWithoutMap = 10

// TestLargePackagesHaveMaps: the page of a package with many files names each of them, but its own, and none that there is not.
func TestLargePackagesHaveMaps(t *testing.T) {
	root := "../.."
	files, pages := map[string][]string{}, map[string]string{}
	require.NoError(t, filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return err
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			return err
		}
		folder := filepath.Dir(file)
		if parsed.Doc != nil { // it is the page
			pages[folder] += parsed.Doc.Text()
			return nil
		}
		files[folder] = append(files[folder], entry.Name())
		return nil
	}))
	form := regexp.MustCompile(`[\w*]+\.go\b`)
	mapped := 0
	for folder, names := range files {
		if len(names) < mostWithoutMap { // the page is one more
			continue
		}
		mapped++
		named := form.FindAllString(pages[folder], -1)
		for _, name := range names {
			assert.True(t, matches(t, named, name), "%s: the page of the package does not say what %s is for", folder, name)
		}
		for _, pattern := range named {
			if strings.HasSuffix(pattern, "_test.go") {
				continue
			}
			found, err := filepath.Glob(filepath.Join(folder, pattern))
			require.NoError(t, err)
			assert.NotEmpty(t, found, "%s: the page of the package names %s, which is not there", folder, pattern)
		}
	}
	require.Greater(t, mapped, 15)
}

func matches(t *testing.T, patterns []string, name string) bool {
	t.Helper()
	for _, pattern := range patterns {
		ok, err := filepath.Match(pattern, name)
		require.NoError(t, err)
		if ok {
			return true
		}
	}
	return false
}
