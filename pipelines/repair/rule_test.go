package repair

import (
	"bytes"
	"context"
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
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/pipelines/job"
	"tributary/runners/devcluster/services"
)

// TestRule: the programs of the page that tell which sample of a view counts tell it of samples that a repair has corrected, with stages and
// without, and that the job has written again since; beside records without a value, and partitions that are empty, or that retention has emptied
// or cut. So they do of a topic that has nothing left.
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
	check := func(r *rig) {
		t.Helper()
		var file bytes.Buffer
		for _, s := range r.topic() {
			headers := []string{}
			for _, h := range s.Headers {
				headers = append(headers, h.Key, string(h.Value))
			}
			record := map[string]any{"topic": s.Topic, "partition": s.Partition, "offset": s.Offset, "key": string(s.Key), "payload": nil}
			if len(headers) > 0 { // as kcat has it
				record["headers"] = headers
			}
			if s.Value != nil {
				record["payload"] = s.text
			}
			line, err := json.Marshal(record)
			require.NoError(t, err)
			file.Write(append(line, '\n'))
		}
		require.NoError(t, os.WriteFile(filepath.Join(dir, "samples.jsonl"), file.Bytes(), 0o600))
		var want strings.Builder
		have := newest(slices.DeleteFunc(r.topic(), func(s written) bool { return len(s.Value) == 0 }))
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
	for _, more := range []string{"negatives: {keep: 0.3}\n", staged} {
		r := newRig(t, "{topic: samples, format: json}", more)
		require.Positive(t, r.fix(late(CorrectOptions{})).Written)
		r.wear()
		check(r)
		ends, err := kadm.NewClient(r.client()).ListEndOffsets(t.Context(), "samples")
		require.NoError(t, err)
		_, err = kadm.NewClient(r.client()).DeleteRecords(t.Context(), ends.Offsets())
		require.NoError(t, err)
		require.Empty(t, r.topic())
		check(r)
	}
}

// TestOneRule: the page says which sample counts in one place, which the others name.
func TestOneRule(t *testing.T) {
	require.Equal(t, 1, strings.Count(job.OutputsPage, "then by offset"))
	require.NotContains(t, job.OutputsPage, "by offset counts")
	for _, title := range []string{"\n| header | value |\n", "\n### Samples of stages\n"} {
		_, text, found := strings.Cut(job.OutputsPage, title)
		require.True(t, found)
		text, _, _ = strings.Cut(text, "\n#")
		require.Contains(t, text, "Which sample counts")
	}
}

// wear leaves the topic of samples as one that was written to for long: groups that were corrected written again by the job, tombstones, and
// partitions without records.
func (r *rig) wear() {
	r.Helper()
	first, again, tombs := map[string]written{}, 0, 0
	for _, s := range r.topic() {
		switch old, some := first[string(s.Key)]; {
		case !some:
			first[string(s.Key)] = s
		case s.corrected != "" && again < 5:
			r.put(&kgo.Record{Key: old.Key, Value: old.Value, Headers: []kgo.RecordHeader{{Key: "version", Value: []byte("2")}}})
			again++
		case s.corrected != "" && tombs < 2:
			r.put(&kgo.Record{Key: s.Key}, &kgo.Record{Key: s.Key, Value: []byte{}}, &kgo.Record{Key: s.Key, Value: s.Value}) // the last without headers
			tombs++
		}
	}
	require.Equal(r, 7, again+tombs)
	client := r.client(kgo.RecordPartitioner(kgo.ManualPartitioner()))
	admin := kadm.NewClient(client)
	_, err := admin.UpdatePartitions(r.Context(), 4, "samples")
	require.NoError(r, err)
	require.NoError(r, client.ProduceSync(r.Context(), &kgo.Record{Topic: "samples", Partition: 3, Value: []byte("gone")}).FirstErr())
	cut := kadm.Offsets{}
	cut.Add(kadm.Offset{Topic: "samples", Partition: 0, At: 10})
	cut.Add(kadm.Offset{Topic: "samples", Partition: 3, At: 1})
	_, err = admin.DeleteRecords(r.Context(), cut)
	require.NoError(r, err)
}

// run runs a program, and returns what it prints.
func run(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // one that waits for what never comes fails
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	require.NoError(t, cmd.Run(), said.String())
	return out.String()
}
