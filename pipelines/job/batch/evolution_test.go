package batch

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/io/iotest"
	"tributary/pipelines/spec/problem"
	"tributary/transforms/account"
)

const stampType = `{"type":"long","logicalType":"timestamp-millis"}`

// recordSchema is a record with the given fields, each `name type` or `name type default`.
func recordSchema(name string, fields ...string) string {
	for i, f := range fields {
		parts := strings.SplitN(f, " ", 3)
		fields[i] = fmt.Sprintf(`{"name":%q,"type":%s`, parts[0], parts[1])
		if len(parts) == 3 {
			fields[i] += `,"default":` + parts[2]
		}
		fields[i] += "}"
	}
	return fmt.Sprintf(`{"type":"record","name":%q,"fields":[%s]}`, name, strings.Join(fields, ","))
}

const evolvedSpec = `
views: {inputs: [{path: views/*.avro}], id: view_id, time: ts}
engagements:
  like: {inputs: likes/*.avro, view: view_id, time: ts, window: 1m}
outputs: {samples: out/samples}
`

func likes(t *testing.T, dir string, ids ...string) {
	t.Helper()
	for i, id := range ids {
		ids[i] = fmt.Sprintf(`{"view_id":%q,"ts":1767225605000,"amount":1,"event_id":"e"}`, id)
	}
	writeAvro(t, dir+"/likes/0.avro", likeSchema, 1000, ids...)
}

// TestSchemasOfAllAgesJoin: an int became a long, a field was added, one was dropped and
// the order changed; ids are text here and numbers there.
func TestSchemasOfAllAgesJoin(t *testing.T) {
	old := recordSchema("View", `item "int"`, `view_id "string"`, "ts "+stampType, `gone "string" ""`)
	newer := recordSchema("View", `view_id "string"`, "ts "+stampType, `item "long"`, `surface "string" "unknown"`, `gone "string" ""`)
	given := recordSchema("View", `surface "string" "given"`, `view_id "string"`, "ts "+stampType, `item "double"`)
	for name, test := range map[string]struct {
		edits  []string
		schema string
		want   []string
	}{
		"of the files": {want: []string{
			`{"view_id":"1","ts":1767225600000,"item":7,"surface":"unknown","gone":"x"}`,
			`{"view_id":"2","ts":1767225601000,"item":8589934592,"surface":"home","gone":""}`,
		}},
		"given": {schema: given, edits: []string{"views/*.avro", "views/*.avro, schema: view.avsc"}, want: []string{
			`{"surface":"given","view_id":"1","ts":1767225600000,"item":7}`,
			`{"surface":"home","view_id":"2","ts":1767225601000,"item":8589934592}`,
		}},
	} {
		for _, order := range [][2]string{{"a", "b"}, {"b", "a"}} {
			t.Run(name+order[0], func(t *testing.T) {
				dir := t.TempDir()
				writeAvro(t, dir+"/views/"+order[0]+".avro", old, 1000, `{"view_id":"1","ts":1767225600000,"item":7,"gone":"x"}`)
				writeAvro(t, dir+"/views/"+order[1]+".avro", newer, 1000, `{"view_id":"2","ts":1767225601000,"item":8589934592,"surface":"home"}`)
				// Engagements of another age name the view by a number, and stand in micros.
				likes(t, dir, "1")
				writeAvro(t, dir+"/likes/1.avro", recordSchema("Like", `ts {"type":"long","logicalType":"timestamp-micros"}`, `view_id "long"`), 1000, `{"view_id":2,"ts":1767225609000000}`)
				write(t, dir+"/view.avsc", test.schema)
				write(t, dir+"/spec.yaml", evolvedSpec)
				s := loadSpec(t, dir, test.edits...)
				r := join(t, s, Options{})
				require.EqualValues(t, 2, r.Accounts.Views.N[account.Positives])
				var views []string
				for _, sample := range samplesBelow(t, s.Outputs.Samples.Path) {
					views = append(views, string(sample.View))
				}
				require.Equal(t, test.want, views)
			})
		}
	}
}

func TestWhatFilesDoNotFit(t *testing.T) {
	view := recordSchema("View", `view_id "string"`, "ts "+stampType, `item "long"`)
	row := `{"view_id":"1","ts":1767225600000,"item":7}`
	for name, test := range map[string]struct {
		make  func(t *testing.T, dir string)
		edits []string
		code  string
		at    string
		want  []string // in the problem as it is printed
	}{
		"incompatible": {
			make: func(t *testing.T, dir string) {
				writeAvro(t, dir+"/views/b.avro", recordSchema("View", `view_id "string"`, "ts "+stampType, `item "string"`), 100, strings.Replace(row, ":7", `:"7"`, 1))
			},
			code: "T2005", at: "views.inputs.0", want: []string{"/views/", "item", "string", "long", "schema: FILE.avsc"},
		},
		"fields without defaults": {
			make: func(t *testing.T, dir string) {
				writeAvro(t, dir+"/views/b.avro", recordSchema("View", `view_id "string"`, "ts "+stampType, `extra "string"`), 100, strings.Replace(row, `"item":7`, `"extra":"x"`, 1))
			},
			code: "T2005", at: "views.inputs.0", want: []string{"/views/", "no default"},
		},
		"text and Avro":  {make: func(t *testing.T, dir string) { write(t, dir+"/views/b.jsonl", row) }, edits: []string{"[{path: views/*.avro}]", "[views/*.avro, views/*.jsonl]"}, code: "T2005", at: "views.inputs.1", want: []string{"JSON", "schema"}},
		"unknown id":     {edits: []string{"id: view_id", "id: viewid"}, code: "T2003", at: "views.id", want: []string{`no field "viewid"`, `did you mean: view_id`, "/views/a.avro"}},
		"unknown time":   {edits: []string{"time: ts, window", "time: tss, window"}, code: "T2003", at: "engagements.like.time", want: []string{`no field "tss"`, "/likes/0.avro"}},
		"unknown where":  {edits: []string{"window: 1m", "where: {knd: x}, window: 1m"}, code: "T2003", at: "engagements.like.where.knd", want: []string{"knd"}},
		"unknown view":   {edits: []string{"id: view_id", "where: {knd: x}, id: view_id"}, code: "T2003", at: "views.where.knd", want: []string{"knd", "/views/a.avro"}},
		"unknown part":   {edits: []string{"id: view_id", "id: [view_id, itm]", "view: view_id", "view: [view_id, event_id]"}, code: "T2003", at: "views.id.1", want: []string{`no field "itm"`, `did you mean: item`, "/views/a.avro"}},
		"unknown label":  {edits: []string{"window: 1m", "window: 1m, label: {sum: amout}"}, code: "T2003", at: "engagements.like.label.sum", want: []string{`did you mean: amount`}},
		"unknown order":  {edits: []string{"{path: views/*.avro}", "{path: views/*.avro, order: {partition: p, offset: item}}"}, code: "T2003", at: "views.inputs.0.order.partition", want: []string{`no field "p"`}},
		"unknown nested": {edits: []string{"id: view_id", "id: view_id.x"}, code: "T2003", at: "views.id", want: []string{"view_id.x"}},
		"unknown column": {
			make:  func(t *testing.T, dir string) { write(t, dir+"/likes/x.csv", "view,at\n1,2026-01-01T00:00:00Z\n") },
			edits: []string{"likes/*.avro", "likes/*.csv", "time: ts, window", "time: at, window"},
			code:  "T2003", at: "engagements.like.view", want: []string{`no field "view_id"`, `did you mean: view`, "/likes/x.csv"},
		},
		"no unit":    {edits: []string{"time: ts}", "time: item}"}, code: "T2006", at: "views.time", want: []string{"item", "long", "time: {field: item, unit: epoch-millis}", "epoch-seconds"}},
		"pattern":    {edits: []string{"time: ts}", `time: {field: ts, pattern: "%F", zone: UTC}}`}, code: "T2004", at: "views.time", want: []string{"ts is of type timestamp-millis, and cannot be a time by a pattern, which is text"}},
		"no match":   {edits: []string{"likes/*.avro", "like/*.avro"}, code: "T2001", at: "engagements.like.inputs.0", want: []string{"like/*.avro matches no file", "likes/"}},
		"empty":      {make: func(t *testing.T, dir string) { write(t, dir+"/views/b.avro", "") }, code: "T2008", at: "views.inputs.0", want: []string{"views/b.avro", "empty"}},
		"not Avro":   {make: func(t *testing.T, dir string) { write(t, dir+"/views/b.avro", row) }, code: "T2008", at: "views.inputs.0", want: []string{"views/b.avro", `{\"vi`}},
		"cut header": {make: func(t *testing.T, dir string) { write(t, dir+"/views/b.avro", "Obj\x01\x04\x14avro") }, code: "T2008", at: "views.inputs.0", want: []string{"views/b.avro", "ends within the header"}},
		"not gzip":   {make: func(t *testing.T, dir string) { write(t, dir+"/likes/x.csv.gz", "view_id,ts\n") }, edits: []string{"likes/*.avro", "likes/*.csv.gz"}, code: "T2008", at: "engagements.like.inputs.0", want: []string{"x.csv.gz", "not gzip"}},
		"other delimiter": {
			make:  func(t *testing.T, dir string) { write(t, dir+"/likes/x.csv", "view_id;ts\n1;2026-01-01T00:00:00Z\n") },
			edits: []string{"likes/*.avro", "likes/*.csv"}, code: "T2008", at: "engagements.like.inputs.0", want: []string{"likes/x.csv", `view_id;ts`, "separated by comma here, and by semicolon"},
		},
		"other delimiter by a schema": {
			make: func(t *testing.T, dir string) {
				write(t, dir+"/like.avsc", likeSchema)
				write(t, dir+"/likes/x.csv", "view_id|ts\n1|2026-01-01T00:00:00Z\n")
			},
			edits: []string{"likes/*.avro", "[{path: likes/*.csv, schema: like.avsc}]"}, code: "T2008", at: "engagements.like.inputs.0", want: []string{"likes/x.csv", "separated by comma here, and by bar"},
		},
		"delimiter that is none": {
			make:  func(t *testing.T, dir string) { write(t, dir+"/likes/x.csv", "view_id,ts\n1,2026-01-01T00:00:00Z\n") },
			edits: []string{"likes/*.avro", "[{path: likes/*.csv, delimiter: tab}]"}, code: "T2008", at: "engagements.like.inputs.0", want: []string{"likes/x.csv", "separated by tab here, and by comma"},
		},
		"cut gzip": {make: func(t *testing.T, dir string) {
			write(t, dir+"/likes/x.json.gz", string(iotest.Pack(t, ".gz", []byte(strings.Repeat(row+"\n", 100)))[:60]))
		}, edits: []string{"likes/*.avro", "likes/*.json.gz"}, code: "T2002", at: "engagements.like.inputs.0", want: []string{"x.json.gz", "cut off"}},
		"not zstd": {make: func(t *testing.T, dir string) { write(t, dir+"/likes/x.csv.zst", "view_id,ts\n") }, edits: []string{"likes/*.avro", "likes/*.csv.zst"}, code: "T2008", at: "engagements.like.inputs.0", want: []string{"x.csv.zst", "not zstd"}},
		"cut zstd": {make: func(t *testing.T, dir string) {
			write(t, dir+"/likes/x.json.zst", string(iotest.Pack(t, ".zst", []byte(strings.Repeat(row+"\n", 100)))[:60]))
		}, edits: []string{"likes/*.avro", "likes/*.json.zst"}, code: "T2002", at: "engagements.like.inputs.0", want: []string{"x.json.zst", "zstd is cut off after"}},
		"damaged lz4": {make: func(t *testing.T, dir string) {
			content := iotest.Pack(t, ".lz4", []byte(strings.Repeat(row+"\n", 100)))
			content[len(content)-1]++ // of its checksum
			write(t, dir+"/likes/x.json.lz4", string(content))
		}, edits: []string{"likes/*.avro", "likes/*.json.lz4"}, code: "T2002", at: "engagements.like.inputs.0", want: []string{"x.json.lz4", fmt.Sprintf("lz4 is damaged after %d bytes of content", 100*(len(row)+1))}},
		"schema":    {make: func(t *testing.T, dir string) { write(t, dir+"/view.avsc", `{"type":"recrd"}`) }, edits: []string{"{path: views/*.avro}", "{path: views/*.avro, schema: view.avsc}"}, code: "T2009", at: "views.inputs.0", want: []string{"view.avsc", "recrd"}},
		"no schema": {edits: []string{"{path: views/*.avro}", "{path: views/*.avro, schema: view.avsc}"}, code: "T2009", at: "views.inputs.0", want: []string{"view.avsc", "no such file"}},
		"not a scalar": {make: func(t *testing.T, dir string) {
			writeAvro(t, dir+"/views/a.avro", recordSchema("View", `view_id {"type":"array","items":"string"}`, "ts "+stampType), 100, `{"view_id":["1"],"ts":1}`)
		}, code: "T2004", at: "views.id", want: []string{"view_id", "array"}},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			dir := t.TempDir()
			writeAvro(t, dir+"/views/a.avro", view, 100, row)
			likes(t, dir, "1")
			if test.make != nil {
				test.make(t, dir)
			}
			write(t, dir+"/spec.yaml", evolvedSpec)
			list := refused(t, loadSpec(t, dir, test.edits...))
			require.Len(t, list, 1, "%v", list)
			p := list[0]
			require.Equal(t, test.code, p.Code, "%v", p)
			require.Equal(t, test.at, p.Field, "%v", p)
			require.NotZero(t, p.Line)
			for _, part := range test.want {
				require.Contains(t, p.Error(), part)
			}
			require.NoDirExists(t, dir+"/out")
		})
	}
}

func TestAllProblemsOfFilesAtOnce(t *testing.T) {
	dir := t.TempDir()
	for i := range 3 { // one schema, one problem
		writeAvro(t, fmt.Sprintf("%s/views/%d.avro", dir, i), recordSchema("View", `id "string"`, `ts "long"`), 100, `{"id":"1","ts":1767225600000}`)
	}
	likes(t, dir, "1")
	write(t, dir+"/spec.yaml", evolvedSpec)
	list := refused(t, loadSpec(t, dir, "window: 1m", "view_time: vt, window: 1m"))
	var codes []string
	for _, p := range list {
		codes = append(codes, p.Code+" "+p.Field)
	}
	require.Equal(t, []string{"T2003 views.id", "T2006 views.time", "T2003 engagements.like.view_time"}, codes, "%v", list)
	require.True(t, slices.IsSortedFunc(list, func(a, b problem.Problem) int { return a.Line - b.Line }))
}

func TestUnreadableFile(t *testing.T) {
	dir := t.TempDir()
	likes(t, dir, "1")
	require.NoError(t, os.MkdirAll(dir+"/views", 0o755))
	// A link to nowhere, unlike a file without permission, cannot be read by root either.
	require.NoError(t, os.Symlink(dir+"/views/b.avro", dir+"/views/a.avro"))
	write(t, dir+"/spec.yaml", evolvedSpec)
	list := refused(t, loadSpec(t, dir))
	require.Equal(t, "T2002", list[0].Code)
	require.Contains(t, list[0].Message, "a.avro")
}
