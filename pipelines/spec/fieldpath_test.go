package spec

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tributary/io/record"
)

// viewsBy is a spec whose views have a path as their id, written as YAML.
func viewsBy(id string) string {
	return completed("views: {inputs: views/*.csv, id: " + id + ", time: ts}")
}

// TestEveryNameCanBeWritten: whatever a field is called, the text that messages show for it
// is taken, means that field, and is written again by YAML.
func TestEveryNameCanBeWritten(t *testing.T) {
	for _, name := range []string{
		"Created (UTC)", "view/id", " ts", "ts ", "a,b", "it's", `5" screen`, "a.b", "a..b", "", "items[0]", "/view/id", "$.x", "$", "*", "x*",
		"user->id", "{x}", "true", "null", "1", "1e3", "-", "a: b", "a #b", "#", "@timestamp", "%", "&x", "!x", "|", ">", "`x`", `a\b`, "tab\there", "2026-01-01", "é", "price [EUR]", "?", "key?",
	} {
		for _, names := range [][]string{{name}, {"user", name}, {name, "id"}} {
			path := record.JoinPath(names...)
			s, err := Parse("spec.yaml", []byte(viewsBy(FieldText(path))))
			require.NoError(t, err, "%q", names)
			again, err := Parse("spec.yaml", s.YAML())
			require.NoError(t, err, "%q", names)
			assert.Equal(t, []string{path}, s.Views.ID)
			assert.Equal(t, []string{path}, again.Views.ID)
		}
	}
}

func TestFieldPatternIsTheParsers(t *testing.T) {
	form := regexp.MustCompile(fieldPattern)
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.SampledFrom([]rune("ab.\" '/\n[,é"))).Draw(t, "text")
		_, err := record.ParsePath(text)
		assert.Equal(t, err == nil, form.MatchString(text), "%q: %v", text, err)
	})
}

// TestPathsOfOtherTools: what is probably another tool's path is not taken for a name.
func TestPathsOfOtherTools(t *testing.T) {
	for text, fix := range map[string]string{
		"/user/id": "user.id", "$.user.id": "user.id", "user->id": "user.id", `"user[id]"`: "user.id", "user..id": "user.id",
		`"items[0].id"`: "", `"a,b"`: "", `"*"`: "", `"user.*"`: "",
	} {
		list := problemsOf(t, viewsBy(text))
		require.Len(t, list, 1, text)
		assert.Equal(t, "T1107", list[0].Code)
		assert.Equal(t, fix, list[0].Nearest, text)
	}
}

func TestPathsInQuotesAreFields(t *testing.T) {
	list := problemsOf(t, completed(`views: {inputs: v.json, id: '"user.id"', time: '"user.id"'}`))
	require.Len(t, list, 1)
	assert.Equal(t, "T1108", list[0].Code)
	list = problemsOf(t, completed(`views: {inputs: v.json, id: '"a.b"', time: '"a.b".ts'}`))
	require.Len(t, list, 1)
	assert.Equal(t, "T1111", list[0].Code)
	assert.Empty(t, problemsOf(t, completed(`views: {inputs: v.json, id: '"a.b"', time: a.b.ts}`)))

	text := completed(`views: {inputs: v.json, id: '"a.b".id', time: ts}` + "\n" +
		`tests: [{name: x, views: [{a.b: {id: v1}, ts: 2026-01-01T10:00:00Z}], samples: [{view_id: v1}]}, {name: y, views: [{ts: 2026-01-01T10:00:00Z}], samples: [{view_id: v1}]}]`)
	list = problemsOf(t, text)
	require.Len(t, list, 1)
	assert.Equal(t, "add it, like `{a.b: {id: v1}}`", list[0].Hint)
}
