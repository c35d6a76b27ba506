package batch

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/linkedin/goavro/v2"
	"github.com/stretchr/testify/require"

	"tributary/pipelines/reading/readback"
	"tributary/pipelines/spec"
	"tributary/transforms/account"
	"tributary/transforms/sample"
)

const shapeSchema = `{"type":"record","name":"View","namespace":"app.feed","fields":[
	{"name":"id","type":"string"},
	{"name":"ts","type":{"type":"long","logicalType":"timestamp-millis"}},
	{"name":"user","type":["null",{"type":"record","name":"User","fields":[
		{"name":"id","type":"long"},{"name":"tier","type":{"type":"enum","name":"Tier","symbols":["FREE","PAID"]}},
		{"name":"age","type":["int","null"]},{"name":"either","type":["string","long"]}]}]},
	{"name":"tier","type":["null","Tier"],"default":null},
	{"name":"tags","type":{"type":"array","items":"string"}},
	{"name":"price","type":"double"}]}`

// shapeViews are views of that schema as JSON.
func shapeViews() (views []string) {
	users := []string{
		`null`, `{"id":7,"tier":"PAID","age":30,"either":"x"}`, `{"id":-1,"tier":"FREE","age":null,"either":"größe"}`, `{"id":9007199254740993,"tier":"FREE","age":-4,"either":5}`,
	}
	tiers := []string{`null`, `"FREE"`, `"PAID"`}
	tags := []string{`[]`, `["a"]`, `["a","b","c"]`}
	for i := range 60 {
		views = append(views, fmt.Sprintf(`{"id":"v%02d","ts":%d,"user":%s,"tier":%s,"tags":%s,"price":%g}`, i, begin+int64(i)*1000, users[i%4], tiers[i%3], tags[i/3%3], float64(i)/4))
	}
	return views
}

// shapedSamples joins and reads the samples with goavro, by the id of their view.
func shapedSamples(t *testing.T, s *spec.Spec) (samples map[string]map[string]any, schema string, dead int64) {
	t.Helper()
	r := join(t, s, Options{})
	samples = map[string]map[string]any{}
	for _, path := range below(t, s.Outputs.Samples.Path) {
		file, err := os.Open(path)
		require.NoError(t, err)
		in, err := goavro.NewOCFReader(file)
		require.NoError(t, err)
		schema = string(in.MetaData()["avro.schema"])
		for in.Scan() {
			one, err := in.Read()
			require.NoError(t, err)
			id := one.(map[string]any)["view_id"].(string)
			require.NotContains(t, samples, id)
			samples[id] = one.(map[string]any)
		}
		require.NoError(t, in.Err())
		require.NoError(t, file.Close())
	}
	return samples, schema, r.Accounts.Views.N[account.Dead]
}

func shapeSpec(t *testing.T, dir, views, shape string) *spec.Spec {
	t.Helper()
	return to(parse(t, dir, fmt.Sprintf(`
views: {inputs: [%s], id: id, time: {field: ts, unit: epoch-millis}}
engagements:
  like: {inputs: likes.jsonl, view: view, time: {field: at, unit: epoch-millis}, window: 1m, label: {sum: price}}
%s
outputs: {samples: out/samples}
`, views, shape)), t.TempDir())
}

func shapeFiles(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	views := shapeViews()
	var likes []string
	for i := range views {
		for k := range i % 3 {
			likes = append(likes, fmt.Sprintf(`{"view":"v%02d","at":%d,"price":%d}`, i, begin+int64(i)*1000+int64(k*500), i))
		}
	}
	write(t, dir+"/likes.jsonl", strings.Join(likes, "\n"))
	write(t, dir+"/view.avsc", shapeSchema)
	writeAvro(t, dir+"/views.avro", shapeSchema, 500, views...)
	write(t, dir+"/views.jsonl", strings.Join(views, "\n"))
	var rows [][]string
	for _, view := range views {
		var v struct {
			ID    string
			TS    int64
			Price float64
		}
		require.NoError(t, json.Unmarshal([]byte(view), &v))
		rows = append(rows, []string{v.ID, fmt.Sprint(v.TS), fmt.Sprint(v.Price), ""})
	}
	write(t, dir+"/views.csv", csvRows([]string{"id", "ts", "price", "none"}, rows))
	return dir
}

// inner is what goavro has of a value in a union.
func inner(v any) any {
	if branch, ok := v.(map[string]any); ok && len(branch) == 1 {
		for _, v := range branch {
			return v
		}
	}
	return v
}

// TestShapeOfSamples holds samples of every shape against those with the whole view: the columns of their own are the same,
// and those of fields are what the view has there. The views are Avro, and JSON with a schema.
func TestShapeOfSamples(t *testing.T) {
	dir := shapeFiles(t)
	want, _, _ := shapedSamples(t, shapeSpec(t, dir, "views.avro", ""))
	require.Len(t, want, 60)
	user := func(name string) func(view map[string]any) any {
		return func(view map[string]any) any {
			if view["user"] == nil {
				return nil
			}
			return inner(inner(view["user"]).(map[string]any)[name])
		}
	}
	top := func(name string) func(view map[string]any) any {
		return func(view map[string]any) any { return inner(view[name]) }
	}
	whole := func(view map[string]any) any { return view }
	all := map[string]func(map[string]any) any{"id": top("id"), "ts": top("ts"), "user": top("user"), "tier": top("tier"), "tags": top("tags"), "price": top("price")}
	with := func(more map[string]func(map[string]any) any) map[string]func(map[string]any) any {
		out := map[string]func(map[string]any) any{}
		for name, of := range all {
			out[name] = of
		}
		for name, of := range more {
			out[name] = of
		}
		return out
	}
	fields := map[string]func(map[string]any) any{
		"cost": top("price"), "user_id": user("id"), "user_tier": user("tier"), "age": user("age"), "either": user("either"), "labelled": top("tags"), "who": top("user"),
	}
	withView := map[string]func(map[string]any) any{"view": whole}
	for name, of := range fields {
		withView[name] = of
	}
	const chosen = "fields: [{cost: price}, {user_tier: user.tier}, {user_id: user.id}, user.age, user.either, {labelled: tags}, {who: user}]"
	for _, c := range []struct {
		shape string
		want  map[string]func(view map[string]any) any
	}{
		{"sample: {view: record}", map[string]func(map[string]any) any{"view": whole}},
		{"sample: {view: none}", nil},
		{"sample: {view: flat}", all},
		{"sample: {view: none, " + chosen + "}", fields},
		{"sample: {" + chosen + "}", withView},
		{"sample: {view: flat, fields: [{user_id: user.id}]}", with(map[string]func(map[string]any) any{"user_id": user("id")})},
	} {
		for _, views := range []string{"views.avro", "{path: views.jsonl, schema: view.avsc}"} {
			s := shapeSpec(t, dir, views, c.shape)
			got, schema, dead := shapedSamples(t, s)
			require.Equal(t, len(want), readback.Check(t, s.Outputs.Samples.Path))
			require.Zero(t, dead)
			require.Len(t, got, len(want), c.shape)
			for id, w := range want {
				view := w["view"].(map[string]any)
				expect := map[string]any{}
				for _, name := range sample.OwnColumns() {
					if v, ok := w[name]; ok && name != "view" {
						expect[name] = v
					}
				}
				for name, of := range c.want {
					expect[name] = of(view)
				}
				have := map[string]any{}
				for name, v := range got[id] {
					if c.want[name] != nil && name != "view" {
						v = inner(v)
					}
					have[name] = v
				}
				require.Equal(t, expect, have, "%s of %s\n%s", id, c.shape, schema)
			}
		}
	}
}

// TestColumnsOfTextViews: fields of views without a schema are of the type that each record has there; rows of CSV have text.
func TestColumnsOfTextViews(t *testing.T) {
	dir := shapeFiles(t)
	for _, view := range []string{"none", "record"} {
		got, _, dead := shapedSamples(t, shapeSpec(t, dir, "views.jsonl", "sample: {fields: [price, {user_id: user.id}, user.age, {kind: user.either}], view: "+view+"}"))
		require.Zero(t, dead)
		require.Len(t, got, 60)
		for i, text := range shapeViews() {
			one := got[fmt.Sprintf("v%02d", i)]
			price := any(map[string]any{"double": float64(i) / 4})
			if i%4 == 0 {
				price = map[string]any{"long": int64(i / 4)}
			}
			require.Equal(t, price, one["price"], text)
			require.Equal(t, []any{nil, int64(7), int64(-1), int64(9007199254740993)}[i%4], inner(one["user_id"]))
			require.Equal(t, []any{nil, int64(30), nil, int64(-4)}[i%4], inner(one["age"]))
			require.Equal(t, []any{nil, "x", "größe", int64(5)}[i%4], inner(one["kind"]))
			if view == "record" {
				require.Equal(t, text, one["view"])
			} else {
				require.NotContains(t, one, "view")
			}
		}
	}

	got, schema, dead := shapedSamples(t, shapeSpec(t, dir, "views.csv", "sample: {fields: [price, {nothing: none}], view: none}"))
	require.Zero(t, dead)
	require.Equal(t, map[string]any{"string": "0.25"}, got["v01"]["price"])
	require.Equal(t, "", inner(got["v01"]["nothing"]), schema) // as in the view: a cell of CSV is text

	// What a column cannot hold is a dead letter.
	got, _, dead = shapedSamples(t, shapeSpec(t, dir, "views.jsonl", "sample: {fields: [user], view: none}"))
	require.EqualValues(t, 45, dead)
	require.Len(t, got, 15)
}

// TestSamplesInJSONOfAShape: lines of JSON have the columns in order, and a view that is text as an object.
func TestSamplesInJSONOfAShape(t *testing.T) {
	dir := shapeFiles(t)
	for shape, ending := range map[string]string{
		"sample: {fields: [price, {user_id: user.id}]}":             `"price":0.25,"user_id":7,"view":{"id":"v01","ts":%d,"user":{"id":7,"tier":"PAID","age":30,"either":"x"},"tier":"FREE","tags":[],"price":0.25}}`,
		"sample: {fields: [price, {user_id: user.id}], view: none}": `"price":0.25,"user_id":7}`,
		"sample: {view: none}":                                      `"spec_version":1}`,
	} {
		for _, views := range []string{"views.avro", "views.jsonl"} {
			s := shapeSpec(t, dir, views, shape)
			s.Outputs.Samples.Format, s.Outputs.Samples.Codec = spec.JSON, spec.NoCodec
			join(t, s, Options{})
			if strings.Contains(ending, "%d") {
				ending = fmt.Sprintf(ending, begin+1000)
			}
			found := false
			for _, line := range lines(t, s.Outputs.Samples.Path) {
				if strings.HasPrefix(line, `{"view_id":"v01",`) {
					found = true
					require.True(t, strings.HasSuffix(line, ending), line)
				}
			}
			require.True(t, found)
		}
	}
}

// TestShapeRefused: what the views' schema has no such columns of is told before anything is joined.
func TestShapeRefused(t *testing.T) {
	dir := shapeFiles(t)
	writeAvro(t, dir+"/odd.avro", recordSchema("View", `id "string"`, `ts "long"`, `weight "int"`, `body [{"type":"record","name":"A","fields":[{"name":"x","type":"int"}]},{"type":"record","name":"B","fields":[{"name":"x","type":"int"}]}]`), 500)
	writeAvro(t, dir+"/viewid.avro", recordSchema("View", `id "string"`, `ts "long"`, `view_id "string"`), 500)
	for _, c := range []struct{ views, shape, code, field, message string }{
		{"views.avro", "sample: {fields: [user.ide]}", "T2003", "sample.fields.0", `has no field "user.ide"`},
		{"views.csv", "sample: {fields: [price, prise]}", "T2003", "sample.fields.1", `has no field "prise"`},
		{"views.avro", "sample: {fields: [user.id], view: flat}", "T1410", "sample.view", "two columns of the samples would be called id"},
		{"odd.avro", "sample: {view: flat}", "T1410", "sample.view", "two columns of the samples would be called weight"},
		{"viewid.avro", "sample: {view: flat}", "T1410", "sample.view", "two columns of the samples would be called view_id"},
		{"views.avro", "sample: {fields: [price, {x: {field: tags, type: string}}]}", "T2004", "sample.fields.1", "type array"},
		{"views.avro", "sample: {fields: [{x: {field: tier, type: long}}]}", "T2004", "sample.fields.0", "tier is of type enum, and cannot be a long"},
		{"views.avro", "sample: {fields: [{x: {field: user.ide, type: long}}]}", "T2003", "sample.fields.0", `has no field "user.ide"`},
		{"odd.avro", "sample: {fields: [body.x]}", "T2004", "sample.fields.0", "body is a union of more than null and one record"},
	} {
		problems := refused(t, shapeSpec(t, dir, c.views, c.shape))
		require.Len(t, problems, 1, c.shape)
		require.Equal(t, c.code, problems[0].Code, c.shape)
		require.Equal(t, c.field, problems[0].Field, c.shape)
		require.Contains(t, problems[0].Error(), c.message, c.shape)
	}
}

// TestFlatViewsWithTheirID: a field view_id that is the whole id is in samples once; one that is a part of it is another column.
func TestFlatViewsWithTheirID(t *testing.T) {
	dir := t.TempDir()
	writeAvro(t, dir+"/views.avro", recordSchema("View", `ts "long"`, `view_id ["null","long"]`, `user {"type":"record","name":"U","fields":[{"name":"view_id","type":"string"}]}`), 500,
		fmt.Sprintf(`{"ts":%d,"view_id":7,"user":{"view_id":"u"}}`, begin), fmt.Sprintf(`{"ts":%d,"view_id":-1,"user":{"view_id":"w"}}`, begin+1))
	write(t, dir+"/likes.jsonl", fmt.Sprintf(`{"view":7,"user":"u","at":%d}`, begin+1))
	flat := func(id, view, shape string) *spec.Spec {
		return to(parse(t, dir, fmt.Sprintf(`
views: {inputs: views.avro, id: %s, time: {field: ts, unit: epoch-millis}}
engagements:
  like: {inputs: likes.jsonl, view: %s, time: {field: at, unit: epoch-millis}, window: 1m}
sample: {%s}
outputs: {samples: out/samples}
`, id, view, shape)), t.TempDir())
	}
	for _, id := range []string{"view_id", `'"view_id"'`} {
		for shape, raw := range map[string]any{"view: flat": nil, "view: flat, fields: [{raw_id: view_id}]": map[string]any{"long": int64(7)}} {
			s := flat(id, "view", shape)
			got, _, dead := shapedSamples(t, s)
			require.Zero(t, dead)
			require.Len(t, got, 2)
			require.Equal(t, 2, readback.Check(t, s.Outputs.Samples.Path))
			require.Equal(t, []any{true, int64(begin), map[string]any{"view_id": "u"}, raw}, []any{got["7"]["positive"], got["7"]["ts"], got["7"]["user"], got["7"]["raw_id"]})
			require.Equal(t, map[string]any{"view_id": "w"}, got["-1"]["user"])
		}
	}
	for id, view := range map[string]string{"[view_id, user.view_id]": "[view, user]", "user.view_id": "user"} {
		problems := refused(t, flat(id, view, "view: flat"))
		require.Len(t, problems, 1)
		require.Equal(t, "T1410", problems[0].Code)
		require.Contains(t, problems[0].Error(), "two columns of the samples would be called view_id")
	}
}

// TestCastsOfColumns: a column that is cast has one type, whatever the records have there, in Avro, JSON and CSV; what it cannot
// hold without loss is a dead letter.
func TestCastsOfColumns(t *testing.T) {
	dir := shapeFiles(t)
	const chosen = "fields: [{cost: {field: price, type: double}}, {at: {field: ts, type: string}}, {user_id: {field: user.id, type: long}}, {age: {field: user.age, type: double}}, {either: {field: user.either, type: string}}, {kept: price}, {tier: {field: user.tier, type: string}}], view: "
	for _, views := range []string{"views.avro", "{path: views.jsonl, schema: view.avsc}", "views.jsonl"} {
		for _, view := range []string{"none", "record"} {
			s := shapeSpec(t, dir, views, "sample: {"+chosen+view+"}")
			got, schema, dead := shapedSamples(t, s)
			require.Zero(t, dead)
			require.Len(t, got, 60)
			require.Equal(t, 60, readback.Check(t, s.Outputs.Samples.Path))
			require.Contains(t, schema, `{"name":"cost","type":["null","double"],"default":null},{"name":"at","type":["null","string"],"default":null},{"name":"user_id","type":["null","long"],"default":null},`)
			for i := range got {
				var n int
				_, err := fmt.Sscanf(i, "v%d", &n)
				require.NoError(t, err)
				require.Equal(t, map[string]any{"double": float64(n) / 4}, got[i]["cost"])
				require.Equal(t, map[string]any{"string": fmt.Sprint(begin + n*1000)}, got[i]["at"])
				require.Equal(t, []any{nil, map[string]any{"long": int64(7)}, map[string]any{"long": int64(-1)}, map[string]any{"long": int64(9007199254740993)}}[n%4], got[i]["user_id"])
				require.Equal(t, []any{nil, map[string]any{"double": 30.0}, nil, map[string]any{"double": -4.0}}[n%4], got[i]["age"])
				require.Equal(t, []any{nil, map[string]any{"string": "x"}, map[string]any{"string": "größe"}, map[string]any{"string": "5"}}[n%4], got[i]["either"])
				require.Equal(t, []any{nil, "PAID", "FREE", "FREE"}[n%4], inner(got[i]["tier"]))
				require.EqualValues(t, float64(n)/4, asFloat(inner(got[i]["kept"])))
				require.Equal(t, view == "record", got[i]["view"] != nil)
			}
		}
		// Of ids one is no double, and every fourth price alone is whole.
		letters := func(shape, reason string) {
			t.Helper()
			s := shapeSpec(t, dir, views, "sample: {"+shape+", view: none}")
			s.Outputs.DeadLetters = t.TempDir() + "/dead"
			got, _, dead := shapedSamples(t, s)
			require.EqualValues(t, 60-len(got), dead)
			all := lines(t, s.Outputs.DeadLetters)
			require.Len(t, all, int(dead))
			require.Contains(t, strings.Join(all, "\n"), reason)
			for _, one := range got {
				require.Contains(t, []any{nil, 7.0, -1.0, int64(5)}, inner(one["x"]))
			}
		}
		letters("fields: [{x: {field: user.id, type: double}}]", "field user.id: 9007199254740993 is no double")
		letters("fields: [{x: {field: user.either, type: long}}]", `field user.either: \"x\" is no long`)
	}

	got, _, dead := shapedSamples(t, shapeSpec(t, dir, "views.csv", "sample: {fields: [{cost: {field: price, type: double}}, {nothing: {field: none, type: long}}, {text: {field: none, type: string}}], view: none}"))
	require.Zero(t, dead)
	require.Equal(t, []any{map[string]any{"double": 0.25}, nil, map[string]any{"string": ""}}, []any{got["v01"]["cost"], got["v01"]["nothing"], got["v01"]["text"]})
}

func asFloat(v any) float64 {
	if n, ok := v.(int64); ok {
		return float64(n)
	}
	return v.(float64)
}

// TestColumnsOfElements: where each element of a list is a view, its fields and its position are columns like others.
func TestColumnsOfElements(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/views.jsonl", fmt.Sprintf(`{"request":"r","ts":%d,"items":[{"id":"a","price":1},{"id":"b","price":2.5}]}`, begin))
	write(t, dir+"/likes.jsonl", fmt.Sprintf(`{"request":"r","item":"b","at":%d}`, begin+1))
	got, _, dead := shapedSamples(t, to(parse(t, dir, `
views: {inputs: views.jsonl, each: items, id: [request, items.id], time: {field: ts, unit: epoch-millis}}
engagements:
  like: {inputs: likes.jsonl, view: [request, item], time: {field: at, unit: epoch-millis}, window: 1m}
sample: {fields: [items.price, {pos: $index}], view: none}
outputs: {samples: out/samples}
`), t.TempDir()))
	require.Zero(t, dead)
	require.Equal(t, []any{map[string]any{"long": int64(1)}, map[string]any{"long": int64(0)}, false}, []any{got["r|a"]["price"], got["r|a"]["pos"], got["r|a"]["positive"]})
	require.Equal(t, []any{map[string]any{"double": 2.5}, map[string]any{"long": int64(1)}, true}, []any{got["r|b"]["price"], got["r|b"]["pos"], got["r|b"]["positive"]})
}
