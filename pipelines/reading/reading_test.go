package reading_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"tributary/pipelines/job/batch"
	"tributary/pipelines/reading"
	"tributary/pipelines/reading/readback"
	"tributary/pipelines/spec"
	"tributary/runners/devcluster/services"
)

var update = flag.Bool("update", false, "rewrite the output that the page shows")

// block is a piece of code on the page, with the output that follows it.
var block = regexp.MustCompile("(?s)```python\n(.*?)```\n\n```text\n(.*?)```\n")

const schema = `{"type": "record", "name": "view", "fields": [
	{"name": "view_id", "type": "string"},
	{"name": "ts", "type": {"type": "long", "logicalType": "timestamp-millis"}},
	{"name": "user_id", "type": "long"},
	{"name": "surface", "type": "string"},
	{"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 10, "scale": 2}}
]}`

// samplesOf lays out what the page reads: samples of its spec, in its three forms.
func samplesOf(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	var views, clicks, purchases strings.Builder
	for i := range 8 {
		fmt.Fprintf(&views, `{"view_id": "v%d", "ts": "2026-01-01T10:%02d:00Z", "user_id": %d, "surface": "%s", "price": "%d.50"}`+"\n",
			i, i, 100+i%3, []string{"home", "search"}[i%2], 10+i)
		if i%3 == 0 {
			fmt.Fprintf(&clicks, `{"view_id": "v%d", "ts": "2026-01-01T10:%02d:30Z"}`+"\n", i, i)
		}
	}
	// The log ends so soon after the last view that its label may still change.
	views.WriteString(`{"view_id": "v9", "ts": "2026-01-02T12:00:00Z", "user_id": 7, "surface": "home", "price": "0.99"}` + "\n")
	clicks.WriteString(`{"view_id": "v9", "ts": "2026-01-02T12:00:05Z"}` + "\n")
	purchases.WriteString(`{"view_id": "v3", "ts": "2026-01-01T18:00:00Z", "amount": 13.5}` + "\n")
	for name, content := range map[string]string{
		"views.jsonl": views.String(), "clicks.jsonl": clicks.String(), "purchases.jsonl": purchases.String(), "views.avsc": schema,
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
	_, text, _ := strings.Cut(reading.Page(), "```yaml\n")
	text, _, _ = strings.Cut(text, "```")
	asText := strings.Replace(text, "{path: views.jsonl, schema: views.avsc}", "views.jsonl", 1)
	require.NotEqual(t, text, asText)
	for out, text := range map[string]string{
		"samples": text,
		"json":    strings.Replace(text, "samples: out/samples", "samples: {path: out/json, format: json}", 1),
		"stages":  strings.Replace(text, "samples: out/samples", "samples: out/stages", 1) + "stages: [10s, 1m]\n",
		"text":    strings.Replace(asText, "samples: out/samples", "samples: out/text", 1),
	} {
		text = regexp.MustCompile(`(?m)^(outputs: .*)\}$`).ReplaceAllString(text, "$1, accounts: ledger/"+out+"}")
		s, err := spec.Parse(filepath.Join(dir, "feed.yaml"), []byte(text))
		require.NoError(t, err, text)
		_, err = batch.Run(t.Context(), s, batch.Options{})
		require.NoError(t, err)
		readback.Check(t, filepath.Join(dir, "out", out))
	}
	return dir
}

// TestPage runs the code of the page, and holds what it prints against what the page shows.
func TestPage(t *testing.T) {
	dir := samplesOf(t)
	readers, err := services.Service{Name: "readers", Data: t.TempDir(), Log: os.Stderr}.Start(t.Context())
	require.NoError(t, err)
	spark, err := services.Service{Name: "spark", Data: t.TempDir(), Log: os.Stderr}.Start(t.Context())
	require.NoError(t, err)
	submit := "PYSPARK_SUBMIT_ARGS=--jars " + spark.Part("avro") + " --master local[1] --driver-memory 512m --conf spark.ui.enabled=false" +
		" --conf spark.driver.host=127.0.0.1 --conf spark.sql.shuffle.partitions=1 pyspark-shell"

	page := reading.Page()
	at := strings.Index(page, "## Spark")
	require.Positive(t, at)
	got := run(t, dir, page[:at], string(readers)) + run(t, dir, page[at:], spark.Part("python"), submit)
	if *update {
		require.NoError(t, os.WriteFile("reading.md", []byte(got), 0o600))
		return
	}
	assert.Equal(t, page, got)
}

// run runs the code of a part of the page in one process, and returns the part with what was
// printed.
func run(t *testing.T, dir, part, python string, env ...string) string {
	t.Helper()
	const end = "\x1e"
	var script strings.Builder
	blocks := block.FindAllStringSubmatch(part, -1)
	require.Len(t, blocks, strings.Count(part, "```python"), "each piece of code is followed by its output")
	for _, b := range blocks {
		script.WriteString(b[1] + "\nprint('" + end + "', end='')\n")
	}
	cmd := exec.CommandContext(t.Context(), python, "-c", script.String())
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(), "PYTHONUTF8=1"), env...)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	require.NoError(t, cmd.Run(), said.String())
	outputs := strings.Split(out.String(), end)
	require.Len(t, outputs, len(blocks)+1)
	i := -1
	return block.ReplaceAllStringFunc(part, func(text string) string {
		i++
		shown := strings.TrimSpace(outputs[i]) + "\n"
		code, _, _ := strings.Cut(text, "```text\n")
		return code + "```text\n" + shown + "```\n"
	})
}
