package batch

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/io/format"
	"tributary/io/iotest"
	_ "tributary/io/iotest/ltsv" // registers ltsv
	"tributary/io/packed"
	"tributary/pipelines/spec"
	"tributary/transforms/account"
)

const (
	viewSchema = `{"type":"record","name":"View","namespace":"shop","fields":[
		{"name":"view_id","type":"string"},
		{"name":"ts","type":{"type":"long","logicalType":"timestamp-millis"}},
		{"name":"item","type":"long"},
		{"name":"note","type":["null","string"],"default":null}]}`
	likeSchema = `{"type":"record","name":"Like","namespace":"shop","fields":[
		{"name":"view_id","type":"string"},
		{"name":"ts","type":{"type":"long","logicalType":"timestamp-millis"}},
		{"name":"amount","type":"double"},
		{"name":"event_id","type":"string"}]}`
)

// shop is the same log in any format.
type shop struct{ views, likes [][]string }

var viewColumns, likeColumns = []string{"view_id", "ts", "item", "note"}, []string{"view_id", "ts", "amount", "event_id"}

// newShop makes n views ten seconds apart and likes of every third of them, some of them
// twice, some too late for the window of a minute, one in seven of a view that never came.
func newShop(n int) *shop {
	s := &shop{}
	start := time.Date(2026, 1, 1, 23, 30, 0, 0, time.UTC)
	stamp := func(at time.Time) string { return at.Format("2006-01-02T15:04:05.000Z07:00") }
	notes := []string{"", `say "hi"`, "a, b; c", "grün ✓ \U0001f600", `\"view\":{`, `{"view":"x"}`}
	for i := range n {
		at := start.Add(time.Duration(i)*10*time.Second + 7*time.Millisecond)
		s.views = append(s.views, []string{fmt.Sprintf("v%d", i), stamp(at), fmt.Sprint(i * i), notes[i%len(notes)]})
		if i%3 == 0 {
			id := fmt.Sprintf("v%d", i)
			if i%7 == 0 {
				id = "nobody" + id
			}
			like := []string{id, stamp(at.Add(time.Duration(i%90) * time.Second)), fmt.Sprint(float64(i) / 4), fmt.Sprintf("e%d", i)}
			s.likes = append(s.likes, like)
			if i%5 == 0 {
				s.likes = append(s.likes, like)
			}
		}
	}
	return s
}

func jsonRows(columns []string, rows [][]string) (out []string) {
	for _, r := range rows {
		var fields []string
		for i, c := range columns {
			value, _ := json.Marshal(r[i])
			switch {
			case c == "item" || c == "amount":
				value = []byte(r[i])
			case c == "note" && r[i] == "":
				continue
			}
			fields = append(fields, fmt.Sprintf("%q:%s", c, value))
		}
		out = append(out, "{"+strings.Join(fields, ",")+"}")
	}
	return out
}

func csvRows(columns []string, rows [][]string) string {
	var b strings.Builder
	for _, r := range append([][]string{columns}, rows...) {
		for i, cell := range r {
			if i > 0 {
				b.WriteByte(',')
			}
			if strings.ContainsAny(cell, `",`) {
				cell = `"` + strings.ReplaceAll(cell, `"`, `""`) + `"`
			}
			b.WriteString(cell)
		}
		b.WriteString("\r\n")
	}
	return b.String()
}

func ltsvRows(columns []string, rows [][]string) string {
	var b strings.Builder
	for _, r := range rows {
		for i, cell := range r {
			if i > 0 {
				b.WriteByte('\t')
			}
			b.WriteString(columns[i] + ":" + cell)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// write writes the shop in one format to dir, together with the schemas.
func (s *shop) write(t *testing.T, dir, ending string) {
	t.Helper()
	write(t, dir+"/view.avsc", viewSchema)
	write(t, dir+"/like.avsc", likeSchema)
	for _, log := range []struct {
		name, schema string
		columns      []string
		rows         [][]string
	}{{"views", viewSchema, viewColumns, s.views}, {"likes", likeSchema, likeColumns, s.likes}} {
		// In two files, so that there is something to put together.
		for part, rows := range [][][]string{log.rows[:len(log.rows)/3], log.rows[len(log.rows)/3:]} {
			path := fmt.Sprintf("%s/%s/part-%d.%s", dir, log.name, part, ending)
			plain, _ := packed.Cut(ending)
			content := ""
			switch plain {
			case "avro":
				writeAvro(t, path, log.schema, 2000, jsonRows(log.columns, rows)...)
				continue
			case "jsonl":
				content = strings.Join(jsonRows(log.columns, rows), "\n")
			case "csv":
				content = "\ufeff" + csvRows(log.columns, rows)
			case "ltsv":
				content = ltsvRows(log.columns, rows)
			}
			write(t, path, string(iotest.Pack(t, ending, []byte(content))))
		}
	}
}

// shopSpec is the spec that joins files of the shop; more goes into its inputs.
func shopSpec(t *testing.T, dir, ending, viewsMore, likesMore string) *spec.Spec {
	t.Helper()
	return parse(t, dir, fmt.Sprintf(`
views:
  inputs: [{path: views/*.%[1]s%[2]s}]
  id: view_id
  time: ts
engagements:
  like: {inputs: [{path: likes/*.%[1]s%[3]s}], view: view_id, time: ts, id: event_id, window: 1m, label: {sum: amount}}
outputs: {samples: out/samples, orphans: out/orphans}
`, ending, viewsMore, likesMore))
}

// TestDelimiters: tables with other delimiters give the bytes of those with commas, and intervals that were joined with another
// delimiter are joined anew.
func TestDelimiters(t *testing.T) {
	log := newShop(300)
	dir := t.TempDir()
	log.write(t, dir, "csv")
	s := shopSpec(t, dir, "csv", "", "")
	join(t, s, Options{})
	want := contents(t, s.Outputs.Samples.Path)
	for _, d := range format.Delimiters() {
		for _, ending := range []string{"csv", "csv.gz", "csv.zst"} {
			t.Run(string(d)+" "+ending, func(t *testing.T) {
				dir := t.TempDir()
				for name, rows := range map[string]string{"views": csvRows(viewColumns, log.views), "likes": csvRows(likeColumns, log.likes)} {
					cells, err := csv.NewReader(strings.NewReader(rows)).ReadAll()
					require.NoError(t, err)
					var table bytes.Buffer
					w := csv.NewWriter(&table)
					w.Comma = rune(d.Byte())
					require.NoError(t, w.WriteAll(cells))
					write(t, fmt.Sprintf("%s/%s/part.%s", dir, name, ending), string(iotest.Pack(t, ending, table.Bytes())))
				}
				more := ", delimiter: " + string(d)
				s := shopSpec(t, dir, ending, more, more)
				join(t, s, Options{})
				require.Equal(t, want, contents(t, s.Outputs.Samples.Path))
			})
		}
	}
	t.Run("changed", func(t *testing.T) {
		dir := t.TempDir()
		write(t, dir+"/views/a.csv", "view_id,ts,a|view_id|ts|a\n1,2026-01-01T00:00:00Z,b|2|2026-01-01T00:00:00Z|b\n") // both
		write(t, dir+"/likes/a.jsonl", `{"view_id": "1", "ts": "2026-01-01T00:00:05Z"}`)
		for _, c := range []struct{ more, id string }{{"", "1"}, {", delimiter: comma", "1"}, {", delimiter: bar", "2"}} {
			s := parse(t, dir, fmt.Sprintf(`
views: {inputs: [{path: views/*.csv%s}], id: view_id, time: ts}
engagements:
  like: {inputs: likes/*.jsonl, view: view_id, time: ts, window: 1m}
outputs: {samples: out/samples}
`, c.more))
			report := join(t, s, Options{})
			rows := samplesBelow(t, s.Outputs.Samples.Path)
			require.Len(t, rows, 1, "%q: %+v", c.more, report.Accounts.Views)
			require.Equal(t, c.id, rows[0].ViewID)
		}
	})
}

// The last is that of a format which only tests have: what it takes to add one is package ltsv and its
// import above.
var textEndings = []string{"jsonl", "jsonl.gz", "csv", "csv.gz", "ltsv.gz", "jsonl.zst", "csv.zstd", "csv.lz4", "jsonl.lz4"}

func TestFormatsHoldTheSameData(t *testing.T) {
	log := newShop(900)
	avro := t.TempDir()
	log.write(t, avro, "avro")
	s := shopSpec(t, avro, "avro", "", "")
	reference := join(t, s, Options{})
	want := contents(t, s.Outputs.Samples.Path)
	wantRows := samplesBelow(t, s.Outputs.Samples.Path)
	like := reference.Accounts.Engagements["like"]
	require.EqualValues(t, 900, reference.Accounts.Views.N[account.Samples])
	require.True(t, like.N[account.Matched] > 50 && like.N[account.Outside] > 50 && like.N[account.Orphans] > 30 && like.N[account.Duplicates] > 10, "%+v", like)

	for _, ending := range textEndings {
		for _, interval := range []time.Duration{0, 10 * time.Minute} {
			t.Run(fmt.Sprint(ending, " with schemas, intervals of ", interval), func(t *testing.T) {
				dir := t.TempDir()
				log.write(t, dir, ending)
				s := shopSpec(t, dir, ending, ", schema: view.avsc", ", schema: like.avsc")
				r := join(t, s, Options{Interval: interval})
				require.Equal(t, counts(reference.Accounts), counts(r.Accounts))
				if interval == 0 {
					require.Equal(t, want, contents(t, s.Outputs.Samples.Path), "the same bytes")
				} else {
					require.Equal(t, wantRows, samplesBelow(t, s.Outputs.Samples.Path))
				}
			})
			t.Run(fmt.Sprint(ending, " as it is, intervals of ", interval), func(t *testing.T) {
				dir := t.TempDir()
				log.write(t, dir, ending)
				s := shopSpec(t, dir, ending, "", "")
				r := join(t, s, Options{Interval: interval})
				require.Equal(t, counts(reference.Accounts), counts(r.Accounts))
				got := samplesBelow(t, s.Outputs.Samples.Path)
				require.Len(t, got, len(wantRows))
				for i, want := range wantRows {
					requireTextView(t, want, got[i], !strings.HasPrefix(ending, "jsonl"))
				}
			})
		}
	}
}

// requireTextView compares a sample of an Avro view with one whose view is JSON text.
func requireTextView(t *testing.T, want, got row, untyped bool) {
	t.Helper()
	var text string
	require.NoError(t, json.Unmarshal(got.View, &text), "a string")
	var view, wantView map[string]any
	require.NoError(t, json.Unmarshal([]byte(text), &view), "of JSON")
	require.NoError(t, json.Unmarshal(want.View, &wantView))
	require.Equal(t, wantView["view_id"], view["view_id"])
	require.Equal(t, wantView["note"] == nil, view["note"] == nil || view["note"] == "")
	if untyped {
		require.Equal(t, fmt.Sprint(int64(wantView["item"].(float64))), view["item"], "there is only text")
	} else {
		require.Equal(t, wantView["item"], view["item"])
	}
	got.View = want.View
	require.Equal(t, want, got)
}

func TestOutputsHoldTheSameSamples(t *testing.T) {
	log := newShop(700)
	for _, ending := range []string{"avro", "jsonl", "csv.gz"} {
		dir := t.TempDir()
		log.write(t, dir, ending)
		s := shopSpec(t, dir, ending, "", "")
		join(t, s, Options{Interval: 30 * time.Minute})
		var want []string
		eachRecord(t, s.Outputs.Samples.Path, func(_ string, text []byte) {
			if ending != "avro" {
				text = withObject(t, text)
			}
			want = append(want, string(text))
		})
		require.Len(t, want, 700)
		for _, codec := range spec.Codecs[spec.JSON] {
			t.Run(fmt.Sprint(ending, " to JSON, ", codec), func(t *testing.T) {
				s := to(s, t.TempDir())
				s.Outputs.Samples.Format, s.Outputs.Samples.Codec = spec.JSON, codec
				join(t, s, Options{Interval: 30 * time.Minute})
				require.Equal(t, want, lines(t, s.Outputs.Samples.Path))
				for _, path := range below(t, s.Outputs.Samples.Path) {
					require.Equal(t, codec == spec.Gzip, strings.HasSuffix(path, ".jsonl.gz"), path)
				}
			})
		}
		for _, codec := range spec.Codecs[spec.Avro] {
			t.Run(fmt.Sprint(ending, " to Avro, ", codec), func(t *testing.T) {
				moved := to(s, t.TempDir())
				moved.Outputs.Samples.Codec = codec
				join(t, moved, Options{Interval: 30 * time.Minute})
				require.Equal(t, samplesBelow(t, s.Outputs.Samples.Path), samplesBelow(t, moved.Outputs.Samples.Path))
			})
		}
	}
}

// withObject puts the view, a string of JSON, into a sample as the object it is.
func withObject(t *testing.T, sample []byte) []byte {
	t.Helper()
	var r row
	require.NoError(t, json.Unmarshal(sample, &r))
	var text string
	require.NoError(t, json.Unmarshal(r.View, &text))
	return append(append(bytes.TrimSuffix(sample, append(r.View, '}')), text...), '}')
}

// TestTextOfAnyShape joins JSON that is written in odd ways.
func TestTextOfAnyShape(t *testing.T) {
	dir := t.TempDir()
	views := []string{
		` {"ts" : 1767225600 , "view_id":17, "deep":{"view":{"view":"\u0022\ud83d\ude00\\"},"list":[1,{"a":null}]}}  `,
		"",
		`{"view_id":"b","ts":1767225601.5,"view":"\"view\":", "big":123456789012345678901234567890}`,
		"not JSON",
		`{"view_id":"c","ts":"1767225602"}`,
		`[1]`,
		`{"view_id":"` + strings.Repeat("long", 3000) + `","ts":1767225603}`,
		`{"view_id":"d"}`,
	}
	write(t, dir+"/views.json", "\ufeff"+strings.Join(views, "\r\n"))
	write(t, dir+"/likes.ndjson", `{"v":{"id":"17"},"at":"2026-01-01 00:00:05+00:00"}`+"\n")
	s := parse(t, dir, `
views: {inputs: views.json, id: view_id, time: {field: ts, unit: epoch-seconds}}
engagements: {like: {inputs: likes.ndjson, view: v.id, time: at, window: 1m}}
outputs: {samples: {path: out, format: json}, late: late, dead_letters: dead, accounts: ledger}
`)
	r := join(t, s, Options{})
	require.EqualValues(t, 7, r.Accounts.Views.N[account.Read])
	require.EqualValues(t, 3, r.Accounts.Views.N[account.Dead])
	require.EqualValues(t, 1, r.Accounts.Views.N[account.Positives])
	samples := lines(t, dir+"/out")
	require.Len(t, samples, 4)
	for i, view := range []string{views[0], views[2], views[4], views[6]} {
		require.True(t, strings.HasSuffix(samples[i], `"view":`+strings.TrimSpace(view)+"}"), samples[i])
		require.True(t, json.Valid([]byte(samples[i])))
	}
	dead := strings.Join(lines(t, dir+"/dead"), "\n")
	for _, part := range []string{`"record":"not JSON"`, `"record":[1]`, `"record":{"view_id":"d"}`, "line 4", "views.json", `"offset":4`} {
		require.Contains(t, dead, part)
	}
	content, err := os.ReadFile(below(t, dir+"/dead")[0])
	require.NoError(t, err)
	require.Equal(t, 3, bytes.Count(content, []byte("\n")))
}

// TestMisfitsAreDeadLetters converts text of which some does not fit the schema: each misfit
// is a dead letter of its own, and its neighbours are none the worse.
func TestMisfitsAreDeadLetters(t *testing.T) {
	log := newShop(90)
	for i := range log.views {
		switch i % 9 {
		case 3:
			log.views[i][2] = `"many"`
		case 4:
			log.views[i][1] = "yesterday"
		case 8:
			log.views[i][2] = "1.5"
		}
	}
	for _, ending := range []string{"jsonl", "csv"} {
		for _, interval := range []time.Duration{0, time.Minute} {
			dir := t.TempDir()
			log.write(t, dir, ending)
			s := shopSpec(t, dir, ending, ", schema: view.avsc", ", schema: like.avsc")
			r := join(t, s, Options{Interval: interval})
			require.EqualValues(t, 90, r.Accounts.Views.N[account.Read])
			require.EqualValues(t, 30, r.Accounts.Views.N[account.Dead])
			require.Len(t, samplesBelow(t, s.Outputs.Samples.Path), 60)
			dead := strings.Join(lines(t, s.Outputs.DeadLetters), "\n")
			require.Equal(t, 29, strings.Count(dead, "\n"))
			for _, part := range []string{"yesterday", "many", "1.5", ending + `","offset":3,`, ending + `","offset":28,`} {
				require.Contains(t, dead, part)
			}
		}
	}
}
