package batch

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/pipelines/spec"
	"tributary/transforms/sample"
)

// computedView and computedBuy are records without an id, a time or an amount in one field: each is computed.
type computedView struct {
	user, item  string
	day, second int64
	price       *float64
	shown       bool
}

func (v *computedView) key() string { return v.user + "/" + v.item }
func (v *computedView) at() int64   { return v.day*86_400 + v.second }

type computedBuy struct {
	computedView // of its view

	order, line, day, second, cents int64
}

func (b *computedBuy) at() int64 { return b.day*86_400 + b.second }

// computedRecords are views around midnight, and buys of some, of which some come twice and some are outside of the window.
func computedRecords() (views []computedView, buys []computedBuy) {
	random := rand.New(rand.NewPCG(3, 4))
	at := int64(20_454)*86_400 - 300
	for i := range int64(300) {
		at += 1 + random.Int64N(4)
		v := computedView{user: fmt.Sprint("u", random.IntN(9)), item: fmt.Sprint("i", i), day: at / 86_400, second: at % 86_400, shown: random.IntN(5) > 0}
		if random.IntN(3) > 0 {
			price := float64(random.IntN(4000))/4 + 0.25
			v.price = &price
		}
		views = append(views, v)
		for line := range int64(random.IntN(3)) {
			later := at + random.Int64N(100)
			b := computedBuy{v, i, line, later / 86_400, later % 86_400, random.Int64N(10_000)}
			buys = append(buys, b)
			if random.IntN(4) == 0 {
				buys = append(buys, b)
			}
		}
	}
	return views, buys
}

// wantComputed is what samples are to say of the views, by brute force.
func wantComputed(views []computedView, buys []computedBuy) map[string]map[string]any {
	want := map[string]map[string]any{}
	for i := range views {
		v := &views[i]
		if !v.shown {
			continue
		}
		var eur any
		known := map[string]bool{}
		for k := range buys {
			b := &buys[k]
			id := fmt.Sprint(b.order, "-", b.line)
			if b.key() != v.key() || b.at() < v.at() || b.at() >= v.at()+60 || known[id] {
				continue
			}
			known[id] = true
			before, _ := eur.(float64)
			eur = before + float64(b.cents)/100
		}
		row := map[string]any{"eur": eur, "view_time": v.at() * 1000, "half": v.second / 2, "label": v.user + "!", "early": v.second < 43_200, "dear": nil, "more": nil, "text": "none"}
		if v.price != nil {
			row["dear"], row["more"], row["text"] = *v.price > 500, *v.price*1.5, "some"
		}
		want[v.key()] = row
	}
	return want
}

const computedSpec = `
views:
  inputs: views.%[1]s
  fields:
    key: 'user + "/" + item'
    at: '%[2]s(day) * 86400 + %[2]s(second)'
    half: '%[2]s(second) / 2'
    label: 'user + "!"'
    early: '%[2]s(second) < 43200'
    dear: 'has(price) ? %[3]s(price) > 500.0 : null'
    more: 'has(price) ? %[3]s(price) * 1.5 : null'
    text: 'has(price) ? "some" : "none"'
    seen: shown
  where: {seen: true}
  id: key
  time: {field: at, unit: epoch-seconds}
engagements:
  buy:
    inputs: buys.%[1]s
    fields:
      key: 'user + "/" + item'
      line: '%[4]s(order) + "-" + %[4]s(no)'
      second: '%[2]s(day) * 86400 + %[2]s(second)'
      seen: '%[2]s(viewday) * 86400 + %[2]s(viewsecond)'
      cents: double(cents) / 100.0
    view: key
    id: line
    time: {field: second, unit: epoch-seconds}
    view_time: {field: seen, unit: epoch-seconds}
    window: 1m
    label: {sum: cents}
clock_skew: 1ms
sample: {fields: [half, label, early, dear, more, text], view: none}
outputs: {samples: out/samples}
`

// TestEveryUseOfComputedFields: an id, a time, the time of the view, an engagement's own id, a label's value, a condition and columns of each type
// are computed, of every format, as they are by brute force; a field may have the name of what it is computed of.
func TestEveryUseOfComputedFields(t *testing.T) {
	views, buys := computedRecords()
	want := wantComputed(views, buys)
	require.Greater(t, len(want), 200)
	price := func(v *computedView, none string) string {
		if v.price == nil {
			return none
		}
		return fmt.Sprintf("%.2f", *v.price)
	}
	var lines [2][]string
	tables := [2]string{"user,item,day,second,price,shown\n", "user,item,viewday,viewsecond,order,no,day,second,cents\n"}
	for i := range views {
		v := &views[i]
		lines[0] = append(lines[0], fmt.Sprintf(`{"user":%q,"item":%q,"day":%d,"second":%d,"price":%s,"shown":%t}`, v.user, v.item, v.day, v.second, price(v, "null"), v.shown))
		tables[0] += fmt.Sprintf("%s,%s,%d,%d,%s,%t\n", v.user, v.item, v.day, v.second, price(v, ""), v.shown)
	}
	for i := range buys {
		b := &buys[i]
		lines[1] = append(lines[1], fmt.Sprintf(`{"user":%q,"item":%q,"viewday":%d,"viewsecond":%d,"order":%d,"no":%d,"day":%d,"second":%d,"cents":%d}`,
			b.user, b.item, b.computedView.day, b.computedView.second, b.order, b.line, b.day, b.second, b.cents))
		tables[1] += fmt.Sprintf("%s,%s,%d,%d,%d,%d,%d,%d,%d\n", b.user, b.item, b.computedView.day, b.computedView.second, b.order, b.line, b.day, b.second, b.cents)
	}
	files := func(t *testing.T) (dir string) {
		dir = t.TempDir()
		for i, name := range []string{"views", "buys"} {
			schema := recordSchema("view", `user "string"`, `item "string"`, `day "int"`, `second "long"`, `price ["null","double"]`, `shown "boolean"`)
			if i == 1 {
				schema = recordSchema("buy", `user "string"`, `item "string"`, `viewday "int"`, `viewsecond "long"`, `order "long"`, `no "int"`, `day "int"`, `second "long"`, `cents "long"`)
			}
			write(t, dir+"/"+name+".jsonl", strings.Join(lines[i], "\n")+"\n")
			write(t, dir+"/"+name+".csv", tables[i])
			writeAvro(t, dir+"/"+name+".avro", schema, 1000, lines[i]...)
			parquetOf(t, dir+"/"+name+".avro")
		}
		return dir
	}
	requireWant := func(t *testing.T, s *spec.Spec) {
		samples, schema, dead := shapedSamples(t, s)
		require.Zero(t, dead)
		got := map[string]map[string]any{}
		for id, one := range samples {
			row := map[string]any{"view_time": one["view_time"].(time.Time).UnixMilli(), "eur": inner(one["labels"].(map[string]any)["buy"])}
			for _, column := range []string{"half", "label", "early", "dear", "more", "text"} {
				row[column] = inner(one[column])
			}
			got[id] = row
		}
		require.Len(t, got, len(want))
		for id, row := range want {
			if row["eur"] == nil {
				row["eur"] = 0.0
			}
			if got[id]["eur"] == nil {
				got[id]["eur"] = 0.0
			}
			require.InDelta(t, row["eur"], got[id]["eur"], 1e-9, id)
			row, have := mapWithout(row, "eur"), mapWithout(got[id], "eur")
			require.Equal(t, row, have, id)
		}
		if in := s.Views.Inputs[0]; in.Schema != "" || in.Format != spec.JSON && in.Format != spec.CSV {
			for column, typ := range map[string]sample.Cast{"half": "long", "label": "string", "early": "boolean", "dear": "boolean", "more": "double", "text": "string"} {
				require.Contains(t, schema, fmt.Sprintf(`{"name":%q,"type":["null",%q],"default":null}`, column, typ))
			}
		}
	}
	for format, casts := range map[string][3]string{"jsonl": {"", "", "string"}, "avro": {"", "", "string"}, "parquet": {"", "", "string"}, "csv": {"int", "double", ""}} {
		t.Run(format, func(t *testing.T) {
			dir := files(t)
			requireWant(t, parse(t, dir, fmt.Sprintf(computedSpec, format, casts[0], casts[1], casts[2])))
		})
	}
	t.Run("JSON with a schema", func(t *testing.T) {
		dir := files(t)
		require.NoError(t, os.WriteFile(dir+"/view.avsc", []byte(recordSchema("view", `user "string"`, `item "string"`, `day "int"`, `second "long"`, `price ["null","double"]`, `shown "boolean"`)), 0o600))
		text := fmt.Sprintf(computedSpec, "jsonl", "", "", "string")
		requireWant(t, parse(t, dir, strings.Replace(text, "inputs: views.jsonl", "inputs: [{path: views.jsonl, schema: view.avsc}]", 1)))
	})
	for _, format := range []string{"jsonl", "avro", "parquet"} {
		t.Run("elements of lists in "+format, func(t *testing.T) {
			dir := files(t)
			var listed []string
			for i, v := range lines[0] { // the time is the record's
				listed = append(listed, fmt.Sprintf(`{"day":%d,"second":%d,"list":[%s]}`, views[i].day, views[i].second, v))
			}
			write(t, dir+"/views.jsonl", strings.Join(listed, "\n"))
			list := recordSchema("view", `user "string"`, `item "string"`, `day "int"`, `second "long"`, `price ["null","double"]`, `shown "boolean"`)
			writeAvro(t, dir+"/views.avro", recordSchema("views", `day "int"`, `second "long"`, `list {"type":"array","items":`+list+`}`), 1000, listed...)
			parquetOf(t, dir+"/views.avro")
			text, rest, _ := strings.Cut(fmt.Sprintf(computedSpec, format, "", "", "string"), "engagements:")
			text = strings.NewReplacer("user", "list.user", "item'", "list.item'", "price", "list.price", ": shown", ": list.shown", "  fields:", "  each: list\n  fields:").Replace(text)
			requireWant(t, parse(t, dir, text+"engagements:"+rest))
		})
	}
}

func mapWithout(m map[string]any, key string) map[string]any {
	out := map[string]any{}
	for k, v := range m {
		if k != key {
			out[k] = v
		}
	}
	return out
}

// TestComputedTypesAreChecked: what an expression gives is held against its use, by the schema where there is one, and a column of a type
// that does not follow is refused, and told how to be mended.
func TestComputedTypesAreChecked(t *testing.T) {
	dir := t.TempDir()
	writeAvro(t, dir+"/views.avro", recordSchema("view", `id "string"`, `ts "long"`, `big "boolean"`, `either ["string","long"]`,
		`micros {"type":"long","logicalType":"timestamp-micros"}`, `millis {"type":"long","logicalType":"timestamp-millis"}`), 100,
		`{"id":"a","ts":1767225600000,"big":true,"either":"x","micros":1767225600000000,"millis":1767225600000}`)
	write(t, dir+"/views.jsonl", `{"id":"a","ts":1767225600000,"big":true}`+"\n")
	write(t, dir+"/likes.jsonl", `{"view":"a","ts":1767225600001}`+"\n")
	const text = `
views: {inputs: views.%s, fields: {%s}, id: %s, time: %s}
engagements: {like: {inputs: likes.jsonl, fields: {%s}, view: view, time: {field: ts, unit: epoch-millis}, window: 1m, label: {sum: price}}}
%s
outputs: {samples: out/samples}
`
	const unit, half, none = "{field: ts, unit: epoch-millis}", "price: ts / 2", "sample: {view: none}"
	for name, tt := range map[string]struct {
		args          []any
		code, at, say string
	}{
		"a time without a unit":         {[]any{"avro", "at: ts + 1", "id", "at", half, none}, "T1456", "views.time", "at is computed as a whole number, and nothing says which unit it is in"},
		"a time of JSON without a unit": {[]any{"jsonl", "at: int(ts) + 1", "id", "at", half, none}, "T1456", "views.time", "at is computed as a whole number"},
		"a time that is a boolean":      {[]any{"avro", "at: ts > 1", "id", "{field: at, unit: epoch-millis}", half, none}, "T1456", "views.time", "true or false, and cannot be a time"},
		"text by a unit of numbers":     {[]any{"jsonl", "at: ts > 1", "id", "{field: at, unit: epoch-millis}", half, none}, "T1456", "views.time", "true or false"},
		"another unit than its field":   {[]any{"avro", "at: micros", "id", "{field: at, unit: epoch-millis}", half, none}, "T1461", "views.time", "micros is of type timestamp-micros, and is read in another unit"},
		"of one of several fields":      {[]any{"avro", "at: 'big ? millis : (ts > 1 ? micros : null)'", "id", "{field: at, unit: epoch-millis}", half, none}, "T1461", "views.time", "micros is of type timestamp-micros, and at, which may be its value, is read in another unit"},
		"of the record itself":          {[]any{"avro", "x: ts", "id", "{field: micros, unit: epoch-nanos}", half, none}, "T1461", "views.time", "micros is of type timestamp-micros, and is read"},
		"seconds":                       {[]any{"avro", "at: millis", "id", "{field: at, unit: epoch-seconds}", half, none}, "T1461", "views.time", "millis is of type timestamp-millis"},
		"an id that is a boolean":       {[]any{"avro", "key: '!big'", "key", unit, half, none}, "T1456", "views.id", "key is computed as true or false, and cannot be an id"},
		"a column of two types":         {[]any{"avro", `x: 'big ? dyn(id) : dyn(ts)'`, "id", unit, half, "sample: {fields: [x], view: none}"}, "T1457", "sample.fields.0", "x is computed, and of which type does not follow"},
		"a column of a union":           {[]any{"avro", `x: either`, "id", unit, half, "sample: {fields: [id, x], view: none}"}, "T1457", "sample.fields.1", "of which type does not follow"},
	} {
		t.Run(name, func(t *testing.T) {
			list := refused(t, parse(t, dir, fmt.Sprintf(text, tt.args...)))
			require.Len(t, list, 1, "%v", list)
			require.Equal(t, tt.code, list[0].Code)
			require.Equal(t, tt.at, list[0].Field)
			require.Contains(t, list[0].Message, tt.say)
			require.NotEmpty(t, list[0].Hint)
		})
	}
	for _, fine := range [][]any{
		{"avro", `x: either`, "id", unit, half, "sample: {fields: [{x: {field: x, type: string}}], view: none}"},
		{"avro", `x: 'big ? dyn(id) : dyn(ts)'`, "id", unit, half, "sample: {fields: [{x: {field: x, type: string}}], view: none}"},
		{"avro", "at: 'string(timestamp(ts / 1000))'", "id", "at", half, none},
		{"avro", "at: micros", "id", "{field: at, unit: epoch-micros}", half, none},
		{"avro", "at: micros + 0", "id", "{field: at, unit: epoch-nanos}", half, none},
		{"avro", "x: ts", "id", "{field: micros, unit: timestamp-micros}", half, none},
		{"avro", "at: 'big ? micros / 1000 : millis'", "id", "{field: at, unit: epoch-millis}", half, none},
	} {
		join(t, to(parse(t, dir, fmt.Sprintf(text, fine...)), t.TempDir()), Options{})
	}
}

// TestTestsOfComputedTimes: a test of a spec has records as they are, and the times are computed of them.
func TestTestsOfComputedTimes(t *testing.T) {
	s, err := spec.Parse("spec.yaml", []byte(`
views: {inputs: views.jsonl, fields: {at: 'day + "T" + clock + "Z"', time: 'n'}, id: time, time: at}
engagements: {buy: {inputs: buys.jsonl, fields: {time: 'seconds * 1000', seen: 'string(shown) + ":00Z"'}, view: n, time: {field: time, unit: epoch-millis}, view_time: seen, window: 1m}}
outputs: {samples: out/samples}
tests:
  - name: within the window, and not
    views: [{n: 1, day: "2026-01-01", clock: "10:00:00"}, {n: 2, day: "2026-01-01", clock: "10:00:00"}]
    engagements: {buy: [{n: 1, seconds: 1767261659, shown: "2026-01-01T10:00"}, {n: 2, seconds: 1767261660, shown: "2026-01-01T10:00"}]}
    samples: [{view_id: "1", labels: {buy: 1}}, {view_id: "2", labels: {buy: 0}}]
`))
	require.NoError(t, err)
	results, err := Test(t.Context(), s)
	require.NoError(t, err)
	require.Len(t, results, 1)
	require.Empty(t, results[0].Differences)
	_, err = spec.Parse("spec.yaml", []byte(`
views: {inputs: views.jsonl, fields: {at: 'day + "T" + clock + "Z"'}, id: n, time: at}
engagements: {buy: {inputs: buys.jsonl, view: n, time: ts, window: 1m}}
outputs: {samples: out/samples}
tests:
  - name: no clock
    views: [{n: 1, day: "2026-01-01"}]
    samples: [{view_id: "1", positive: false}]
`))
	require.ErrorContains(t, err, "T1503")
	require.ErrorContains(t, err, "clock is null")
}
