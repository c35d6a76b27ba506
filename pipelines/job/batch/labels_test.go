package batch

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"

	"tributary/pipelines/reading/readback"
	"tributary/pipelines/spec"
	"tributary/transforms/account"
)

// severalSpec has several labels of a kind, of each type, and a kind with one.
const severalSpec = `
views: {inputs: [%[1]s], id: view_id, time: ts}
engagements:
  buy:
    inputs: [%[2]s]
    view: view_id
    time: ts
    id: order
    window: 1h
    count: %[3]s
    labels:
      bought: binary
      buys: count
      value: {sum: price}
      dearest: {max: price}
      first_price: {first: {field: price, type: double}}
      coupon: {last: {field: code, type: string}}
      pieces: {last: {field: pieces, type: long}}
      gift: {first: {field: gift, type: boolean}}
  like: {inputs: [likes.jsonl], view: view_id, time: ts, window: 1h, label: {last: {field: mood, type: string}}}
outputs: {samples: %[4]s}
%[5]s
`

const severalViewSchema = `{"type": "record", "name": "v", "fields": [{"name": "view_id", "type": "string"}, {"name": "ts", "type": "string"}, {"name": "item", "type": "long"}]}`

// severalFiles are views, each with up to three purchases in any order, and likes of some.
func severalFiles(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	var views, buys, likes strings.Builder
	start := time.Date(2026, 1, 1, 10, 0, 0, 0, time.UTC)
	texts := []string{`plain`, `\u0000`, `a, \"b\"`, `\ud83d\ude00 ✓`, `\\n`, `{\"json\": 1}`}
	for i := range 200 {
		at := start.Add(time.Duration(i) * 7 * time.Second)
		fmt.Fprintf(&views, `{"view_id":"v%d","ts":%q,"item":%d}`+"\n", i, at.Format(time.RFC3339), i)
		for n := range i % 4 {
			fmt.Fprintf(&buys, `{"view_id":"v%d","ts":%q,"order":"o%d-%d","price":%d.25`, i, at.Add(time.Duration((n*37+i)%50)*time.Second).Format(time.RFC3339), i, n, (i*n)%11)
			if (i+n)%3 > 0 {
				fmt.Fprintf(&buys, `,"code":"%s %d","pieces":"%d","gift":%t`, texts[i%len(texts)], n, n, n == 1)
			}
			buys.WriteString("}\n")
		}
		if i%5 == 0 {
			fmt.Fprintf(&likes, `{"view_id":"v%d","ts":%q,"mood":%d}`+"\n", i, at.Add(time.Second).Format(time.RFC3339), i)
		}
	}
	write(t, dir+"/views.jsonl", views.String())
	write(t, dir+"/buys.jsonl", buys.String())
	write(t, dir+"/likes.jsonl", likes.String())
	write(t, dir+"/v.avsc", severalViewSchema)
	return dir
}

// severalByPandas computes the labels of the samples in JSON from the files, by pandas, and prints how many are equal.
const severalByPandas = `
import glob, json, sys, pandas as pd
dir, out, counts = sys.argv[1:]
def rows(name):
    return [json.loads(line) for line in open(dir + "/" + name, encoding="utf-8", errors="replace")]
views, buys, likes = (pd.DataFrame(rows(n)) for n in ("views.jsonl", "buys.jsonl", "likes.jsonl"))
def counted(engagements, window):
    e = engagements.merge(views[["view_id", "ts"]], on="view_id", suffixes=("", "_view"))
    e["at"], e["from"] = pd.to_datetime(e.ts), pd.to_datetime(e.ts_view)
    e = e[(e["at"] >= e["from"]) & (e["at"] < e["from"] + pd.Timedelta(window))]
    return e.reset_index().sort_values(["at", "index"], kind="stable")
buys, likes = counted(buys, "1h"), counted(likes, "1h")
if counts != "all":
    buys = buys.groupby("view_id", as_index=False).nth(0 if counts == "first" else -1)
def known(v): return None if v is None or v != v else v
n = 0
for file in sorted(glob.glob(out + "/**/*.jsonl", recursive=True)):
    for line in open(file, encoding="utf-8"):
        s = json.loads(line)
        b, l = buys[buys.view_id == s["view_id"]], likes[likes.view_id == s["view_id"]]
        first = lambda name: known(b[name].iloc[0]) if len(b) else None
        last = lambda name: known(b[name].iloc[-1]) if len(b) else None
        pieces, like = last("pieces"), known(l.mood.iloc[-1]) if len(l) else None
        want = {
            "bought": min(len(b), 1), "buys": len(b), "value": b.price.sum() if len(b) else 0, "dearest": b.price.max() if len(b) else None,
            "first_price": first("price"), "coupon": last("code"), "pieces": None if pieces is None else int(pieces), "gift": first("gift"),
            "like": None if like is None else str(like),
        }
        assert s["labels"] == want, (s["view_id"], s["labels"], want)
        delay = None if not len(b) else int((b["at"].iloc[0] - b["from"].iloc[0]).total_seconds() * 1000)
        assert s["delay_ms"]["buy"] == delay, (s, delay)
        assert s["positive"] == (len(b) + len(l) > 0)
        n += 1
print(n)
`

// TestSeveralLabels: labels of one kind are what pandas makes of the records, whichever engagements count and however the join is cut.
func TestSeveralLabels(t *testing.T) {
	dir := severalFiles(t)
	for _, counts := range []string{"all", "first", "last"} {
		var bytes []string
		for _, interval := range []time.Duration{0, 10 * time.Minute} {
			out := t.TempDir()
			s := parse(t, dir, fmt.Sprintf(severalSpec, "views.jsonl", "buys.jsonl", counts, "{path: out/samples, format: json}", ""))
			r := join(t, to(s, out), Options{Interval: interval})
			require.Zero(t, r.Accounts.Engagements["buy"].N[account.Dead])
			if interval == 0 {
				require.Equal(t, "200\n", readback.Python(t, severalByPandas, nil, dir, out+"/samples", counts))
			}
			bytes = append(bytes, strings.Join(lines(t, out+"/samples"), "\n"))
		}
		require.Equal(t, bytes[0], bytes[1])
	}
}

// TestSeveralLabelsOfParquet: of engagements in Parquet, by pyarrow, the labels are those of JSON lines, byte for byte.
func TestSeveralLabelsOfParquet(t *testing.T) {
	dir := severalFiles(t)
	readback.Python(t, `
import json, sys, pyarrow as pa, pyarrow.parquet as pq
pq.write_table(pa.Table.from_pylist([json.loads(line) for line in open(sys.argv[1] + "/buys.jsonl", encoding="utf-8")]), sys.argv[1] + "/buys.parquet")
`, nil, dir)
	var samples [2]map[string]string
	for i, buys := range []string{"buys.jsonl", "buys.parquet"} {
		samples[i] = joinedSamples(t, to(parse(t, dir, fmt.Sprintf(severalSpec, "views.jsonl", buys, "all", "out/samples", "")), t.TempDir()))
	}
	require.Equal(t, samples[0], samples[1])
}

// TestValuesAsParquet: a value of whatever type is no column of Parquet, and what to do is said.
func TestValuesAsParquet(t *testing.T) {
	dir := severalFiles(t)
	text := strings.NewReplacer("{field: code, type: string}", "code", "{field: mood, type: string}", "mood").Replace(severalSpec)
	s := parse(t, dir, fmt.Sprintf(text, "views.jsonl", "buys.jsonl", "all", "{path: out/samples, format: parquet}", ""))
	_, err := Run(t.Context(), s, Options{})
	for _, want := range []string{"or labels with a type", "labels.coupon: Parquet has no column for a union of null, boolean, long, double, string", "labels.like: Parquet has no column"} {
		require.ErrorContains(t, err, want)
	}
	require.NotContains(t, err.Error(), "first_price")
}

// TestSeveralLabelsInEveryFormat: fastavro reads the labels typed, and others read the same in Parquet, CSV and TFRecord; with columns
// of the view, and at every stage.
func TestSeveralLabelsInEveryFormat(t *testing.T) {
	dir := severalFiles(t)
	for name, more := range map[string]string{
		"whole views": "", "columns": "sample: {fields: [{bought_item: item}], view: none}", "flat at stages": "sample: {view: flat}\nstages: [10s, {after: 1m, emit: positives}]",
	} {
		t.Run(name, func(t *testing.T) {
			written := func(format string) *spec.Spec {
				s := to(parse(t, dir, fmt.Sprintf(severalSpec, "{path: views.jsonl, schema: v.avsc}", "buys.jsonl", "all", "{path: out/samples, format: "+format+"}", more)), t.TempDir())
				join(t, s, Options{})
				return s
			}
			asAvro := written("avro").Outputs.Samples.Path
			n := readback.Check(t, asAvro)
			require.GreaterOrEqual(t, n, 200)
			require.Equal(t, n, readback.Check(t, written("json").Outputs.Samples.Path))
			require.Equal(t, fmt.Sprintf("%d samples are equal\n", n), readback.Python(t, sameRows, nil, asAvro, written("parquet").Outputs.Samples.Path))
			for _, format := range []string{"csv", "tfrecord"} {
				require.Equal(t, n, readback.CheckTables(t, asAvro, written(format).Outputs.Samples.Path), format)
			}
		})
	}
}

// TestStagesOfSeveralLabels: a stage's labels are what it knows, and a later one gives those views of which any label is another.
func TestStagesOfSeveralLabels(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/views.jsonl", `{"view_id":"a","ts":"2026-01-01T10:00:00Z"}`+"\n"+`{"view_id":"b","ts":"2026-01-01T10:00:00Z"}`+"\n")
	write(t, dir+"/buys.jsonl", `{"view_id":"a","ts":"2026-01-01T10:00:05Z","order":"1","price":2,"code":"x"}`+"\n"+
		`{"view_id":"b","ts":"2026-01-01T10:00:05Z","order":"2","price":2,"code":"x"}`+"\n"+`{"view_id":"b","ts":"2026-01-01T10:00:40Z","order":"3","price":0,"code":"y"}`+"\n")
	write(t, dir+"/likes.jsonl", "")
	s := parse(t, dir, fmt.Sprintf(severalSpec, "views.jsonl", "buys.jsonl", "all", "{path: out/samples, format: json}", "stages: [10s, {after: 1m, emit: changed}]"))
	r := join(t, s, Options{})
	got := map[string]string{}
	for _, line := range lines(t, s.Outputs.Samples.Path) {
		f := gjson.GetMany(line, "stage", "view_id", "labels.bought", "labels.value", "labels.coupon")
		got[f[0].String()+" "+f[1].String()] = f[2].Raw + " " + f[3].Raw + " " + f[4].Raw
	}
	require.Equal(t, map[string]string{"10s a": `1 2 "x"`, "10s b": `1 2 "x"`, "1m b": `1 2 "y"`}, got)
	require.Equal(t, map[string]int64{"buy": 1}, r.Accounts.Stages["1m"].Corrected)
}

// TestFieldsOfLabels: fields that labels cannot be made of are found before anything is read, each with its place.
func TestFieldsOfLabels(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/views.jsonl", "")
	write(t, dir+"/likes.jsonl", "")
	writeAvro(t, dir+"/buys.avro", `{"type": "record", "name": "b", "fields": [
		{"name": "view_id", "type": "string"}, {"name": "ts", "type": "string"}, {"name": "order", "type": "string"}, {"name": "price", "type": {"type": "enum", "name": "e", "symbols": ["A"]}},
		{"name": "code", "type": {"type": "array", "items": "string"}}, {"name": "pieces", "type": "bytes"}, {"name": "gift", "type": "boolean"}]}`, 2000)
	s := parse(t, dir, fmt.Sprintf(severalSpec, "views.jsonl", "buys.avro", "all", "out", ""))
	_, err := Run(t.Context(), s, Options{})
	require.Error(t, err)
	text := strings.ReplaceAll(err.Error(), dir+"/", "")
	for _, want := range []string{
		"T2004 engagements.buy.labels.value.sum: buys.avro: price is of type enum, and cannot be a number",
		"T2004 engagements.buy.labels.first_price.first: buys.avro: price is of type enum, and cannot be a double",
		`T2004 engagements.buy.labels.coupon.last: buys.avro: field "code" is of type array`,
		"T2004 engagements.buy.labels.pieces.last: buys.avro: pieces is of type bytes, and cannot be a long",
	} {
		require.Contains(t, text, want)
	}
	require.NotContains(t, text, "gift")
}
