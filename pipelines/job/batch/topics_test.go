package batch

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/kafkaio/cluster"
	"tributary/io/kafkaio/source"
	"tributary/io/record"
	"tributary/pipelines/job/topics"
	"tributary/pipelines/report"
	"tributary/pipelines/sim/generate/generatetest"
	"tributary/pipelines/sim/replay"
	"tributary/runners/devcluster/servicestest"
	"tributary/transforms/account"
)

// topicsOf is made input with all kinds of faults, in files and in topics of a broker. Chapters of
// logs are few, so there are enough records for some.
func topicsOf(t *testing.T) (dir, broker string) {
	t.Helper()
	dir = generatetest.Hard(t, 60_000, 20*time.Minute)
	fake, err := kfake.NewCluster(kfake.NumBrokers(1))
	require.NoError(t, err)
	t.Cleanup(fake.Close)
	brokers := fake.ListenAddrs()
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...))
	require.NoError(t, err)
	t.Cleanup(client.Close)
	_, err = kadm.NewClient(client).CreateTopics(t.Context(), 3, 1, nil, "views", "engagements")
	require.NoError(t, err)
	for _, topic := range []string{"views", "engagements"} {
		source, err := replay.Open(t.Context(), dir+"/"+topic, topic, "ts")
		require.NoError(t, err)
		require.NoError(t, replay.Run(t.Context(), cluster.Config{Brokers: brokers}, replay.Options{}, source))
	}
	return dir, brokers[0]
}

// Edits of the spec of made input that bring it to topics.
func viewsAsTopic() []string {
	return []string{"{path: views/*.avro, order: file}", "{topic: views, format: avro, schema: view.avsc}"}
}

func engagementsAsTopic() []string {
	return []string{"{path: engagements/*.avro, order: file}", "{topic: engagements, format: avro, schema: engagement.avsc}"}
}

func inCluster(broker, out string) []string {
	return []string{"clock_skew:", fmt.Sprintf("clusters: {main: {brokers: [%q]}}\nclock_skew:", broker), "out/samples", out + "/samples"}
}

// rejectedOf are the records that a join refused, without where they were read.
func rejectedOf(t *testing.T, folder string) (all []string) {
	t.Helper()
	files, err := filepath.Glob(folder + "/*/*.jsonl")
	require.NoError(t, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for line := range strings.Lines(string(text)) {
			var fields map[string]any
			require.NoError(t, json.Unmarshal([]byte(line), &fields))
			delete(fields, "source")
			plain, err := json.Marshal(fields)
			require.NoError(t, err)
			all = append(all, string(plain))
		}
	}
	return all
}

// TestTopicsAreLikeFiles: the same records in the same partitions give the same samples, byte for byte,
// the same rejected records and the same accounts, be they in files or in topics, cut into intervals or not.
func TestTopicsAreLikeFiles(t *testing.T) {
	dir, broker := topicsOf(t)
	join := func(opt Options, edits ...string) *report.Report {
		s := loadSpec(t, dir, edits...)
		found, err := Run(t.Context(), s, opt)
		require.NoError(t, err)
		require.NoError(t, found.Accounts.Check())
		return found
	}
	slices := Options{Interval: 5 * time.Minute}
	want := join(slices)
	require.Positive(t, want.Accounts.Views.N[account.Late])
	require.Positive(t, want.Accounts.Views.N[account.Dead])
	for name, edits := range map[string][]string{
		"topics": append(viewsAsTopic(), engagementsAsTopic()...), "views": viewsAsTopic(), "engagements": engagementsAsTopic(),
	} {
		t.Run(name, func(t *testing.T) {
			got := join(slices, append(edits, inCluster(broker, name)...)...)
			require.Equal(t, want.Accounts.Views, got.Accounts.Views)
			require.Equal(t, want.Accounts.Engagements, got.Accounts.Engagements)
			sameFiles(t, dir+"/out/samples", dir+"/"+name+"/samples")
			for _, rejected := range []string{"late", "dead"} {
				require.ElementsMatch(t, rejectedOf(t, dir+"/out/"+rejected), rejectedOf(t, dir+"/"+name+"/"+rejected))
			}
			again := join(slices, append(edits, inCluster(broker, name)...)...)
			require.Equal(t, again.Intervals, again.Finished, "what is finished is not joined again")
		})
	}
	t.Run("parts of the log", func(t *testing.T) {
		_, err := newPlan(t.Context(), loadSpec(t, dir, append(viewsAsTopic(), inCluster(broker, "nothing")...)...), planOptions{until: source.Stop{At: source.StopAtTime, Time: time.UnixMilli(1)}})
		require.NoError(t, err, "nothing was written before 1970")
	})
}

// sameFiles compares the files of two folders.
func sameFiles(t *testing.T, want, got string) {
	t.Helper()
	files, err := filepath.Glob(want + "/*/*")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	there, err := filepath.Glob(got + "/*/*")
	require.NoError(t, err)
	require.Len(t, there, len(files))
	for _, file := range files {
		a, err := os.ReadFile(file)
		require.NoError(t, err)
		b, err := os.ReadFile(got + strings.TrimPrefix(file, want))
		require.NoError(t, err)
		require.Equal(t, a, b, file)
	}
}

// TestChapters joins a topic of views whose second chapter begins with a view that is an hour late, and
// whose first has a record without a value: intervals that read a chapter by itself judge the one and tell of
// the other as a reading of the whole log does.
func TestChapters(t *testing.T) {
	fake, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "views", "clicks"))
	require.NoError(t, err)
	t.Cleanup(fake.Close)
	client, err := kgo.NewClient(kgo.SeedBrokers(fake.ListenAddrs()...))
	require.NoError(t, err)
	t.Cleanup(client.Close)
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	var records []*kgo.Record
	chapter := int(record.ChapterStart(1))
	for i := range chapter + 10 {
		at := noon.Add(time.Duration(i) * time.Millisecond)
		if i == chapter {
			at = noon.Add(-time.Hour)
		}
		records = append(records, &kgo.Record{Topic: "views", Value: fmt.Appendf(nil, `{"id":"v%d","ts":%d}`, i, at.UnixMilli())})
	}
	records[5].Value = nil
	require.NoError(t, client.ProduceSync(t.Context(), records...).FirstErr())
	s := parse(t, t.TempDir(), fmt.Sprintf(`
clusters: {main: {brokers: [%q]}}
views: {inputs: [{topic: views, format: json}], id: id, time: {field: ts, unit: epoch-millis}}
engagements: {click: {inputs: [{topic: clicks, format: json}], view: view, time: {field: ts, unit: epoch-millis}, window: 30m}}
outputs: {samples: samples}
`, fake.ListenAddrs()[0]))
	for _, interval := range []time.Duration{24 * time.Hour, time.Hour, 2 * time.Second} {
		found := join(t, s, Options{Interval: interval})
		require.EqualValues(t, 1, found.Accounts.Views.N[account.Late], interval)
		require.EqualValues(t, 1, found.Accounts.Views.N[account.Tombstones], interval)
		require.EqualValues(t, chapter+8, found.Accounts.Views.N[account.Samples], interval)
	}
}

// TestTopicsOnFlink: a cluster joins topics as far as they go, into files and into a topic, each sample as the direct
// runner gives it, and once; a rerun writes nothing.
func TestTopicsOnFlink(t *testing.T) {
	_, flink := servicestest.Start(t, "flink")
	dir, broker := topicsOf(t)
	opt := Options{Interval: 5 * time.Minute}
	want := join(t, loadSpec(t, dir), opt)
	samples := map[string]int{}
	for _, file := range below(t, dir+"/out/samples") {
		eachSample(t, file, func(encoded []byte) { samples[string(encoded)]++ })
	}

	edits := slices.Concat(viewsAsTopic(), engagementsAsTopic(), inCluster(broker, "flink"), []string{
		"samples: flink/samples", "samples: [flink/samples, {topic: samples}]\n  accounts: flink/accounts",
		"clock_skew:", "shards: 3\nstream: {name: backfill}\nclock_skew:",
	})
	s := loadSpec(t, dir, edits...)
	_, err := topics.Create(t.Context(), s, topics.CreateOptions{Partitions: 3, Replicas: 1})
	require.NoError(t, err)
	opt.Runner = onFlink(flink, t.Name())
	got := join(t, s, opt)
	require.Equal(t, want.Accounts.Views, got.Accounts.Views)
	require.Equal(t, want.Accounts.Engagements, got.Accounts.Engagements)
	sameFiles(t, dir+"/out/samples", dir+"/flink/samples")
	require.True(t, maps.Equal(samples, consume(t, broker, "samples")))
	for _, rejected := range []string{"late", "dead"} {
		require.ElementsMatch(t, rejectedOf(t, dir+"/out/"+rejected), rejectedOf(t, dir+"/flink/"+rejected))
	}

	again := join(t, s, opt)
	require.Equal(t, 1, again.Finished, "what is finished is not joined again")
	opt.Again = true
	again = join(t, s, opt)
	require.Zero(t, again.Finished)
	require.True(t, maps.Equal(samples, consume(t, broker, "samples")), "each is in the topic once")
	sameFiles(t, dir+"/out/samples", dir+"/flink/samples")
}
