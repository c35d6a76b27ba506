package why

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	topicsink "tributary/io/kafkaio/sink"
	"tributary/io/kafkaio/source"
	"tributary/pipelines/job/stream"
	"tributary/pipelines/job/topics"
	"tributary/pipelines/spec"
	"tributary/runners/prism"
)

// put writes records to a topic.
func put(t *testing.T, brokers []string, topic string, values ...string) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...))
	require.NoError(t, err)
	defer client.Close()
	for _, v := range values {
		require.NoError(t, client.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Value: []byte(v)}).FirstErr())
	}
}

// TestTopic: of a stream the samples are told with partition, offset, time and the line of the commit log, those that are not decided with what
// they wait for, and a record of a partition that cannot be read by what it holds.
func TestTopic(t *testing.T) {
	fake, err := kfake.NewCluster(kfake.NumBrokers(1))
	require.NoError(t, err)
	t.Cleanup(fake.Close)
	brokers := fake.ListenAddrs()
	s, err := spec.Parse(t.TempDir()+"/stream.yaml", fmt.Appendf(nil, `
clusters: {main: {brokers: [%q]}}
views: {inputs: [{topic: views, format: json}], id: id, time: {field: ts, unit: epoch-millis}}
engagements: {like: {inputs: [{topic: likes, format: json}], view: view, id: event, time: {field: ts, unit: epoch-millis}, window: 1m, label: count}}
out_of_orderness: 10s
shards: 2
bucket: 1m
stream: {name: small, idle_timeout: never, source_parallelism: 1}
outputs: {samples: {topic: samples, format: json}}
`, brokers[0]))
	require.NoError(t, err)
	_, err = topics.Create(t.Context(), s, topics.CreateOptions{Inputs: true, Partitions: 1, Replicas: 1})
	require.NoError(t, err)
	put(t, brokers, "views", view("a", 0), view("b", 200*time.Second), `{"id":"x"`, view("c", 201*time.Second), view("late", 0))
	put(t, brokers, "likes", like("e", "a", time.Second), like("f", "b", 201*time.Second), like("g", "c", 202*time.Second), like("early", "soon", 203*time.Second))
	plan, err := stream.New(t.Context(), s, stream.Options{Rest: 50 * time.Millisecond, Readers: prism.Readers, Stop: source.Stop{At: source.StopAtEnd}})
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	require.NoError(t, prism.Run(ctx, plan.Pipeline()))
	why := func(id string) *Result {
		t.Helper()
		found, err := Run(t.Context(), s, id, Options{})
		require.NoError(t, err)
		return found
	}

	found := why("a")
	require.Equal(t, Positive, found.Outcome, found.Sentence)
	require.Len(t, found.Samples, 1)
	sample := found.Samples[0]
	require.Equal(t, "samples", sample.Topic)
	require.WithinDuration(t, time.Now(), *sample.WrittenAt, 5*time.Minute)
	require.Equal(t, fmt.Sprintf("View a of 2026-01-02T10:00:00Z is a positive: the like at main/likes/0@0, 1s later, counts; its sample is at samples/%d@%d.", *sample.Partition, *sample.Offset), found.Sentence)
	sink := found.Records[0].Stages[0].Sinks[0]
	require.Equal(t, stateWritten, sink.State)
	require.EqualValues(t, 1, sink.Commit.Version)
	require.EqualValues(t, 1, sink.Commit.Records)
	require.Equal(t, begin.UnixMilli(), sink.Commit.Group)
	require.EqualValues(t, found.Records[0].Stages[0].Shard, sink.Commit.Shard)

	// What is in a transaction that was aborted is told, and is not the sample.
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.TransactionalID("aborts"), kgo.DefaultProduceTopic("samples"))
	require.NoError(t, err)
	t.Cleanup(client.Close)
	require.NoError(t, client.BeginTransaction())
	require.NoError(t, client.ProduceSync(t.Context(), &kgo.Record{Headers: []kgo.RecordHeader{{Key: topicsink.VersionHeader, Value: []byte("9")}}, Value: []byte(`{"view_id":"a","view_time":1767348000000,"weight":2}`)}).FirstErr())
	require.NoError(t, client.EndTransaction(t.Context(), kgo.TryAbort))
	found = why("a")
	require.Equal(t, Positive, found.Outcome)
	require.Len(t, found.Samples, 2)
	aborted := slices.IndexFunc(found.Samples, func(s FoundSample) bool { return s.State == "aborted" })
	require.GreaterOrEqual(t, aborted, 0)
	require.NotEqual(t, aborted, *found.Records[0].Stages[0].Sinks[0].At)

	found = why("b")
	require.Equal(t, Pending, found.Outcome)
	require.Equal(t, "View b of 2026-01-02T10:03:20Z is not decided yet: by what was read it is a positive (the like at main/likes/0@1, 1s later, counts), "+
		"and its bucket closes when the watermark passes 2026-01-02T10:05:00Z (it is at 2026-01-02T10:03:11Z).", found.Sentence)
	require.Empty(t, found.Samples)

	found = why("late")
	require.Equal(t, Late, found.Outcome)
	require.EqualValues(t, 131_000, *found.Records[0].LateMs)
	require.Equal(t, Dead, why("x").Outcome)
	require.Equal(t, Counts, why("g").Outcome)
	require.Equal(t, NotFound, why("zzz").Outcome)
	found = why("early")
	require.Equal(t, Pending, found.Outcome)
	require.Equal(t, "The like at main/likes/0@3 of 2026-01-02T10:03:23Z has no view with the id soon yet; one may come until the watermark passes 2026-01-02T10:05:00Z.", found.Sentence)
}
