package jsontext

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/io/record"
)

func TestList(t *testing.T) {
	for _, c := range []struct {
		name, text, path string
		want             []string // each the text with an element in place of the list
		err              string
	}{
		{"objects", `{"r":1,"items":[{"id":1}, {"id":[2]} ],"z":[3]}`, "items", []string{`{"r":1,"items":{"id":1},"z":[3]}`, `{"r":1,"items":{"id":[2]},"z":[3]}`}, ""},
		{"plain values", ` {"a" : [ 1 , "]" ,null] } `, "a", []string{` {"a" : 1 } `, ` {"a" : "]" } `, ` {"a" : null } `}, ""},
		{"nested", `{"items":[0],"r":{"x":{"items":[1]},"items":[2]}}`, "r.items", []string{`{"items":[0],"r":{"x":{"items":[1]},"items":2}}`}, ""},
		{"escaped name", `{"\u0061":[1]}`, "a", []string{`{"\u0061":1}`}, ""},
		{"name with a dot", `{"r.items":[1]}`, "r.items", []string{`{"r.items":1}`}, ""},
		{"nested before a name with a dot", `{"r.items":[1],"r":{"items":[2]}}`, "r.items", []string{`{"r.items":[1],"r":{"items":2}}`}, ""},
		{"null before a name with a dot", `{"r.items":[1],"r":{"items":null}}`, "r.items", []string{`{"r.items":1,"r":{"items":null}}`}, ""},
		{"quoted name", `{"r.items":[1],"r":{"items":[2]}}`, `"r.items"`, []string{`{"r.items":1,"r":{"items":[2]}}`}, ""},
		{"empty", `{"a":[ ]}`, "a", nil, ""},
		{"null", `{"a":null}`, "a", nil, ""},
		{"absent", `{}`, "a", nil, ""},
		{"through a number", `{"a":5}`, "a.b", nil, ""},
		{"an object", `{"a":{}}`, "a", nil, "field a is an object, not a list"},
		{"text", `{"a":"[1]"}`, "a", nil, "field a is a string, not a list"},
		{"twice", `{"a":[1],"a":[1]}`, "a", nil, "the name a, of or on the way to the list a, is there twice"},
		{"twice on the way", `{"a":{"b":[1]},"a":{}}`, "a.b", nil, "the name a, of or on the way to the list a.b, is there twice"},
		{"no object", `[1]`, "a", nil, errNotObject.Error()},
		{"cut", `{"a":[1,`, "a", nil, "value"},
		{"bad behind the list", `{"a":[1],"b":}`, "a", nil, "value"},
		{"more behind the record", `{"a":[1]} {}`, "a", nil, "the end of the record"},
	} {
		t.Run(c.name, func(t *testing.T) {
			found := record.Elements{Items: []record.Span{{From: 1, To: 2}}} // must not stay
			err := NewList(c.path).Find([]byte(c.text), &found)
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				return
			}
			require.NoError(t, err)
			var got []string
			for _, item := range found.Items {
				got = append(got, c.text[:found.From]+c.text[item.From:item.To]+c.text[found.To:])
			}
			require.Equal(t, c.want, got)
		})
	}
}
