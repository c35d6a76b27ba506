package avro

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/linkedin/goavro/v2"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tributary/io/record"
)

// cutPaths lists the paths that a Cut may take, of any type, to a depth.
func cutPaths(t *Type, names []string) (paths []string) {
	r, _ := through(t, KindRecord)
	if r == nil || len(names) > 4 {
		return nil
	}
	for _, f := range r.Fields {
		below := append(append([]string{}, names...), f.Name)
		paths = append(append(paths, record.JoinPath(below...)), cutPaths(f.Type, below)...)
	}
	return paths
}

// nativeAt is what goavro has at a path; ok is false where null stands on the way.
func nativeAt(native any, t *Type, names []string) (v any, ok bool) {
	for _, name := range names {
		if t.Kind == KindUnion {
			branch, is := native.(map[string]any)
			if !is {
				return nil, false
			}
			native = only(branch)
		}
		r, _ := through(t, KindRecord)
		t, native = r.Fields[r.field(name)].Type, native.(map[string]any)[name]
	}
	return native, true
}

// only is the value of a union, which goavro has below the name of its branch.
func only(branch map[string]any) any {
	for _, v := range branch {
		return v
	}
	return nil
}

// TestCutEqualsGoavro: whatever fields are taken out of whatever record, goavro reads them, by the types that TypeTexts
// writes, as it reads them in the record. All types may be of one schema, with the record's own behind them.
func TestCutEqualsGoavro(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := drawSchema(t)
		s, err := ParseSchema(text)
		require.NoError(t, err)
		codec, err := goavro.NewCodec(text)
		require.NoError(t, err)
		datum := drawDatum(t, nil, s.Type(), 0)
		native, _, err := codec.NativeFromBinary(datum)
		require.NoError(t, err)

		var paths []string
		for _, p := range rapid.Permutation(cutPaths(s.Type(), nil)).Draw(t, "paths") {
			if len(paths) < 40 && rapid.Bool().Draw(t, p) {
				paths = append(paths, p)
			}
		}
		c, err := NewCut(s, paths)
		require.NoError(t, err)
		var texts TypeTexts
		types, nullFirst := texts.Types(c)
		fields := []string{}
		for i, one := range types {
			fallback := ""
			if nullFirst[i] {
				fallback = `,"default":null`
			}
			fields = append(fields, fmt.Sprintf(`{"name":"c%d","type":%s%s}`, i, one, fallback))
		}
		fields = append(fields, fmt.Sprintf(`{"name":"whole","type":%s}`, texts.Type(s)))
		var out json.RawMessage
		require.NoError(t, json.Unmarshal([]byte(`{"type":"record","name":"TheCut","fields":`+asList(fields)+`}`), &out))
		cut, err := goavro.NewCodec(string(out))
		require.NoError(t, err, "%s\n%s", text, out)

		got, err := c.Append([]byte("before"), datum)
		require.NoError(t, err)
		require.Equal(t, "before", string(got[:6]))
		back, rest, err := cut.NativeFromBinary(append(got[6:], datum...))
		require.NoError(t, err, "%s\n%s", text, out)
		require.Empty(t, rest)
		columns := back.(map[string]any)
		require.Equal(t, fmt.Sprint(native), fmt.Sprint(columns["whole"]))
		for i, path := range paths {
			names, err := record.ParsePath(path)
			require.NoError(t, err)
			want, ok := nativeAt(native, s.Type(), names)
			v := columns[fmt.Sprintf("c%d", i)]
			if c.columns[i].form == cutNullable && ok {
				branch := v.(map[string]any)
				require.Len(t, branch, 1)
				v = only(branch)
			}
			require.Equal(t, fmt.Sprint(want), fmt.Sprint(v), "%s of %s", path, text) // NaN is not itself
		}
		for n := range len(datum) {
			_, _ = c.Append(nil, datum[:n]) // no panic
		}
	})
}

func asList(items []string) string {
	text := "["
	for i, item := range items {
		if i > 0 {
			text += ","
		}
		text += item
	}
	return text + "]"
}

func TestCutRefuses(t *testing.T) {
	s := mustParse(t, `{"type":"record","name":"R","fields":[
		{"name":"a","type":["null",{"type":"record","name":"A","fields":[{"name":"x","type":"int"}]}]},
		{"name":"b","type":["A",{"type":"record","name":"B","fields":[{"name":"x","type":"int"}]}]},
		{"name":"l","type":{"type":"array","items":"A"}}]}`)
	for path, message := range map[string]string{
		"a.y": `no field "a.y": a has x`, "c": `no field "c": the record has a, b, l`, "l.x": `no field "l.x": l has no fields`,
		"a.x.z": `no field "a.x.z": a.x has no fields`, "b.x": `field "b.x": b is a union of more than null and one record`,
	} {
		_, err := NewCut(s, []string{"a.x", path})
		require.EqualError(t, err, message)
	}
	c, err := NewCut(s, []string{"a.x"})
	require.NoError(t, err)
	var broken *DecodeError
	_, err = c.Append(nil, []byte{2})
	require.True(t, errors.As(err, &broken))
	require.Equal(t, "a.x", broken.Path)
}

// TestCutOfUnions: a field behind null is of its own type or null, whatever its type is.
func TestCutOfUnions(t *testing.T) {
	s := mustParse(t, `{"type":"record","name":"R","fields":[{"name":"a","type":[{"type":"record","name":"A","fields":[
		{"name":"plain","type":"int"},{"name":"either","type":["int","string"]},{"name":"maybe","type":["int","null"]},{"name":"no","type":"null"}]},"null"]}]}`)
	c, err := NewCut(s, []string{"a.no", "a.maybe", "a.either", "a.plain"})
	require.NoError(t, err)
	types, nullFirst := (&TypeTexts{}).Types(c)
	require.Equal(t, `["\"null\"" "[\"int\",\"null\"]" "[\"null\",\"int\",\"string\"]" "[\"null\",\"int\"]"]`, fmt.Sprintf("%q", types))
	require.Equal(t, []bool{false, false, true, true}, nullFirst)
	got, err := c.Append(nil, []byte{0, 14, 2, 2, 'x', 0, 10})
	require.NoError(t, err)
	require.Equal(t, []byte{0, 10, 4, 2, 'x', 2, 14}, got)
	got, err = c.Append(nil, []byte{2})
	require.NoError(t, err)
	require.Equal(t, []byte{2, 0, 0}, got)
}

// TestTypeTextsKeepMeaning: logical types, defaults and aliases are those of the schema.
func TestTypeTextsKeepMeaning(t *testing.T) {
	const text = `{"type":"record","name":"R","namespace":"n.s","fields":[
		{"name":"t","type":{"type":"long","logicalType":"timestamp-micros"}},
		{"name":"d","type":["null",{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}],"default":null},
		{"name":"e","type":{"type":"enum","name":"E","aliases":["F"],"symbols":["A","B"],"default":"B"}},
		{"name":"r","type":{"type":"record","name":"In","fields":[{"name":"u","type":{"type":"fixed","name":"U","size":16,"logicalType":"uuid"},"aliases":["v"]},{"name":"m","type":{"type":"map","values":"E"},"default":{}}]}}]}`
	s := mustParse(t, text)
	var texts TypeTexts
	require.Equal(t, s.ID(), mustParse(t, string(texts.Type(s))).ID())

	c, err := NewCut(s, []string{"r.m", "d", "t", "e"})
	require.NoError(t, err)
	types, nullFirst := (&TypeTexts{}).Types(c)
	require.Equal(t, []bool{false, true, false, false}, nullFirst)
	require.JSONEq(t, `{"type":"map","values":{"type":"enum","name":"n.s.E","aliases":["n.s.F"],"symbols":["A","B"],"default":"B"}}`, string(types[0]))
	require.JSONEq(t, `["null",{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}]`, string(types[1]))
	require.JSONEq(t, `{"type":"long","logicalType":"timestamp-micros"}`, string(types[2]))
	require.JSONEq(t, `"n.s.E"`, string(types[3]))

	// A name without a namespace inside one that has one.
	s = mustParse(t, `{"type":"record","name":"a.R","fields":[{"name":"x","type":{"type":"fixed","name":"X","namespace":"","size":1}}]}`)
	require.Equal(t, s.ID(), mustParse(t, string((&TypeTexts{}).Type(s))).ID())
}

func BenchmarkCut(b *testing.B) {
	datum := viewDatums(b, 1)[0]
	c, err := NewCut(mustParse(b, viewSchema), []string{"view_id", "ts", "surface"})
	require.NoError(b, err)
	var dst []byte
	for b.Loop() {
		if dst, err = c.Append(dst[:0], datum); err != nil {
			b.Fatal(err)
		}
	}
}
