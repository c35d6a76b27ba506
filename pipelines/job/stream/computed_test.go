package stream

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/linkedin/goavro/v2"
	"github.com/stretchr/testify/require"

	"tributary/pipelines/job/batch"
	"tributary/pipelines/spec"
	"tributary/transforms/account"
)

// TestComputedFieldsEqualBatch: what is computed of records in topics is what is computed of the same ones in files.
func TestComputedFieldsEqualBatch(t *testing.T) {
	var lines [2]strings.Builder
	s := newSmallOf(t, 1, `
clusters: {main: {brokers: [%q]}}
views: {inputs: [{topic: views, format: json}], fields: {key: 'user + "/" + string(item)', near: position < 5}, where: near == true, id: key, time: {field: ts, unit: epoch-millis}}
engagements: {buy: {inputs: [{topic: buys, format: json}], fields: {key: 'user + "/" + string(item)', eur: double(cents) / 100.0}, view: key, time: {field: ts, unit: epoch-millis}, window: 1m, label: {sum: eur}}}
sample: {fields: [{k: {field: key, type: string}}], view: none}
bucket: 1m
shards: 2
stream: {name: small, idle_timeout: never, source_parallelism: 1}
outputs: {samples: {topic: samples}}
`)
	publish := func(to int, topic, line string) {
		lines[to].WriteString(line + "\n")
		s.publish(topic, []byte(line))
	}
	const from = int64(1_767_225_600_000)
	for i := range int64(40) {
		publish(0, "views", fmt.Sprintf(`{"user":"u%d","item":%d,"position":%d,"ts":%d}`, i%3, i, i%8, from+i*5000))
		publish(1, "buys", fmt.Sprintf(`{"user":"u%d","item":%d,"cents":%d,"ts":%d}`, i%3, i, i*7, from+i*5000+10))
	}
	publish(0, "views", fmt.Sprintf(`{"user":"u","item":1,"ts":%d}`, from))
	publish(1, "buys", fmt.Sprintf(`{"user":"u0","item":0,"cents":"dear","ts":%d}`, from+20))
	s.run()

	dir := t.TempDir()
	for i, name := range []string{"views", "buys"} {
		require.NoError(t, os.WriteFile(dir+"/"+name+".jsonl", []byte(lines[i].String()), 0o600))
	}
	files, err := spec.Parse(dir+"/spec.yaml", []byte(`
views: {inputs: [{path: views.jsonl, order: file}], fields: {key: 'user + "/" + string(item)', near: position < 5}, where: near == true, id: key, time: {field: ts, unit: epoch-millis}}
engagements: {buy: {inputs: [{path: buys.jsonl, order: file}], fields: {key: 'user + "/" + string(item)', eur: double(cents) / 100.0}, view: key, time: {field: ts, unit: epoch-millis}, window: 1m, label: {sum: eur}}}
sample: {fields: [{k: {field: key, type: string}}], view: none}
bucket: 1m
outputs: {samples: out/samples}
`))
	require.NoError(t, err)
	report, err := batch.Run(t.Context(), files, batch.Options{})
	require.NoError(t, err)
	require.EqualValues(t, 25, report.Accounts.Engagements["buy"].N[account.Matched])
	require.Equal(t, []int64{1, 1}, []int64{report.Accounts.Views.N[account.Dead], report.Accounts.Engagements["buy"].N[account.Dead]})
	want := samplesBelow(t, dir+"/out/samples")
	require.Len(t, want, 25)
	require.True(t, maps.Equal(want, consume(t, s.brokers, "samples")), "samples differ from the batch's")
	require.Len(t, consume(t, s.brokers, "samples.dead"), 2)
}

// TestComputedTimesAndColumns: times that are computed, of Avro and of JSON and of what Kafka has beside a value, move the stream as they move the
// batch, and columns that are computed of Avro have the types and values that follow. What is late, and without a time, is so in both.
func TestComputedTimesAndColumns(t *testing.T) {
	dir := t.TempDir()
	schema := `{"type":"record","name":"V","fields":[{"name":"id","type":"long"},{"name":"minute","type":["null","long"]},{"name":"ms","type":"int"},{"name":"price","type":["null","double"]}]}`
	require.NoError(t, os.WriteFile(dir+"/view.avsc", []byte(schema), 0o600))
	text := `
clusters: {main: {brokers: [%[1]q]}}
views:
  inputs: [{topic: views, format: avro, schema: ` + dir + `/view.avsc}]
  fields: {at: 'minute * 60000 + ms', dear: 'has(price) ? price > 20.0 : null', twice: 'has(price) ? price * 2.0 : null', name: '"v" + string(id)'}
  id: name
  time: {field: at, unit: epoch-millis}
engagements:
  like:
    inputs: [{topic: likes, format: json}]
    fields: {at: 'date + "T" + clock + "Z"', to: '"v" + string(view)'}
    view: to
    time: at
    window: 1m
out_of_orderness: 5s
bucket: 1m
shards: 2
stream: {name: small, idle_timeout: never, source_parallelism: 1}
sample: {fields: [dear, twice, name], view: none}
outputs: {samples: {topic: samples, format: json}}
`
	s := newSmallOf(t, 1, text)
	codec, err := goavro.NewCodec(schema)
	require.NoError(t, err)
	want := map[string][4]any{} // liked, dear, twice, name
	view := func(id int64, at time.Time, price any, late bool) {
		one := map[string]any{"id": id, "minute": nil, "ms": int32(at.UnixMilli() % 60_000), "price": nil}
		if !at.IsZero() {
			one["minute"] = goavro.Union("long", at.UnixMilli()/60_000)
		}
		row := [4]any{false, nil, nil, fmt.Sprint("v", id)}
		if p, ok := price.(float64); ok {
			one["price"] = goavro.Union("double", p)
			row[1], row[2] = p > 20, p*2
		}
		value, err := codec.BinaryFromNative(nil, one)
		require.NoError(t, err)
		s.publish("views", value)
		if !at.IsZero() && !late {
			want[fmt.Sprint("v", id)] = row
		}
	}
	like := func(id int64, at time.Time, counts bool) {
		s.publish("likes", fmt.Appendf(nil, `{"view":%d,"date":%q,"clock":%q}`, id, at.Format("2006-01-02"), at.Format("15:04:05.000")))
		if counts {
			row := want[fmt.Sprint("v", id)]
			row[0] = true
			want[fmt.Sprint("v", id)] = row
		}
	}
	night := time.Date(2026, 1, 1, 23, 58, 0, 0, time.UTC)
	for i := range int64(60) {
		var price any
		if i%4 > 0 {
			price = float64(i)
		}
		at := night.Add(time.Duration(i) * 3777 * time.Millisecond)
		view(i, at, price, false)
		if i%10 == 5 {
			view(1000+i, at.Add(-4*time.Minute), price, true)
		}
		if i%3 == 0 {
			like(i, at.Add(time.Duration(i)*1900*time.Millisecond), i*1900 < 60_000)
		}
	}
	view(999, time.Time{}, nil, false) // minute is null
	s.publish("likes", []byte(`{"view":1,"date":"2026-01-02","clock":"noon"}`))
	s.run()

	ofStream := consume(t, s.brokers, "samples")
	ofBatch, report := joinFiles(t, dir, strings.Replace(fmt.Sprintf(text, s.brokers[0]), "samples: {topic: samples,", "samples: {path: out/samples,", 1))
	require.Equal(t, ofBatch, ofStream)
	got := map[string][4]any{}
	for one := range ofStream {
		var row struct {
			ID       string `json:"view_id"`
			Positive bool
			Dear     any
			Twice    any
			Name     any
		}
		require.NoError(t, json.Unmarshal([]byte(one), &row), one)
		got[row.ID] = [4]any{row.Positive, row.Dear, row.Twice, row.Name}
	}
	require.Equal(t, want, got)
	require.EqualValues(t, 6, report.Accounts.Views.N[account.Late])
	dead := s.rejected("samples.dead")
	require.Len(t, dead, 2)
	require.Equal(t, []int64{1, 1}, []int64{report.Accounts.Views.N[account.Dead], report.Accounts.Engagements["like"].N[account.Dead]})
	all := fmt.Sprint(dead)
	require.Contains(t, all, "views.fields.at, line 1, column 8: does not go with these types, where minute is null")
	require.Contains(t, all, `field at: time "2026-01-02TnoonZ"`)
}
