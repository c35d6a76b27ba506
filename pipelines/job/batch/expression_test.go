package batch

import (
	"encoding/json"
	"fmt"
	"math/rand"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/pipelines/job"
	"tributary/pipelines/spec"
	"tributary/transforms/account"
)

// logEvent is a line of a log that holds views and buys.
type logEvent struct {
	event, id string
	at        int64
	price     any // a number, or nil
	position  int
	country   string
}

// logEvents makes views and buys of them, in no order.
func logEvents() (all []logEvent) {
	random := rand.New(rand.NewSource(1))
	for i := range 400 {
		v := logEvent{event: "view", id: fmt.Sprint("v", i), at: begin + int64(i)*1000, price: 0.5, position: random.Intn(20), country: []string{"de", "at", "fr", ""}[random.Intn(4)]}
		all = append(all, v)
		for range random.Intn(4) {
			b := v
			b.event, b.at = []string{"buy", "order", "return"}[random.Intn(3)], v.at+int64(random.Intn(70_000))
			switch random.Intn(8) {
			case 0:
				b.price = nil
			default:
				b.price = float64(random.Intn(40)) / 4
			}
			all = append(all, b)
		}
	}
	random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

// TestExpressions joins one log by expressions, as every format has it, and holds the samples and accounts against the same conditions
// in Go. A price that is missing is a dead letter where the expression needs it.
func TestExpressions(t *testing.T) {
	events := logEvents()
	isView := func(e *logEvent) bool {
		return e.event == "view" && e.position < 15 && strings.Contains("de at", e.country) && e.country != ""
	}
	isBuy := func(e *logEvent) (ok, dead bool) {
		if e.event != "buy" && e.event != "order" {
			return false, false
		}
		if e.price == nil {
			return e.position < 3, e.position >= 3 // what is on one side of || decides where the other fails
		}
		return e.price.(float64) > 4 || e.position < 3, false
	}
	want := map[string]float64{}
	var filteredViews, filteredBuys, deadBuys int64
	for i := range events {
		e := &events[i]
		if isView(e) {
			want[e.id] = 0
		} else {
			filteredViews++
		}
		switch ok, dead := isBuy(e); {
		case dead:
			deadBuys++
		case !ok:
			filteredBuys++
		}
	}
	for i := range events {
		e := &events[i]
		if _, viewed := want[e.id]; !viewed || e.event == "view" {
			continue
		}
		var n int64
		_, err := fmt.Sscanf(e.id, "v%d", &n)
		require.NoError(t, err)
		if ok, _ := isBuy(e); ok && e.at < begin+n*1000+60_000 {
			want[e.id]++
		}
	}
	require.Positive(t, deadBuys)

	schema := recordSchema("Event", `event "string"`, `id "string"`, `ts {"type":"long","logicalType":"timestamp-millis"}`, `price ["null","double"]`, `ctx {"type":"record","name":"Ctx","fields":[{"name":"position","type":"int"},{"name":"country","type":"string"}]}`)
	for _, ending := range []string{"jsonl", "csv", "avro"} {
		dir := t.TempDir()
		var texts []string
		var rows [][]string
		for _, e := range events {
			price := "null"
			cell := ""
			if e.price != nil {
				price = fmt.Sprint(e.price)
				cell = price
			}
			country, err := json.Marshal(e.country)
			require.NoError(t, err)
			texts = append(texts, fmt.Sprintf(`{"event":%q,"id":%q,"ts":%d,"price":%s,"ctx":{"position":%d,"country":%s}}`, e.event, e.id, e.at, price, e.position, country))
			rows = append(rows, []string{e.event, e.id, fmt.Sprint(e.at), cell, fmt.Sprint(e.position), e.country})
		}
		price, position, country := "price", "ctx.position", "ctx.country"
		switch ending {
		case "avro":
			writeAvro(t, dir+"/log.avro", schema, 2000, texts...)
		case "jsonl":
			write(t, dir+"/log.jsonl", strings.Join(texts, "\n"))
		case "csv":
			price, position, country = "double(price)", "int(ctx.position)", "ctx.country"
			write(t, dir+"/log.csv", csvRows([]string{"event", "id", "ts", "price", "ctx.position", "ctx.country"}, rows))
		}
		text := fmt.Sprintf(`
views:
  inputs: log.%[1]s
  where: event == "view" && %[3]s < 15 && "de at".contains(%[4]s) && has(%[4]s)
  id: id
  time: {field: ts, unit: epoch-millis}
engagements:
  buy:
    inputs: log.%[1]s
    where: |
      event in ["buy", "order"] &&
      (%[2]s > 4.0 || %[3]s < 3)
    view: id
    time: {field: ts, unit: epoch-millis}
    window: 1m
    label: count
outputs: {samples: out/samples}
`, ending, price, position, country)
		s := to(parse(t, dir, text), t.TempDir())
		r := join(t, s, Options{})
		samples := samplesBelow(t, s.Outputs.Samples.Path)
		got := map[string]float64{}
		for _, sample := range samples {
			got[sample.ViewID] = sample.Labels["buy"]
		}
		require.Len(t, samples, len(want))
		require.Equal(t, want, got, ending)
		views, buys := r.Accounts.Views, r.Accounts.Engagements["buy"]
		require.EqualValues(t, []int64{filteredViews, 0}, []int64{views.N[account.Filtered], views.N[account.Dead]}, ending)
		require.EqualValues(t, []int64{filteredBuys, deadBuys}, []int64{buys.N[account.Filtered], buys.N[account.Dead]}, ending)
		var reasons []string
		for _, reason := range buys.Reasons {
			reasons = append(reasons, reason.Example)
		}
		needed := map[string]string{"jsonl": "line 2, column 8: does not go with these types, where price is null", "avro": "line 2, column 8: does not go with these types, where price is null"}
		require.Contains(t, strings.Join(reasons, "\n"), "engagements.buy.where, "+needed[ending], ending)
	}
}

// TestSimpleExpressionsAreMappings: both give the same parameters, and so the same fingerprint.
func TestSimpleExpressionsAreMappings(t *testing.T) {
	const text = `
views: {inputs: log.jsonl, where: WHERE, id: id, time: ts}
engagements: {buy: {inputs: buys.jsonl, view: id, time: ts, window: 1m}}
outputs: {samples: out/samples}
`
	dir := t.TempDir()
	mapping := parse(t, dir, strings.Replace(text, "WHERE", `{event: view, ctx.n: 2, ad: true}`, 1))
	simple := parse(t, dir, strings.Replace(text, "WHERE", `'event == "view" && ctx.n == 2 && ad == true'`, 1))
	other := parse(t, dir, strings.Replace(text, "WHERE", `'event == "view" && ctx.n == 2 && ad != false'`, 1))
	a, b, c := paramsJSON(t, mapping), paramsJSON(t, simple), paramsJSON(t, other)
	require.Equal(t, a, b)
	require.NotContains(t, a, "Expression")
	require.Contains(t, c, `"Expression":"event == \"view\" \u0026\u0026`)
}

func paramsJSON(t *testing.T, s *spec.Spec) string {
	t.Helper()
	p, _ := job.Of(s)
	text, err := json.Marshal(p)
	require.NoError(t, err)
	return string(text)
}

// TestExpressionsAreHeldAgainstSchemas: a wrong field or type is found before anything is joined, at its place in the expression.
func TestExpressionsAreHeldAgainstSchemas(t *testing.T) {
	dir := t.TempDir()
	writeAvro(t, dir+"/views.avro", recordSchema("View", `id "string"`, `ts {"type":"long","logicalType":"timestamp-millis"}`, `n ["null","long"]`, `tags {"type":"array","items":"string"}`), 2000, `{"id":"a","ts":1,"n":3,"tags":[]}`)
	write(t, dir+"/buys.csv", "id,ts,price\na,2026-01-01T10:00:00Z,3\n")
	s := parse(t, dir, `
views: {inputs: views.avro, where: 'n > "3" && m == 2 && size(tags) > 0', id: id, time: ts}
engagements:
  buy:
    inputs: buys.csv
    fields: {eur: price * 2.0, other: prise}
    where: |
      price == 3 &&
      price > 3.0
    view: id
    time: ts
    window: 1m
outputs: {samples: out/samples}
`)
	var got []string
	for _, p := range refused(t, s) {
		got = append(got, fmt.Sprintf("%d:%d %s %s", p.Line, p.Column, p.Code, strings.ReplaceAll(p.Message, dir+"/", "")))
	}
	require.Equal(t, []string{
		`2:39 T1117 views.avro: does not go with these types: '>' applied to '(optional int, string)' (line 1, column 3 of the expression)`,
		`2:48 T2003 views.avro has no field "m"`,
		`2:63 T2004 views.avro: field "tags" is of type array, which is not a single value`,
		`6:25 T1117 buys.csv: does not go with these types: '*' applied to '(string, double)' (line 1, column 7 of the expression)`,
		`6:39 T2003 buys.csv has no field "prise"`,
		`9:13 T1117 buys.csv: does not go with these types: '>' applied to '(string, double)' (line 2, column 7 of the expression)`,
	}, got)
}
