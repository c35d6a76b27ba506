package avro

import (
	"testing"

	"github.com/linkedin/goavro/v2"
	"github.com/stretchr/testify/require"
)

// oddSchema has names and symbols that many readers take and Avro's rules do not.
const oddSchema = `{"type":"record","name":"Events$View","namespace":"com.foo.Outer$","aliases":["Old$View","Older"],"fields":[
	{"name":"user-agent","type":["null","string"],"default":null},
	{"name":"user_agent","type":"string","aliases":["ua","u a"]},
	{"name":"2nd","type":{"type":"record","name":"In$ner","fields":[{"name":"a.b","type":"long"},{"name":"é","type":["null","In$ner"]}]}},
	{"name":"again","type":"In$ner"},
	{"name":"state","type":{"type":"enum","name":"State","symbols":["on-line","off"],"default":"off"},"default":"on-line"},
	{"name":"states","type":{"type":"array","items":["null","string","State"]}},
	{"name":"plain","type":{"type":"enum","name":"org.Plain","symbols":["A","B"]}},
	{"name":"plainer","type":"org.Plain"},
	{"name":"hash","type":{"type":"fixed","name":"F 16","namespace":"","size":2}},
	{"name":"hashes","type":{"type":"map","values":"F 16"}},
	{"name":"price","type":{"type":"bytes","logicalType":"decimal","precision":2,"scale":4}},
	{"name":"wrong","type":"long","default":"x"}]}`

func oddDatum() []byte {
	return cat(
		varints(1), text("curl"), text("ua"), varints(7, 1, 8, 0), varints(9, 0), varints(0),
		varints(3, 2, 0, 1), text("on_line"), varints(2, 1), varints(0), varints(1), varints(0),
		[]byte{1, 2}, varints(1), text("k"), []byte{3, 4}, varints(0), varints(1), []byte{5}, varints(6),
	)
}

// TestStrict: readers that hold to the rules take the schema, and the records are the same
// but for the symbols, which are text.
func TestStrict(t *testing.T) {
	odd := mustParse(t, oddSchema)
	strict, err := odd.Strict()
	require.NoError(t, err)
	codec, err := goavro.NewCodec(strict.String())
	require.NoError(t, err, strict.String())

	res, err := Resolve(odd, strict)
	require.NoError(t, err)
	out, n, err := res.Append(nil, oddDatum())
	require.NoError(t, err)
	require.Len(t, oddDatum(), n)
	native, rest, err := codec.NativeFromBinary(out)
	require.NoError(t, err)
	require.Empty(t, rest)
	record := native.(map[string]any)
	require.Equal(t, map[string]any{"string": "curl"}, record["user_agent_"])
	require.Equal(t, "ua", record["user_agent"])
	require.Equal(t, "on-line", record["state"])
	require.Equal(t, []any{map[string]any{"string": "on-line"}, map[string]any{"string": "on_line"}, map[string]any{"string": "off"}}, record["states"])
	require.Equal(t, "B", record["plain"])
	require.Equal(t, map[string]any{"com.foo.Outer_.In_ner": map[string]any{"a_b": int64(8), "_": nil}}, record["_2nd"].(map[string]any)["_"])

	// JSON has the names of before.
	asJSON, err := NewJSON(strict)
	require.NoError(t, err)
	line, _, err := asJSON.Append(nil, out)
	require.NoError(t, err)
	require.JSONEq(t, `{"user-agent":"curl","user_agent":"ua","2nd":{"a.b":7,"é":{"a.b":8,"é":null}},"again":{"a.b":9,"é":null},
		"state":"on-line","states":["on-line","on_line","off"],"plain":"B","plainer":"A","hash":"AQI=","hashes":{"k":"AwQ="},"price":"BQ==","wrong":6}`, string(line))
	require.JSONEq(t, jsonOf(t, odd, oddDatum()), string(line))
}

// jsonOf writes a datum of a schema.
func jsonOf(t *testing.T, s *Schema, datum []byte) string {
	t.Helper()
	w, err := NewJSON(s)
	require.NoError(t, err)
	out, _, err := w.Append(nil, datum)
	require.NoError(t, err)
	return string(out)
}

// TestStrictLeavesWhatIsStrict: no schema changes without need, and none twice.
func TestStrictLeavesWhatIsStrict(t *testing.T) {
	for _, text := range []string{everySchema, nodeSchema, `{"type":"record","name":"a.R","aliases":[],"fields":[{"name":"x","type":{"type":"int","logicalType":"decimal"}}]}`} {
		s := mustParse(t, text)
		strict, err := s.Strict()
		require.NoError(t, err)
		if text == everySchema || text == nodeSchema {
			require.Same(t, s, strict)
		}
		again, err := strict.Strict()
		require.NoError(t, err)
		require.Same(t, strict, again)
	}
}

// TestStrictKeepsBytes: where only names change, records pass as they are.
func TestStrictKeepsBytes(t *testing.T) {
	for _, text := range []string{
		`{"type":"record","name":"V","namespace":"com.foo.Outer$","fields":[{"name":"id","type":"string"}]}`,
		`{"type":"record","name":"Events$View","fields":[{"name":"2","type":["null","Events$View"]},{"name":"a b","type":{"type":"fixed","name":"1","size":1}}]}`,
	} {
		s := mustParse(t, text)
		strict, err := s.Strict()
		require.NoError(t, err)
		require.NotSame(t, s, strict)
		_, err = goavro.NewCodec(strict.String())
		require.NoError(t, err, strict.String())
		res, err := Resolve(s, strict)
		require.NoError(t, err)
		require.True(t, res.Identical(), strict.String())
	}
}

// TestOddNamesAreTaken: schemas of other tools parse, and paths lead to their fields.
func TestOddNamesAreTaken(t *testing.T) {
	s := mustParse(t, oddSchema)
	for path, kind := range map[string]string{"user-agent": "string", "2nd.é.\"a.b\"": "long", "state": "enum"} {
		field, err := s.Lookup(path)
		require.NoError(t, err, path)
		require.Equal(t, kind, field.Type)
	}
	quotes := mustParse(t, `{"type":"enum","name":"E","symbols":["\"","\\"]}`)
	require.Equal(t, quotes.ID(), mustParse(t, quotes.Canonical()).ID())
}

func TestBytesAsTextAreChecked(t *testing.T) {
	res, err := Resolve(mustParse(t, rec(`"a":"bytes"`)), mustParse(t, rec(`"a":"string"`)))
	require.NoError(t, err)
	_, _, err = res.Append(nil, text("a\xff"))
	require.EqualError(t, err, "decode a at byte 0: its text is not UTF-8")
	out, _, err := res.Append(nil, text("grün"))
	require.NoError(t, err)
	require.Equal(t, text("grün"), out)
	// An enum that is one by the rules is no text.
	_, err = Resolve(mustParse(t, `{"type":"enum","name":"E","symbols":["A"]}`), mustParse(t, `"string"`))
	require.Error(t, err)
}

// TestStrictIsLookedAt: goavro has the last word on what strict readers take, but for a fixed of no bytes.
func TestStrictIsLookedAt(t *testing.T) {
	s := mustParse(t, `{"type":"enum","name":"E","symbols":["A"]}`)
	s.root.Name = "E 1" // as if Strict had left it
	_, err := s.checkedStrict()
	require.ErrorContains(t, err, "strict Avro schema: avro schema enum E 1: ")
	none := mustParse(t, `{"type":"fixed","name":"F","size":0}`)
	strict, err := none.Strict()
	require.NoError(t, err)
	require.Same(t, none, strict)
}

// TestDefaultsThatDoNotFit: of scalars, where goavro takes more than Avro does.
func TestDefaultsThatDoNotFit(t *testing.T) {
	for _, tt := range [][2]string{
		{"double", "null"},
		{"float", "null"},
		{"long", `"1"`},
		{"long", "1e3"},
		{"int", "2147483648"},
		{"float", "1e39"},
		{"string", "1"},
		{"boolean", "1"},
		{"null", "false"},
		{"bytes", `"\u0100"`},
		{"double", `"NaN"`},
	} {
		f := mustParse(t, fields(`"a":"`+tt[0]+`","default":`+tt[1])).Type().Fields[0]
		_, err := f.AppendDefault(nil)
		require.ErrorContains(t, err, "is not of type "+tt[0], tt[1])
	}
}
