package job

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/io/format/avro"
	"tributary/pipelines/spec"
	"tributary/transforms/attribution/rules"
)

// TestViewSchemas: of the schemas that a spec gives, or else of those that views have, the one counts that can read all
// views and has the most fields, be they in files or in topics, whatever their order.
func TestViewSchemas(t *testing.T) {
	view := func(fields string) *avro.Schema {
		schema, err := avro.ParseSchema(`{"type":"record","name":"View","fields":[{"name":"id","type":"string"}` + fields + `]}`)
		require.NoError(t, err)
		return schema
	}
	small, old := view(""), view(`,{"name":"item","type":["null","long"],"default":null}`)
	large := view(`,{"name":"item","type":["null","long"],"default":null},{"name":"page","type":["null","string"],"default":null}`)
	other := view(`,{"name":"item","type":"string"}`)
	files, topic := &Source{Role: "views", At: []string{"views"}}, &Source{Role: "views", At: []string{"views"}, Number: 1}
	likes := &Source{Role: "like", At: []string{"engagements", "like"}}
	for name, c := range map[string]struct {
		given []*avro.Schema
		add   func(v *ViewSchemas)
		want  *avro.Schema
		code  string
	}{
		"the larger one":     {add: func(v *ViewSchemas) { v.Add(files, small, "a.avro"); v.Add(topic, old, "topic views") }, want: old},
		"the only given one": {given: []*avro.Schema{small}, add: func(v *ViewSchemas) { v.Add(files, old, "a.avro"); v.Add(topic, large, "topic views") }, want: small},
		"the best given one": {given: []*avro.Schema{small, large, old}, add: func(v *ViewSchemas) { v.Add(files, old, "a.avro") }, want: large},
		"not of engagements": {given: []*avro.Schema{old}, add: func(v *ViewSchemas) { v.Add(files, old, "a.avro"); v.Add(likes, other, "likes"); v.Give(likes, other) }, want: old},
		"text":               {add: func(v *ViewSchemas) { v.Add(files, nil, "a.jsonl") }},
		"text and Avro":      {add: func(v *ViewSchemas) { v.Add(files, nil, "a.jsonl"); v.Add(topic, old, "topic views") }, code: "T2005"},
		"none reads all":     {add: func(v *ViewSchemas) { v.Add(files, other, "a.avro"); v.Add(topic, old, "topic views") }, code: "T2005"},
	} {
		t.Run(name, func(t *testing.T) {
			for range 2 {
				v, p := &ViewSchemas{}, &rules.Params{}
				slices.Reverse(c.given)
				for _, schema := range c.given {
					v.Give(files, schema)
				}
				c.add(v)
				problems := v.Choose(&spec.Spec{}, p)
				if c.code != "" {
					require.Len(t, problems, 1)
					require.Equal(t, c.code, problems[0].Code)
					continue
				}
				require.Empty(t, problems)
				if c.want == nil {
					require.Empty(t, p.ViewSchema)
				} else {
					require.Equal(t, c.want.String(), p.ViewSchema)
				}
			}
		})
	}
}
