package why

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
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
	text := fmt.Sprintf(`
clusters: {main: {brokers: [%q]}}
views: {inputs: [{topic: views, format: json}], id: id, time: {field: ts, unit: epoch-millis}}
engagements: {like: {inputs: [{topic: likes, format: json}], view: view, id: event, time: {field: ts, unit: epoch-millis}, window: 1m, label: count}}
out_of_orderness: 10s
shards: 2
bucket: 1m
stream: {name: small, idle_timeout: never, source_parallelism: 1}
outputs: {samples: {topic: samples, format: json}}
`, brokers[0])
	s, err := spec.Parse(t.TempDir()+"/stream.yaml", []byte(text))
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

	// What was read from a time on does not say that the log begins there.
	require.Empty(t, found.Notes)
	from := fmt.Sprintf("stream: {start: %s, ", time.Now().Add(-time.Millisecond).UTC().Format("2006-01-02T15:04:05.000Z"))
	later, err := spec.Parse(t.TempDir()+"/stream.yaml", []byte(strings.Replace(text, "stream: {", from, 1)))
	require.NoError(t, err)
	found, err = Run(t.Context(), later, "a", Options{})
	require.NoError(t, err)
	require.Contains(t, found.Notes, "partition main/views/0 is read from offset 5 on, as stream.start says: what records before it were to this id is not known")
	require.Equal(t, Extra, found.Outcome)

	// A sample that the topic has let go of is not missing, nor is one that gave way to a later one of its id.
	admin := kadm.NewClient(client)
	ends, err := admin.ListEndOffsets(t.Context(), "samples")
	require.NoError(t, err)
	_, err = admin.DeleteRecords(t.Context(), ends.Offsets())
	require.NoError(t, err)
	found = why("a")
	require.Equal(t, Gone, found.Outcome)
	require.Contains(t, found.Sentence, "and its sample is not in topic samples, which no longer holds what was written to it first")
	require.Equal(t, stateGone, found.Records[0].Stages[0].Sinks[0].State)
	require.Equal(t, []string{"topic samples no longer holds the samples that were written to it first"}, found.Notes)
	anew := func(policy string) {
		_, err := admin.DeleteTopics(t.Context(), "samples")
		require.NoError(t, err)
		_, err = admin.CreateTopics(t.Context(), 1, 1, map[string]*string{"cleanup.policy": &policy}, "samples")
		require.NoError(t, err)
		put(t, brokers, "samples", fmt.Sprintf(`{"view_id":"a","view_time":%d,"weight":1}`, at(time.Hour)), fmt.Sprintf(`{"view_id":"late","view_time":%d,"weight":1}`, at(0)))
	}
	anew("delete")
	require.Equal(t, Missing, why("a").Outcome)
	anew("compact")
	found = why("a")
	require.Equal(t, Replaced, found.Outcome)
	require.Contains(t, found.Sentence, "and its sample in topic samples, which is compacted, gave way to a later one of the id, at samples/0@0.")
	require.Equal(t, stateReplaced, found.Records[0].Stages[0].Sinks[0].State)

	// A view that came late has no sample.
	found = why("late")
	require.Equal(t, Extra, found.Outcome)
	require.Contains(t, found.Sentence, "came late, by 2m11s")
	require.Contains(t, found.Sentence, "; yet a sample of it is at samples/0@1.")
}
