package avro

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/linkedin/goavro/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// The tests of this file are the reasons for what this package does without goavro. One that
// fails after goavro has changed is a piece of code that may go.

// fields writes the schema of a record R; each is `"name":type`, perhaps with more of the field.
func fields(list ...string) string {
	out := `{"type":"record","name":"R","fields":[`
	for i, f := range list {
		name, typ, _ := strings.Cut(f, ":")
		if i > 0 {
			out += ","
		}
		out += `{"name":` + name + `,"type":` + typ + `}`
	}
	return out + `]}`
}

func goavroOf(tb testing.TB, schema string) *goavro.Codec {
	tb.Helper()
	codec, err := goavro.NewCodec(schema)
	require.NoError(tb, err, schema)
	return codec
}

// TestGoavroCanonicalForm: of these schemas goavro's is another than the specification's.
func TestGoavroCanonicalForm(t *testing.T) {
	for name, tt := range map[string]struct{ schema, goavro string }{
		"an attribute beside a primitive stays": {
			fields(`"a":{"type":"long","logicalType":"timestamp-millis"}`), `{"name":"R","type":"record","fields":[{"name":"a","type":{"type":"long"}}]}`,
		},
		"the namespace of a full name is not that of the types inside": {
			`{"type":"record","name":"a.R","fields":[{"name":"x","type":{"type":"enum","name":"E","symbols":["A"]}}]}`,
			`{"name":"a.R","type":"record","fields":[{"name":"x","type":{"name":"E","type":"enum","symbols":["A"]}}]}`,
		},
		"a size is written with an exponent": {
			`{"type":"fixed","name":"F","size":1000000}`, `{"name":"F","type":"fixed","size":1e+06}`,
		},
	} {
		assert.Equal(t, tt.goavro, goavroOf(t, tt.schema).CanonicalSchema(), name)
		assert.NotEqual(t, tt.goavro, mustParse(t, tt.schema).Canonical(), name)
	}
	// Where a type is used again, goavro's form depends on the order of a Go map.
	const again = `{"type":"record","name":"R","namespace":"a","fields":[{"name":"n","type":["null","R"]}]}`
	var forms []string
	for range 200 {
		if form := goavroOf(t, again).CanonicalSchema(); !slices.Contains(forms, form) {
			forms = append(forms, form)
		}
	}
	assert.Len(t, forms, 2)
	assert.Equal(t, `{"name":"a.R","type":"record","fields":[{"name":"n","type":["null","a.R"]}]}`, mustParse(t, again).Canonical())
}

// TestGoavroTakesCanonicalForm: of a canonical form goavro's is the same, which is why Codec begins
// with it, and reads and writes what was drawn.
func TestGoavroTakesCanonicalForm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, err := ParseSchema(drawSchema(t))
		require.NoError(t, err)
		codec, err := s.Codec()
		require.NoError(t, err)
		require.Equal(t, s.Canonical(), codec.CanonicalSchema())
		datum := drawDatum(t, nil, s.Type(), 0)
		native, rest, err := codec.NativeFromBinary(bytes.Clone(datum))
		require.NoError(t, err)
		require.Empty(t, rest)
		p, err := Project(s, nil)
		require.NoError(t, err)
		again, err := codec.BinaryFromNative(nil, native)
		require.NoError(t, err)
		n, err := p.Extract(again, nil)
		require.NoError(t, err)
		require.Len(t, again, n)
	})
}

// TestGoavroDecodes: bytes that are no datum are one to goavro, of a value that nobody wrote.
func TestGoavroDecodes(t *testing.T) {
	for _, tt := range []struct {
		typ   string
		datum []byte
		want  any
	}{
		{`"int"`, []byte{0x82, 0x80, 0x80, 0x80, 0x20}, int32(1)}, // 2^32 + 1
		{`"long"`, append(bytes.Repeat([]byte{0x80}, 10), 1), int64(0)},
		{`"string"`, []byte{2, 0xff}, "\xff"},
	} {
		native, _, err := goavroOf(t, tt.typ).NativeFromBinary(tt.datum)
		require.NoError(t, err)
		assert.Equal(t, tt.want, native)
		checked, err := ProjectChecked(mustParse(t, fields(`"a":`+tt.typ)), nil)
		require.NoError(t, err)
		_, err = checked.Extract(tt.datum, nil)
		require.Error(t, err, tt.typ)
	}
}

// TestGoavroJSON: its members come in no order.
func TestGoavroJSON(t *testing.T) {
	s := mustParse(t, fields(`"a":"int"`, `"b":"int"`, `"c":"int"`))
	codec, err := s.Codec()
	require.NoError(t, err)
	native, _, err := codec.NativeFromBinary([]byte{2, 4, 6})
	require.NoError(t, err)
	forms := map[string]bool{}
	for range 200 {
		text, err := codec.TextualFromNative(nil, native)
		require.NoError(t, err)
		forms[string(text)] = true
	}
	assert.Greater(t, len(forms), 1)
	assert.Equal(t, `{"a":1,"b":2,"c":3}`, jsonOf(t, s, []byte{2, 4, 6}))
}

// TestGoavroDefaults: a default goes by way of a float64 or as the bytes of its text, or is
// refused where it is right.
func TestGoavroDefaults(t *testing.T) {
	for _, tt := range []struct {
		typ, value string
		goavro     []byte // nil if refused
		want       []byte // likewise
	}{
		{`"long"`, `9007199254740993`, varints(9007199254740992), varints(9007199254740993)},
		{`"long"`, `1.5`, varints(1), nil},
		{`"int"`, `3000000000`, varints(math.MinInt32), nil},
		{`"bytes"`, `"\u00ff"`, []byte{4, 0xc3, 0xbf}, []byte{2, 0xff}},
		{`{"type":"fixed","name":"F","size":1}`, `"\u00ff"`, nil, []byte{0xff}},
		{`{"type":"array","items":["int","null"]}`, `[1]`, nil, []byte{2, 0, 2, 0}},
		{`["string","null"]`, `null`, nil, []byte{2}}, // any branch, since 1.12
	} {
		schema := fields(`"a":` + tt.typ + `,"default":` + tt.value)
		var got []byte
		if codec, err := goavro.NewCodec(schema); err == nil {
			got, err = codec.BinaryFromNative(nil, map[string]any{})
			require.NoError(t, err)
		}
		assert.Equal(t, tt.goavro, got, "goavro: %s of %s", tt.value, tt.typ)
		f := mustParse(t, schema).Type().Fields[0]
		out, err := appendDefault(nil, f.Type, f.Default, 0)
		if tt.want == nil {
			require.Error(t, err)
			continue
		}
		require.NoError(t, err)
		assert.Equal(t, tt.want, out, "%s of %s", tt.value, tt.typ)
	}
}

// TestGoavroSchemas: it takes some that are wrong, and refuses some that are right or are common.
func TestGoavroSchemas(t *testing.T) {
	for _, taken := range []string{
		`{"type":"enum","name":"E","symbols":["A","A"]}`,
		`{"type":"enum","name":"E","symbols":["A"],"default":"B"}`,
		fields(`"a":{"type":"fixed","name":"F","size":1}`, `"b":{"type":"fixed","name":"F","size":2}`),
	} {
		goavroOf(t, taken)
		_, err := ParseSchema(taken)
		require.Error(t, err, taken)
	}
	for _, refused := range []string{
		fields(`"a":["string","null"],"default":null`),
		fields(`"user-agent":"string"`),
		`{"type":"fixed","name":"F","size":0}`,
		`{"type":"error","name":"E","fields":[]}`,
	} {
		_, err := goavro.NewCodec(refused)
		require.Error(t, err, refused)
		mustParse(t, refused)
	}
	two := fields(`"a":{"type":"bytes","logicalType":"decimal","precision":4}`, `"b":{"type":"bytes","logicalType":"decimal","precision":4}`)
	require.Panics(t, func() { _, _ = goavro.NewCodec(two) })
	mustParse(t, two)
}

// TestGoavroFiles: one damaged block ends the reading of a file, where a Reader goes on behind it.
func TestGoavroFiles(t *testing.T) {
	s := mustParse(t, `"string"`)
	datums := make([][]byte, 300)
	for i := range datums {
		datums[i] = text("some text that takes its room")
	}
	file := writeFile(t, s, WriterOptions{Codec: CodecDeflate, BlockBytes: 1000}, datums)
	file[len(file)/2] ^= 0xff
	g, err := goavro.NewOCFReader(bytes.NewReader(file))
	require.NoError(t, err)
	seen := 0
	for ; g.Scan(); seen++ {
		_, _ = g.Read()
	}
	require.Error(t, g.Err())
	r, err := NewReader(bytes.NewReader(file))
	require.NoError(t, err)
	_, count, damage := readAll(t, r, r.Header().Size)
	require.NotEmpty(t, damage)
	require.Greater(t, count, int64(seen))
	_, err = r.Next()
	require.ErrorIs(t, err, io.EOF)
}

// TestScalarDefaults: what goavro encodes of numbers, booleans and text is what was meant.
func TestScalarDefaults(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for kind, value := range map[Kind]any{
			KindLong: rapid.Int64().Draw(t, "long"), KindInt: rapid.Int32().Draw(t, "int"), KindBoolean: rapid.Bool().Draw(t, "boolean"),
			KindDouble: rapid.Float64().Draw(t, "double"), KindFloat: rapid.Float32().Draw(t, "float"), KindString: rapid.String().Draw(t, "string"),
		} {
			written, err := json.Marshal(value)
			if err != nil {
				t.Fatal(err)
			}
			dec := json.NewDecoder(bytes.NewReader(written))
			dec.UseNumber()
			var decoded any
			if err := dec.Decode(&decoded); err != nil {
				t.Fatal(err)
			}
			out, err := appendDefault(nil, &Type{Kind: kind}, decoded, 0)
			require.NoError(t, err)
			s, err := ParseSchema(`"` + kind.String() + `"`)
			require.NoError(t, err)
			w, err := NewJSON(s)
			require.NoError(t, err)
			text, n, err := w.Append(nil, out)
			require.NoError(t, err)
			require.Len(t, out, n)
			require.JSONEq(t, string(written), string(text))
		}
	})
}

// TestGoavroText: it writes text as JSON that reads as the same text.
func TestGoavroText(t *testing.T) {
	s := mustParse(t, `"string"`)
	codec, err := s.Codec()
	require.NoError(t, err)
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.String().Draw(t, "text")
		written, err := codec.TextualFromNative(nil, want)
		require.NoError(t, err)
		var got string
		require.NoError(t, json.Unmarshal(written, &got), string(written))
		require.Equal(t, want, got)
	})
}
