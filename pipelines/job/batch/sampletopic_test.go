package batch

import (
	"maps"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/format/avro"
	"tributary/io/kafkaio/cluster"
	"tributary/pipelines/job"
	"tributary/pipelines/job/topics"
	"tributary/pipelines/spec"
	"tributary/transforms/account"
)

// consume returns the committed values of a topic, and how often each is there.
func consume(t *testing.T, broker, topic string) map[string]int {
	t.Helper()
	got := map[string]int{}
	require.NoError(t, cluster.ReadAll(t.Context(), cluster.Config{Brokers: []string{broker}}, topic, func(r *kgo.Record) error {
		got[string(r.Value)]++
		return nil
	}))
	return got
}

// TestSamplesOfFilesInATopic: the samples of files are in their topic as they would be in files, each
// once; a run that is repeated writes nothing, also where its accounts are lost.
func TestSamplesOfFilesInATopic(t *testing.T) {
	dir, broker := topicsOf(t)
	files := loadSpec(t, dir)
	want, err := Run(t.Context(), files, Options{Interval: 5 * time.Minute})
	require.NoError(t, err)
	samples := map[string]int{}
	for _, file := range below(t, dir+"/out/samples") {
		eachSample(t, file, func(encoded []byte) { samples[string(encoded)]++ })
	}
	require.Len(t, samples, int(want.Accounts.Views.N[account.Samples]))

	s := loadSpec(t, dir, append(inCluster(broker, "other"), "samples: other/samples", "samples: {topic: samples}\n  accounts: accounts", "clock_skew:", "shards: 3\nstream: {name: backfill}\nclock_skew:")...)
	_, err = topics.Create(t.Context(), s, topics.CreateOptions{Partitions: 3, Replicas: 1})
	require.NoError(t, err)
	first, err := Run(t.Context(), s, Options{Interval: 5 * time.Minute})
	require.NoError(t, err)
	require.Equal(t, want.Accounts.Views, first.Accounts.Views)
	require.True(t, maps.Equal(samples, consume(t, broker, "samples")))
	late := consume(t, broker, "samples.late")
	require.Len(t, late, len(rejectedOf(t, dir+"/out/late")))

	again, err := Run(t.Context(), s, Options{Interval: 5 * time.Minute})
	require.NoError(t, err)
	require.Equal(t, again.Intervals, again.Finished)
	again, err = Run(t.Context(), s, Options{Interval: 10 * time.Minute, Again: true})
	require.NoError(t, err)
	require.Zero(t, again.Finished)
	require.True(t, maps.Equal(samples, consume(t, broker, "samples")), "intervals that are cut otherwise are the same groups")

	t.Run("a folder as well", func(t *testing.T) {
		both := loadSpec(t, dir, append(inCluster(broker, "both"), "samples: both/samples", "samples: [both/samples, {topic: beside}]\n  accounts: both/ledger", "clock_skew:", "shards: 3\nstream: {name: beside}\nclock_skew:")...)
		_, err := topics.Create(t.Context(), both, topics.CreateOptions{Partitions: 3, Replicas: 1})
		require.NoError(t, err)
		found, err := Run(t.Context(), both, Options{Interval: 5 * time.Minute})
		require.NoError(t, err)
		require.Len(t, found.Outputs[:2], 2)
		require.True(t, maps.Equal(samples, consume(t, broker, "beside")))
		sameFiles(t, dir+"/out/samples", dir+"/both/samples")
	})
	t.Run("another meaning", func(t *testing.T) {
		other := *s
		other.Engagements = slices.Clone(s.Engagements)
		other.Engagements[0].Window += time.Minute
		_, err := Run(t.Context(), &other, Options{Interval: 5 * time.Minute})
		require.ErrorContains(t, err, "job backfill has written samples that mean something else")
	})
	t.Run("cut buckets", func(t *testing.T) {
		_, err := Run(t.Context(), s, Options{From: time.Date(2026, 1, 1, 0, 0, 1, 0, time.UTC)})
		require.ErrorContains(t, err, "--from 2026-01-01T00:00:01Z: samples go to a topic by whole buckets")
		_, err = Run(t.Context(), s, Options{Interval: s.Bucket + time.Second})
		require.ErrorContains(t, err, "samples go to a topic by whole buckets")
	})
}

func eachSample(t *testing.T, path string, visit func(encoded []byte)) {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	_, err = avro.EachRecord(f, func(encoded, _ []byte) error {
		visit(encoded)
		return nil
	})
	require.NoError(t, err)
	require.NoError(t, f.Close())
}

// TestIntervalsOfWholeBuckets: where samples go to a topic, intervals are multiples of a bucket's length,
// whatever divides a day.
func TestIntervalsOfWholeBuckets(t *testing.T) {
	p := &plan{spec: &spec.Spec{Bucket: 7 * time.Minute}, topic: &topicSink{}, minutes: map[int64]int64{}}
	for m := range int64(3000) {
		p.minutes[m] = 1
	}
	all := p.intervals(time.Time{}, time.Time{}, 0)
	require.NotEmpty(t, all)
	for _, s := range all {
		require.Zero(t, s.from%(7*minute))
		require.Zero(t, s.to%(7*minute))
	}
}

// TestTopicOfFinalSamples: a topic of the last stage alone has no samples that take back, which accounts tell of: an interval is
// finished all the same.
func TestTopicOfFinalSamples(t *testing.T) {
	for topic, inTopic := range map[string]int64{"{topic: samples}": 7, "{topic: samples, stages: final}": 5} {
		s := parse(t, t.TempDir(), `
views: {inputs: v/*.jsonl, id: view_id, time: ts}
engagements:
  buy: {inputs: e/*.jsonl, view: view_id, time: ts, window: 30m}
stages: [10s, {after: 30m, emit: all}]
negatives: {keep: 0.5}
clusters: {main: {brokers: ["localhost:1"]}}
stream: {name: final}
outputs: {samples: `+topic+`, accounts: accounts}
`)
		p := &plan{spec: s}
		p.params, _ = job.Of(s)
		require.NoError(t, p.planTopic(t.Context()))
		l := account.New()
		l.Views.N[account.Samples] = 5
		last := l.StageOf("30m")
		last.N[account.Given], last.N[account.Withdrawn] = 5, 2
		for records, want := range map[int64]bool{inTopic: true, inTopic - 1: false} {
			p.topic.commits = []committedGroups{{}, {records: map[int64]int64{0: records}}}
			require.Equal(t, want, p.topic.holds(interval{from: 0, to: 1}, l), "%s: %d", topic, records)
		}
	}
}
