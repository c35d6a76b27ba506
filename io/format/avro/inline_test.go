package avro

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestInline: a schema that refers to others is the one with their types in their place.
func TestInline(t *testing.T) {
	const (
		country = `{"type":"enum","name":"Country","namespace":"geo","symbols":["A","B"]}`
		address = `{"type":"record","name":"Address","namespace":"geo","fields":[{"name":"in","type":"Country"},{"name":"next","type":["null","Address"]}]}`
		holds   = `{"type":"record","name":"geo.Pair","fields":[{"name":"a","type":{"type":"fixed","name":"Hash","size":4}},{"name":"b","type":"Hash"}]}`
	)
	for _, tt := range []struct {
		name, text string
		others     []string
		want       string
	}{
		{"no references", ` {"type":"map", "values":"int"}`, nil, ` {"type":"map", "values":"int"}`},
		{
			"by its full name", `{"type":"record","name":"a.V","fields":[{"name":"c","type":"geo.Country"}]}`,
			[]string{country},
			`{"type":"record","name":"a.V","fields":[{"name":"c","type":{"type":"enum","name":"geo.Country","symbols":["A","B"]}}]}`,
		},
		{
			"by its short name, in its namespace", `{"type":"record","name":"V","namespace":"geo","fields":[{"name":"c","type":["null","Country"]}]}`,
			[]string{country},
			`{"type":"record","name":"geo.V","fields":[{"name":"c","type":["null",{"type":"enum","name":"geo.Country","symbols":["A","B"]}]}]}`,
		},
		{
			"twice, and of another reference, and itself", `{"type":"record","name":"a.V","fields":[{"name":"x","type":{"type":"array","items":"geo.Address"}},{"name":"y","type":{"type":"map","values":"geo.Country"}}]}`,
			[]string{address, country},
			`{"type":"record","name":"a.V","fields":[{"name":"x","type":{"type":"array","items":{"type":"record","name":"geo.Address","fields":[
				{"name":"in","type":{"type":"enum","name":"geo.Country","symbols":["A","B"]}},{"name":"next","type":["null","geo.Address"]}]}}},
				{"name":"y","type":{"type":"map","values":"geo.Country"}}]}`,
		},
		{
			"a type inside another, first", `{"type":"record","name":"a.V","fields":[{"name":"h","type":"geo.Hash"},{"name":"p","type":{"type":"geo.Pair"}}]}`,
			[]string{holds},
			`{"type":"record","name":"a.V","fields":[{"name":"h","type":{"type":"fixed","name":"geo.Hash","size":4}},{"name":"p","type":{"type":"record","name":"geo.Pair","fields":[{"name":"a","type":"geo.Hash"},{"name":"b","type":"geo.Hash"}]}}]}`,
		},
		{
			"without a namespace, in one", `{"type":"record","name":"a.V","fields":[{"name":"o","type":"Odd"}]}`,
			[]string{`{"type":"record","name":"Odd","fields":[{"name":"f","type":{"type":"fixed","name":"Four","size":4}}]}`},
			`{"type":"record","name":"a.V","fields":[{"name":"o","type":{"type":"record","name":"Odd","namespace":"","fields":[{"name":"f","type":{"type":"fixed","name":"Four","size":4}}]}}]}`,
		},
		{
			"its own type before one of that name without a namespace", `{"type":"record","name":"a.V","fields":[{"name":"o","type":{"type":"fixed","name":"Odd","size":4}},{"name":"p","type":"Odd"}]}`,
			[]string{`{"type":"fixed","name":"Odd","size":8}`},
			`{"type":"record","name":"a.V","fields":[{"name":"o","type":{"type":"fixed","name":"a.Odd","size":4}},{"name":"p","type":"a.Odd"}]}`,
		},
		{"the schema is nothing but a name", `"geo.Country"`, []string{country}, country},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Inline(tt.text, tt.others...)
			require.NoError(t, err)
			if tt.others == nil {
				require.Equal(t, tt.want, got)
				return
			}
			require.Equal(t, mustParse(t, tt.want).ID(), mustParse(t, got).ID(), got)
		})
	}
}

// TestInlineRefuses: what cannot be told is an error, and what nobody defines is the parser's to say.
func TestInlineRefuses(t *testing.T) {
	const one, other = `{"type":"fixed","name":"a.F","size":4}`, `{"type":"fixed","name":"a.F","size":5}`
	_, err := Inline(`"a.F"`, one, other)
	require.EqualError(t, err, "two schemas that are referred to define a.F, and not alike")
	_, err = Inline(`"a.F"`, `{"type":`)
	require.ErrorContains(t, err, "parse Avro schema: ")
	text, err := Inline(`["a.F","a.G"]`, one, one)
	require.NoError(t, err)
	_, err = ParseSchema(text)
	require.ErrorContains(t, err, `unknown type "a.G"`)
	// A type of the schema's own with the name of another's is not taken for it.
	text, err = Inline(`["a.F",`+other+`]`, one)
	require.NoError(t, err)
	_, err = ParseSchema(text)
	require.ErrorContains(t, err, `the name "a.F" is taken`)
}

// TestInlineUndoes takes some of the named types out of schemas: with them as references they are the same again.
func TestInlineUndoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := drawSchema(t)
		tree, err := decodeTree(text)
		require.NoError(t, err)
		var others []string
		var take func(v any, root bool) any
		take = func(v any, root bool) any {
			switch v := v.(type) {
			case []any:
				for i := range v {
					v[i] = take(v[i], false)
				}
			case map[string]any:
				for _, key := range []string{"items", "values"} {
					if v[key] != nil {
						v[key] = take(v[key], false)
					}
				}
				fields, _ := v["fields"].([]any)
				for _, f := range fields {
					f := f.(map[string]any)
					f["type"] = take(f["type"], false)
				}
				if name, _, ok := defines(v, ""); ok && !root && rapid.Bool().Draw(t, "out") {
					other, err := json.Marshal(v)
					require.NoError(t, err)
					others = append(others, string(other))
					return name
				}
			}
			return v
		}
		rest, err := json.Marshal(take(tree, true))
		require.NoError(t, err)
		got, err := Inline(string(rest), rapid.Permutation(others).Draw(t, "order")...)
		require.NoError(t, err)
		want, err := ParseSchema(text)
		require.NoError(t, err)
		have, err := ParseSchema(got)
		require.NoError(t, err, "%s of %s and %s", got, rest, others)
		require.Equal(t, want.ID(), have.ID(), "%s\n%s", text, got)
	})
}
