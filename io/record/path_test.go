package record

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestParsePath(t *testing.T) {
	for text, want := range map[string][]string{
		"view_id":         {"view_id"},
		"user.id":         {"user", "id"},
		"Created (UTC)":   {"Created (UTC)"},
		"view/id":         {"view/id"},
		" ts":             {" ts"},
		"it's":            {"it's"},
		"user.first name": {"user", "first name"},
		`"a.b"`:           {"a.b"},
		`"a.b".c`:         {"a.b", "c"},
		`c."a.b"`:         {"c", "a.b"},
		`"5"" screen"`:    {`5" screen`},
		`""`:              {""},
		`a."".b`:          {"a", "", "b"},
		`""""`:            {`"`},
		`" a".b`:          {" a", "b"},
	} {
		got, err := ParsePath(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
}

func TestParsePathErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":        `path "": a name is empty: write "" for the name of no letters`,
		"  ":      `path "  ": a name is empty: write "" for the name of no letters`,
		"a..b":    `path "a..b": a name is empty`,
		"a.":      `path "a.": a name is empty`,
		".a":      `path ".a": a name is empty`,
		"a . b":   `path "a . b": a name begins or ends with a space`,
		`5" wide`: `path "5\" wide": a quote stands inside a name that does not begin with one`,
		`"a`:      `path "\"a": a quote is not closed`,
		`"a"b`:    `path "\"a\"b": text follows the closing quote of a name`,
		`"a".`:    `path "\"a\".": a name is empty`,
	} {
		_, err := ParsePath(text)
		require.EqualError(t, err, want)
	}
}

func TestPathsComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.OneOf(rapid.StringOf(rapid.SampledFrom([]rune(`ab." '/(é	[`))), rapid.String())
		names := rapid.SliceOfN(name, 1, 4).Draw(t, "names")
		got, err := ParsePath(JoinPath(names...))
		require.NoError(t, err)
		assert.Equal(t, names, got)
		flat, ok := FlatName(FlatPath(names[0]))
		assert.True(t, ok)
		assert.Equal(t, names[0], flat)
	})
}

func TestFlatName(t *testing.T) {
	for path, want := range map[string]string{"user.id": "user.id", `"user.id"`: "user.id", "a b": "a b", `""`: ""} {
		got, ok := FlatName(path)
		assert.True(t, ok, path)
		assert.Equal(t, want, got)
	}
	for _, path := range []string{`"a.b".c`, "", `"`} {
		_, ok := FlatName(path)
		assert.False(t, ok, path)
	}
	assert.Equal(t, "user.id", FlatPath("user.id"))
	assert.Equal(t, `"a..b"`, FlatPath("a..b"))
}
