package avro

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tributary/io/record"
)

// drawList draws a schema, and the names that lead to an array in it.
func drawList(t *rapid.T) (schema string, names []string) {
	g := &schemaGen{t: t, spaced: rapid.Bool().Draw(t, "namespaces")}
	root, names := g.way(g.pick("records on the way", 3))
	text, err := json.Marshal(root)
	if err != nil {
		t.Fatal(err)
	}
	return string(text), names
}

// way draws a record that leads to an array, through so many others.
func (g *schemaGen) way(more int) (record any, names []string) {
	name := g.name("Way")
	g.around = append(g.around, name)
	var fields []any
	add := func(name string, typ any) { fields = append(fields, map[string]any{"name": name, "type": typ}) }
	others := func(of string) {
		for i := range g.pick(of, 3) {
			add(fmt.Sprintf("%s%d", of, i), g.draw(2))
		}
	}
	others("before")
	var next any
	if more == 0 {
		next = map[string]any{"type": "array", "items": g.nested(2)}
	} else {
		next, names = g.way(more - 1)
		if g.pick("defined before", 4) == 0 {
			add("first", next)
			next = next.(map[string]any)["name"]
		}
	}
	switch g.pick("null", 4) {
	case 0:
		next = []any{"null", next}
	case 1:
		next = []any{next, map[string]any{"type": "null"}}
	}
	add("way", next)
	others("after")
	g.around = g.around[:len(g.around)-1]
	g.done = append(g.done, name)
	return map[string]any{"type": "record", "name": name, "fields": fields}, append([]string{"way"}, names...)
}

// elementsOf are the values of records with an element in place of the list that names lead to, by goavro's value of the record.
func elementsOf(value any, names []string) (all []any) {
	fields, ok := value.(map[string]any)
	if !ok {
		return nil
	}
	if len(names) == 0 {
		return nil
	}
	below := func(v any) []any {
		if len(names) > 1 {
			return elementsOf(v, names[1:])
		}
		items, _ := v.([]any)
		return items
	}
	at := names[0]
	next := below(fields[at])
	if branch, ok := fields[at].(map[string]any); ok && len(branch) == 1 {
		for name, v := range branch {
			if strings.Contains(name, "Way") || name == "array" { // else it is a record's only field
				next = below(v)
				if name != "array" {
					for i := range next {
						next[i] = map[string]any{"union": next[i]}
					}
				}
			}
		}
	}
	for _, one := range next {
		whole := map[string]any{}
		for name, v := range fields {
			whole[name] = v
		}
		whole[at] = one
		all = append(all, whole)
	}
	return all
}

// unnamed is a value of goavro's without the names of the records on the way, which may be others.
func unnamed(value any, names []string) any {
	fields, ok := value.(map[string]any)
	if !ok || len(names) < 2 {
		return value
	}
	if branch, ok := fields[names[0]].(map[string]any); ok && len(branch) == 1 {
		for name, v := range branch {
			if strings.Contains(name, "Way") {
				fields[names[0]] = map[string]any{"union": unnamed(v, names[1:])}
				return value
			}
		}
	}
	fields[names[0]] = unnamed(fields[names[0]], names[1:])
	return value
}

// elementRecords are the records that found says, as bytes.
func elementRecords(datum []byte, found *record.Elements) (all [][]byte) {
	for _, item := range found.Items {
		all = append(all, append(append(append([]byte{}, datum[:found.From]...), datum[item.From:item.To]...), datum[found.To:]...))
	}
	return all
}

// TestListIsWhatGoavroReads: of any schema, an array at any place and blocks of every form, the records with an element in place of the
// array are, by the schema for them, what goavro reads of the whole record.
func TestListIsWhatGoavroReads(t *testing.T) {
	elements := 0
	rapid.Check(t, func(t *rapid.T) {
		text, names := drawList(t)
		s, err := ParseSchema(text)
		require.NoError(t, err)
		list, err := NewList(s, record.JoinPath(names...))
		var none *NotListError
		if errors.As(err, &none) {
			return // items hold nothing
		}
		require.NoError(t, err, text)
		datum := drawDatum(t, nil, s.root, 0)
		found := record.Elements{Items: []record.Span{{From: 1, To: 2}}} // must not stay
		n, err := list.Find(append(datum[:len(datum):len(datum)], 1, 2, 3), &found)
		require.NoError(t, err, text)
		require.Equal(t, len(datum), n)

		codec, err := s.Codec()
		require.NoError(t, err)
		value, _, err := codec.NativeFromBinary(datum)
		require.NoError(t, err)
		want := elementsOf(value, names)
		require.Len(t, found.Items, len(want), text)
		elements += len(want)
		codec, err = list.Schema().Codec()
		require.NoError(t, err, "%s\n%s", text, list.Schema())
		for i, one := range elementRecords(datum, &found) {
			got, rest, err := codec.NativeFromBinary(one)
			require.NoError(t, err, "%s\n%s", text, list.Schema())
			require.Empty(t, rest)
			require.Equal(t, want[i], unnamed(got, names), "%s\n%s", text, list.Schema())
		}
	})
	require.NotZero(t, elements)
}

func TestListSchemas(t *testing.T) {
	item := `{"type":"record","name":"Item","fields":[{"name":"id","type":"long"}]}`
	for _, c := range []struct{ name, schema, path, want, err string }{
		{
			"the rest stays", `{"type":"record","name":"a.R","doc":"d","fields":[{"name":"items","doc":"e","default":[],"aliases":["things"],"type":{"type":"array","items":` + item + `}},{"name":"best","type":"Item","x":1}]}`, "items",
			`{"type":"record","name":"a.R","doc":"d","fields":[{"name":"items","doc":"e","aliases":["things"],"type":` + item + `},{"name":"best","type":"Item","x":1}]}`, "",
		},
		{
			"by an alias", `{"type":"record","name":"R","fields":[{"name":"items","aliases":["things"],"type":{"type":"array","items":"int"}}]}`, "things",
			`{"type":"record","name":"R","fields":[{"name":"items","aliases":["things"],"type":"int"}]}`, "",
		},
		{
			"null, of items that may be null", `{"type":"record","name":"R","fields":[{"name":"items","default":null,"type":["null",{"type":"array","items":["null","long"]}]}]}`, "items",
			`{"type":"record","name":"R","fields":[{"name":"items","type":["null","long"]}]}`, "",
		},
		{
			"in a record that may be null", `{"type":"record","name":"R","fields":[{"name":"c","default":null,"type":["null",{"type":"record","name":"C","fields":[{"name":"items","type":{"type":"array","items":"int"}}]}]}]}`, "c.items",
			`{"type":"record","name":"R","fields":[{"name":"c","default":null,"type":["null",{"type":"record","name":"C","fields":[{"name":"items","type":"int"}]}]}]}`, "",
		},
		{
			"of records that hold their kind", `{"type":"record","name":"n.R","fields":[{"name":"items","type":{"type":"array","items":"R"}},{"name":"k","type":` + item + `},{"name":"l","type":"Item"}]}`, "items",
			`{"type":"record","name":"R_element","namespace":"n","fields":[{"name":"items","type":{"type":"record","name":"n.R","namespace":"n","fields":[{"name":"items","type":{"type":"array","items":"R"}},{"name":"k","type":{"type":"record","name":"Item","namespace":"n","fields":[{"name":"id","type":"long"}]}},{"name":"l","type":"Item"}]}},{"name":"k","type":"n.Item"},{"name":"l","type":"Item"}]}`, "",
		},
		{"no field", `{"type":"record","name":"R","fields":[{"name":"a","type":"int"}]}`, "items", "", `no field "items": the record has a`},
		{"below a number", `{"type":"record","name":"R","fields":[{"name":"a","type":"int"}]}`, "a.b", "", `no field "a.b": a has no fields`},
		{"a number", `{"type":"record","name":"R","fields":[{"name":"a","type":"int"}]}`, "a", "", `field "a" is of type int, not a list`},
		{"a map", `{"type":"record","name":"R","fields":[{"name":"a","type":{"type":"map","values":"int"}}]}`, "a", "", `field "a" is of type map of int, not a list`},
		{"one of several", `{"type":"record","name":"R","fields":[{"name":"a","type":["null","int",{"type":"array","items":"int"}]}]}`, "a", "", "not a list"},
		{"of nothing", `{"type":"record","name":"R","fields":[{"name":"a","type":{"type":"array","items":"null"}}]}`, "a", "", "array of null, not a list"},
		{"in one of several", `{"type":"record","name":"R","fields":[{"name":"a","type":["int",` + item + `]}]}`, "a.id", "", "a is a union of more than null and one record"},
	} {
		t.Run(c.name, func(t *testing.T) {
			list, err := NewList(mustParse(t, c.schema), c.path)
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				return
			}
			require.NoError(t, err)
			require.JSONEq(t, c.want, list.Schema().String())
			_, err = list.Schema().Codec()
			require.NoError(t, err)
		})
	}
}

func TestListOfDamage(t *testing.T) {
	s := mustParse(t, `{"type":"record","name":"R","fields":[{"name":"c","type":["null",{"type":"record","name":"C","fields":[
		{"name":"items","type":["null",{"type":"array","items":{"type":"record","name":"I","fields":[{"name":"id","type":"string"}]}}]},{"name":"b","type":"boolean"}]}]}]}`)
	list, err := NewList(s, "c.items")
	require.NoError(t, err)
	huge := binary.AppendVarint([]byte{2, 2}, 1<<62)
	least := binary.AppendVarint([]byte{2, 2}, -1<<63)
	for _, c := range []struct {
		name  string
		bytes []byte
		items int
		err   string
	}{
		{"two blocks", []byte{2, 2, 2, 2, 'a', 1, 4, 2, 'b', 0, 1}, 2, ""},
		{"no list", []byte{2, 0, 1}, 0, ""},
		{"no record", []byte{0}, 0, ""},
		{"an empty list", []byte{2, 2, 0, 1}, 0, ""},
		{"more than there is", []byte{2, 2, 40, 2, 'a', 0, 1}, 0, "decode c.items at byte 2: more items than there are bytes for"},
		{"any number", huge, 0, "more items than there are bytes for"},
		{"the least number", least, 0, "more items than there are bytes for"},
		{"a size that is not the items'", []byte{2, 2, 1, 6, 2, 'b', 0, 1}, 0, "decode c.items at byte 4: a block's length is not that of its items"},
		{"a size beyond the end", []byte{2, 2, 1, 80, 2, 'b', 0, 1}, 0, "decode c.items at byte 2: the record ends in the middle of it"},
		{"an element that is cut", []byte{2, 2, 2, 80, 'a'}, 0, "decode c.items[].id at byte 3: the record ends in the middle of it"},
		{"a branch that is none", []byte{2, 4, 0, 1}, 0, "decode c.items at byte 1: there is no such type in the union"},
		{"bad behind the list", []byte{2, 2, 0, 7}, 0, "decode c.b at byte 3: a boolean is neither 0 nor 1"},
		{"empty", nil, 0, "the record ends in the middle of it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var found record.Elements
			n, err := list.Find(c.bytes, &found)
			require.Len(t, found.Items, c.items)
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, len(c.bytes), n)
		})
	}
	n, err := list.Skip([]byte{2, 2, 0, 7, 9})
	require.NoError(t, err)
	require.Equal(t, 4, n, "where a record ends that cannot be read")
}

// FuzzList: no bytes and no schema make a List panic or hang; it takes the records that a Projection does, and what it makes of them are
// records of its schema.
func FuzzList(f *testing.F) {
	const list = `{"type":"record","name":"R","fields":[{"name":"a","type":["null",{"type":"array","items":["null","string","R"]}]},{"name":"b","type":["R","null"]}]}`
	f.Add(list, "a", []byte{2, 2, 2, 2, 'x', 0, 2})
	f.Add(list, "b.a", []byte{0, 0, 2, 1, 6, 2, 2, 'x', 0, 2})
	f.Add(fuzzSchemas[3], "a", []byte{4, 0, 2, 2, 'x', 0, 0})
	f.Fuzz(func(t *testing.T, schema, path string, datum []byte) {
		s := fuzzSchema(schema)
		if s == nil {
			return
		}
		list, err := NewList(s, path)
		if err != nil {
			return
		}
		var found record.Elements
		n, err := list.Find(datum, &found)
		whole, wholeErr := Project(s, nil)
		require.NoError(t, wholeErr)
		m, wholeErr := whole.Extract(datum, nil)
		if require.Equal(t, wholeErr == nil, err == nil, "%v, %v", wholeErr, err); err != nil {
			require.Empty(t, found.Items)
			return
		}
		require.Equal(t, m, n)
		event, err := Project(list.Schema(), nil)
		require.NoError(t, err)
		for i, one := range elementRecords(datum[:n], &found) {
			if i == 10 {
				return
			}
			size, err := event.Extract(one, nil)
			require.NoError(t, err)
			require.Equal(t, len(one), size)
		}
	})
}
