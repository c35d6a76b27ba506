package batch

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/io/format"
	"tributary/io/record"
	"tributary/transforms/account"
)

// TestOverlappingPatterns names files in several ways; each is read once for each role.
func TestOverlappingPatterns(t *testing.T) {
	log := newShop(200)
	dir := t.TempDir()
	log.write(t, dir, "jsonl")
	s := shopSpec(t, dir, "jsonl", "", "")
	want := join(t, s, Options{}).Accounts
	for _, views := range []string{
		"[views/*.jsonl, views/part-0.jsonl]", "[views/part-1.jsonl, views/**/*.jsonl, ./views/part-?.jsonl]",
		"['views/part-{0,1}.jsonl', 'view{s,z}/part-*.jsonl']", "[views/part-0.jsonl, views/../views/part-1.jsonl]",
	} {
		write(t, dir+"/spec.yaml", fmt.Sprintf(`
views: {inputs: %s, id: view_id, time: ts}
engagements:
  like: {inputs: [likes/*.jsonl, likes/part-1.jsonl], view: view_id, time: ts, id: event_id, window: 1m, label: {sum: amount}}
outputs: {samples: out/samples}
`, views))
		got := join(t, to(loadSpec(t, dir), t.TempDir()), Options{}).Accounts
		require.Equal(t, counts(want), counts(got), views)
	}
}

// TestOneFileForAll has views and engagements of three kinds in the same files: a view
// with a click in it, as some systems log them.
func TestOneFileForAll(t *testing.T) {
	dir := t.TempDir()
	var rows []string
	for i := range 300 {
		ms := begin + int64(i)*1000
		rows = append(rows, fmt.Sprintf(`{"id":"v%d","t":%d,"n":%d,"clicked":%t,"rank":%d,"clicked_at":%d,"extra":{"shop":"s"}}`, i, ms, i, i%4 == 0, i%3, ms+500))
	}
	write(t, dir+"/log/a.jsonl", strings.Join(rows[:100], "\n"))
	write(t, dir+"/log/b.jsonl", strings.Join(rows[100:], "\n"))
	schema := recordSchema("Log", `id "string"`, `t {"type":"long","logicalType":"timestamp-millis"}`, `clicked "boolean"`)
	write(t, dir+"/log.avsc", schema)
	// The views are converted by a schema that does not know what the kinds look at.
	text := `
views: {inputs: [{path: log/*.jsonl, schema: log.avsc}], id: id, time: t}
engagements:
  click: {inputs: log/*.jsonl, where: {clicked: true}, view: id, time: {field: clicked_at, unit: epoch-millis}, window: 1m}
  first: {inputs: log/*.jsonl, where: {rank: 0, clicked: true}, view: id, time: {field: clicked_at, unit: epoch-millis}, window: 1m, label: {sum: n}}
  shop: {inputs: [{path: log/*.jsonl, schema: log.avsc}], where: {clicked: false}, view: id, time: t, window: 1m}
  other: {inputs: log/*.jsonl, where: {extra.shop: x}, view: id, time: {field: clicked_at, unit: epoch-millis}, window: 1m}
outputs: {samples: out/samples}
`
	write(t, dir+"/spec.yaml", text)
	s := loadSpec(t, dir)
	for _, interval := range []time.Duration{0, time.Minute} {
		r := join(t, s, Options{Interval: interval})
		require.EqualValues(t, 300, r.Accounts.Views.N[account.Samples])
		for kind, want := range map[string]int64{"click": 75, "first": 25, "shop": 225, "other": 0} {
			e := r.Accounts.Engagements[kind]
			require.EqualValues(t, want, e.N[account.Positives], kind)
			require.EqualValues(t, want, e.N[account.Read], kind)
			require.EqualValues(t, 300-want, e.N[account.Filtered], kind)
		}
		for i, sample := range samplesBelow(t, s.Outputs.Samples.Path) {
			require.Equal(t, i%4 == 0, sample.Labels["click"] == 1)
			require.Equal(t, i%4 != 0, sample.Labels["shop"] == 1)
			if i%12 == 0 {
				require.EqualValues(t, i, sample.Labels["first"])
			}
			require.JSONEq(t, fmt.Sprintf(`{"id":"v%d","t":%d,"clicked":%t}`, i, begin+1000*i, i%4 == 0), string(sample.View))
		}
	}
}

// TestOneLogOfEvents has views, engagements and what is neither in the same files, and gives the samples, byte for byte,
// that files of each give. Records of the other kinds lack an id or a time; each is filtered, once for each role.
func TestOneLogOfEvents(t *testing.T) {
	const spec = `
views: {inputs: %s, id: id, time: t}
engagements:
  like: {inputs: %s, view: view, time: t, window: 1m}
  buy: {inputs: %s, view: view, time: t, window: 1m, label: {sum: price}}
outputs: {samples: out/samples, orphans: out/orphans}
`
	columns := []string{"event", "id", "view", "t", "price"}
	var rows [][]string
	of := map[string][][]string{}
	for i := range 400 {
		at := begin + int64(i)*1000
		add := func(event, id, view string, t int64, price string) {
			r := []string{event, id, view, fmt.Sprint(t), price}
			rows = append(rows, r)
			of[event] = append(of[event], r)
		}
		add("impression", fmt.Sprint("v", i), "", at, "")
		if i%3 == 0 {
			add("like", "", fmt.Sprint("v", i), at+500, "")
		}
		if i%5 == 0 {
			add("buy", "", fmt.Sprint("v", i), at+int64(i)*1000, fmt.Sprint(i))
		}
		if i%7 == 0 {
			add("like", "", "nobody", at, "")
		}
		if i%9 == 0 {
			add("buy", "", "", at, "1") // dead
		}
		if i%10 == 0 {
			add("ping", "", "", at, "")
		}
	}
	schema := recordSchema("Event", `event "string"`, `id ["null","string"] null`, `view ["null","string"] null`, `t {"type":"long","logicalType":"timestamp-millis"}`, `price ["null","double"] null`)
	file := func(path string, rows [][]string) {
		t.Helper()
		switch {
		case strings.HasSuffix(path, ".csv"):
			write(t, path, csvRows(columns, rows))
		default:
			var texts []string
			for _, r := range rows {
				text := fmt.Sprintf(`{"event":%q,"t":%s`, r[0], r[3])
				for i, value := range r {
					if (i == 1 || i == 2) && value != "" {
						text += fmt.Sprintf(`,%q:%q`, columns[i], value)
					}
				}
				if r[4] != "" {
					text += `,"price":` + r[4]
				}
				texts = append(texts, text+"}")
			}
			if strings.HasSuffix(path, ".avro") {
				writeAvro(t, path, schema, 2000, texts...)
			} else {
				write(t, path, strings.Join(texts, "\n"))
			}
		}
	}
	for _, ending := range []string{"jsonl", "csv", "avro"} {
		for _, interval := range []time.Duration{0, time.Minute} {
			dir := t.TempDir()
			file(dir+"/log/a."+ending, rows[:250])
			file(dir+"/log/b."+ending, rows[250:])
			inputs := []any{}
			for _, event := range []string{"impression", "like", "buy"} {
				file(dir+"/"+event+"."+ending, of[event])
				inputs = append(inputs, "[{path: "+event+"."+ending+"}]")
			}
			times := strings.NewReplacer("time: t,", "time: {field: t, unit: epoch-millis},", "time: t}", "time: {field: t, unit: epoch-millis}}")
			apart := to(parse(t, dir, times.Replace(fmt.Sprintf(spec, inputs...))), t.TempDir())
			want := join(t, apart, Options{Interval: interval})
			for i, event := range []string{"impression", "like", "buy"} {
				inputs[i] = fmt.Sprintf("log/*.%s, where: {event: %s}", ending, event)
			}
			together := to(parse(t, dir, times.Replace(fmt.Sprintf(spec, inputs...))), t.TempDir())
			got := join(t, together, Options{Interval: interval})

			require.Equal(t, counts(want.Accounts), counts(got.Accounts), ending)
			require.Equal(t, contents(t, apart.Outputs.Samples.Path), contents(t, together.Outputs.Samples.Path), ending)
			require.EqualValues(t, 400, got.Accounts.Views.N[account.Samples])
			require.EqualValues(t, 45, got.Accounts.Engagements["buy"].N[account.Dead])
			filtered := map[string]int64{}
			for name, in := range got.Accounts.Inputs {
				filtered[name] = in.N[account.Filtered]
			}
			others := func(event string) int64 { return int64(len(rows) - len(of[event])) }
			require.Equal(t, map[string]int64{"views.inputs.0": others("impression"), "engagements.like.inputs.0": others("like"), "engagements.buy.inputs.0": others("buy")}, filtered)
			require.Equal(t, others("impression"), got.Accounts.Views.N[account.Filtered])
			require.Zero(t, want.Accounts.Views.N[account.Filtered])
		}
	}
}

// TestHostileNames has files and folders of every name that a file system takes.
func TestHostileNames(t *testing.T) {
	dir := t.TempDir() + "/it's a [folder] {of} *?$~ \xff"
	names := []string{
		"a b.jsonl", "a#1.jsonl", "%20.jsonl", "-rf.jsonl", "new\nline.jsonl", "quote\".jsonl", "[x].jsonl", "{a,b}.jsonl", "star*.jsonl", "\\.jsonl",
		"latin1-\xe9.jsonl", "latin1-\xe8.jsonl", "grün.jsonl", strings.Repeat("long", 60) + ".jsonl", "dt=2026-99-99.jsonl", "a.avro.jsonl", "\u202egnp.jsonl",
	}
	for i, name := range names {
		write(t, dir+"/views/"+name, line(fmt.Sprint("v", i), begin+int64(i))+"broken\n")
		write(t, dir+"/likes/"+name, line(fmt.Sprint("v", i), begin+int64(i)))
	}
	write(t, dir+"/views/.hidden.jsonl", line("hidden", begin))
	write(t, dir+"/views/_temporary.jsonl", line("hidden", begin))
	require.NoError(t, os.MkdirAll(dir+"/views/folder.jsonl", 0o755))
	write(t, dir+"/spec.yaml", outlierSpec)

	t.Chdir(dir) // so that the folder's own name is in no pattern
	s := loadSpec(t, ".")
	r := join(t, s, Options{})
	require.EqualValues(t, len(names), r.Accounts.Views.N[account.Samples])
	require.EqualValues(t, len(names), r.Accounts.Views.N[account.Positives])
	require.EqualValues(t, len(names), r.Accounts.Views.N[account.Dead])
	require.Len(t, lines(t, "out/dead"), len(names), "a line each, whatever is in the name")
	for i, sample := range samplesBelow(t, "out/samples") {
		require.Equal(t, fmt.Sprint("v", i), sample.ViewID)
	}
	// A second run knows all of them again.
	require.Zero(t, join(t, s, Options{}).Events)
	// A name that is not text still is one of its own: the other one must not pass for it.
	require.NoError(t, os.Remove("views/latin1-\xe9.jsonl"))
	require.EqualValues(t, len(names)-1, join(t, s, Options{}).Accounts.Views.N[account.Samples])
}

// TestPiecesTravel sends a piece through its coder.
func TestPiecesTravel(t *testing.T) {
	want := piece{
		File:  file{Path: "a\xff\n", Size: 1, Version: "2", Format: "avro", Schema: 1 << 63, Convert: "x"},
		Reads: []read{{Place: format.Place{Offset: 1, Index: 2, Line: 3}, Account: true, Size: 4, Records: 5, Takes: []take{{Input: 1, File: 2, ByField: true, Parts: []takePart{{Key: "\xfe", Partition: 7, Before: record.NoClock}}}}}},
	}
	encoded, err := encodePiece(want)
	require.NoError(t, err)
	got, err := decodePiece(encoded)
	require.NoError(t, err)
	require.Equal(t, want, got)
	_, err = decodePiece(encoded[:len(encoded)/2])
	require.Error(t, err)
}
