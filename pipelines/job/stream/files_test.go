package stream

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"

	"tributary/io/kafkaio/source"
	"tributary/pipelines/job/batch"
	"tributary/pipelines/job/topics"
	"tributary/pipelines/spec"
	"tributary/runners/devcluster/servicestest"
	"tributary/runners/prism"
	"tributary/transforms/account"
)

// Edits of a spec of topics that bring inputs back to files.
func filesOf(folder, order string) []string {
	schema := strings.TrimSuffix(folder, "s")
	return []string{fmt.Sprintf("{topic: %s, format: avro, schema: %s.avsc}", folder, schema), fmt.Sprintf("{path: %s/*.avro, order: %s}", folder, order)}
}

// TestFilesBesideTopics: a stream joins files with topics as a join of files joins the same records: the same samples, byte
// for byte, and the same accounts.
func TestFilesBesideTopics(t *testing.T) {
	fake, err := kfake.NewCluster(kfake.NumBrokers(1))
	require.NoError(t, err)
	t.Cleanup(fake.Close)
	// Calls of a piece each, and pieces of a block or two.
	opt := Options{Rest: 5 * time.Millisecond, Readers: prism.Readers, PollBudget: 20 * time.Millisecond, feed: batch.FeedConfig{PieceBytes: 8 << 10, Budget: 1}}
	for name, c := range map[string]struct{ files, orders []string }{
		"views":               {files: filesOf("views", "file")},
		"engagements":         {files: filesOf("engagements", "file")},
		"views without order": {files: filesOf("views", "none"), orders: []string{"{path: views/*.avro, order: file}", "{path: views/*.avro, order: none}"}},
	} {
		t.Run(name, func(t *testing.T) {
			filesBesideTopics(t, 3000, fake.ListenAddrs(), c.files, c.orders, opt, func(p *beam.Pipeline) { run(t, p) })
		})
	}
}

// TestFilesBesideTopicsOnFlink does the same with servers as they are in production, and checkpoints in between.
func TestFilesBesideTopicsOnFlink(t *testing.T) {
	_, kafka := servicestest.Start(t, "kafka")
	_, flinkAt := servicestest.Start(t, "flink")
	opt := Options{feed: batch.FeedConfig{PieceBytes: 256 << 10, Budget: 100 * time.Millisecond}}
	filesBesideTopics(t, 30_000, []string{string(kafka)}, filesOf("views", "file"), nil, opt, func(p *beam.Pipeline) { runOnFlink(t, flinkAt, p) })
}

// filesBesideTopics joins records of which those of some inputs are in files; in the join of files that it is held against
// they have those orders.
func filesBesideTopics(t *testing.T, views int64, brokers, files, orders []string, opt Options, run func(*beam.Pipeline)) {
	t.Helper()
	dir := hard(t, views)
	own := "beside" + fmt.Sprint(time.Now().UnixNano())
	edits := append(files, "name: made", "name: "+own, "samples: {topic: samples}", "samples: {topic: "+own+"}")
	for _, folder := range []string{"views", "engagements"} {
		if !strings.Contains(files[0], "topic: "+folder) {
			edits = append(edits, "topic: "+folder, "topic: "+own+"."+folder)
		}
	}
	s := streamSpec(t, dir, brokers, edits...)
	_, err := topics.Create(t.Context(), s, topics.CreateOptions{Inputs: true, Partitions: 3, Replicas: 1})
	require.NoError(t, err)
	sent := map[string]bool{"": true} // several inputs may read a topic
	for _, in := range s.Inputs() {
		if !sent[in.Topic] {
			send(t, brokers, in.Topic, dir+"/"+strings.TrimPrefix(in.Topic, own+"."))
		}
		sent[in.Topic] = true
	}

	text, err := os.ReadFile(dir + "/spec.yaml")
	require.NoError(t, err)
	bounded := string(text)
	for i := 0; i < len(orders); i += 2 {
		require.Contains(t, bounded, orders[i])
		bounded = strings.ReplaceAll(bounded, orders[i], orders[i+1])
	}
	join, err := spec.Parse(dir+"/spec.yaml", []byte(bounded))
	require.NoError(t, err)
	report, err := batch.Run(t.Context(), join, batch.Options{})
	require.NoError(t, err)
	want := samplesIn(t, dir+"/out/samples")

	opt.Stop, opt.Drain = source.Stop{At: source.StopAtEnd}, true
	plan, err := New(t.Context(), s, opt)
	require.NoError(t, err)
	for _, attempt := range []string{"first", "again"} {
		plan.reading.Job = own + attempt
		run(plan.Pipeline())
		got := consume(t, brokers, own)
		require.Len(t, got, int(report.Accounts.Views.N[account.Samples]), attempt)
		require.True(t, maps.Equal(want, got), "%s run: samples differ from the bounded join's", attempt)
		accounted, err := Report(t.Context(), s)
		require.NoError(t, err)
		require.NoError(t, accounted.Accounts.Check())
		require.Equal(t, report.Accounts.Views, accounted.Accounts.Views, attempt)
		require.Equal(t, report.Accounts.Engagements, accounted.Accounts.Engagements, attempt)
	}
	for _, output := range []string{"late", "dead"} {
		lines, err := filepath.Glob(dir + "/out/" + output + "/*/*.jsonl")
		require.NoError(t, err)
		wanted := map[string]bool{}
		for _, path := range lines {
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			for line := range strings.Lines(string(text)) {
				wanted[withoutSource(t, line)] = true
			}
		}
		require.NotEmpty(t, wanted)
		got := map[string]bool{}
		for value := range consume(t, brokers, own+"."+output) {
			got[withoutSource(t, value)] = true
		}
		require.Equal(t, wanted, got, output)
	}
}

// withoutSource is a rejected record without where it was read.
func withoutSource(t *testing.T, text string) string {
	t.Helper()
	var fields map[string]any
	require.NoError(t, json.Unmarshal([]byte(text), &fields))
	delete(fields, "source")
	plain, err := json.Marshal(fields)
	require.NoError(t, err)
	return string(plain)
}

// TestFilesAreKept: a run that goes on reads the files that the job began with, and refuses others.
func TestFilesAreKept(t *testing.T) {
	fake, err := kfake.NewCluster(kfake.NumBrokers(1))
	require.NoError(t, err)
	t.Cleanup(fake.Close)
	dir := hard(t, 300)
	job := newCutJob(t, fake.ListenAddrs(), dir, "kept", "views")
	first, err := New(t.Context(), job.spec(3), quick("a", Fresh))
	require.NoError(t, err)
	require.Equal(t, 3, first.files.Count())

	content, err := os.ReadFile(dir + "/views/part-00000-00000.avro")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(dir+"/views/part-99999-00000.avro", content, 0o600))
	for _, how := range []Resume{FromState, FromLog} {
		again, err := New(t.Context(), job.spec(3), quick("b", how))
		require.NoError(t, err)
		require.Equal(t, first.files.Kept, again.files.Kept, "what came since is not read")
		require.Equal(t, first.params.Schemas, again.params.Schemas)
	}
	_, err = New(t.Context(), job.spec(3, "views/*.avro", "views/part-0000?-*.avro"), quick("b", FromState))
	require.ErrorContains(t, err, "files of views.inputs.0: "+dir+"/views/*.avro, now "+dir+"/views/part-0000?-*.avro")
	require.NoError(t, os.WriteFile(dir+"/views/part-00000-00000.avro", content[:len(content)-100], 0o600))
	for _, how := range []Resume{FromState, FromLog} {
		_, err = New(t.Context(), job.spec(3), quick("b", how))
		require.ErrorContains(t, err, "T2014 views.inputs.0: "+dir+"/views/part-00000-00000.avro is not as the run before has read it")
	}
}
