package show

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/linkedin/goavro/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"
	"pgregory.net/rapid"

	"tributary/io/iotest"
	_ "tributary/io/iotest/ltsv" // registers ltsv, which only tests have
	"tributary/pipelines/report"
	"tributary/transforms/account"
)

func TestMain(m *testing.M) {
	text.OverrideRuneWidthEastAsianWidth(false)
	os.Exit(m.Run())
}

// The samples of the tests: v1 was liked twice and clicked, v2 clicked, v3 nothing.
var lines = []string{
	`{"view_id":"v1","view_time":1767261600000,"positive":true,"labels":{"click":1,"like":2},"delay_ms":{"click":1500,"like":300000},"maturity_ms":1800000,"sampling_rate":0.1,"weight":1,"spec_version":1,"view":{"view_id":"v1","item":7,"text":"naïve\u001b[2J","nested":{"a":[1,2]}}}`,
	`{"view_id":"v2","view_time":1767265200123,"positive":true,"labels":{"click":1,"like":0},"delay_ms":{"click":20,"like":null},"maturity_ms":1800000,"sampling_rate":0.1,"weight":1,"spec_version":1,"view":{"view_id":"v2","item":8}}`,
	`{"view_id":"v3","view_time":1767268800000,"positive":false,"labels":{"click":0,"like":0},"delay_ms":{"click":null,"like":null},"maturity_ms":1800000,"sampling_rate":0.1,"weight":10,"spec_version":1,"view":{"view_id":"v3","item":9}}`,
}

func write(t *testing.T, dir, name, content string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
	return path
}

func samplesFile(t *testing.T) string {
	return write(t, t.TempDir(), "part-20260101T100000Z-20260101T130000Z.jsonl", strings.Join(lines, "\n")+"\n")
}

// run shows path and returns what it says.
func run(t *testing.T, path string, opt Options) (out, warn string) {
	t.Helper()
	var o, w bytes.Buffer
	require.NoError(t, Run(t.Context(), path, opt, &o, &w))
	return o.String(), w.String()
}

func TestSamplesTable(t *testing.T) {
	out, warn := run(t, samplesFile(t), Options{Width: 140})
	assert.Empty(t, warn)
	assert.Equal(t, strings.TrimPrefix(`
view_id  view_time                 positive  click  delay  like  delay  weight  view_id  item  text          nested
────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
v1       2026-01-01T10:00:00Z      yes           1   1.5s     2     5m       1  v1          7  naïve\x1b[2J  {"a":[1,2]}
v2       2026-01-01T11:00:00.123Z  yes           1   20ms     0      –       1  v2          8  –             –
v3       2026-01-01T12:00:00Z      no            0      –     0      –      10  v3          9  –             –
`, "\n"), out)
}

// Samples of stages show theirs, in whatever order they lie in folders; one of weight 0 takes another back.
func TestSamplesOfStages(t *testing.T) {
	staged := func(line, stage string, rest ...string) string {
		line = strings.Replace(line, `"spec_version":1,`, `"spec_version":1,`+stage+`,`, 1)
		return strings.NewReplacer(rest...).Replace(line)
	}
	dir := t.TempDir()
	const first, last = `"stage":"10s","version":0,"final":false`, `"stage":"30m","version":1,"final":true`
	write(t, dir, "stage=10s/dt=2026-01-01/part.jsonl", staged(lines[1], first)+"\n"+staged(lines[2], first)+"\n")
	back := staged(lines[2], last, `"weight":10`, `"weight":0`)
	write(t, dir, "stage=30m/dt=2026-01-01/part.jsonl", back+"\n"+lines[0]+"\n")
	out, warn := run(t, dir, Options{Width: 90})
	assert.Empty(t, warn)
	assert.Contains(t, out, strings.TrimPrefix(`
view_id  stage  view_time                 positive  click  delay  like  delay  weight
─────────────────────────────────────────────────────────────────────────────────────
v2       10s    2026-01-01T11:00:00.123Z  yes           1   20ms     0      –       1
v3       10s    2026-01-01T12:00:00Z      no            0      –     0      –      10
v3       30m    2026-01-01T12:00:00Z      no            0      –     0      –       0
v1       –      2026-01-01T10:00:00Z      yes           1   1.5s     2     5m       1
`, "\n"))
	out, _ = run(t, dir, Options{Width: 55, Filter: Filter{Positive: true, To: "2026-01-01T11:30"}})
	assert.Contains(t, out, "\nv2       10s    click 1 after 20ms\n")
	out, _ = run(t, dir, Options{JSON: true, Filter: Filter{Negative: true}})
	assert.Equal(t, staged(lines[2], first)+"\n"+back+"\n", out)
}

func TestColumnsThatDoNotFitAreNamed(t *testing.T) {
	out, _ := run(t, samplesFile(t), Options{Width: 60})
	assert.Contains(t, out, "no room for: view_time, positive, weight, view_id, item,\ntext, nested")
}

// Where there is no room for a column of each kind, what made a sample positive is seen all
// the same.
func TestNarrowTablesShowWhatMadeASamplePositive(t *testing.T) {
	out, _ := run(t, samplesFile(t), Options{Width: 60, Filter: Filter{Positive: true}})
	assert.Contains(t, out, strings.TrimPrefix(`
view_id  labels
────────────────────────────────────────────
v1       click 1 after 1.5s, like 2 after 5m
v2       click 1 after 20ms
`, "\n"))
	long := strings.ReplaceAll(lines[0], `"view_id":"v1"`, `"view_id":"6f1c0a9e-7d1b-4f1e-9d55-0a8b6d2f3c11"`)
	out, _ = run(t, write(t, t.TempDir(), "a.jsonl", long), Options{Width: 40})
	assert.Contains(t, out, "\n6f1c0a9…  click 1 after 1.5s, like 2 af…\n")
}

func TestRecordsWithoutFields(t *testing.T) {
	out, _ := run(t, write(t, t.TempDir(), "a.jsonl", "{}\n{}\n"), Options{})
	assert.Equal(t, "value\n─────\n{}\n{}\n", out)
	out, _ = run(t, write(t, t.TempDir(), "a.jsonl", "{}\n{\"a\":1}\n"), Options{})
	assert.Equal(t, "a\n─\n–\n1\n", out)
	out, _ = run(t, write(t, t.TempDir(), "a.jsonl", "{}\n"), Options{JSON: true})
	assert.Equal(t, "{}\n", out)
}

func TestTablesFit(t *testing.T) {
	path := samplesFile(t)
	rapid.Check(t, func(rt *rapid.T) {
		width := rapid.IntRange(30, 160).Draw(rt, "width")
		out, _ := run(t, path, Options{Width: width})
		for line := range strings.SplitSeq(out, "\n") {
			require.LessOrEqual(rt, text.StringWidth(line), width, "%q", line)
			require.Equal(rt, report.Harmless(line), line)
		}
	})
}

func TestFilters(t *testing.T) {
	path := samplesFile(t)
	for _, c := range []struct {
		name   string
		filter Filter
		want   string
	}{
		{"none", Filter{}, "v1 v2 v3"},
		{"positive", Filter{Positive: true}, "v1 v2"},
		{"negative", Filter{Negative: true}, "v3"},
		{"kind", Filter{Kind: "like"}, "v1"},
		{"label >=", Filter{Labels: []string{"like>=1"}}, "v1"},
		{"label >= at the edge", Filter{Labels: []string{"like >= 2"}}, "v1"},
		{"label > at the edge", Filter{Labels: []string{"like>2"}}, ""},
		{"label <", Filter{Labels: []string{"like<2"}}, "v2 v3"},
		{"label <=", Filter{Labels: []string{"like<=2"}}, "v1 v2 v3"},
		{"label =", Filter{Labels: []string{"like=0"}}, "v2 v3"},
		{"label = as numbers", Filter{Labels: []string{"like=2.0"}}, "v1"},
		{"label !=", Filter{Labels: []string{"like!=0"}}, "v1"},
		{"two labels", Filter{Labels: []string{"click=1", "like=0"}}, "v2"},
		{"from is included", Filter{From: "2026-01-01T11:00:00.123Z"}, "v2 v3"},
		{"to is not", Filter{To: "2026-01-01T11:00:00.123Z"}, "v1"},
		{"short times", Filter{From: "2026-01-01T10:30", To: "2026-01-02"}, "v2 v3"},
		{"another zone", Filter{From: "2026-01-01T13:00:00+01:00"}, "v3"},
		{"the file's name says no", Filter{From: "2026-01-01T13:00:00Z"}, ""},
		{"all together", Filter{Kind: "click", Positive: true, Labels: []string{"like<1"}, From: "2026-01-01"}, "v2"},
	} {
		out, _ := run(t, path, Options{Filter: c.filter, JSON: true})
		var ids []string
		for line := range strings.Lines(out) {
			ids = append(ids, gjson.Get(line, "view_id").Str)
		}
		assert.Equal(t, c.want, strings.Join(ids, " "), c.name)
	}
	out, _ := run(t, path, Options{Filter: Filter{From: "2026-01-01T12:59"}})
	assert.Equal(t, "no samples that fit the filters\n", out)
}

// A label may be of any type that a spec can ask for.
func TestLabelConditions(t *testing.T) {
	for _, c := range []struct {
		label, condition string
		want             bool
	}{
		{`null`, "x=null", true},
		{`null`, "x!=null", false},
		{`null`, "x<1", false},
		{`null`, "x=0", false},
		{`"red"`, "x=red", true},
		{`"red"`, "x!=blue", true},
		{`"7"`, "x=7", true},
		{`"7"`, "x>6", false},
		{`true`, "x=true", true},
		{`2.5`, "x>2", true},
		{`-1`, "x<0", true},
	} {
		f, err := Filter{Labels: []string{c.condition}}.compile()
		require.NoError(t, err)
		rec := record{json: `{"labels":{"x":` + c.label + `}}`}
		assert.Equal(t, c.want, f.takes(rec), "%s for %s", c.condition, c.label)
	}
}

func TestWrongOptions(t *testing.T) {
	err := Options{Limit: -1, Width: -1, Filter: Filter{
		Positive: true, Negative: true, Labels: []string{"like", "like>=much"}, From: "soon", To: "2026",
	}}.Validate()
	require.Error(t, err)
	for _, want := range []string{
		"--limit -1 is negative", "--width -1 is negative", "--positive and --negative leave nothing",
		`--label "like" is not a condition`, `"much" is not one`, `--from: "soon" is not a time`, `--to: "2026" is not a time`,
	} {
		assert.ErrorContains(t, err, want)
	}
	assert.ErrorContains(t, Options{Filter: Filter{From: "2026-01-02", To: "2026-01-02"}}.Validate(), "is not before")
}

func TestLimit(t *testing.T) {
	path := samplesFile(t)
	out, _ := run(t, path, Options{Limit: 2})
	assert.Contains(t, out, "v2")
	assert.NotContains(t, out, "v3")
	assert.Contains(t, out, "the first 2; there are more (--limit)")
	out, _ = run(t, path, Options{Limit: 3})
	assert.NotContains(t, out, "there are more")
}

// Reading stops when enough was read: what is behind is not even opened.
func TestLimitStopsReading(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.jsonl", strings.Join(lines, "\n"))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "b"), 0o755))
	write(t, dir, "b/broken.jsonl", "neither this\nnor that")
	run(t, dir, Options{Limit: 2})
	assert.ErrorContains(t, Run(t.Context(), dir, Options{}, new(bytes.Buffer), new(bytes.Buffer)), "neither Avro nor JSON")
}

func TestJSONIsTheWholeSampleMadeHarmless(t *testing.T) {
	raw := strings.Replace(lines[0], `"naïve\u001b[2J"`, "\"naïve \u009b \u202e \U000e0001 \xff\"", 1)
	out, _ := run(t, write(t, t.TempDir(), "a.jsonl", raw+"\n"), Options{JSON: true})
	assert.Contains(t, out, `"naïve \u009b \u202e \udb40\udc01 \ufffd"`)
	var want, got any
	require.NoError(t, json.Unmarshal([]byte(raw), &want))
	require.NoError(t, json.Unmarshal([]byte(out), &got))
	assert.Equal(t, want, got, "the same value")
}

const schema = `{"type":"record","name":"Sample","fields":[
	{"name":"view_id","type":"string"},{"name":"view_time","type":{"type":"long","logicalType":"timestamp-millis"}},
	{"name":"positive","type":"boolean"},
	{"name":"labels","type":{"type":"record","name":"Labels","fields":[{"name":"like","type":"long"}]}},
	{"name":"delay_ms","type":{"type":"record","name":"Delays","fields":[{"name":"like","type":["null","long"]}]}},
	{"name":"weight","type":"double"},
	{"name":"view","type":{"type":"record","name":"View","fields":[{"name":"item","type":"int"}]}}]}`

// avroFile is written by another Avro library.
func avroFile(t *testing.T, codec string, n int) string {
	t.Helper()
	var buf bytes.Buffer
	w, err := goavro.NewOCFWriter(goavro.OCFConfig{W: &buf, Schema: schema, CompressionName: codec})
	require.NoError(t, err)
	for i := range n {
		require.NoError(t, w.Append([]any{map[string]any{
			"view_id": "v", "view_time": int64(1767261600000 + i), "positive": true,
			"labels": map[string]any{"like": int64(i)}, "delay_ms": map[string]any{"like": goavro.Union("long", int64(1000*i))},
			"weight": 1.0, "view": map[string]any{"item": i},
		}}))
	}
	return buf.String()
}

func TestAvroSamples(t *testing.T) {
	for _, codec := range []string{"null", "deflate", "snappy"} {
		out, warn := run(t, write(t, t.TempDir(), "a.avro", avroFile(t, codec, 3)), Options{Filter: Filter{Labels: []string{"like>=2"}}})
		assert.Empty(t, warn)
		assert.Regexp(t, `v +2026-01-01T10:00:00.002Z +yes +2 +2s +1 +2\n$`, out, codec)
	}
}

func TestDamagedAvroBlockIsSaidAndPassed(t *testing.T) {
	content := []byte(avroFile(t, "null", 3)) // a block a record
	at := bytes.LastIndex(content, []byte("\x02v"))
	content[at] = 0x7f // an id longer than the file
	out, warn := run(t, write(t, t.TempDir(), "a.avro", string(content)), Options{JSON: true})
	assert.Len(t, strings.Split(strings.TrimSpace(out), "\n"), 2)
	assert.Contains(t, warn, "a.avro: block at byte")
}

func TestOtherFiles(t *testing.T) {
	dir := t.TempDir()
	jsonl := write(t, dir, "a.jsonl", "{\"reason\":\"late\",\"count\":1}\n{\"reason\":\"malformed\\u001b\",\"detail\":\"x\"}\n")
	csv := write(t, dir, "b.csv", "id,text\n1,\"a\nb\"\n2,c,surplus\n")
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, err := w.Write([]byte("[1,2]\n\"text\"\n"))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	gz := write(t, dir, "c.jsonl.gz", packed.String())
	zst := write(t, dir, "c.jsonl.zst", string(iotest.Pack(t, ".zst", []byte("[1,2]\n\"text\"\n"))))
	lz4 := write(t, dir, "c.csv.lz4", string(iotest.Pack(t, ".lz4", []byte("value\n\"[1,2]\"\ntext\n"))))
	empty := write(t, dir, "d.jsonl", "")

	out, _ := run(t, jsonl, Options{})
	assert.Equal(t, "reason         count  detail\n────────────────────────────\nlate               1  –\nmalformed\\x1b      –  x\n", out)
	out, _ = run(t, csv, Options{})
	assert.Equal(t, "id  text  column_3\n──────────────────\n1   a\\nb  –\n2   c     surplus\n", out)
	for _, packed := range []string{gz, zst, lz4} {
		out, _ = run(t, packed, Options{})
		assert.Equal(t, "value\n─────\n[1,2]\ntext\n", out, packed)
	}
	out, _ = run(t, empty, Options{})
	assert.Equal(t, "no records\n", out)

	err = Run(t.Context(), jsonl, Options{Filter: Filter{Positive: true}}, new(bytes.Buffer), new(bytes.Buffer))
	assert.ErrorContains(t, err, "holds other records, not samples")
}

func TestWhatIsPassedOverIsSaid(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.jsonl", lines[0]+"\nnot JSON\x1b\n"+lines[1]+"\n")
	write(t, dir, "b.jsonl", `{"reason":"late"}`+"\n")
	out, warn := run(t, dir, Options{JSON: true})
	assert.Equal(t, 2, strings.Count(out, "\n"))
	assert.Contains(t, warn, "a.jsonl: line 2 is not JSON")
	assert.Contains(t, warn, "something other than samples: 1 files")
}

func TestAccountsAreAddedUp(t *testing.T) {
	dir := t.TempDir()
	l := account.New("like")
	l.Views = account.Views{N: account.Values{account.Read: 21, account.Dead: 21}.Counts()}
	content, err := l.Encode()
	require.NoError(t, err)
	write(t, dir, "a.json", string(content))
	write(t, dir, "b.json", string(content))

	out, _ := run(t, dir, Options{})
	assert.Contains(t, out, "The accounts balance: each of 42 events")
	out, _ = run(t, dir, Options{JSON: true})
	assert.EqualValues(t, 42, gjson.Get(out, "views.dead").Int())
}

func TestNothingThere(t *testing.T) {
	err := Run(t.Context(), filepath.Join(t.TempDir(), "none"), Options{}, new(bytes.Buffer), new(bytes.Buffer))
	assert.ErrorContains(t, err, "show: ")
	assert.ErrorIs(t, err, os.ErrNotExist)
}

// No content makes it panic or write anything harmful.
func FuzzRun(f *testing.F) {
	f.Add([]byte(strings.Join(lines, "\n")), byte(0))
	f.Add([]byte("id,text\n1,2,3\n\"\n"), byte(1))
	f.Add([]byte("Obj\x01\x02\x16avro.schema\x0c\"long\"\x000123456789abcdef"), byte(2))
	f.Add([]byte(`{"from_ms":1,"views":{},"engagements":{"a\u001b":{}},"timeline":{"-9":{"samples":-1}}}`), byte(0))
	f.Add([]byte(`{"view_id":[],"view_time":"x","positive":true,"labels":{"a":{}},"delay_ms":{"a":"b"},"view":"{\"c\":1}"}`), byte(0))
	f.Add(iotest.Pack(f, ".zst", []byte("id,text\n1,2\n")), byte(4))
	f.Add(iotest.Pack(f, ".lz4", []byte("[1]\n")), byte(5))
	f.Fuzz(func(t *testing.T, content []byte, ending byte) {
		name := []string{"a.jsonl", "a.csv", "a.avro", "a.jsonl.gz", "a.csv.zst", "a.jsonl.lz4"}[ending%6]
		path := write(t, t.TempDir(), name, string(content))
		for _, asJSON := range []bool{false, true} {
			var out, warn bytes.Buffer
			_ = Run(t.Context(), path, Options{JSON: asJSON, Limit: 5, Width: 80}, &out, &warn)
			for line := range strings.SplitSeq(out.String()+warn.String(), "\n") {
				require.NotContains(t, line, "\x1b")
				require.NotContains(t, line, "\u009b")
			}
		}
	})
}

// TestAddedFormat: a file of a format that only its package knows is shown, and what of it cannot be read
// is said and passed.
func TestAddedFormat(t *testing.T) {
	path := write(t, t.TempDir(), "a.ltsv", "id:v1\tnote:x\nno label\nid:v2\tnote:y\n")
	out, warn := run(t, path, Options{})
	assert.Equal(t, "id  note\n────────\nv1  x\nv2  y\n", out)
	assert.Contains(t, warn, `a.ltsv: line 2: "no label" has no label`)
}
