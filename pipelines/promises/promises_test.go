package promises

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"tributary/pipelines/sim/chaos"
)

// TestPromisesAreShown: each promise has a condition, says where it ends, and names tests that are there.
func TestPromisesAreShown(t *testing.T) {
	sections := strings.Split(Page(), "\n## ")[1:]
	require.Greater(t, len(sections), 10)
	for _, section := range sections {
		promise, text, _ := strings.Cut(section, "\n")
		text = strings.Join(strings.Fields(text), " ")
		parts := regexp.MustCompile(`^.+ - On condition: .+ - Not covered: .+ - Shown by: (.+)$`).FindStringSubmatch(text)
		require.NotNil(t, parts, "%s lacks a condition, its limit or what shows it, in this order: %s", promise, text)
		for place := range strings.SplitSeq(parts[1], "; ") {
			where, names, found := strings.Cut(place, ": ")
			require.True(t, found, "%s: %q names no place", promise, place)
			have := tests(t, where)
			for name := range strings.SplitSeq(names, ", ") {
				assert.Contains(t, have, name, "%s is shown by what is not in %s", promise, where)
			}
		}
	}
}

var testForm = regexp.MustCompile(`(?m)^func (Test\w+)\(t \*testing\.T\)`)

// tests lists the tests of a folder, or the faults of make chaos.
func tests(t *testing.T, where string) (names []string) {
	t.Helper()
	if where == "make chaos" {
		for _, f := range slices.Concat(chaos.Kinds()...) {
			names = append(names, f.Kind)
		}
		return names
	}
	files, err := filepath.Glob(filepath.Join("../..", where, "*_test.go"))
	require.NoError(t, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, match := range testForm.FindAllStringSubmatch(string(text), -1) {
			names = append(names, match[1])
		}
	}
	return names
}
