package kafkaio

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/graph/window"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners/prism"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners/vet"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/testing/ptest"
	"github.com/stretchr/testify/require"

	"tributary/io/dofn"
	"tributary/io/kafkaio/cluster"
	"tributary/io/kafkaio/internal/kafkatest"
	"tributary/io/kafkaio/registry"
	"tributary/io/kafkaio/source"
	"tributary/io/kafkaio/timeindex"
	"tributary/io/record"
)

func TestMain(m *testing.M) { ptest.Main(m) }

// Pipelines under test run in this process; what came out is noted by the job.
var (
	notedMu sync.Mutex
	noted   = map[string][]record.Batch{}
	counted = map[string]map[int64]int{} // job, window's number: records
)

type noteBatchFn struct{ Job string }

func (f *noteBatchFn) ProcessElement(_ beam.EventTime, b record.Batch) (int64, int64) {
	notedMu.Lock()
	defer notedMu.Unlock()
	noted[f.Job] = append(noted[f.Job], b)
	return 0, int64(b.Count)
}

// sumFn notes what a window held when it closed.
type sumFn struct{ Job string }

func (f *sumFn) ProcessElement(w beam.Window, _ int64, counts func(*int64) bool) {
	var sum, n int64
	for counts(&n) {
		sum += n
	}
	notedMu.Lock()
	defer notedMu.Unlock()
	if counted[f.Job] == nil {
		counted[f.Job] = map[int64]int{}
	}
	counted[f.Job][w.MaxTimestamp().Milliseconds()] += int(sum)
}

type dropRejectedFn struct{}

func (f *dropRejectedFn) ProcessElement(record.Rejected) {}

func init() {
	dofn.Register(dofn.Method2x2((*noteBatchFn).ProcessElement))
	dofn.Register(dofn.Method3x0((*sumFn).ProcessElement))
	dofn.Register(dofn.Method1x0((*dropRejectedFn).ProcessElement))
	register.Iter1[int64]()
}

// pipelineOf reads, and counts records in windows of a second of batches' event times.
func pipelineOf(job string, r source.Config) *beam.Pipeline {
	p, s := beam.NewPipelineWithRoot()
	batches, rejected := Read(s, r)
	beam.ParDo0(s, &dropRejectedFn{}, rejected)
	counts := beam.ParDo(s, &noteBatchFn{Job: job}, batches)
	windowed := beam.WindowInto(s, window.NewFixedWindows(time.Second), counts)
	beam.ParDo0(s, &sumFn{Job: job}, beam.GroupByKey(s, windowed))
	return p
}

// start runs a pipeline on prism until it ends or the context does.
func start(ctx context.Context, p *beam.Pipeline) <-chan error {
	done := make(chan error, 1)
	go func() {
		_, err := prism.Execute(ctx, p)
		done <- err
	}()
	return done
}

func TestPipelineReadsToTheEnd(t *testing.T) {
	b := kafkatest.NewBroker(t)
	topics := []string{b.Topic(5), b.Topic(2)}
	for p := range int32(5) {
		b.Produce(topics[0], p, kafkatest.Disorder(int(p), 1_500)...)
	}
	b.Produce(topics[1], 0, kafkatest.Disorder(9, 800)...)
	r := allOf(b, topics...)
	r.Readers = 3
	select {
	case err := <-start(t.Context(), pipelineOf(r.Job, r)):
		require.NoError(t, err)
	case <-time.After(time.Minute):
		t.Fatal("the pipeline is stuck")
	}
	want := kafkatest.LogOf(b, topics...)
	require.Equal(t, want, kafkatest.Sorted(kafkatest.Records(t, noted[r.Job])))
	total := 0
	for _, n := range counted[r.Job] {
		total += n
	}
	require.Equal(t, len(want), total, "no batch was late for the runner")
}

// TestPipelineClosesWindows: windows close while the log goes on, as the watermark passes.
func TestPipelineClosesWindows(t *testing.T) {
	b := kafkatest.NewBroker(t)
	topic := b.Topic(2)
	r := allOf(b, topic)
	r.Readers = 2
	r.Stop = source.Stop{At: source.StopAtOffsets, Offsets: map[cluster.Partition]int64{{Topic: topic}: 4, {Topic: topic, Partition: 1}: 3}}
	done := start(t.Context(), pipelineOf(r.Job, r))
	b.Produce(topic, 0, kafkatest.At(1_000), kafkatest.At(2_500))
	b.Produce(topic, 1, kafkatest.At(1_200))
	seen := func(n int) func() bool {
		return func() bool {
			notedMu.Lock()
			defer notedMu.Unlock()
			return len(kafkatest.Records(t, noted[r.Job])) >= n
		}
	}
	require.Eventually(t, seen(3), time.Minute, 10*time.Millisecond)
	b.Produce(topic, 0, kafkatest.At(4_000)) // after 2,490
	b.Produce(topic, 1, kafkatest.At(9_000)) // after 1,190
	require.Eventually(t, seen(5), time.Minute, 10*time.Millisecond)
	// The watermark is that of partition 0, 3,990: it closes the windows of what came after
	// 1,190 and after 2,490.
	require.Eventually(t, func() bool {
		notedMu.Lock()
		defer notedMu.Unlock()
		return counted[r.Job][1_999] == 1 && counted[r.Job][2_999] == 1
	}, time.Minute, 10*time.Millisecond)
	b.Produce(topic, 0, kafkatest.At(9_500))
	b.Produce(topic, 1, kafkatest.At(9_900))
	select {
	case err := <-done:
		require.NoError(t, err)
	case <-time.After(time.Minute):
		t.Fatal("the pipeline does not end")
	}
	require.Equal(t, kafkatest.LogOf(b, topic), kafkatest.Sorted(kafkatest.Records(t, noted[r.Job])))
}

// TestUnboundedGoesOn: a log without a stop is read as it grows, windows close as the watermark passes, and whoever cancels ends it.
func TestUnboundedGoesOn(t *testing.T) {
	b := kafkatest.NewBroker(t)
	topic := b.Topic(2)
	r := allOf(b, topic)
	r.Stop, r.Rest = source.Stop{}, 5*time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := start(ctx, pipelineOf(r.Job, r))
	seen := func(n int) func() bool {
		return func() bool {
			notedMu.Lock()
			defer notedMu.Unlock()
			return len(kafkatest.Records(t, noted[r.Job])) == n
		}
	}
	b.Produce(topic, 0, kafkatest.At(1_100))
	b.Produce(topic, 1, kafkatest.At(1_100))
	require.Eventually(t, seen(2), time.Minute, 5*time.Millisecond)
	for i := range int64(8) { // of the event time of the watermark before them, and so in the second before them
		b.Produce(topic, 0, kafkatest.At(2_100+i*1_000))
		b.Produce(topic, 1, kafkatest.At(2_100+i*1_000))
		require.Eventually(t, seen(int(4+2*i)), time.Minute, 5*time.Millisecond)
		require.Eventually(t, func() bool {
			notedMu.Lock()
			defer notedMu.Unlock()
			return counted[r.Job][1_999+i*1_000] == 2
		}, time.Minute, 5*time.Millisecond, "window %d", i)
	}
	cancel()
	require.Error(t, <-done)
	notedMu.Lock()
	defer notedMu.Unlock()
	got, all := kafkatest.Sorted(kafkatest.Records(t, noted[r.Job])), kafkatest.LogOf(b, topic)
	require.Equal(t, all, got)
}

// TestRegistered: what is not registered is not found in another process.
func TestRegistered(t *testing.T) {
	b := kafkatest.NewBroker(t)
	found, err := vet.Evaluate(t.Context(), pipelineOf(t.Name(), allOf(b, "topic")))
	require.NoError(t, err)
	require.True(t, found.Performant(), "something is not registered")
}

// TestConfigTravels: what a worker gets is what was asked for.
func TestConfigTravels(t *testing.T) {
	r := source.Config{
		Job: "job", Clusters: []cluster.Config{{Name: "c", Brokers: []string{"b:1"}, SASL: &cluster.SASL{Mechanism: cluster.Plain, User: cluster.User{Name: "u"}, Password: cluster.Secret{Env: "E"}}}},
		Topics: []source.Topic{{Cluster: "c", Name: "t", Format: source.JSON, Time: source.Field{Path: "a.b", Unit: record.UnitSeconds}, Inputs: []int32{1, 2}, Registry: &registry.Config{URLs: []string{"http://r"}}}},
		Start:  source.Start{At: source.AtOffsets, Offsets: map[cluster.Partition]timeindex.Position{{Cluster: "c", Topic: "t", Partition: 3}: {Offset: 4, Clock: kafkatest.ClockAt(record.NoTime)}, {Topic: "t"}: {Offset: 1, Clock: kafkatest.ClockAt(2)}}},
		Stop:   source.Stop{At: source.StopAtOffsets, Offsets: map[cluster.Partition]int64{{Cluster: "c", Topic: "t", Partition: 3}: 9}}, Group: "g", OnTruncation: source.SkipTruncated,
		TimeIndex: &timeindex.Topic{Cluster: "c", Topic: "m"}, IdleAfter: time.Second,
	}
	text, err := json.Marshal(&readFn{Config: r})
	require.NoError(t, err)
	var got readFn
	require.NoError(t, json.Unmarshal(text, &got))
	require.Equal(t, r, got.Config)
}

// TestRest: every call begins in an even second, at least a second away.
func TestRest(t *testing.T) {
	var seconds []int64
	for _, ms := range []int64{0, 1, 999, 1_000, 1_500, 1_999, 2_000} {
		now := time.UnixMilli(1_700_000_000_000 + ms)
		rest := (&source.Config{}).RestFrom(now)
		require.GreaterOrEqual(t, rest, time.Second)
		require.Zero(t, rest%time.Second)
		require.Zero(t, now.Add(rest).Unix()%2)
		seconds = append(seconds, int64(rest/time.Second))
	}
	require.Equal(t, []int64{2, 2, 2, 1, 1, 1, 2}, seconds)
	require.Equal(t, time.Millisecond, (&source.Config{Rest: time.Millisecond}).RestFrom(time.Now()))
	require.False(t, slices.Contains(seconds, 0))
}

// allOf is the reading of topics of JSON, from the start to the present end.
func allOf(b *kafkatest.Broker, topics ...string) source.Config {
	r := source.Config{
		Job: b.T.Name(), Clusters: []cluster.Config{{Brokers: b.Brokers}}, Readers: 1, OutOfOrderness: 10 * time.Millisecond,
		PollBudget: 2 * time.Second, Rest: time.Millisecond, Stop: source.Stop{At: source.StopAtEnd},
	}
	for _, name := range topics {
		r.Topics = append(r.Topics, source.Topic{Name: name, Format: source.JSON, Time: source.Field{Path: "t", Unit: record.UnitEpochMs}, Inputs: []int32{0}})
	}
	return r
}
