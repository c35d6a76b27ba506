package spec

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"tributary/pipelines/spec/problem"
)

// TestAKeyIsOneEntry adds a key in one entry, and finds it wherever keys are known.
func TestAKeyIsOneEntry(t *testing.T) {
	var grace time.Duration
	root := *rootSection
	root.keys = append(slices.Clone(root.keys), key{
		name: "grace_period", was: "grace", example: "5m",
		doc:   "How long a test waits.",
		value: at(lengthType, func(*Spec) *time.Duration { return &grace }).or(3 * time.Second),
	})
	read := func(line string) (*Spec, problem.List) {
		t.Helper()
		s, err := parse(&root, built, "spec.yaml", []byte(completed(line)))
		if err == nil {
			return s, s.Warnings
		}
		var list problem.List
		require.ErrorAs(t, err, &list)
		return s, list
	}

	s, list := read("grace_period: 1m30s")
	assert.Empty(t, list)
	assert.Equal(t, 90*time.Second, grace, "parsed")
	assert.Contains(t, s.settings(&root), Setting{Key: "grace_period", Value: "1m30s", Set: true}, "shown")
	assert.Contains(t, string(s.yaml(&root)), "\ngrace_period: 1m30s\n", "written")

	s, _ = read("version: 1")
	assert.Equal(t, 3*time.Second, grace, "defaulted")
	assert.Contains(t, s.settings(&root), Setting{Key: "grace_period", Value: "3s"})

	for line, want := range map[string]struct{ code, fix string }{
		"grace_period: 5 minutes":                {"T1201", "grace_period: 5m"},
		"grace_period: 0s":                       {"T1202", ""},
		"grace_perod: 5m":                        {"T1007", "grace_period: 5m"},
		"negatives: {keep: 1, grace_period: 5m}": {"T1008", ""},
		"grace: 5m":                              {"T1016", "grace_period: 5m"},
		"grace: 5m\ngrace_period: 5m":            {"T1009", ""},
	} {
		_, list := read(line)
		if assert.Len(t, list, 1, line) {
			assert.Equal(t, want.code, list[0].Code, "checked: %s", line)
			assert.Equal(t, want.fix, list[0].Fix, line)
		}
	}
	for _, line := range []string{"negatives: {keep: 1, grace: 5m}", "negatives: {keep: 1, grace_period: soon}"} {
		_, list := read(line)
		require.NotEmpty(t, list)
		assert.Equal(t, "T1008", list[0].Code, "in the wrong place by either name")
		assert.Len(t, list, 1+strings.Count(line, "soon"), "its value is looked at all the same: %v", list)
	}
	_, _ = read("grace: 7m")
	assert.Equal(t, 7*time.Minute, grace, "read by its old name")

	schema := compileSchema(t, schemaText(&root))
	for line, valid := range map[string]bool{
		"grace_period: 5m": true, "grace: 5m": true, "grace_period: 0s": false, "grace_period: [5m]": false,
		"grace: 5m\ngrace_period: 5m": false, "grace_perod: 5m": false,
	} {
		data, ok := asData(t, []byte(completed(line)))
		require.True(t, ok)
		assert.Equal(t, valid, schema.Validate(data) == nil, "in the schema: %s", line)
	}
	assert.Contains(t, page(&root), "- `grace_period` (a duration above 0s; default 3s; was grace): How long a test waits. Example:\n  `grace_period: 5m`\n", "in the reference")
	assert.Contains(t, keysOf(&root), Key{Path: "grace_period", Doc: "How long a test waits."}, "completed")
	text, ok := explain(&root, "grace")
	assert.True(t, ok && strings.HasPrefix(text, "grace_period\n"), "explained: %s", text)
}
