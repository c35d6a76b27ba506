package batch

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/transforms/account"
)

// TestFieldOfFiles joins views whose ids differ by their files alone, of all formats and orders: $file is a part of the id, and a condition.
func TestFieldOfFiles(t *testing.T) {
	dir := t.TempDir()
	view := recordSchema("View", `id "string"`, "ts "+stampType, `part "string"`, `n "long"`)
	var want []string
	clicks := ""
	for i, name := range []string{"a.avro", "b.jsonl", "c.csv", "d.jsonl"} {
		path := dir + "/views/" + name
		var rows []string
		for k := range 3 {
			rows = append(rows, fmt.Sprintf(`{"id":"%d","ts":%d,"part":"p","n":%d}`, k, begin+int64(k)*1000, k+10*i))
			want = append(want, fmt.Sprintf("%s|%d %v", path, k, k == i))
		}
		switch name {
		case "a.avro":
			writeAvro(t, path, view, 2, rows...)
		case "c.csv":
			text := "id,ts,part,n\n"
			for k := range 3 {
				text += fmt.Sprintf("%d,%d,p,%d\n", k, begin+int64(k)*1000, k+10*i)
			}
			write(t, path, text)
		default:
			write(t, path, rows[0]+"\n"+rows[1]+"\n"+rows[2]+"\n")
		}
		clicks += fmt.Sprintf(`{"of":%q,"id":"%d","ts":%d}`+"\n", path, i, begin+int64(i)*1000+1)
	}
	write(t, dir+"/clicks.jsonl", clicks)
	schema := `{"type":"record","name":"View","fields":[{"name":"id","type":"string"},{"name":"ts","type":"long"},{"name":"part","type":"string"},{"name":"n","type":"long"}]}`
	write(t, dir+"/view.avsc", schema)
	for _, order := range []string{"none", "file", "{partition: part, offset: n}"} {
		for _, interval := range []time.Duration{0, time.Second} {
			s := to(parse(t, dir, fmt.Sprintf(`
views:
  inputs: [{path: views/*.jsonl, order: %[1]s, schema: view.avsc}, {path: views/*.csv, order: %[1]s, schema: view.avsc}, {path: views/*.avro, order: %[1]s}]
  id: [$file, id]
  time: {field: ts, unit: epoch-millis}
engagements:
  click: {inputs: clicks.jsonl, view: [of, id], time: {field: ts, unit: epoch-millis}, window: 1m}
  own: {inputs: clicks.jsonl, where: {$file: %[2]q}, view: [of, id], time: {field: ts, unit: epoch-millis}, window: 1m}
  other: {inputs: clicks.jsonl, where: {$file: other.jsonl}, view: [of, id], time: {field: ts, unit: epoch-millis}, window: 1m}
outputs: {samples: out/samples}
`, order, dir+"/clicks.jsonl")), t.TempDir())
			r := join(t, s, Options{Interval: interval})
			require.Zero(t, r.Accounts.Views.N[account.Dead])
			require.EqualValues(t, 4, r.Accounts.Engagements["other"].N[account.Filtered])
			require.Zero(t, r.Accounts.Engagements["own"].N[account.Filtered])
			var got []string
			for _, sample := range samplesBelow(t, s.Outputs.Samples.Path) {
				got = append(got, fmt.Sprintf("%s %v", sample.ViewID, sample.Positive))
			}
			require.ElementsMatch(t, want, got, order)
		}
	}
}
