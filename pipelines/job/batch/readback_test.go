package batch

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"

	"tributary/pipelines/reading/readback"
	"tributary/pipelines/sim/generate"
	"tributary/transforms/account"
)

// TestOthersReadSamples has fastavro read samples in every format and codec.
func TestOthersReadSamples(t *testing.T) {
	c := generate.Default()
	c.Views, c.Partitions = 400, 2
	dir, _ := made(t, c)
	for _, output := range []string{"avro, codec: snappy", "avro, codec: zstandard", "avro, codec: deflate", `avro, codec: "null"`, "json, codec: none", "json, codec: gzip"} {
		t.Run(output, func(t *testing.T) {
			out := t.TempDir()
			s := loadSpec(t, dir, "samples: out/samples", "samples: {path: out/samples, format: "+output+"}")
			join(t, to(s, out), Options{})
			assert.Equal(t, 400, readback.Check(t, out+"/samples"))
		})
	}
}

// TestOthersReadSamplesOfStages: a folder for each stage, whose samples have three fields more.
func TestOthersReadSamplesOfStages(t *testing.T) {
	c := generate.Default()
	c.Views, c.Partitions = 400, 2
	dir, _ := made(t, c)
	for _, format := range []string{"avro", "json"} {
		out := t.TempDir()
		s := loadSpec(t, dir, "samples: out/samples", "samples: {path: out/samples, format: "+format+"}", "version: 1", "version: 1\nstages: [10s, {after: 1m, emit: positives}]")
		r := join(t, to(s, out), Options{})
		total := 0
		for i, stage := range s.Stages {
			folder := filepath.Join(out, "samples", "stage="+stage.Name())
			n := readback.Check(t, folder)
			assert.EqualValues(t, r.Accounts.Stages[stage.Name()].N[account.Given], n, stage.Name())
			assert.Positive(t, n)
			total += n
			if format == "avro" {
				eachRecord(t, folder, func(_ string, text []byte) {
					fields := gjson.GetManyBytes(text, "stage", "version", "final")
					require.Equal(t, []any{stage.Name(), float64(i), i == len(s.Stages)-1}, []any{fields[0].Value(), fields[1].Value(), fields[2].Value()})
				})
			}
		}
		assert.Equal(t, total, readback.Check(t, filepath.Join(out, "samples")))
	}
}

// hostile are texts that some reader or writer of UTF-8, JSON or Avro has tripped over, as they
// stand in a JSON string.
var hostile = []string{
	`plain`, `\u0000`, `a\u0000b`, "\xff\xfe", "cut \xe2\x82", "\xed\xa0\x80", `\ud800`, `\udc00\ud800`, `\ud83d\ude00`, "😀", `\u2028`, "\ufeff",
	`\"quoted\" and \\`, `\u007f\u001b[31m`, "Ă\u0328 e\u0301", strings.Repeat("long", 20_000), ` `, `{\"json\": 1}`, `1e400`, `null`, `NaN`,
}

// views are those that hostile texts make, one after another in seconds.
func hostileViews() (views, likes string) {
	var v, l strings.Builder
	for i, text := range hostile {
		fmt.Fprintf(&v, `{"id": "%d %s", "ts": "2026-01-01T10:00:%02dZ", "note": "%s", "%s": 1}`+"\n", i, text, i, text, text)
		fmt.Fprintf(&l, `{"id": "%d %s", "ts": "2026-01-01T10:01:%02dZ", "note": "%s"}`+"\n", i, text, i, text)
	}
	return v.String(), l.String()
}

func TestOthersReadSamplesOfHostileText(t *testing.T) {
	const schema = `{"type": "record", "name": "v", "fields": [{"name": "id", "type": "string"}, {"name": "ts", "type": "string"}, {"name": "note", "type": "string"}]}`
	views, likes := hostileViews()
	for name, input := range map[string]string{"text": "v.jsonl", "by a schema": "{path: v.jsonl, schema: v.avsc}"} {
		for _, format := range []string{"avro", "json"} {
			t.Run(name+" to "+format, func(t *testing.T) {
				dir := t.TempDir()
				write(t, filepath.Join(dir, "v.jsonl"), views)
				write(t, filepath.Join(dir, "l.jsonl"), likes)
				write(t, filepath.Join(dir, "v.avsc"), schema)
				r := join(t, parse(t, dir, fmt.Sprintf(`
views: {inputs: [%s], id: id, time: ts}
engagements:
  like: {inputs: l.jsonl, view: id, time: ts, window: 30m, label: {first: note}}
  mark: {inputs: l.jsonl, view: id, time: ts, window: 30m, label: {last: id}}
outputs: {samples: {path: out, format: %s}}
`, input, format)), Options{})
				assert.Equal(t, int(r.Accounts.Views.N[account.Samples]), readback.Check(t, filepath.Join(dir, "out")))
				assert.GreaterOrEqual(t, int(r.Accounts.Views.N[account.Samples]), len(hostile)/2, "most are sound records")
			})
		}
	}
}
