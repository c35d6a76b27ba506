package avro

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/linkedin/goavro/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestJSON(t *testing.T) {
	s := mustParse(t, `{"type":"record","name":"R","fields":[
		{"name":"n","type":"null"},{"name":"b","type":"boolean"},{"name":"i","type":"int"},{"name":"l","type":"long"},
		{"name":"f","type":"float"},{"name":"d","type":"double"},{"name":"nan","type":"double"},{"name":"inf","type":"float"},{"name":"tiny","type":"double"},
		{"name":"raw","type":"bytes"},{"name":"s","type":"string"},{"name":"e","type":{"type":"enum","name":"E","symbols":["A","B"]}},
		{"name":"x","type":{"type":"fixed","name":"F","size":2}},{"name":"u","type":["null","string"]},{"name":"v","type":["null","string"]},
		{"name":"a","type":{"type":"array","items":"int"}},{"name":"m","type":{"type":"map","values":"long"}},
		{"name":"r","type":{"type":"record","name":"I","fields":[]}},
		{"name":"ts","type":{"type":"long","logicalType":"timestamp-millis"}}]}`)
	datum := cat([]byte{1}, varints(-1, math.MinInt64), float32s(0.1), float64s(1e21), float64s(math.NaN()), float32s(float32(math.Inf(-1))), float64s(1e-7),
		text("\x00\xff"), text("a\"\\\n\r\t\x01<é\u2028\xff𝄞"), varints(1), []byte{1, 2}, varints(0), varints(1), text("y"),
		varints(2, 1, 2, -1, 1, 3, 0), varints(1), text("k"), varints(9, 0), varints(1_700_000_000_000))
	w, err := NewJSON(s)
	require.NoError(t, err)
	out, n, err := w.Append([]byte("> "), append(datum, 5))
	require.NoError(t, err)
	assert.Equal(t, len(datum), n)
	assert.Equal(t, `> {"n":null,"b":true,"i":-1,"l":-9223372036854775808,"f":0.1,"d":1e+21,"nan":null,"inf":null,"tiny":1e-07,"raw":"AP8=",`+
		`"s":"a\"\\\n\r\t\u0001<é\u2028\ufffd𝄞","e":"B","x":"AQI=","u":null,"v":"y","a":[1,2,3],"m":{"k":9},"r":{},"ts":1700000000000}`, string(out))
}

// plain turns what goavro decodes into what encoding/json writes as our JSON.
func plain(typ *Type, v any) any {
	switch typ.Kind {
	case KindUnion:
		for _, b := range typ.Branches {
			if o, ok := v.(map[string]any); ok && v != nil {
				if inner, ok := o[nativeName(b)]; ok {
					return plain(b, inner)
				}
			}
		}
		return nil
	case KindRecord:
		out := map[string]any{}
		for _, f := range typ.Fields {
			out[f.Name] = plain(f.Type, v.(map[string]any)[f.Name])
		}
		return out
	case KindMap:
		out := map[string]any{}
		for key, item := range v.(map[string]any) {
			out[key] = plain(typ.Items, item)
		}
		return out
	case KindArray:
		out := []any{}
		for _, item := range v.([]any) {
			out = append(out, plain(typ.Items, item))
		}
		return out
	default:
	}
	switch v := v.(type) {
	case []byte:
		return base64.StdEncoding.EncodeToString(v)
	case time.Time:
		return v.UnixMilli()
	case float32:
		return plain(typ, float64(v))
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil
		}
		if typ.Kind == KindFloat {
			return float32(v)
		}
	}
	return v
}

// TestJSONEqualsGoavro: any record gives the JSON of what goavro decodes it to.
func TestJSONEqualsGoavro(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := drawSchema(t)
		s, err := ParseSchema(text)
		require.NoError(t, err)
		datum := drawDatum(t, nil, s.Type(), 0)
		w, err := NewJSON(s)
		require.NoError(t, err)
		got, n, err := w.Append(nil, datum)
		require.NoError(t, err)
		require.Equal(t, len(datum), n)
		codec, err := goavro.NewCodec(text)
		require.NoError(t, err)
		native, _, err := codec.NativeFromBinary(datum)
		require.NoError(t, err)
		want, err := json.Marshal(plain(s.Type(), native))
		require.NoError(t, err)
		require.True(t, json.Valid(got), "%s", got)
		require.JSONEq(t, string(want), string(got))
		for cut := range len(datum) {
			_, _, err := w.Append(nil, datum[:cut])
			require.Error(t, err)
		}
	})
}

func TestJSONStringsEqualEncodingJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		raw := string(rapid.SliceOf(rapid.Byte()).Draw(t, "raw")) + rapid.String().Draw(t, "text")
		var want strings.Builder
		enc := json.NewEncoder(&want)
		enc.SetEscapeHTML(false)
		require.NoError(t, enc.Encode(raw))
		got := AppendJSONString(nil, []byte(raw))
		var a, b string
		require.NoError(t, json.Unmarshal([]byte(want.String()), &a))
		require.NoError(t, json.Unmarshal(got, &b))
		require.Equal(t, a, b)
	})
}

// TestJSONOfHostileRecords: a few bytes do not become any amount of text.
func TestJSONOfHostileRecords(t *testing.T) {
	for _, tt := range []struct {
		schema string
		datum  []byte
		want   string
	}{
		{rec(`"x":"boolean"`), []byte{2}, "decode x at byte 0: a boolean"},
		{rec(`"x":"int"`), varints(1 << 40), "decode x at byte 0: an int"},
		{`{"type":"array","items":"null"}`, varints(math.MaxInt64), "over 1048576 values"},
		{`{"type":"array","items":` + rec(``) + `}`, varints(1<<21, 0), "over 1048576 values"},
		{`{"type":"array","items":"int"}`, varints(1 << 40), "more items than"},
		{`{"type":"map","values":"null"}`, varints(1 << 40), "more items than"},
		{`{"type":"array","items":"int"}`, varints(-1, 3, 5, 6, 7, 0), "a block's length is not that of its items"},
		{`{"type":"map","values":"int"}`, cat(varints(1), text("k")), "decode [] at byte 3: the record ends"},
		{nodeSchema, []byte(strings.Repeat("\x02\x02", 5000)), "nested over 1000 deep"},
		{`{"type":"record","name":"R","fields":[{"name":"r","type":"R"}]}`, nil, "nested over"},
	} {
		w, err := NewJSON(mustParse(t, tt.schema))
		require.NoError(t, err)
		out, n, err := w.Append([]byte("x"), tt.datum)
		require.ErrorContains(t, err, tt.want)
		assert.Equal(t, "x", string(out))
		assert.Zero(t, n)
	}
}
