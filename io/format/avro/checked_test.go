package avro

import (
	"bytes"
	"testing"
	"unicode/utf8"

	"github.com/linkedin/goavro/v2"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tributary/io/record"
)

const textSchema = `{"type":"record","name":"R","fields":[
	{"name":"id","type":"string"},{"name":"raw","type":"bytes"},
	{"name":"maybe","type":["null","string"]},
	{"name":"any","type":["null","long","string",{"type":"record","name":"In","fields":[{"name":"s","type":"string"},{"name":"in","type":["null","In"]}]}]},
	{"name":"list","type":{"type":"array","items":"string"}},
	{"name":"map","type":{"type":"map","values":{"type":"array","items":["null","string"]}}},
	{"name":"n","type":{"type":"array","items":"long"}}]}`

// TestCheckedProjection: wherever text stands that is not UTF-8, the record is told apart
// from the next and the field is named.
func TestCheckedProjection(t *testing.T) {
	s := mustParse(t, textSchema)
	const bad = "b\xffd"
	head := cat(text("v1"), text(bad)) // bytes may hold anything
	tail := cat(varints(-2, 2, 1, 2, 0))
	for name, c := range map[string]struct {
		datum []byte
		path  string
	}{
		"none":        {datum: cat(head, varints(1), text("é\x00"), varints(0, 0, 0), tail)},
		"wanted":      {datum: cat(text(bad), text(""), varints(0, 0, 0, 0), tail), path: "id"},
		"maybe":       {datum: cat(head, varints(1), text(bad), varints(0, 0, 0), tail), path: "maybe"},
		"in union":    {datum: cat(head, varints(0, 2), text(bad), varints(0, 0), tail), path: "any"},
		"in record":   {datum: cat(head, varints(0, 3), text("ok"), varints(1), text(bad), varints(0, 0, 0), tail), path: "any.in.s"},
		"in array":    {datum: cat(head, varints(0, 0, 2), text("ok"), text(bad), varints(0, 0), tail), path: "list[]"},
		"sized block": {datum: cat(head, varints(0, 0, -2, 7), text("ok"), text(bad), varints(0, 0), tail), path: "list[]"},
		"key":         {datum: cat(head, varints(0, 0, 0, 1), text(bad), varints(0, 0), tail), path: "map[]"},
		"in map":      {datum: cat(head, varints(0, 0, 0, -1, 10), text("k"), varints(2, 0, 1), text(bad), varints(0, 0), tail), path: "map[][]"},
		"two":         {datum: cat(text(bad), text(""), varints(1), text(bad), varints(0, 0, 0), tail), path: "id"},
		"surrogate":   {datum: cat(text("\xed\xa0\x80"), text(""), varints(0, 0, 0, 0), tail), path: "id"},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := ProjectChecked(s, []string{"id", "maybe", "id"})
			require.NoError(t, err)
			values := make([]record.Value, 3)
			n, err := p.Extract(append(bytes.Clone(c.datum), 9, 9), values)
			require.Len(t, c.datum, n)
			require.Equal(t, values[0], values[2])
			require.NotEmpty(t, values[0].Text)
			plain, perr := Project(s, []string{"id"})
			require.NoError(t, perr)
			_, perr = plain.Extract(c.datum, values)
			require.NoError(t, perr)
			if c.path == "" {
				require.NoError(t, err)
				return
			}
			var found *TextError
			require.ErrorAs(t, err, &found)
			require.Equal(t, c.path, found.Path)
			require.True(t, bytes.HasPrefix(c.datum[found.Offset:], []byte(bad)) || name == "surrogate")
		})
	}
	p, err := ProjectChecked(s, []string{"id"})
	require.NoError(t, err)
	_, err = p.Extract(cat(head, varints(0, 0, -1, 9), text("ok"), varints(0, 0), tail), make([]record.Value, 1))
	require.ErrorContains(t, err, "a block's length is not that of its items")
}

// TestCheckedEqualsPlain: on sound records the two projections agree, and allocate nothing.
func TestCheckedEqualsPlain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := drawSchema(t)
		s, err := ParseSchema(text)
		require.NoError(t, err)
		paths := s.Paths()
		checked, err := ProjectChecked(s, paths)
		require.NoError(t, err)
		plain, err := Project(s, paths)
		require.NoError(t, err)
		datum := drawDatum(t, nil, s.Type(), 0)
		got, want := make([]record.Value, len(paths)), make([]record.Value, len(paths))
		n, err := checked.Extract(datum, got)
		require.NoError(t, err, text)
		require.Len(t, datum, n)
		_, err = plain.Extract(datum, want)
		require.NoError(t, err)
		require.Equal(t, want, got)

		// Any byte may be damaged: what is passed must be text to other readers.
		if len(datum) == 0 {
			return
		}
		datum[rapid.IntRange(0, len(datum)-1).Draw(t, "at")] = 0xff
		if n, err := checked.Extract(datum, got); err == nil {
			codec, err := goavro.NewCodec(text)
			require.NoError(t, err)
			if native, _, err := codec.NativeFromBinary(datum[:n]); err == nil {
				requireText(t, native)
			}
		}
	})
}

func requireText(t require.TestingT, v any) {
	switch v := v.(type) {
	case string:
		require.True(t, utf8.ValidString(v), "%q", v)
	case map[string]any:
		for key, below := range v {
			require.True(t, utf8.ValidString(key), "%q", key)
			requireText(t, below)
		}
	case []any:
		for _, below := range v {
			requireText(t, below)
		}
	}
}

func TestCheckedAllocatesNothing(t *testing.T) {
	s := mustParse(t, textSchema)
	p, err := ProjectChecked(s, []string{"id"})
	require.NoError(t, err)
	datum := cat(text("v"), text("x"), varints(1), text("y"), varints(0, 1), text("z"), varints(0, 0, 0))
	values := make([]record.Value, 1)
	require.Zero(t, testing.AllocsPerRun(100, func() { _, err = p.Extract(datum, values) }))
	require.NoError(t, err)
}
