package repair

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"

	"tributary/pipelines/job"
	"tributary/runners/devcluster/services"
)

// TestRule: the programs of the page that tell which sample of a view counts tell it of samples that a repair has corrected, with stages and
// without.
func TestRule(t *testing.T) {
	readers, err := services.Service{Name: "readers", Data: t.TempDir(), Log: os.Stderr}.Start(t.Context())
	require.NoError(t, err)
	program := func(language string) string {
		_, page, found := strings.Cut(job.OutputsPage, "### Which sample counts")
		require.True(t, found)
		text := regexp.MustCompile("(?s)```" + language + "\n(.*?)```").FindStringSubmatch(page)
		require.NotNil(t, text, language)
		return text[1]
	}
	dir := t.TempDir()
	source, binary := filepath.Join(dir, "main.go"), filepath.Join(dir, "newest")
	require.NoError(t, os.WriteFile(source, []byte(program("go")), 0o600))
	run(t, "", "go", "build", "-o", binary, source)
	for _, more := range []string{"negatives: {keep: 0.3}\n", staged} {
		r := newRig(t, "{topic: samples, format: json}", more)
		require.Positive(t, r.fix(late(CorrectOptions{})).Written)
		var file bytes.Buffer
		for _, s := range r.topic() {
			headers := []string{}
			for _, h := range s.Headers {
				headers = append(headers, h.Key, string(h.Value))
			}
			line, err := json.Marshal(map[string]any{"topic": s.Topic, "partition": s.Partition, "offset": s.Offset, "key": string(s.Key), "headers": headers, "payload": s.text})
			require.NoError(t, err)
			file.Write(append(line, '\n'))
		}
		require.NoError(t, os.WriteFile(filepath.Join(dir, "samples.jsonl"), file.Bytes(), 0o600))
		var want strings.Builder
		have := newest(r.topic())
		for _, id := range slices.Sorted(maps.Keys(have)) {
			if s := have[id]; gjson.Get(s.text, "weight").Float() > 0 {
				fmt.Fprintln(&want, id, s.version[1], gjson.Get(s.text, "positive").Bool())
			}
		}
		require.Equal(t, want.String(), run(t, dir, binary, r.brokers[0]))
		require.Equal(t, want.String(), run(t, dir, string(readers), "-c", program("python")))
		require.Equal(t, want.String(), run(t, dir, string(readers), "-c",
			"import duckdb, sys\nfor row in duckdb.sql(sys.argv[1]).fetchall(): print(*row)", program("sql")))
	}
}

// run runs a program, and returns what it prints.
func run(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	require.NoError(t, cmd.Run(), said.String())
	return out.String()
}
