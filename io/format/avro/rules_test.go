package avro

import (
	"bytes"
	"encoding/binary"
	"math"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func float32s(f float32) []byte { return binary.LittleEndian.AppendUint32(nil, math.Float32bits(f)) }

func float64s(f float64) []byte { return binary.LittleEndian.AppendUint64(nil, math.Float64bits(f)) }

func text(s string) []byte { return append(varints(int64(len(s))), s...) }

func cat(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// TestResolutionRules: each rule of Avro's schema resolution by itself.
func TestResolutionRules(t *testing.T) {
	const (
		ab = `{"type":"enum","name":"E","symbols":["A","B"]}`
		ba = `{"type":"enum","name":"E","symbols":["B","X","A"]}`
	)
	for _, tt := range []struct {
		name, writer, reader string
		datum, want          []byte
		identical            bool
	}{
		{"int to long", `"int"`, `"long"`, varints(-7), varints(-7), true},
		{"int to float", `"int"`, `"float"`, varints(-7), float32s(-7), false},
		{"int to double", `"int"`, `"double"`, varints(1 << 30), float64s(1 << 30), false},
		{"long to float", `"long"`, `"float"`, varints(1<<40 + 1), float32s(1 << 40), false},
		{"long to double", `"long"`, `"double"`, varints(-1 << 52), float64s(-1 << 52), false},
		{"float to double", `"float"`, `"double"`, float32s(0.5), float64s(0.5), false},
		{"string to bytes", `"string"`, `"bytes"`, text("ab"), text("ab"), true},
		{"bytes to string", `"bytes"`, `"string"`, text("ab"), text("ab"), false},
		{"enum by name", ab, ba, varints(0), varints(2), false},
		{"enum extended", ab, `{"type":"enum","name":"x.E","symbols":["A","B","C"]}`, varints(1), varints(1), true},
		{"enum default", ab, `{"type":"enum","name":"E","symbols":["X","C","B"],"default":"C"}`, varints(0), varints(1), false},
		{"fixed", `{"type":"fixed","name":"F","size":2}`, `{"type":"fixed","name":"F","size":2}`, []byte{1, 2}, []byte{1, 2}, true},
		{
			"array of enums", `{"type":"array","items":` + ab + `}`, `{"type":"array","items":` + ba + `}`,
			cat(varints(2, 0, 1), varints(-1, 1, 1), varints(0)), cat(varints(2, 2, 0), varints(1, 0), varints(0)), false,
		},
		{
			"map of ints", `{"type":"map","values":"int"}`, `{"type":"map","values":"double"}`,
			cat(varints(1), text("k"), varints(5), varints(-1, 3), text("l"), varints(6), varints(0)),
			cat(varints(1), text("k"), float64s(5), varints(1), text("l"), float64s(6), varints(0)), false,
		},
		{"union to the same", `["null","long"]`, `["null","long"]`, varints(1, 5), varints(1, 5), true},
		{"union to a longer one", `["null","long"]`, `["null","long","string"]`, varints(1, 5), varints(1, 5), true},
		{"union in another order", `["null","long"]`, `["long","null"]`, varints(1, 5), varints(0, 5), false},
		{"union with promotion", `["null","int"]`, `["null","double"]`, varints(1, 5), cat(varints(1), float64s(5)), false},
		{"union to one type", `["null","long"]`, `"long"`, varints(1, 5), varints(5), false},
		{"type to a union", `"long"`, `["null","long"]`, varints(5), varints(1, 5), false},
		{"same type before promotion", `"long"`, `["double","long"]`, varints(5), varints(1, 5), false},
		{"first of the promotions", `"int"`, `["string","double","float"]`, varints(5), cat(varints(1), float64s(5)), false},
		{
			"full name before short one", `{"type":"fixed","name":"b.F","size":1}`,
			`[{"type":"fixed","name":"a.F","size":1},{"type":"fixed","name":"b.F","size":1}]`,
			[]byte{9},
			[]byte{2, 9},
			false,
		},
		{
			"drop first, middle and last", rec(`"a":"long","b":"string","c":"int","d":"string","e":"double"`), rec(`"b":"string","d":"string"`),
			cat(varints(1), text("b"), varints(2), text("d"), float64s(3)), cat(text("b"), text("d")), false,
		},
		{"drop all", rec(`"a":"long"`), rec(``), varints(1), nil, false},
		{
			"reorder", rec(`"a":"long","b":"string","c":"int"`), rec(`"c":"int","a":"long","b":"string"`),
			cat(varints(1), text("b"), varints(2)), cat(varints(2, 1), text("b")), false,
		},
		{"reorder with promotion", rec(`"a":"long","b":"int"`), rec(`"b":"double","a":"double"`), varints(1, 2), cat(float64s(2), float64s(1)), false},
		{
			"field alias", rec(`"old":"long","b":"int"`),
			`{"type":"record","name":"R","fields":[{"name":"new","aliases":["x","old"],"type":"long"},{"name":"b","type":"int"}]}`, varints(1, 2), varints(1, 2), true,
		},
		{
			"a name before an alias", rec(`"a":"long"`),
			`{"type":"record","name":"R","fields":[{"name":"z","aliases":["a"],"type":"long","default":9},{"name":"a","type":"long"}]}`, varints(1), varints(9, 1), false,
		},
		{
			"record alias", rec(`"a":"long"`),
			`{"type":"record","name":"n.S","aliases":["R","n.R"],"fields":[{"name":"a","type":"long"}]}`, varints(1), varints(1), true,
		},
		{"record of another namespace", `{"type":"record","name":"x.R","fields":[]}`, rec(``), nil, nil, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := Resolve(mustParse(t, tt.writer), mustParse(t, tt.reader))
			require.NoError(t, err)
			out, n, err := r.Append([]byte("x"), append(bytes.Clone(tt.datum), 99))
			require.NoError(t, err)
			assert.Equal(t, len(tt.datum), n)
			assert.Equal(t, append([]byte("x"), tt.want...), out)
			assert.Equal(t, tt.identical, r.Identical())
		})
	}
}

// rec writes the schema of a record R with fields given as "name":type.
func rec(fields string) string {
	out := ""
	for len(fields) > 0 {
		parts := bytes.SplitN([]byte(fields), []byte(","), 2)
		name, kind, _ := bytes.Cut(parts[0], []byte(":"))
		if out != "" {
			out += ","
		}
		out += `{"name":` + string(name) + `,"type":` + string(kind) + `}`
		if len(parts) < 2 {
			break
		}
		fields = string(parts[1])
	}
	return `{"type":"record","name":"R","fields":[` + out + `]}`
}

// TestDefaults: a field that the writer lacks takes the reader's default, of any type.
func TestDefaults(t *testing.T) {
	for _, tt := range []struct {
		name, field string
		want        []byte
	}{
		{"null", `"type":"null","default":null`, nil},
		{"boolean", `"type":"boolean","default":true`, []byte{1}},
		{"int", `"type":"int","default":-3`, varints(-3)},
		{"long", `"type":"long","default":9007199254740993`, varints(9007199254740993)},
		{"float", `"type":"float","default":1`, float32s(1)},
		{"double", `"type":"double","default":1e3`, float64s(1000)},
		{"string", `"type":"string","default":"ü"`, text("ü")},
		{"bytes", `"type":"bytes","default":"a\u00ff"`, text("a\xff")},
		{"fixed", `"type":{"type":"fixed","name":"F","size":2},"default":"\u0000\u0001"`, []byte{0, 1}},
		{"enum", `"type":{"type":"enum","name":"E","symbols":["A","B"]},"default":"B"`, varints(1)},
		{"empty array", `"type":{"type":"array","items":"int"},"default":[]`, varints(0)},
		{"array", `"type":{"type":"array","items":"int"},"default":[5,6]`, varints(2, 5, 6, 0)},
		{"empty map", `"type":{"type":"map","values":"int"},"default":{}`, varints(0)},
		{"map", `"type":{"type":"map","values":"int"},"default":{"b":2,"a":1}`, cat(varints(2), text("a"), varints(1), text("b"), varints(2, 0))},
		{"union", `"type":["null","long"],"default":null`, varints(0)},
		{"union, not the first", `"type":["null","long"],"default":5`, varints(1, 5)},
		{"record", `"type":{"type":"record","name":"I","fields":[{"name":"x","type":"int"},{"name":"y","type":"int","default":8}]},"default":{"x":7}`, varints(7, 8)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			reader := mustParse(t, `{"type":"record","name":"R","fields":[{"name":"a","type":"long"},{"name":"new",`+tt.field+`},{"name":"b","type":"long"}]}`)
			r, err := Resolve(mustParse(t, rec(`"a":"long","b":"long"`)), reader)
			require.NoError(t, err)
			out, n, err := r.Append(nil, varints(1, 2))
			require.NoError(t, err)
			assert.Equal(t, 2, n)
			assert.Equal(t, cat(varints(1), tt.want, varints(2)), out)
		})
	}
}

// TestBadDefaults: a default of another type makes schemas incompatible when it is needed,
// and only then.
func TestBadDefaults(t *testing.T) {
	for _, field := range []string{
		`"type":"int","default":null`, `"type":"int","default":2147483648`, `"type":"long","default":1.5`,
		`"type":"boolean","default":0`, `"type":"string","default":1`, `"type":"bytes","default":"Ā"`,
		`"type":{"type":"fixed","name":"F","size":2},"default":"abc"`, `"type":{"type":"enum","name":"E","symbols":["A"]},"default":"B"`,
		`"type":{"type":"array","items":"int"},"default":{}`, `"type":{"type":"array","items":"int"},"default":["x"]`,
		`"type":{"type":"map","values":"int"},"default":[]`, `"type":{"type":"map","values":"int"},"default":{"k":"x"}`,
		`"type":["null","int"],"default":"x"`, `"type":{"type":"record","name":"I","fields":[{"name":"x","type":"int"}]},"default":{}`,
	} {
		reader := mustParse(t, `{"type":"record","name":"R","fields":[{"name":"new",`+field+`}]}`)
		_, err := Resolve(mustParse(t, rec(``)), reader)
		require.ErrorContains(t, err, "new: writer has no such field, and in the reader's its default", field)
		_, err = Resolve(reader, reader)
		require.NoError(t, err)
	}
}

// TestIncompatible: all that does not fit is told at once, each with its path.
func TestIncompatible(t *testing.T) {
	writer := mustParse(t, `{"type":"record","name":"Sample","fields":[
		{"name":"view","type":{"type":"record","name":"View","fields":[
			{"name":"user","type":["null",{"type":"record","name":"User","fields":[{"name":"id","type":"string"}]}]},
			{"name":"ts","type":{"type":"long","logicalType":"timestamp-millis"}},
			{"name":"price","type":{"type":"bytes","logicalType":"decimal","precision":4,"scale":2}},
			{"name":"tags","type":{"type":"array","items":"string"}},
			{"name":"hash","type":{"type":"fixed","name":"Hash","size":8}},
			{"name":"kind","type":{"type":"enum","name":"Kind","symbols":["A"]}},
			{"name":"u","type":["string","int"]},
			{"name":"geo","type":{"type":"record","name":"Geo","fields":[]}}]}}]}`)
	reader := mustParse(t, `{"type":"record","name":"Sample","fields":[
		{"name":"view","type":{"type":"record","name":"View","fields":[
			{"name":"user","type":["null",{"type":"record","name":"User","fields":[{"name":"id","type":"long"},{"name":"age","type":"int"}]}]},
			{"name":"ts","type":{"type":"long","logicalType":"timestamp-micros"}},
			{"name":"price","type":{"type":"bytes","logicalType":"decimal","precision":4,"scale":1}},
			{"name":"tags","type":{"type":"array","items":"int"}},
			{"name":"hash","type":{"type":"fixed","name":"Hash","size":16}},
			{"name":"kind","type":{"type":"enum","name":"Kind","symbols":["B"]}},
			{"name":"u","type":["boolean","null"]},
			{"name":"geo","type":{"type":"record","name":"Place","fields":[]}},
			{"name":"late","type":"int","default":"x"}]}}]}`)
	_, err := Resolve(writer, reader)
	var bad *IncompatibleError
	require.ErrorAs(t, err, &bad)
	var got []string
	for _, p := range bad.Problems {
		got = append(got, p.String())
	}
	assert.Equal(t, []string{
		"view.user.id: writer has string, reader wants long",
		"view.user.age: writer has no such field, and the reader's, a int, has no default",
		"view.ts: writer has timestamp-millis, reader wants timestamp-micros; Avro does not convert between them",
		"view.price: writer has decimal(4,2), reader wants decimal(4,1)",
		"view.tags[]: writer has string, reader wants int",
		"view.hash: writer has 8 bytes of fixed Hash, reader wants 16",
		"view.kind: the reader's enum Kind has none of the writer's symbols",
		"view.u: writer has union of string, int, reader wants union of boolean, null",
		"view.geo: writer has record Geo, reader wants record Place; an alias in the reader's schema would make them one",
		`view.late: writer has no such field, and in the reader's its default, "x", is not of type int`,
	}, got)
	assert.ErrorContains(t, err, "incompatible schemas: view.user.id: writer has string, reader wants long; view.user.age")
	_, err = Resolve(mustParse(t, `"string"`), mustParse(t, `"long"`))
	require.EqualError(t, err, "incompatible schemas: writer has string, reader wants long")
	_, err = Resolve(mustParse(t, rec(``)), mustParse(t, `{"type":"record","name":"R","fields":[{"name":"r","type":"R","default":{}}]}`))
	require.ErrorContains(t, err, "r: writer has no such field, and in the reader's the default needs itself")
}

// TestRecordsThatDoNotResolve: what only the data decides fails the record, with a path,
// and leaves dst as it was.
func TestRecordsThatDoNotResolve(t *testing.T) {
	field := func(kind string) string {
		return `{"type":"record","name":"R","fields":[{"name":"x","type":` + kind + `}]}`
	}
	for _, tt := range []struct {
		name, writer, reader string
		datum                []byte
		want                 string
	}{
		{"null for a reader without", field(`["null","long"]`), field(`"long"`), varints(0), "decode x at byte 0: the reader's schema has no place"},
		{"symbol unknown", field(`{"type":"enum","name":"E","symbols":["A","B"]}`), field(`{"type":"enum","name":"E","symbols":["B"]}`), varints(0), "decode x at byte 0: the reader's enum lacks"},
		{"in an array", field(`{"type":"array","items":["null","long"]}`), field(`{"type":"array","items":"long"}`), varints(2, 1, 5, 0, 0), "decode x[] at byte 3: the reader's schema has no place"},
		{"enum index", field(`{"type":"enum","name":"E","symbols":["A","B"]}`), field(`{"type":"enum","name":"E","symbols":["B"]}`), varints(2), "no such symbol"},
		{"union index", field(`["null","long"]`), field(`"long"`), varints(2), "no such type"},
		{"int", field(`"int"`), field(`"double"`), varints(1 << 40), "more than 32 bits"},
		{"int to long", field(`"int"`), field(`"long"`), varints(1 << 40), "more than 32 bits"},
		{"float cut", field(`"float"`), field(`"double"`), []byte{1}, "the record ends"},
		{"dropped", rec(`"x":"string","y":"long"`), rec(`"y":"long"`), varints(50), "decode x at byte 0: the record ends"},
		{"huge array", field(`{"type":"array","items":"int"}`), field(`{"type":"array","items":"double"}`), varints(math.MaxInt64), "more items than"},
		{"huge map", field(`{"type":"map","values":"int"}`), field(`{"type":"map","values":"double"}`), varints(math.MaxInt64), "more items than"},
		{"huge array of nulls", field(`{"type":"array","items":"null"}`), field(`{"type":"array","items":["int","null"]}`), varints(math.MaxInt64), "over 1048576 values that take no bytes"},
		{"bad block", field(`{"type":"array","items":"int"}`), field(`{"type":"array","items":"double"}`), varints(-1, 9), "the record ends"},
		{"false block length", field(`{"type":"array","items":"int"}`), field(`{"type":"array","items":"double"}`), varints(-1, 3, 5, 6, 7, 0), "a block's length is not that of its items"},
		{
			"deep", nodeSchema, `{"type":"record","name":"Node","fields":[{"name":"next","type":["null","Node"]},{"name":"id","type":"double"}]}`,
			append(bytes.Repeat(varints(7, 1), 5000), varints(8, 0)...), "nested over 1000 deep",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := Resolve(mustParse(t, tt.writer), mustParse(t, tt.reader))
			require.NoError(t, err)
			out, n, err := r.Append([]byte("kept"), tt.datum)
			require.ErrorContains(t, err, tt.want)
			require.ErrorAs(t, err, new(*DecodeError))
			assert.Equal(t, "kept", string(out))
			assert.Zero(t, n)
		})
	}
}

// TestResolveRecursive: a chain of records, each changed.
func TestResolveRecursive(t *testing.T) {
	r, err := Resolve(mustParse(t, nodeSchema), mustParse(t, `{"type":"record","name":"Node","fields":[
		{"name":"next","type":["Node","null"]},{"name":"id","type":"double"},{"name":"new","type":"int","default":1}]}`))
	require.NoError(t, err)
	out, n, err := r.Append(nil, varints(7, 1, 8, 1, 9, 0))
	require.NoError(t, err)
	assert.Equal(t, 6, n)
	assert.Equal(t, cat(varints(0, 0, 1), float64s(9), varints(1), float64s(8), varints(1), float64s(7), varints(1)), out)
	r, err = Resolve(mustParse(t, nodeSchema), mustParse(t, nodeSchema))
	require.NoError(t, err)
	assert.True(t, r.Identical())
}

func TestResolveDoesNotAllocate(t *testing.T) {
	r, err := Resolve(mustParse(t, viewSchema), mustParse(t, `{"type":"record","name":"View","fields":[
		{"name":"ts","type":{"type":"long","logicalType":"timestamp-millis"}},{"name":"view_id","type":["null","string"]},
		{"name":"features","type":{"type":"array","items":"double"}},{"name":"x","type":"string","default":"y"}]}`))
	require.NoError(t, err)
	datum, out := viewDatums(t, 1)[0], make([]byte, 0, 1000)
	allocs := testing.AllocsPerRun(100, func() {
		if _, _, err := r.Append(out[:0], datum); err != nil {
			t.Fatal(err)
		}
	})
	assert.LessOrEqual(t, allocs, 1.0) // a collection may empty the pool, and the race detector does
}

// TestConcurrentUse: one Resolution serves several goroutines.
func TestConcurrentUse(t *testing.T) {
	r, err := Resolve(mustParse(t, rec(`"a":"long","b":"string"`)), mustParse(t, rec(`"b":"string","a":"double"`)))
	require.NoError(t, err)
	var group sync.WaitGroup
	for g := range 4 {
		group.Go(func() {
			name := string(rune('a' + g))
			for i := range 2000 {
				out, _, err := r.Append(nil, cat(varints(int64(i)), text(name)))
				if !assert.NoError(t, err) || !assert.Equal(t, cat(text(name), float64s(float64(i))), out) {
					return
				}
			}
		})
	}
	group.Wait()
}
