package spec

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"tributary/pipelines/spec/problem"
)

// base is the spec that the examples of codes are part of.
var base = []struct{ key, text string }{
	{"views", "views: {inputs: views/*.avro, id: view_id, time: ts}"},
	{"engagements", "engagements:\n  like: {inputs: likes/*.avro, view: view_id, time: ts, window: 30m}"},
	{"outputs", "outputs: {samples: out/samples}"},
}

// completed is an example with the sections that it leaves out.
func completed(example string) string {
	out := strings.Trim(example, "\n") + "\n"
	for _, section := range base {
		if !strings.HasPrefix(out, section.key+":") && !strings.Contains(out, "\n"+section.key+":") {
			out += section.text + "\n"
		}
	}
	return out
}

func problemsOf(t *testing.T, text string) problem.List {
	t.Helper()
	s, err := Parse("spec.yaml", []byte(text))
	if err == nil {
		return s.Warnings
	}
	var list problem.List
	require.ErrorAs(t, err, &list)
	return list
}

func codesOf(list problem.List) []string {
	var codes []string
	for _, p := range list {
		codes = append(codes, p.Code)
	}
	slices.Sort(codes)
	return slices.Compact(codes)
}

// TestCodesExplainThemselves parses the example of each code: the wrong one has this
// problem and no other, the right one has none.
func TestCodesExplainThemselves(t *testing.T) {
	for _, code := range problem.Codes() {
		t.Run(code.ID, func(t *testing.T) {
			if code.ID == "T1000" {
				_, err := Load("testdata/no-such-spec.yaml")
				var list problem.List
				require.ErrorAs(t, err, &list)
				assert.Equal(t, []string{code.ID}, codesOf(list))
				return
			}
			bad := problemsOf(t, completed(code.Bad))
			good := problemsOf(t, completed(code.Good))
			if strings.HasPrefix(code.ID, "T20") || slices.Contains([]string{"T1117", "T1456", "T1457", "T1460", "T1461", "T1420", "T1428", "T1429", "T1631", "T1632", "T1633", "T1636"}, code.ID) {
				assert.Empty(t, bad, "nothing is wrong before files are opened")
				assert.Empty(t, good)
				return
			}
			assert.Equal(t, []string{code.ID}, codesOf(bad), "problems of the wrong example:\n%v", bad)
			assert.Empty(t, good, "problems of the right example")
			for _, p := range bad {
				assert.Equal(t, code.Severity, p.Severity)
			}
		})
	}
}
