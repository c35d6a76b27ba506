package job

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/stretchr/testify/require"

	"tributary/io/kafkaio/cluster"
	"tributary/io/kafkaio/commitlog"
	"tributary/io/kafkaio/sink"
	"tributary/io/kafkaio/timeindex"
	"tributary/io/record"
	"tributary/pipelines/rejected"
	"tributary/pipelines/spec"
	"tributary/transforms/account"
	"tributary/transforms/label"
	"tributary/transforms/recipe"
	"tributary/transforms/sample"
)

// page is a page with tables of fields.
type page string

// section is the text below a heading, up to the next one.
func (p page) section(t testing.TB, heading string) string {
	t.Helper()
	_, text, found := strings.Cut(string(p), "# "+heading+"\n")
	require.True(t, found, "the page has no heading %q", heading)
	text, _, _ = strings.Cut(text, "\n#")
	return text
}

var rowForm = regexp.MustCompile("(?m)^\\| `([^`]+)` \\|([^|\n]*)\\|")

// table is the first table below a heading whose head begins so: its first column, without backquotes,
// and what stands in the second.
func (p page) table(t testing.TB, heading, head string) (names []string, types map[string]string) {
	t.Helper()
	_, text, found := strings.Cut(p.section(t, heading), "| "+head+" |")
	require.True(t, found, "%s has no table of a %s", heading, head)
	text, _, _ = strings.Cut(text, "\n\n")
	types = map[string]string{}
	for _, row := range rowForm.FindAllStringSubmatch(text, -1) {
		names, types[row[1]] = append(names, row[1]), strings.TrimSpace(row[2])
	}
	return names, types
}

// example is what stands in the fenced block below a heading, and the key that its fence names.
func (p page) example(t testing.TB, heading string) (key, text string) {
	t.Helper()
	found := regexp.MustCompile("(?s)```(?:json|hex) key=([^\n]*)\n(.*?)\n```").FindStringSubmatch(p.section(t, heading))
	require.NotNil(t, found, "%s has no example", heading)
	return found[1], found[2]
}

// fieldsOf are the names in JSON of the fields of a struct; optional ones are left out where they are empty.
func fieldsOf(v any) (names []string, optional map[string]bool) {
	optional = map[string]bool{}
	of := reflect.TypeOf(v)
	for i := range of.NumField() {
		names = addTag(names, optional, string(of.Field(i).Tag))
	}
	return names, optional
}

func addTag(names []string, optional map[string]bool, tag string) []string {
	name, options, _ := strings.Cut(reflect.StructTag(tag).Get("json"), ",")
	if name == "" || name == "-" {
		return names
	}
	optional[name] = options == "omitempty"
	return append(names, name)
}

// fieldsIn are those of a struct that the sources in a folder declare and nobody else sees.
func fieldsIn(t testing.TB, folder, name string) (names []string, optional map[string]bool) {
	t.Helper()
	optional = map[string]bool{}
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	require.NoError(t, err)
	for _, file := range files {
		parsed, err := parser.ParseFile(gotoken.NewFileSet(), file, nil, 0)
		require.NoError(t, err)
		ast.Inspect(parsed, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok || spec.Name.Name != name {
				return true
			}
			for _, f := range spec.Type.(*ast.StructType).Fields.List {
				if inner, ok := f.Type.(*ast.Ident); ok && len(f.Names) == 0 { // embedded
					of, missing := fieldsIn(t, folder, inner.Name)
					names = append(names, of...)
					maps.Copy(optional, missing)
				}
				if f.Tag != nil {
					tag, err := strconv.Unquote(f.Tag.Value)
					require.NoError(t, err)
					names = addTag(names, optional, tag)
				}
			}
			return false
		})
	}
	require.NotEmpty(t, names, "%s has no struct %s", folder, name)
	return names, optional
}

// TestOutputsPageHasEachField: the tables of the page have the fields that the code writes, all of them
// and no others, in their order, and say which may be missing.
func TestOutputsPageHasEachField(t *testing.T) {
	outputs := page(OutputsPage)
	check := func(heading string, names []string, optional map[string]bool) {
		t.Helper()
		rows, types := outputs.table(t, heading, "field")
		require.Equal(t, names, rows, heading)
		for _, name := range names {
			require.Equal(t, optional[name], strings.HasSuffix(types[name], ", optional"), "%s: whether %s may be missing", heading, name)
		}
	}
	for heading, of := range map[string]any{
		"Late records, dead letters, orphans": rejected.Record{},
		"Accounts":                            account.Sheet{},
		"Files of an interval":                account.File{},
		"Bytes":                               account.Bytes{},
		"Timeline":                            account.Interval{},
		"Its header":                          commitlog.Header{},
		"How far it has come":                 commitlog.Complete{},
	} {
		names, optional := fieldsOf(of)
		check(heading, names, optional)
	}
	for heading, of := range map[string][2]string{
		"Accounts of a stream": {"stream", "counted"},
		"A page of the book":   {"stream", "page"},
		"A book":               {"stream", "book"},
		"The time index":       {"../../io/kafkaio/timeindex", "entryValue"},
		"The log of a folder":  {"../../io/folderio", "header"},
	} {
		names, optional := fieldsIn(t, of[0], of[1])
		check(heading, names, optional)
	}
	for heading, subject := range map[string]account.Subject{
		"Accounts of views": account.OfViews, "Accounts of a kind": account.OfEngagements, "Accounts of an input": account.OfInput,
		"Accounts of a stage": account.OfStage,
	} {
		var rows []string
		for _, row := range account.Table() {
			if use := row.In(subject); use != nil {
				optional := ""
				if use.Optional {
					optional = "optional: "
				}
				rows = append(rows, "| `"+row.Key+"` | "+optional+use.Doc+" |")
			}
		}
		require.Contains(t, outputs.section(t, heading), strings.Join(rows, "\n")+"\n", heading)
	}
	headers := regexp.MustCompile("\\| header \\| value \\|\n\\|---\\|---\\|\n\\| `(\\w+)`").FindAllStringSubmatch(OutputsPage, -1)
	require.Len(t, headers, 2)
	require.Equal(t, []string{sink.VersionHeader, sink.TruncatedHeader}, []string{headers[0][1], headers[1][1]})
}

// TestOutputsPageHasSamples: the schema of samples is that of the page's tables.
func TestOutputsPageHasSamples(t *testing.T) {
	outputs := page(OutputsPage)
	labels, labelTypes := outputs.table(t, "Samples", "label")
	for _, f := range label.All(label.Nothing, label.Number, label.Value) {
		require.Contains(t, labels, string(f), "label functions")
	}
	var columns []sample.Column
	for _, name := range labels {
		columns = append(columns, sample.Column{Kind: name, Func: label.Func(name)})
	}
	type field struct {
		Name string
		Type json.RawMessage
	}
	fieldsOf := func(staged bool) (fields []field, names []string) {
		text, err := sample.Schema(columns, staged, "")
		require.NoError(t, err)
		var schema struct{ Fields []field }
		require.NoError(t, json.Unmarshal([]byte(text), &schema))
		for _, f := range schema.Fields {
			names = append(names, f.Name)
		}
		return schema.Fields, names
	}
	names, types := outputs.table(t, "Samples", "field")
	fields, staged := fieldsOf(true)
	require.Equal(t, staged, names)
	_, plain := fieldsOf(false)
	require.Equal(t, plain, slices.DeleteFunc(names, func(name string) bool { return strings.HasSuffix(types[name], ", with stages") }))
	for _, f := range fields {
		if want := strings.TrimSuffix(strings.Fields(types[f.Name])[0], ","); f.Name != "view" {
			require.Contains(t, string(f.Type), `"`+want+`"`, f.Name)
		}
		if f.Name != "labels" {
			continue
		}
		var inner struct{ Fields []field }
		require.NoError(t, json.Unmarshal(f.Type, &inner))
		for _, l := range inner.Fields {
			require.Equal(t, `"`+labelTypes[l.Name]+`"`, strings.NewReplacer(`","`, ", ", "[", "", "]", "").Replace(string(l.Type)), l.Name)
		}
	}
}

// TestOutputsPageShowsRecords: the examples are what the code writes, keys and values.
func TestOutputsPageShowsRecords(t *testing.T) {
	outputs := page(OutputsPage)
	shows := func(heading string, gotKey, gotValue []byte) {
		t.Helper()
		key, value := outputs.example(t, heading)
		require.Equal(t, key, string(gotKey), heading)
		require.Equal(t, value, string(gotValue), heading)
	}
	views := cluster.Partition{Cluster: "main", Topic: "views"}

	describe := &describeFn{Roles: []string{"views"}, Partitions: Partitions{Files: []string{views.String()}}}
	describe.Setup()
	var late []sink.Message
	none := func(sink.Message) { t.Fatal("it is late") }
	require.NoError(t, describe.ProcessElement(record.Rejected{
		Reason: record.ReasonLate, Detail: "2m behind", Offset: 7, Count: 1, EventTime: 1767261600000, Watermark: 1767261720000, Record: []byte(`{"view_id":"v1"}`),
	}, func(m sink.Message) { late = append(late, m) }, none, none))
	shows("Late records, dead letters, orphans", late[0].Key, late[0].Value)

	at := timeindex.Entry{Partition: views, Position: timeindex.Position{Offset: 42, Clock: record.Clock{Largest: 1767261600000, Second: 1767261599000}}}
	entries, err := at.Records("samples.marks")
	require.NoError(t, err)
	shows("The time index", entries[0].Key, entries[0].Value)

	entry := exampleEntry()
	shows("The commit log", commitlog.Key(entry.Shard, entry.ID), hex.AppendEncode(nil, entry.Value()))
}

// TestPagesDecode reads what the code encodes by the tables of the pages.
func TestPagesDecode(t *testing.T) {
	entry := exampleEntry()
	wantEntry := map[string]any{
		"schema": byte(1), "version": uint64(1), "records": uint64(2), "digest": entry.Digest, "truncated_before": entry.TruncatedBefore, "job": "feed",
	}
	require.Equal(t, wantEntry, page(OutputsPage).decode(t, "The commit log", entry.Value()))
	way := page(WayPage)
	require.Equal(t, wantEntry, way.decode(t, "An entry of the commit log", entry.Value()))
	require.Equal(t,
		map[string]any{"start": int64(-300000), "shard": uint64(3), "part": uint64(2), "flags": byte(1), "samples": "\x02ab"},
		way.decode(t, "A block of samples", sample.EncodeBlock(sample.NewBlock(sample.Header{Start: -300000, Shard: 3, Part: 2, Last: true}, sample.AppendTo(nil, []byte("ab"))))))
	require.Equal(t,
		map[string]any{"start": int64(1000), "shard": uint64(0), "part": uint64(0), "flags": byte(2 | 4), "corrections": uint64(300), "samples": "\x01a"},
		way.decode(t, "A block of samples", sample.EncodeBlock(sample.NewBlock(sample.Header{Start: 1000, Unchanged: true, Corrections: 300}, sample.AppendTo(nil, []byte("a"))))))
	require.Equal(t,
		map[string]any{"start": int64(-300000), "shard": int64(3), "times": uint64(2)},
		way.decode(t, "A correction", sample.EncodeCorrection(sample.Correction{Start: -300000, Shard: 3, Times: 2})))
	records := sink.AppendRecord(nil, []byte("k"), []byte("v"), sink.NoTimestamp)
	require.Equal(t,
		map[string]any{"shard": int64(3), "id": int64(-300000), "part": int64(2), "flags": byte(1), "records": "\x00\x01k\x01v"},
		way.decode(t, "A group", encoded(t, sink.Group{Shard: 3, ID: -300000, Part: 2, Last: true, Records: records})))
	require.Equal(t,
		map[string]any{"shard": int64(0), "id": int64(5), "part": int64(1), "flags": byte(2 | 4), "follows": int64(300), "records": "\x00\x01k\x01v"},
		way.decode(t, "A group", encoded(t, sink.Group{ID: 5, Part: 1, Spare: true, Follows: 300, Records: records})))
	require.Equal(t,
		map[string]any{
			"input": int64(1), "partition": int64(2), "schema": uint64(1 << 60), "offset": int64(300), "max_time": int64(record.NoTime), "second_time": int64(-5),
			"count": int64(1), "flags": byte(3), "schema_text": "text", "records": "\x00\x01r",
		},
		way.decode(t, "A batch", encoded(t, record.Batch{
			Input: 1, Partition: 2, Schema: 1 << 60, Offset: 300, MaxTime: record.NoTime, SecondTime: -5, Count: 1, Framed: true, Repeat: true,
			SchemaText: "text", Records: record.AppendFramed(nil, 0, []byte("r")),
		})))
}

// TestWayPageDrawsTheBlock: the drawing is that above its code.
func TestWayPageDrawsTheBlock(t *testing.T) {
	code, err := os.ReadFile("../../transforms/attribution/shuffle/block.go")
	require.NoError(t, err)
	drawing := regexp.MustCompile(`(?m)^//\t.*\n`).FindAllString(string(code), -1)
	require.Greater(t, len(drawing), 5)
	section := page(WayPage).section(t, "A block of the join")
	for _, line := range drawing {
		require.Contains(t, section, "\n    "+strings.TrimPrefix(line, "//\t"))
	}
}

// TestPagesSpeakOfWhatThereIs: files and folders that pages for developers name are there.
func TestPagesSpeakOfWhatThereIs(t *testing.T) {
	exists := func(of, name string) {
		t.Helper()
		_, err := os.Stat(filepath.Join("../..", name))
		require.NoError(t, err, of)
	}
	for _, row := range regexp.MustCompile(`(?m)\| ([\w/]+): ([\w., ]+\.go) \|$`).FindAllStringSubmatch(WayPage, -1) {
		for name := range strings.SplitSeq(row[2], ", ") {
			exists("the way of a record", filepath.Join(row[1], name))
		}
	}
	contributing, err := os.ReadFile("../../.github/CONTRIBUTING.md")
	require.NoError(t, err)
	places := regexp.MustCompile("`((?:io|transforms|pipelines|runners|testdata)/[\\w/.]+)`").FindAllStringSubmatch(string(contributing), -1)
	require.Greater(t, len(places), 30)
	for _, place := range places {
		exists("CONTRIBUTING.md", place[1])
	}
	for _, name := range []string{"README.md", ".github/CONTRIBUTING.md"} {
		text, err := os.ReadFile(filepath.Join("../..", name))
		require.NoError(t, err)
		for _, link := range regexp.MustCompile(`\]\(([^):]+)\)`).FindAllStringSubmatch(string(text), -1) {
			exists(name, filepath.Join(filepath.Dir(name), link[1]))
		}
	}
}

func exampleEntry() commitlog.Record {
	return commitlog.Record{
		Shard: 3, ID: 1767261600000, Entry: commitlog.Entry{Version: 1, Records: 2, Digest: 0x0123456789abcdef}, TruncatedBefore: 1767175200000, Job: "feed",
	}
}

// encoded is what Beam moves of an element whose coder writes bytes, without their length.
func encoded[T any](t testing.TB, v T) []byte {
	t.Helper()
	var buf bytes.Buffer
	require.NoError(t, beam.NewElementEncoder(reflect.TypeFor[T]()).Encode(v, &buf))
	size, n := binary.Uvarint(buf.Bytes())
	require.Equal(t, buf.Len(), n+int(size))
	return buf.Bytes()[n:]
}

// withFlag is a type of what is there only if a bit of the flags before it is set.
var withFlag = regexp.MustCompile(`^(\w+), with flag (\d+)$`)

// decode reads bytes as the table below a heading says; what is bytes becomes text.
func (p page) decode(t testing.TB, heading string, buf []byte) map[string]any {
	t.Helper()
	out := map[string]any{}
	names, types := p.table(t, heading, "field")
	for _, name := range names {
		taken, of := 0, types[name]
		if found := withFlag.FindStringSubmatch(of); found != nil {
			bit, err := strconv.Atoi(found[2])
			require.NoError(t, err)
			flags, ok := out["flags"].(byte)
			require.True(t, ok, "%s: %s stands before the flags", heading, name)
			if of = found[1]; flags&byte(bit) == 0 {
				continue
			}
		}
		switch of {
		case "varint":
			out[name], taken = binary.Varint(buf)
		case "uvarint":
			out[name], taken = binary.Uvarint(buf)
		case "uint64":
			out[name], taken = binary.LittleEndian.Uint64(buf), 8
		case "byte":
			out[name], taken = buf[0], 1
		case "bytes":
			size, n := binary.Uvarint(buf)
			out[name], taken = string(buf[n:n+int(size)]), n+int(size)
		case "rest":
			out[name], taken = string(buf), len(buf)
		default:
			t.Fatalf("%s: %s has the type %q", heading, name, types[name])
		}
		require.Positive(t, taken, name)
		buf = buf[taken:]
	}
	require.Empty(t, buf, "%s: bytes are left", heading)
	return out
}

// TestStreamsPageShowsStages: the examples of stages are as specs have them.
func TestStreamsPageShowsStages(t *testing.T) {
	examples := regexp.MustCompile("(?s)```yaml\n(stages:.*?\n)```").FindAllStringSubmatch(page(StreamsPage).section(t, "Stages"), -1)
	require.Len(t, examples, 2)
	for i, want := range [][]string{{"10s all", "1m changed", "1d changed"}, {"10s positives", "1d all"}} {
		s, err := spec.Parse("spec.yaml", []byte("views: {inputs: v/*.avro, id: id, time: t}\nengagements:\n  like: {inputs: l/*.avro, view: v, time: t, window: 1d}\n"+
			"outputs: {samples: out/samples, late: out/late, dead_letters: out/dead, accounts: out/accounts}\n"+examples[i][1]))
		require.NoError(t, err)
		var got []string
		for _, stage := range s.Stages {
			got = append(got, stage.Name()+" "+string(stage.Emit))
		}
		require.Equal(t, want, got)
	}
}

// TestWeightsPageHasEachRecipe: its heading, its row and its paper, and no other; its rows are the code's.
func TestWeightsPageHasEachRecipe(t *testing.T) {
	weights := page(WeightsPage)
	rows := regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(WeightsPage, -1)
	var names []string
	for _, row := range rows {
		names = append(names, row[1])
	}
	require.Equal(t, recipe.Names(), names)
	for _, r := range recipe.All() {
		section := strings.Join(strings.Fields(strings.ReplaceAll(weights.section(t, r.Name), "*", "")), " ")
		if r.Name == "fake-negative-calibration" {
			require.Contains(t, section, "The same paper")
			continue
		}
		authors, rest, _ := strings.Cut(r.Paper, ": ")
		title, published, _ := strings.Cut(rest, ". ")
		require.Contains(t, section, authors+": "+title+", "+published, r.Name)
	}
	// What stands in the tables, at two predictions.
	for name, formulas := range map[string]map[string]func(p, delayed float64) float64{
		"fake-negative-weighting": {
			"(1-p)(1+p)": func(p, _ float64) float64 { return (1 - p) * (1 + p) },
			"1+p":        func(p, _ float64) float64 { return 1 + p },
		},
		"elapsed-time-sampling": {
			"(1+delayed)(1-p)/(1-p+delayed)": func(p, d float64) float64 { return (1 + d) * (1 - p) / (1 - p + d) },
			"1+delayed":                      func(_, d float64) float64 { return 1 + d },
		},
	} {
		table := regexp.MustCompile(`(?m)^\| (.+) \| (.+) \| (.+) \|$`).FindAllStringSubmatch(weights.section(t, name), -1)
		require.Len(t, table, 5)
		formulas["0"] = func(_, _ float64) float64 { return 0 }
		for _, row := range table[1:] {
			s, known := map[string]recipe.Sample{
				"first stage, negative":                    {},
				"first stage, positive":                    {Positive: true},
				"later stage, positive for the first time": {Version: 2, Positive: true},
				"any other": {Version: 1, Positive: true, Told: true},
			}[row[1]]
			require.True(t, known, row[1])
			s.Weight = 3
			for _, m := range []recipe.Model{{P: 0.3, Delayed: 0.1}, {P: 0.8, Delayed: 0.7}} {
				got := recipe.Find(name).Weigh(s, m)
				require.InDelta(t, 3*formulas[row[2]](m.P, m.Delayed), got.Negative, 1e-12, row[0])
				require.InDelta(t, 3*formulas[row[3]](m.P, m.Delayed), got.Positive, 1e-12, row[0])
			}
		}
	}
}

// TestWeightsPageHasSpecs: what it shows of specs is sound in one.
func TestWeightsPageHasSpecs(t *testing.T) {
	shown := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(WeightsPage, -1)
	require.Len(t, shown, 4)
	for _, s := range shown {
		_, err := spec.Parse("feed.yaml", []byte(`views: {inputs: views.jsonl, id: view_id, time: ts}
engagements: {like: {inputs: likes.jsonl, view: view_id, time: ts, window: 30m}}
outputs: {samples: out/samples}
`+s[1]))
		require.NoError(t, err, s[1])
	}
}
