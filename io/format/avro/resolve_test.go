package avro

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/linkedin/goavro/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// evolve draws changes to a schema such as its readers and writers live through.
func evolve(t *rapid.T, v any, inUnion bool) any {
	pick := func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "change") }
	switch v := v.(type) {
	case string:
		to := map[string][]string{
			"int": {"long", "float", "double"}, "long": {"float", "double"},
			"float": {"double"}, "string": {"bytes"}, "bytes": {"string"},
		}[v]
		if len(to) > 0 && !inUnion && pick(3) == 0 {
			return to[pick(len(to))]
		}
		if !inUnion && v != "null" && pick(4) == 0 {
			return []any{"null", v}
		}
		return v
	case []any:
		out := []any{}
		for _, b := range v {
			out = append(out, evolve(t, b, true))
		}
		if len(out) > 1 && pick(3) == 0 {
			out[0], out[1] = out[1], out[0]
		}
		return out
	}
	o := map[string]any{}
	for key, value := range v.(map[string]any) {
		o[key] = value
	}
	switch o["type"] {
	case "array":
		o["items"] = evolve(t, o["items"], false)
	case "map":
		o["values"] = evolve(t, o["values"], false)
	case "enum":
		if pick(2) == 0 {
			o["symbols"] = append([]any{"New"}, o["symbols"].([]any)...)
		}
	case "record":
		var fields []any
		for _, f := range o["fields"].([]any) {
			if pick(5) == 0 {
				continue
			}
			field := f.(map[string]any)
			fields = append(fields, map[string]any{"name": field["name"], "type": evolve(t, field["type"], false)})
		}
		if pick(3) == 0 {
			fields = append(fields, map[string]any{"name": "added", "type": "string", "default": "x"})
		}
		if len(fields) > 1 && pick(2) == 0 {
			i := pick(len(fields))
			fields[0], fields[i] = fields[i], fields[0]
		}
		if fields == nil {
			fields = []any{}
		}
		o["fields"] = fields
	}
	return o
}

// reference resolves by the rules' text: v as goavro decodes it from a w, to what goavro
// would decode from an r.
func reference(w, r *Type, v any) any {
	if w.Kind == KindUnion {
		for _, b := range w.Branches {
			if v == nil && b.Kind == KindNull {
				return reference(b, r, nil)
			}
			if o, ok := v.(map[string]any); ok && v != nil {
				if inner, ok := o[nativeName(b)]; ok {
					return reference(b, r, inner)
				}
			}
		}
		panic("no branch")
	}
	if r.Kind == KindUnion {
		for _, fits := range []func(b *Type) bool{
			func(b *Type) bool { return b.Kind == w.Kind && b.Name == w.Name },
			func(b *Type) bool { return slices.Contains(promotions[w.Kind], b.Kind) },
		} {
			for _, b := range r.Branches {
				if fits(b) && b.Kind == KindNull {
					return nil
				}
				if fits(b) {
					return map[string]any{nativeName(b): reference(w, b, v)}
				}
			}
		}
		panic("no branch")
	}
	out := map[string]any{}
	switch r.Kind {
	case KindRecord:
		for _, f := range r.Fields {
			out[f.Name] = f.Default
			for _, wf := range w.Fields {
				if wf.Name == f.Name {
					out[f.Name] = reference(wf.Type, f.Type, v.(map[string]any)[f.Name])
				}
			}
		}
		return out
	case KindMap:
		for key, item := range v.(map[string]any) {
			out[key] = reference(w.Items, r.Items, item)
		}
		return out
	case KindArray:
		list := []any{}
		for _, item := range v.([]any) {
			list = append(list, reference(w.Items, r.Items, item))
		}
		return list
	case KindLong:
		if i, ok := v.(int32); ok {
			return int64(i)
		}
	case KindFloat, KindDouble:
		f := map[bool]any{}
		switch v := v.(type) {
		case int32:
			f[true], f[false] = float32(v), float64(v)
		case int64:
			f[true], f[false] = float32(v), float64(v)
		case time.Time:
			f[true], f[false] = float32(v.UnixMilli()), float64(v.UnixMilli())
		case float32:
			f[true], f[false] = v, float64(v)
		case float64:
			f[false] = v
		}
		return f[r.Kind == KindFloat]
	case KindString:
		if raw, ok := v.([]byte); ok {
			return string(raw)
		}
	case KindBytes:
		if text, ok := v.(string); ok {
			return []byte(text)
		}
	default:
	}
	return v
}

var promotions = map[Kind][]Kind{
	KindInt: {KindLong, KindFloat, KindDouble}, KindLong: {KindFloat, KindDouble},
	KindFloat: {KindDouble}, KindString: {KindBytes}, KindBytes: {KindString},
}

// nativeName is what goavro calls a union's branch.
func nativeName(t *Type) string {
	if t.Logical != "" {
		return branchName(t) + "." + t.Logical
	}
	return branchName(t)
}

// TestResolveEqualsReference: rewriting a record and decoding it with the reader's
// schema gives what the rules make of the decoded record. goavro does not resolve.
func TestResolveEqualsReference(t *testing.T) {
	compared, identical := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		writerText := drawSchema(t)
		var tree any
		require.NoError(t, json.Unmarshal([]byte(writerText), &tree))
		readerJSON, err := json.Marshal(evolve(t, tree, false))
		require.NoError(t, err)
		what := writerText + " -> " + string(readerJSON)
		w, err := ParseSchema(writerText)
		require.NoError(t, err)
		r, err := ParseSchema(string(readerJSON))
		if err != nil {
			return // a definition went with a dropped field
		}
		res, err := Resolve(w, r)
		require.NoError(t, err, what)
		datum := drawDatum(t, nil, w.Type(), 0)
		out, n, err := res.Append([]byte("before"), append(bytes.Clone(datum), 1, 2, 3))
		if err != nil { // bytes that are no text, read as a string
			require.ErrorContains(t, err, "its text is not UTF-8", what)
			require.False(t, utf8.Valid(datum), what)
			return
		}
		require.Equal(t, len(datum), n)
		require.Equal(t, "before", string(out[:6]))
		if out = out[6:]; res.Identical() {
			identical++
			require.True(t, bytes.Equal(datum, out), what)
		}
		wc, err := goavro.NewCodec(writerText)
		require.NoError(t, err)
		rc, err := goavro.NewCodec(string(readerJSON))
		require.NoError(t, err)
		native, _, err := wc.NativeFromBinary(datum)
		require.NoError(t, err)
		got, rest, err := rc.NativeFromBinary(out)
		require.NoError(t, err, what)
		require.Empty(t, rest, what)
		want := reference(w.Type(), r.Type(), native)
		require.Equal(t, fmt.Sprintf("%#v", want), fmt.Sprintf("%#v", got), what)
		compared++
		for cut := range len(datum) {
			_, _, err := res.Append(nil, datum[:cut])
			require.Error(t, err)
		}
	})
	assert.Greater(t, compared, 2*identical, "hardly anything was rewritten")
	assert.Greater(t, identical, 0)
}
