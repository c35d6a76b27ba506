package avro

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/bits"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tributary/io/record"
)

func TestParseSchemaErrors(t *testing.T) {
	record := func(fields string) string { return `{"type":"record","name":"R","fields":[` + fields + `]}` }
	for _, tt := range []struct {
		name, schema string
		want         []string
	}{
		{"no JSON", `{"type":`, []string{"parse Avro schema: unexpected EOF"}},
		{"more", `"long" "int"`, []string{"more after the schema"}},
		{"number", `5`, []string{"the schema: a type is a name, an object or a list, not 5"}},
		{"unknown type", record(`{"name":"a","type":"strng"}`), []string{`a: unknown type "strng"`}},
		{"all at once", record(`{"name":"a","type":"strng"},{"name":"b"},{"name":"a","type":"int"},{"name":"","type":"int"},7`), []string{
			`a: unknown type "strng"`, "b: the field has no type", `record R has the field "a" twice`, "field 4 of R has no name", "field 5 of R is 7, not an object",
		}},
		{"deep path", record(`{"name":"a","type":["null",{"type":"record","name":"I","fields":[{"name":"b","type":{"type":"array","items":"x"}}]}]}`), []string{`a.b[]: unknown type "x"`}},
		{"no name", `{"type":"record","fields":[]}`, []string{`record has the name ""`}},
		{"no last name", `{"type":"fixed","name":"F.","size":1}`, []string{`the name "F."`}},
		{"name taken", record(`{"name":"a","type":{"type":"enum","name":"R","symbols":["A"]}}`), []string{`a: the name "R" is taken`}},
		{"no fields", `{"type":"record","name":"R"}`, []string{"record R without a list of fields"}},
		{"no symbols", `{"type":"enum","name":"E"}`, []string{"enum E without symbols"}},
		{"symbols", `{"type":"enum","name":"E","symbols":["A","A","b-c"],"default":"D"}`, []string{`symbol "A" twice`, `default "D" of enum E is not among`}},
		{"symbols no list", `{"type":"enum","name":"E","symbols":["A",1]}`, []string{`"symbols" must be a list of names`}},
		{"no size", `{"type":"fixed","name":"F"}`, []string{"fixed F has the size"}},
		{"negative size", `{"type":"fixed","name":"F","size":-1}`, []string{"fixed F has the size -1"}},
		{"no items", `{"type":"array"}`, []string{`array without "items"`}},
		{"no values", `{"type":"map"}`, []string{`map without "values"`}},
		{"empty union", `[]`, []string{"at least one type"}},
		{"union twice", `["int",{"type":"int","logicalType":"date"}]`, []string{"the union has int twice"}},
		{"union in union", `["int",["string"]]`, []string{"a union directly inside a union"}},
		{"no type", `{"name":"x"}`, []string{`a type without "type"`}},
		{"too deep", strings.Repeat(`{"type":"array","items":`, 300) + `"int"` + strings.Repeat(`}`, 300), []string{"nested over 256 deep"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParseSchema(tt.schema)
			for _, want := range tt.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
}

// TestDrawnSchemasAreTaken: schemas that are legal parse, and so does their canonical form, which
// is its own.
func TestDrawnSchemasAreTaken(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, err := ParseSchema(drawSchema(t))
		require.NoError(t, err)
		again, err := ParseSchema(s.Canonical())
		require.NoError(t, err)
		require.Equal(t, s.Canonical(), again.Canonical())
	})
}

// TestCanonicalEqualsFastavro: for the schemas of testdata/fastavro, drawn ones among them, the
// canonical form and its fingerprint are those that fastavro finds.
func TestCanonicalEqualsFastavro(t *testing.T) {
	text, err := os.ReadFile("testdata/fastavro/canonical.json")
	require.NoError(t, err)
	var rows []struct{ Schema, Canonical, Fingerprint string }
	require.NoError(t, json.Unmarshal(text, &rows))
	require.Greater(t, len(rows), 60)
	for _, row := range rows {
		s := mustParse(t, row.Schema)
		require.Equal(t, row.Canonical, s.Canonical(), row.Schema)
		require.Equal(t, row.Fingerprint, fmt.Sprintf("%016x", bits.ReverseBytes64(fingerprint(s.Canonical()))), row.Schema)
	}
}

// TestFingerprints: the values are those of the Avro project's own test data.
func TestFingerprints(t *testing.T) {
	assert.Equal(t, uint64(0x63dd24e7cc258f8a), fingerprint(mustParse(t, `"null"`).Canonical()))
	assert.Equal(t, uint64(0x7275d51a3f395c8f), fingerprint(mustParse(t, `{"type":"int"}`).Canonical()))
}

func TestCanonical(t *testing.T) {
	s := mustParse(t, `{"type":"record","namespace":"a.b","name":"R","doc":"x","aliases":["Old"],"fields":[
		{"name":"t","type":{"type":"long","logicalType":"timestamp-millis"},"default":0},
		{"name":"e","type":{"type":"enum","name":"c.E","symbols":["A","B"],"default":"A"}},
		{"name":"f","type":{"type":"fixed","name":"F","size":4}},
		{"name":"r","type":["null","R",{"type":"array","items":"F"},{"type":"map","values":"c.E"}]}]}`)
	assert.Equal(t, `{"name":"a.b.R","type":"record","fields":[{"name":"t","type":"long"},`+
		`{"name":"e","type":{"name":"c.E","type":"enum","symbols":["A","B"]}},`+
		`{"name":"f","type":{"name":"a.b.F","type":"fixed","size":4}},`+
		`{"name":"r","type":["null","a.b.R",{"type":"array","items":"a.b.F"},{"type":"map","values":"c.E"}]}]}`, s.Canonical())
	assert.Equal(t, []string{"a.b.Old"}, s.Type().Aliases)
	dotted := mustParse(t, `{"type":"record","name":"x.y.R","namespace":"z","aliases":["Old"],"fields":[{"name":"f","type":{"type":"fixed","name":"F","size":4}},{"name":"g","type":"F"}]}`)
	assert.Equal(t, `{"name":"x.y.R","type":"record","fields":[{"name":"f","type":{"name":"x.y.F","type":"fixed","size":4}},{"name":"g","type":"x.y.F"}]}`, dotted.Canonical())
	assert.Equal(t, []string{"x.y.Old"}, dotted.Type().Aliases)
	assert.NotContains(t, s.String(), "\n")
	assert.Contains(t, s.String(), `"doc":"x"`)
}

const everySchema = `{"type":"record","name":"Every","fields":[
	{"name":"user","type":["null",{"type":"record","name":"User","fields":[
		{"name":"id","type":"long"},{"name":"name","type":["string","null"]},{"name":"boss","type":["null","User"]}]}]},
	{"name":"ms","type":{"type":"long","logicalType":"timestamp-millis"}},
	{"name":"us","type":["null",{"type":"long","logicalType":"local-timestamp-micros"}]},
	{"name":"ns","type":{"type":"long","logicalType":"timestamp-nanos"}},
	{"name":"beside","type":"long","logicalType":"timestamp-millis"},
	{"name":"day","type":{"type":"int","logicalType":"date"}},
	{"name":"odd","type":{"type":"string","logicalType":"timestamp-millis"}},
	{"name":"price","type":{"type":"bytes","logicalType":"decimal","precision":4,"scale":2}},
	{"name":"kind","type":{"type":"enum","name":"Kind","symbols":["A"]}},
	{"name":"hash","type":{"type":"fixed","name":"Hash","size":16}},
	{"name":"mixed","type":["null","long","string"]},
	{"name":"numbers","type":["int","long"]},
	{"name":"ratio","type":"float"},{"name":"flag","type":"boolean"},{"name":"nothing","type":"null"},
	{"name":"again","type":"User"},
	{"name":"tags","type":{"type":"array","items":"string"}},
	{"name":"maybe_tags","type":["null",{"type":"map","values":"string"}]}]}`

func TestLookup(t *testing.T) {
	s := mustParse(t, everySchema)
	for _, want := range []Field{
		{"user.id", "long", "", true, record.Int, record.UnitAuto},
		{"user.name", "string", "", true, record.String, record.UnitRFC3339},
		{"user.boss.boss.id", "long", "", true, record.Int, record.UnitAuto},
		{"again.id", "long", "", false, record.Int, record.UnitAuto},
		{"ms", "long", "timestamp-millis", false, record.Int, record.UnitMillis},
		{"us", "long", "local-timestamp-micros", true, record.Int, record.UnitMicros},
		{"ns", "long", "timestamp-nanos", false, record.Int, record.UnitNanos},
		{"beside", "long", "timestamp-millis", false, record.Int, record.UnitMillis},
		{"day", "int", "date", false, record.Int, record.UnitAuto},
		{"odd", "string", "", false, record.String, record.UnitRFC3339},
		{"price", "bytes", "decimal", false, record.Decimal, record.UnitAuto},
		{"kind", "enum", "", false, record.String, record.UnitAuto},
		{"hash", "fixed", "", false, record.Bytes, record.UnitAuto},
		{"mixed", "union", "", true, record.Null, record.UnitAuto},
		{"numbers", "union", "", false, record.Int, record.UnitAuto},
		{"ratio", "float", "", false, record.Float, record.UnitAuto},
		{"flag", "boolean", "", false, record.Bool, record.UnitAuto},
		{"nothing", "null", "", true, record.Null, record.UnitAuto},
	} {
		got, err := s.Lookup(want.Path)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
}

func TestLookupErrors(t *testing.T) {
	s := mustParse(t, everySchema)
	for path, want := range map[string]UnknownFieldError{
		"user.nam":     {Path: "user.nam", At: "user", Fields: []string{"id", "name", "boss"}},
		"ms.x":         {Path: "ms.x", At: "ms"},
		`user.boss.""`: {Path: `user.boss.""`, At: "user.boss", Fields: []string{"id", "name", "boss"}},
		"tags.x":       {Path: "tags.x", At: "tags"},
	} {
		_, err := s.Lookup(path)
		var got *UnknownFieldError
		require.True(t, errors.As(err, &got), path)
		assert.Equal(t, want, *got)
	}
	_, err := s.Lookup("")
	var unknown *UnknownFieldError
	require.ErrorAs(t, err, &unknown)
	assert.Contains(t, unknown.Fields, "ms")
	for path, kind := range map[string]string{"tags": "array", "maybe_tags": "map", "user": "record"} {
		_, err := s.Lookup(path)
		var got *NotScalarError
		require.ErrorAs(t, err, &got, path)
		assert.Equal(t, kind, got.Type)
	}
	_, err = mustParse(t, `"long"`).Lookup("x")
	require.EqualError(t, err, `no field "x": the record has no fields`)
}

func TestPaths(t *testing.T) {
	assert.Equal(t, []string{
		"user.id", "user.name", "ms", "us", "ns", "beside", "day", "odd", "price", "kind", "hash",
		"mixed", "numbers", "ratio", "flag", "nothing", "again.id", "again.name",
	}, mustParse(t, everySchema).Paths())
}

func TestUnknownFieldPaths(t *testing.T) {
	nested := &UnknownFieldError{At: `"a.b"`, Fields: []string{"c", " d", "e.f"}}
	assert.Equal(t, []string{`"a.b".c`, `"a.b"." d"`, `"a.b"."e.f"`}, nested.Paths())
	flat := &UnknownFieldError{Fields: []string{"a.b", " ts", `5"`}, Flat: true}
	assert.Equal(t, []string{"a.b", " ts", `"5"""`}, flat.Paths())
	_, err := mustParse(t, everySchema).Lookup(`user."id`)
	var got *UnknownFieldError
	require.ErrorAs(t, err, &got)
	assert.Contains(t, got.Fields, "user")
	_, err = Project(mustParse(t, everySchema), []string{`"user"."id"`})
	require.NoError(t, err)
}

// TestIDs: schemas whose records look the same and do not mean the same are told apart.
func TestIDs(t *testing.T) {
	ids := map[uint64]string{}
	for _, text := range []string{
		`"long"`, `{"type":"long","logicalType":"timestamp-millis"}`, `{"type":"long","logicalType":"timestamp-micros"}`,
		`{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}`, `{"type":"bytes","logicalType":"decimal","precision":9,"scale":3}`,
	} {
		for _, field := range []string{``, `,"default":null`, `,"default":"null"`, `,"aliases":["b"]`, `,"aliases":["b","c"]`} {
			s := mustParse(t, `{"type":"record","name":"R","fields":[{"name":"a"`+field+`,"type":[`+text+`,"null"]}]}`)
			require.Empty(t, ids[s.ID()], text+field)
			ids[s.ID()] = text + field
			require.Equal(t, s.ID(), mustParse(t, strings.Replace(s.String(), `"name":"R"`, `"doc":"x","name":"R"`, 1)).ID())
		}
	}
	require.NotEqual(t, mustParse(t, `{"type":"enum","name":"E","symbols":["A"]}`).ID(), mustParse(t, `{"type":"enum","name":"E","symbols":["A"],"default":"A"}`).ID())
}
