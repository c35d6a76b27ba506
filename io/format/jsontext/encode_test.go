package jsontext

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/linkedin/goavro/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tributary/io/format/avro"
)

// inRecord is a schema of a record whose field f has that type.
func inRecord(typ string) string {
	return `{"type":"record","name":"r","fields":[{"name":"f","type":` + typ + `}]}`
}

// encoder is that of a schema that is right.
func encoder(t require.TestingT, schema string, untyped bool) *Encoder {
	parsed, err := avro.ParseSchema(schema)
	require.NoError(t, err, schema)
	e, err := NewEncoder(parsed, untyped)
	require.NoError(t, err, schema)
	return e
}

// encode encodes a record and has goavro decode it. The value is that of field f.
func encode(t require.TestingT, schema string, untyped bool, text string) (native any, err error) {
	e := encoder(t, schema, untyped)
	before := []byte("before")
	out, err := e.Append(before, []byte(text))
	if err != nil {
		require.Equal(t, "before", string(out), "dst changed")
		return nil, err
	}
	codec, goavroErr := goavro.NewCodec(schema)
	require.NoError(t, goavroErr)
	decoded, rest, goavroErr := codec.NativeFromBinary(out[len(before):])
	require.NoError(t, goavroErr, "%s as %s", text, schema)
	require.Empty(t, rest)
	return decoded.(map[string]any)["f"], nil
}

func TestAvroValues(t *testing.T) {
	const (
		millis  = `{"type":"long","logicalType":"timestamp-millis"}`
		micros  = `{"type":"long","logicalType":"timestamp-micros"}`
		nanos   = `{"type":"long","logicalType":"timestamp-nanos"}`
		date    = `{"type":"int","logicalType":"date"}`
		clock   = `{"type":"int","logicalType":"time-millis"}`
		clockUs = `{"type":"long","logicalType":"time-micros"}`
		decimal = `{"type":"bytes","logicalType":"decimal","precision":6,"scale":2}`
		color   = `{"type":"enum","name":"color","symbols":["red","green"]}`
		fixed   = `{"type":"fixed","name":"pair","size":2}`
		point   = `{"type":"record","name":"point","fields":[{"name":"x","type":"int"},{"name":"y","type":"int","default":7}]}`
	)
	for _, c := range []struct {
		typ, text, want string // of the field: JSON, and what goavro reads, or "!" and the problem
		csv             bool
	}{
		{typ: `"int"`, text: `1`, want: `1`},
		{typ: `"int"`, text: `"-12"`, want: `-12`},
		{typ: `"int"`, text: `" 12 "`, want: `12`},
		{typ: `"int"`, text: `12.0`, want: `12`},
		{typ: `"int"`, text: `1.2e1`, want: `12`},
		{typ: `"int"`, text: `2147483648`, want: `!f: want a whole number (int) of 32 bits, got 2147483648`},
		{typ: `"int"`, text: `1.5`, want: `!f: want a whole number (int), got 1.5`},
		{typ: `"int"`, text: `"0x10"`, want: `!f: want a whole number (int), got "0x10"`},
		{typ: `"int"`, text: `""`, want: `!f: want a whole number (int), got ""`},
		{typ: `"int"`, text: `true`, want: `!f: want a whole number (int), got true`},
		{typ: `"int"`, text: `{}`, want: `!f: want a whole number (int), got an object`},
		{typ: `"int"`, text: `null`, want: `!f: want a whole number (int), got null`},
		{typ: `"long"`, text: `-9223372036854775808`, want: `-9223372036854775808`},
		{typ: `"long"`, text: `9223372036854775808`, want: `!f: want a whole number (long), got 9223372036854775808`},
		{typ: `"long"`, text: `1e17`, want: `!f: want a whole number (long), got 1e17`},
		{typ: `"float"`, text: `0.5`, want: `0.5`},
		{typ: `"float"`, text: `1e39`, want: `!f: want a number in the range of 32 bits, got 1e39`},
		{typ: `"double"`, text: `"1e39"`, want: `1e+39`},
		{typ: `"double"`, text: `1e309`, want: `!f: want a number in the range of 64 bits, got 1e309`},
		{typ: `"double"`, text: `"NaN"`, want: `NaN`},
		{typ: `"double"`, text: `"-Infinity"`, want: `-Inf`},
		{typ: `"double"`, text: `"0x1p4"`, want: `!f: want a number, got "0x1p4"`},
		{typ: `"boolean"`, text: `true`, want: `true`},
		{typ: `"boolean"`, text: `"False"`, want: `false`},
		{typ: `"boolean"`, text: `"1"`, want: `true`},
		{typ: `"boolean"`, text: `1`, want: `!f: want true or false, got 1`},
		{typ: `"string"`, text: `"é\n\ud83d\ude00"`, want: "é\n😀"},
		{typ: `"string"`, text: `18446744073709551615`, want: `18446744073709551615`},
		{typ: `"string"`, text: `-5`, want: `-5`},
		{typ: `"string"`, text: `-0`, want: `0`},
		{typ: `"string"`, text: `5.0`, want: `!f: want a string, got 5.0`},
		{typ: `"string"`, text: `1e3`, want: `!f: want a string, got 1e3`},
		{typ: `"string"`, text: `true`, want: `!f: want a string, got true`},
		{typ: `["null","long","string"]`, text: `18446744073709551615`, want: `map[string:18446744073709551615]`},
		{typ: `["null","string","long"]`, text: `5`, want: `map[long:5]`},
		{typ: `["string","null"]`, text: `5`, want: `map[string:5]`},
		{typ: `{"type":"string","logicalType":"uuid"}`, text: `5`, want: `!f: want a uuid, got 5`},
		{typ: `"bytes"`, text: `"AP8="`, want: `[0 255]`},
		{typ: `"bytes"`, text: `"AP8"`, want: `[0 255]`},
		{typ: `"bytes"`, text: `"\u0041P8="`, want: `[0 255]`},
		{typ: `"bytes"`, text: `"A?"`, want: `!f: want bytes in base64, got "A?"`},
		{typ: fixed, text: `"AP8="`, want: `[0 255]`},
		{typ: fixed, text: `"AP8A"`, want: `!f: want 2 bytes in base64, got "AP8A"`},
		{typ: color, text: `"green"`, want: `green`},
		{typ: color, text: `"blue"`, want: `!f: want one of red, green, got "blue"`},
		{typ: `{"type":"array","items":"int"}`, text: `[1, "2" ,3]`, want: `[1 2 3]`},
		{typ: `{"type":"array","items":"int"}`, text: `[ ]`, want: `[]`},
		{typ: `{"type":"array","items":"int"}`, text: `[1,"x",null]`, want: `!f[1]: want a whole number (int), got "x"; f[2]: want a whole number (int), got null`},
		{typ: `{"type":"array","items":"int"}`, text: `{}`, want: `!f: want an array, got an object`},
		{typ: `{"type":"map","values":"int"}`, text: `{"a":1,"\u0062":2}`, want: `map[a:1 b:2]`},
		{typ: `{"type":"map","values":"int"}`, text: `{"a":1,"a":2}`, want: `!f: key "a" is there twice`},
		{typ: `{"type":"map","values":"int"}`, text: `{"a b":"x"}`, want: `!f."a b": want a whole number (int), got "x"`},
		{typ: `{"type":"map","values":"int"}`, text: `[]`, want: `!f: want an object (map), got an array`},
		{typ: point, text: `{"y":2,"x":1,"z":3}`, want: `map[x:1 y:2]`},
		{typ: point, text: `{"\u0078":1}`, want: `map[x:1 y:7]`},
		{typ: point, text: `{}`, want: `!f.x: is missing (int)`},
		{typ: point, text: `{"x":1,"x":2}`, want: `!f.x: is there twice, with different values`},
		{typ: point, text: `{"x":3,"y":1,"x":3}`, want: `map[x:3 y:1]`},
		{typ: point, text: `[]`, want: `!f: want an object (point), got an array`},
		{typ: millis, text: `1767225600000`, want: `2026-01-01 00:00:00 +0000 UTC`},
		{typ: millis, text: `"2026-01-01T01:00:00.1239+01:00"`, want: `2026-01-01 00:00:00.123 +0000 UTC`},
		{typ: millis, text: `"2026-01-01 00:00:00Z"`, want: `2026-01-01 00:00:00 +0000 UTC`},
		{typ: millis, text: `"1767225600000"`, want: `2026-01-01 00:00:00 +0000 UTC`},
		{typ: millis, text: `"1969-12-31T23:59:59.9999Z"`, want: `1969-12-31 23:59:59.999 +0000 UTC`},
		{typ: millis, text: `"yesterday"`, want: `!f: want a time (RFC 3339 or a number), got "yesterday"`},
		{typ: micros, text: `"2026-01-01T00:00:00.123456Z"`, want: `2026-01-01 00:00:00.123456 +0000 UTC`},
		{typ: nanos, text: `"2026-01-01T00:00:00.000000001Z"`, want: `1767225600000000001`},
		{typ: nanos, text: `"2600-01-01T00:00:00Z"`, want: `!f: want a time (RFC 3339 or a number), got "2600-01-01T00:00:00Z"`},
		{typ: `{"type":"long","logicalType":"local-timestamp-millis"}`, text: `"2026-01-01T00:00:00.5"`, want: `1767225600500`},
		{
			typ: `{"type":"long","logicalType":"local-timestamp-millis"}`, text: `"2026-01-01T00:00:00Z"`,
			want: `!f: want a time without a zone (2006-01-02T15:04:05 or a number), got "2026-01-01T00:00:00Z"`,
		},
		{typ: date, text: `"1970-01-03"`, want: `1970-01-03 00:00:00 +0000 UTC`},
		{typ: date, text: `"1969-12-31"`, want: `1969-12-31 00:00:00 +0000 UTC`},
		{typ: date, text: `"1970-13-01"`, want: `!f: want a date (2006-01-02 or days as a number), got "1970-13-01"`},
		{typ: clock, text: `"01:00:00.5"`, want: `1h0m0.5s`},
		{typ: clockUs, text: `"00:00:01.000002"`, want: `1.000002s`},
		{typ: clock, text: `"25:00:00"`, want: `!f: want a time of day (15:04:05 or a number), got "25:00:00"`},
		{typ: decimal, text: `12.5`, want: `25/2`},
		{typ: decimal, text: `"-9999.99"`, want: `-999999/100`},
		{typ: decimal, text: `1e-2`, want: `1/100`},
		{typ: decimal, text: `-1.28`, want: `-32/25`},
		{typ: decimal, text: `" 12.500 "`, want: `25/2`},
		{typ: decimal, text: `"1,234.50"`, want: `!f: want a decimal number of at most 6 digits, 2 after the point, got "1,234.50"`},
		{typ: `{"type":"fixed","name":"d","size":3,"logicalType":"decimal","precision":6,"scale":2}`, text: `"-12.50"`, want: `-25/2`},
		{typ: `["null",` + decimal + `]`, text: `""`, want: `<nil>`, csv: true},
		{typ: decimal, text: `0.005`, want: `!f: want a decimal number of at most 6 digits, 2 after the point, got 0.005`},
		{typ: decimal, text: `10000`, want: `!f: want a decimal number of at most 6 digits, 2 after the point, got 10000`},
		{typ: decimal, text: `1e999999999`, want: `!f: want a decimal number of at most 6 digits, 2 after the point, got 1e999999999`},
		{typ: `{"type":"string","logicalType":"uuid"}`, text: `"123e4567-e89b-12d3-a456-426614174000"`, want: `123e4567-e89b-12d3-a456-426614174000`},
		{typ: `{"type":"string","logicalType":"uuid"}`, text: `"123e4567"`, want: `!f: want a uuid, got "123e4567"`},

		{typ: `["null","string"]`, text: `null`, want: `<nil>`},
		{typ: `["null","string"]`, text: `"x"`, want: `map[string:x]`},
		{typ: `["null","string"]`, text: `""`, want: `map[string:]`},
		{typ: `["null","string"]`, text: `""`, want: `<nil>`, csv: true},
		{typ: `["long","null"]`, text: `"5"`, want: `map[long:5]`},
		{typ: `["null","long"]`, text: `"x"`, want: `!f: want a whole number (long), got "x"`},
		{typ: `["long","string"]`, text: `"5"`, want: `map[string:5]`},
		{typ: `["long","string"]`, text: `"5"`, want: `map[long:5]`, csv: true},
		{typ: `["long","string"]`, text: `"x"`, want: `map[string:x]`, csv: true},
		{typ: `["int","long","double"]`, text: `3000000000`, want: `map[long:3000000000]`},
		{typ: `["int","long","double"]`, text: `"0.5"`, want: `map[double:0.5]`},
		{typ: `["null","int","boolean"]`, text: `"x"`, want: `!f: want one of null, int, boolean, got "x"`},
		{typ: `["null",` + point + `,{"type":"array","items":"string"}]`, text: `["x"]`, want: `map[array:[x]]`},
		{typ: `["null",` + point + `,{"type":"array","items":"string"}]`, text: `{"x":"1"}`, want: `map[point:map[x:1 y:7]]`},
		{typ: `"long"`, text: `"7"`, want: `7`, csv: true},
		{typ: `"null"`, text: `""`, want: `<nil>`, csv: true},
	} {
		t.Run(c.typ+" "+c.text, func(t *testing.T) {
			got, err := encode(t, inRecord(c.typ), c.csv, ` {"f": `+c.text+` } `)
			if problem, bad := strings.CutPrefix(c.want, "!"); bad {
				require.EqualError(t, err, problem)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.want, fmt.Sprint(got))
		})
	}
}

func TestAvroDefaults(t *testing.T) {
	for _, c := range []struct {
		field, json, csv string // csv: what an empty value becomes
	}{
		{`"type":"int","default":-3`, "-3", "-3"},
		{`"type":"string","default":"x"`, "x", ""},
		{`"type":"boolean","default":true`, "true", "true"},
		{`"type":"double","default":1`, "1", "1"},
		{`"type":"bytes","default":"\u00ffA"`, "[255 65]", "[255 65]"},
		{`"type":["null","int"],"default":null`, "<nil>", "<nil>"},
		{`"type":["int","null"],"default":5`, "map[int:5]", "<nil>"},
		{`"type":["null","int"]`, "<nil>", "<nil>"},
		{`"type":{"type":"array","items":"int"},"default":[1,2]`, "[1 2]", "[1 2]"},
		{`"type":{"type":"map","values":"int"},"default":{"a":1}`, "map[a:1]", "map[a:1]"},
		{`"type":{"type":"enum","name":"e","symbols":["a","b"]},"default":"b"`, "b", "b"},
		{`"type":{"type":"record","name":"p","fields":[{"name":"x","type":"int","default":4},{"name":"y","type":"int"}]},"default":{"y":5}`, "map[x:4 y:5]", "map[x:4 y:5]"},
	} {
		schema := `{"type":"record","name":"r","fields":[{"name":"f",` + c.field + `}]}`
		got, err := encode(t, schema, false, `{}`)
		require.NoError(t, err, schema)
		assert.Equal(t, c.json, fmt.Sprint(got), schema)
		got, err = encode(t, schema, true, `{"f":""}`)
		require.NoError(t, err, schema)
		assert.Equal(t, c.csv, fmt.Sprint(got), schema)
	}
}

func TestAvroAllMisfits(t *testing.T) {
	e := encoder(t, `{"type":"record","name":"view","fields":[
		{"name":"user","type":{"type":"record","name":"user","fields":[{"name":"age","type":"int"},{"name":"id","type":"string"}]}},
		{"name":"tags","type":{"type":"array","items":{"type":"map","values":"long"}}},{"name":"ts","type":"long"}]}`, false)
	_, err := e.Append(nil, []byte(`{"user":{"age":"old"},"tags":[{},{"a":1,"b":null}]}`))
	require.EqualError(t, err, `user.age: want a whole number (int), got "old"; user.id: is missing (string); `+
		`tags[1]."b": want a whole number (long), got null; ts: is missing (long)`)
	var misfits *MisfitError
	require.ErrorAs(t, err, &misfits)
	require.Len(t, misfits.Misfits, 4)

	_, err = e.Append(nil, []byte(`{"user":{"age":1,"id":"x"},"ts":1,"tags":[`+strings.Repeat("1,", 999)+`1]}`))
	require.ErrorAs(t, err, &misfits)
	require.Len(t, misfits.Misfits, maxMisfits)
	require.Equal(t, 950, misfits.More)
	require.ErrorContains(t, err, "and 990 more")

	for text, want := range map[string]string{
		`[]`:               "want an object (view), got an array",
		`{"user":`:         "invalid JSON at byte 9: want a value, got the end",
		`{}x`:              `invalid JSON at byte 3: want the end of the record, got "x"`,
		"{\"a\":\"\xff\"}": "text is not UTF-8: byte 7 is 0xff",
	} {
		_, err = e.Append(nil, []byte(text))
		require.EqualError(t, err, want)
	}
}

// Text made to have the branches of nested unions tried again and again must not take
// exponential time.
func TestAvroUnionBomb(t *testing.T) {
	e := encoder(t, `["null",{"type":"record","name":"a","fields":[{"name":"next","type":["null","a",
		{"type":"record","name":"b","fields":[{"name":"next","type":["null","a","b"]},{"name":"x","type":"int"}]}]},{"name":"x","type":"int"}]}]`, false)
	_, err := e.Append(nil, []byte(strings.Repeat(`{"x":1,"next":`, 300)+"{}"+strings.Repeat("}", 300)))
	require.ErrorContains(t, err, "too many attempts")
	good, err := e.Append(nil, []byte(strings.Repeat(`{"x":1,"next":`, 30)+"null"+strings.Repeat("}", 30)))
	require.NoError(t, err)
	require.Len(t, good, 30*2+1)
}

func TestAvroBadSchemas(t *testing.T) {
	for schema, want := range map[string]string{
		`"int"`:             "avro schema: records are wanted, got int",
		`["null","string"]`: "avro schema: records are wanted, got one of null, string",
		inRecord(`["null",{"type":"bytes","logicalType":"decimal","precision":2,"scale":3}]`): "avro schema: record r: field f: precision and scale of the decimal do not go together",
		`{"type":"record","name":"r","fields":[{"name":"f","type":"int","default":"x"},{"name":"g","type":"int","default":null}]}`: "avro schema: record r: field f: its default, \"x\", is not of type int\n" +
			"record r: field g: its default, null, is not of type int",
		`{"type":"record","name":"r","fields":[{"name":"f","type":"r","default":{}}]}`: "avro schema: record r: field f: the default needs itself",
	} {
		parsed, err := avro.ParseSchema(schema)
		require.NoError(t, err)
		_, err = NewEncoder(parsed, false)
		require.EqualError(t, err, want, schema)
	}
}

func TestAvroNamespaces(t *testing.T) {
	schema := `{"type":"record","name":"r","namespace":"a.b","fields":[
		{"name":"f","type":{"type":"enum","name":"e","symbols":["x","y"]}},
		{"name":"g","type":"e"},{"name":"h","type":"a.b.e"},
		{"name":"i","type":{"type":"record","name":"c.inner","fields":[{"name":"j","type":{"type":"fixed","name":"k","size":1}}]}},
		{"name":"l","type":"c.k"}]}`
	got, err := encode(t, schema, false, `{"f":"y","g":"x","h":"y","i":{"j":"AA=="},"l":"AQ=="}`)
	require.NoError(t, err)
	require.Equal(t, "y", got)
}

// everything has every type; its maps have at most one entry where order would show.
const everything = `{"type":"record","name":"r","fields":[
	{"name":"f","type":["null","int","string"],"default":null},
	{"name":"a","type":{"type":"array","items":["null","double","boolean"]},"default":[]},
	{"name":"m","type":{"type":"map","values":"bytes"},"default":{}},
	{"name":"e","type":{"type":"enum","name":"e","symbols":["b","c"]},"default":"c"},
	{"name":"x","type":{"type":"fixed","name":"x","size":3},"default":"abc"},
	{"name":"t","type":["null",{"type":"long","logicalType":"timestamp-micros"}],"default":null},
	{"name":"g","type":"float","default":0},
	{"name":"next","type":["null","r"],"default":null}]}`

func FuzzEncoder(f *testing.F) {
	for _, text := range []string{
		`{}`, `{"f":5,"a":[1,true,null,"0.5"],"m":{"k":"AP8="},"e":"b","x":"AAAA","t":"2026-01-01T00:00:00Z","g":"1e3","next":{"f":"x"}}`,
		`{"a":[[]],"next":{"next":{"g":1e40}}}`, `{"f":"","t":""}`, `{"t":99999999999999}`, `{"\u0066":1.0}`,
	} {
		f.Add([]byte(text))
	}
	codec, err := goavro.NewCodec(everything)
	require.NoError(f, err)
	encoders := map[bool]*Encoder{false: encoder(f, everything, false), true: encoder(f, everything, true)}
	f.Fuzz(func(t *testing.T, text []byte) {
		for untyped, e := range encoders {
			out, err := e.Append([]byte{1}, text)
			if err != nil {
				require.Equal(t, []byte{1}, out)
				continue
			}
			require.True(t, json.Valid(text), "%q", text)
			native, rest, err := codec.NativeFromBinary(out[1:])
			require.NoError(t, err, "untyped %t: %q", untyped, text)
			require.Empty(t, rest)
			if !strings.Contains(string(text), "NaN") && !strings.Contains(string(text), `"t"`) { // goavro's times have a smaller range
				back, err := codec.BinaryFromNative(nil, native)
				require.NoError(t, err)
				require.Len(t, back, len(out)-1, "untyped %t: %q", untyped, text)
			}
		}
	})
}

// What goavro can write as JSON and read back is the same through our encoder.
func TestAvroAgainstGoavro(t *testing.T) {
	const schema = `{"type":"record","name":"r","fields":[
		{"name":"f","type":"long"},{"name":"s","type":"string"},{"name":"d","type":"double"},{"name":"b","type":"boolean"},
		{"name":"o","type":["null","string"]},{"name":"a","type":{"type":"array","items":"int"}},
		{"name":"p","type":{"type":"record","name":"p","fields":[{"name":"x","type":"int"}]}}]}`
	codec, err := goavro.NewCodec(schema)
	require.NoError(t, err)
	e := encoder(t, schema, false)
	rapid.Check(t, func(t *rapid.T) {
		var optional, wrapped any
		if s := rapid.Ptr(rapid.String(), true).Draw(t, "o"); s != nil {
			optional, wrapped = *s, goavro.Union("string", *s)
		}
		plain := map[string]any{
			"f": rapid.Int64().Draw(t, "f"), "s": rapid.String().Draw(t, "s"), "d": rapid.Float64Range(-1e300, 1e300).Draw(t, "d"),
			"b": rapid.Bool().Draw(t, "b"), "o": optional, "a": rapid.SliceOf(rapid.Int32()).Draw(t, "a"),
			"p": map[string]any{"x": rapid.Int32().Draw(t, "x")},
		}
		text, err := json.Marshal(plain)
		if err != nil {
			t.Fatal(err)
		}
		got, err := e.Append(nil, text)
		require.NoError(t, err, string(text))
		plain["o"] = wrapped
		items := []any{}
		for _, item := range plain["a"].([]int32) {
			items = append(items, item)
		}
		plain["a"] = items
		want, err := codec.BinaryFromNative(nil, plain)
		require.NoError(t, err)
		require.Equal(t, want, got, string(text))
	})
}
