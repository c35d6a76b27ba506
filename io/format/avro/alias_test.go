package avro

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/io/record"
)

// TestProjectByAlias: a field is found by its own aliases, in each record of a union for
// itself, and may be wanted by several of its names at once.
func TestProjectByAlias(t *testing.T) {
	s := mustParse(t, `{"type":"record","name":"R","fields":[
		{"name":"id","aliases":["view_id","old"],"type":["null","string"]},
		{"name":"old","type":"int"},
		{"name":"user","aliases":["usr"],"type":["null",
			{"type":"record","name":"A","fields":[{"name":"name","aliases":["n"],"type":"string"}]},
			{"type":"record","name":"B","fields":[{"name":"n","type":"long"},{"name":"name","type":["int","string"]}]}]}]}`)
	p, err := Project(s, []string{"view_id", "id", "old", "", "usr.n", "user.name", "usr.name", "view_id"})
	require.NoError(t, err)
	str := func(s string) record.Value { return record.Value{Kind: record.String, Text: []byte(s)} }
	num := func(n int64) record.Value { return record.Value{Kind: record.Int, Int: n} }
	none := record.Value{}
	values := make([]record.Value, 8)
	for _, c := range []struct {
		datum []byte
		want  []record.Value
	}{
		{cat(varints(1), text("v"), varints(5, 1), text("x")), []record.Value{str("v"), str("v"), num(5), none, str("x"), str("x"), str("x"), str("v")}},
		{varints(0, 5, 0), []record.Value{none, none, num(5), none, none, none, none, none}},
		{cat(varints(0, 5, 2, 7, 1), text("y")), []record.Value{none, none, num(5), none, num(7), str("y"), str("y"), none}},
		{varints(0, 5, 2, 7, 0, 8), []record.Value{none, none, num(5), none, num(7), num(8), num(8), none}},
	} {
		for i := range values {
			values[i] = num(99) // what the record before had
		}
		n, err := p.Extract(c.datum, values)
		require.NoError(t, err)
		require.Len(t, c.datum, n)
		require.Equal(t, c.want, values)
	}
	_, err = s.Lookup("user.nam")
	require.Error(t, err)
}

func TestOthers(t *testing.T) {
	v1 := mustParse(t, rec(`"uid":"string"`))
	v2 := mustParse(t, `{"type":"record","name":"R","fields":[{"name":"view_id","aliases":["uid"],"type":"string"}]}`)
	v3 := mustParse(t, `{"type":"record","name":"R","fields":[{"name":"id","aliases":["view_id"],"type":"string"},{"name":"c","type":"int"}]}`)
	for _, c := range []struct {
		path    string
		schemas []*Schema
		want    []string
	}{
		{"id", []*Schema{v1, v2, v3}, []string{"view_id", "uid"}},
		{"id", []*Schema{v3, v1, v2}, []string{"view_id", "uid"}},
		{"id", []*Schema{v1, v3}, []string{"view_id"}},
		{"view_id", []*Schema{v3}, []string{"id"}},
		{"uid", []*Schema{v1, v3}, nil},
		{"c", []*Schema{v1, v3}, nil},
		{`"a.`, []*Schema{v1}, nil},
		{
			"a.b",
			[]*Schema{mustParse(t, `{"type":"record","name":"R","fields":[{"name":"a","aliases":["x.y","c"],"type":["null",
			{"type":"record","name":"S","fields":[{"name":"b","aliases":["d","e"],"type":"int"},{"name":"e","type":"int"}]}]},{"name":"c","type":"int"}]}`)},
			[]string{`"x.y".b`, "a.d", `"x.y".d`},
		},
	} {
		others := Others(c.path, c.schemas)
		require.ElementsMatch(t, c.want, others, c.path)
	}
	found, field, err := v1.Find("id", Others("id", []*Schema{v1, v2, v3})...)
	require.NoError(t, err)
	require.Equal(t, "uid", found)
	require.Equal(t, "string", field.Type)
	_, _, err = v1.Find("idd", "x", "y")
	require.EqualError(t, err, `no field "idd": the record has uid`)
	_, _, err = mustParse(t, rec(`"a":"null"`)).Find("a.b", "c")
	require.Error(t, err)
}
