package problem

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func at(line, column int) Position {
	return Position{File: "feed.yaml", Line: line, Column: column}
}

func TestPrint(t *testing.T) {
	for _, c := range []struct {
		name string
		p    Problem
		want string
	}{
		{"all there is", Problem{
			Code: "T1007", Severity: SeverityError, Position: at(12, 5), Field: "engagements.like.windw", Message: "unknown key",
			Got: "windw", Allowed: []string{"inputs", "window"}, Nearest: "window", Fix: "    window: 30m", Hint: "look it up", Source: "    windw: 30m", Width: 5,
		}, `feed.yaml:12:5: T1007 engagements.like.windw: unknown key
   12 |     windw: 30m
      |     ^^^^^
  allowed: inputs, window
  did you mean: window
  fix: window: 30m
  hint: look it up`},
		{
			"a warning without a source",
			Problem{Code: "T1207", Severity: SeverityWarning, Position: at(3, 1), Field: "bucket", Message: "too long"},
			"feed.yaml:3:1: warning T1207 bucket: too long",
		},
		{
			"a file as a whole",
			Problem{Code: "T1004", Position: Position{File: "feed.yaml"}, Message: "too large", Source: "ignored"},
			"feed.yaml: T1004: too large",
		},
		{
			"no file",
			Problem{Code: "T2001", Message: "no file matches", Got: "a/*.avro"},
			"T2001: no file matches\n  got: a/*.avro",
		},
		{
			"what was got is said only if the line does not show it",
			Problem{Code: "T1014", Position: at(1, 9), Message: "m", Source: "shards: 0", Got: "0"},
			"feed.yaml:1:9: T1014: m\n    1 | shards: 0\n      |         ^",
		},
		{
			"a place behind the line",
			Problem{Code: "T1012", Position: at(1, 5), Message: "m", Source: "id:", Width: 9},
			"feed.yaml:1:5: T1012: m\n    1 | id:\n      |    ^",
		},
		{
			"tabs and wide letters keep the caret in place",
			Problem{Code: "T1001", Position: at(1, 4), Message: "m", Source: "\tßa: x"},
			"feed.yaml:1:4: T1001: m\n    1 |  ßa: x\n      |    ^",
		},
		{
			"nothing steers the terminal",
			Problem{Code: "T1007", Position: at(1, 1), Field: "a\x1b[2J", Message: "key \x1b]0;x\a", Source: "\x1b[31mred", Hint: "\r\n"},
			"feed.yaml:1:1: T1007 a\uFFFD[2J: key \uFFFD]0;x\uFFFD\n    1 | \uFFFD[31mred\n      | ^\n  hint: \uFFFD\uFFFD",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			assert.Equal(t, c.want, c.p.Error())
		})
	}
}

func TestPrintOfALongLine(t *testing.T) {
	line := strings.Repeat("a", 300) + "HERE" + strings.Repeat("b", 300)
	text := Problem{Code: "T1001", Position: at(1, 301), Message: "m", Source: line, Width: 4}.Error()
	lines := strings.Split(text, "\n")
	require.Len(t, lines, 3)
	assert.Less(t, len(lines[1]), 140)
	column := strings.Index(lines[2], "^^^^")
	assert.Equal(t, "HERE", lines[1][column:column+4])
	assert.Contains(t, lines[1], "| ...a")
	assert.True(t, strings.HasSuffix(lines[1], "b..."))
}

func TestListIsInOrderAndComplete(t *testing.T) {
	list := List{
		{Code: "T1009", Position: at(9, 1), Message: "third", Severity: SeverityError},
		{Code: "T1002", Position: at(2, 7), Message: "second", Severity: SeverityWarning},
		{Code: "T1001", Position: at(2, 1), Message: "first", Severity: SeverityError},
		{Code: "T1003", Position: at(9, 1), Message: "fourth, at the place of the third", Severity: SeverityError},
	}
	list.Sort()
	assert.Equal(t, `feed.yaml:2:1: T1001: first
feed.yaml:2:7: warning T1002: second
feed.yaml:9:1: T1009: third
feed.yaml:9:1: T1003: fourth, at the place of the third`, list.Error())
	assert.Equal(t, `3 problems, 1 warning; "tributary help T1001" explains the first`, list.Summary())
	assert.Len(t, list.Errors(), 3)
	assert.Len(t, list.Warnings(), 1)
	assert.Equal(t, `1 warning; "tributary help T1002" explains the first`, list.Warnings().Summary())
	assert.Empty(t, List{}.Summary())
}

func TestJSON(t *testing.T) {
	p := New("T1013", at(4, 2), "views.time.unit", "no such unit")
	p.Got, p.Allowed, p.Nearest, p.Fix, p.Source = "ms", []string{"epoch-millis"}, "epoch-millis", "unit: epoch-millis", "unit: ms"
	out, err := json.Marshal(List{p})
	require.NoError(t, err)
	assert.JSONEq(t, `[{"code": "T1013", "severity": "error", "file": "feed.yaml", "line": 4, "column": 2, "field": "views.time.unit",
		"message": "no such unit", "got": "ms", "allowed": ["epoch-millis"], "did_you_mean": "epoch-millis", "fix": "unit: epoch-millis", "source": "unit: ms"}]`, string(out))
	var back List
	require.NoError(t, json.Unmarshal(out, &back))
	assert.Equal(t, List{p}, back)
}

func TestCodes(t *testing.T) {
	form := regexp.MustCompile(`^T(10|11|12|13|14|15|16|20)\d\d$`)
	last := ""
	for _, c := range Codes() {
		assert.Regexp(t, form, c.ID)
		assert.Less(t, last, c.ID, "codes are in order, and none is given twice")
		last = c.ID
		assert.Contains(t, []Severity{SeverityError, SeverityWarning}, c.Severity, c.ID)
		for name, text := range map[string]string{"title": c.Title, "cause": c.Cause, "bad": c.Bad, "good": c.Good} {
			assert.NotEmpty(t, strings.TrimSpace(text), "%s: %s", c.ID, name)
		}
		assert.NotEqual(t, c.Bad, c.Good, c.ID)
		for line := range strings.SplitSeq(c.Cause, "\n") {
			assert.LessOrEqual(t, len(line), 90, "%s: a line of help fits a terminal", c.ID)
		}
	}
	_, ok := Find("t1007")
	assert.True(t, ok, "case does not matter")
	_, ok = Find("T9999")
	assert.False(t, ok)
	assert.Panics(t, func() { _ = New("T9999", Position{}, "", "") })
}
