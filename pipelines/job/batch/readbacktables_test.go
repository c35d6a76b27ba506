package batch

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/pipelines/reading/readback"
	"tributary/pipelines/spec"
)

// tableSchema is of views with all that a table has to lay out.
const tableSchema = `{"type": "record", "name": "v", "fields": [
	{"name": "id", "type": "string"},
	{"name": "ts", "type": {"type": "long", "logicalType": "timestamp-millis"}},
	{"name": "note", "type": ["null", "string"], "default": null},
	{"name": "user", "type": ["null", {"type": "record", "name": "u", "fields": [
		{"name": "id", "type": "long"}, {"name": "vip", "type": "boolean"}, {"name": "tags", "type": {"type": "array", "items": "string"}}]}], "default": null},
	{"name": "scores", "type": {"type": "array", "items": "double"}, "default": []},
	{"name": "prices", "type": {"type": "map", "values": "long"}, "default": {}},
	{"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 2}},
	{"name": "score", "type": ["double", "null"], "default": 1.5},
	{"name": "kind", "type": {"type": "enum", "name": "k", "symbols": ["NEW", "OLD"]}},
	{"name": "mixed", "type": ["null", "long", "string"], "default": null}
]}`

// tableViews are views of the schema, with texts that CSV has to take care of.
func tableViews() string {
	var v strings.Builder
	texts := append([]string{``, `a, b`, `\r\n`, `\n`, `\"`, ` blanks `, `,`, `#`, `'`, `;\t|`}, hostile...)
	for i, text := range texts {
		fmt.Fprintf(&v, `{"id": "v%d", "ts": %d, "price": "%d.05", "kind": "%s"`, i, 1_767_261_600_000+i, i-3, []string{"NEW", "OLD"}[i%2])
		if i%4 > 0 {
			fmt.Fprintf(&v, `, "note": "%s", "scores": [%d, 0.1, 1e300], "prices": {"%s": %d}, "mixed": %d`, text, i, text, 1<<60+i, i)
		}
		if i%3 > 0 {
			fmt.Fprintf(&v, `, "user": {"id": %d, "vip": %t, "tags": ["%s", ""]}, "score": null`, -i, i%3 == 1, text)
		}
		v.WriteString("}\n")
	}
	return v.String()
}

// tableSpec is a join of those views, with the samples in such files.
func tableSpec(t *testing.T, output, more string) *spec.Spec {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "v.avsc"), tableSchema)
	write(t, filepath.Join(dir, "v.jsonl"), tableViews())
	write(t, filepath.Join(dir, "l.jsonl"), `{"id": "v1", "ts": 1767261600005, "amount": 2.5, "code": "a\"b"}`+"\n"+`{"id": "v2", "ts": 1767261600006, "amount": 3, "code": 7}`+"\n")
	return parse(t, dir, fmt.Sprintf(`
views: {inputs: [{path: v.jsonl, schema: v.avsc}], id: id, time: ts}
engagements:
  like: {inputs: l.jsonl, view: id, time: {field: ts, unit: epoch-millis}, window: 30m, label: {sum: amount}}
  mark: {inputs: l.jsonl, view: id, time: {field: ts, unit: epoch-millis}, window: 30m, label: {first: code}}
outputs: {samples: {path: out, format: %s}}
%s
`, output, more))
}

// TestOthersReadTables has DuckDB read samples in CSV, and tfrecord those in TFRecord: they are those in Avro, which fastavro
// reads.
func TestOthersReadTables(t *testing.T) {
	for _, stages := range []string{"", "stages: [10s]"} {
		avro := tableSpec(t, "avro", stages)
		join(t, avro, Options{})
		for _, format := range []spec.Format{spec.CSV, "tfrecord"} {
			for _, codec := range spec.Codecs[format] {
				output := fmt.Sprintf("%s, codec: %s", format, codec)
				s := tableSpec(t, output, stages)
				join(t, s, Options{})
				n := readback.CheckTables(t, avro.Outputs.Samples.Path, s.Outputs.Samples.Path)
				require.Greater(t, n, 20)
				again := tableSpec(t, output, stages)
				join(t, again, Options{})
				require.Equal(t, contents(t, s.Outputs.Samples.Path), contents(t, again.Outputs.Samples.Path), "the same bytes")
			}
		}
	}
}

// TestTablesOfViewsWithoutSchema: their view is JSON text, in one cell.
func TestTablesOfViewsWithoutSchema(t *testing.T) {
	log := newShop(300)
	dir := t.TempDir()
	log.write(t, dir, "jsonl")
	avro := shopSpec(t, dir, "jsonl", "", "")
	join(t, avro, Options{})
	for _, format := range []spec.Format{spec.CSV, "tfrecord"} {
		table := to(avro, t.TempDir())
		table.Outputs.Samples.Format, table.Outputs.Samples.Codec = format, "none"
		join(t, table, Options{})
		require.Equal(t, 300, readback.CheckTables(t, avro.Outputs.Samples.Path, table.Outputs.Samples.Path))
	}
}
