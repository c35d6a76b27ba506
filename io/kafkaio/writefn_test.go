package kafkaio

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/graph/mtime"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners/prism"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners/vet"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"tributary/io/dofn"
	"tributary/io/kafkaio/commitlog"
	"tributary/io/kafkaio/internal/kafkatest"
	"tributary/io/kafkaio/sink"
)

func init() {
	dofn.Register(dofn.Method2x0((*noteFn).ProcessElement))
	dofn.Register(dofn.Method2x0((*noteRefusedFn).ProcessElement))
	register.Function2x0(stamp)
	register.Emitter2[beam.EventTime, sink.Group]()
}

// stamp gives a group its ID as event time.
func stamp(g sink.Group, emit func(beam.EventTime, sink.Group)) {
	emit(mtime.FromMilliseconds(g.ID), g)
}

// acknowledged are the acknowledgements that pipelines of this process emitted, by test.
var acknowledged = struct {
	sync.Mutex
	byTest map[string][]string
}{byTest: map[string][]string{}}

// noteFn notes acknowledgements with their event times.
type noteFn struct{ Test string }

func (f *noteFn) ProcessElement(at beam.EventTime, c commitlog.Committed) {
	acknowledged.Lock()
	defer acknowledged.Unlock()
	acknowledged.byTest[f.Test] = append(acknowledged.byTest[f.Test],
		fmt.Sprintf("%d/%d v%d, %d records, at %d, skipped %t", c.Shard, c.ID, c.Version, c.Records, at.Milliseconds(), c.Skipped))
}

// noteRefusedFn notes what was refused with its event time.
type noteRefusedFn struct{ Test string }

func (f *noteRefusedFn) ProcessElement(at beam.EventTime, r sink.Refused) {
	acknowledged.Lock()
	defer acknowledged.Unlock()
	acknowledged.byTest[f.Test] = append(acknowledged.byTest[f.Test], fmt.Sprintf("refused %s at %d: %s", r.Key, at.Milliseconds(), r))
}

// groupParts are three groups of two shards, one of them in two parts.
func groupParts() []sink.Group {
	record := func(key string) []byte { return sink.AppendRecord(nil, []byte(key), []byte("x"), sink.NoTimestamp) }
	return []sink.Group{
		{Shard: 0, ID: 1000, Records: record("a")},
		{Shard: 1, ID: 1000, Last: true, Records: record("b")},
		{Shard: 0, ID: 1000, Part: 1, Last: true, Records: record("c")},
		{Shard: 0, ID: 2000, Last: true},
	}
}

// runWrite runs a pipeline that writes groups, and returns the acknowledgements, sorted.
func runWrite(t *testing.T, w sink.Config, groups []sink.Group) ([]string, error) {
	if !beam.Initialized() {
		beam.Init()
	}
	p, s := beam.NewPipelineWithRoot()
	committed, refused := Write(s, w, beam.ParDo(s, stamp, beam.CreateList(s, groups)))
	beam.ParDo0(s, &noteFn{Test: t.Name()}, committed)
	beam.ParDo0(s, &noteRefusedFn{Test: t.Name()}, refused)
	_, err := prism.Execute(t.Context(), p)
	acknowledged.Lock()
	defer acknowledged.Unlock()
	got := acknowledged.byTest[t.Name()]
	delete(acknowledged.byTest, t.Name())
	slices.Sort(got)
	return got, err
}

// A job fails in the middle of its bundle and is run again; then once more, as after a crash
// between commit and checkpoint.
func TestWritePipeline(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(3))
	require.NoError(t, err)
	defer cluster.Close()
	r := sinkOn(t, 2, cluster.ListenAddrs())
	cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: r.w.CommitLog, Partitions: []int32{0}, Err: kerr.InvalidRecord})
	acks, err := runWrite(t, r.w, groupParts())
	require.ErrorContains(t, err, "INVALID_RECORD")
	require.Empty(t, acks, "no shard is acknowledged before all are written")

	samples := []string{"a=x v1", "b=x v1", "c=x v1"}
	acks, err = runWrite(t, r.w, groupParts())
	require.NoError(t, err)
	require.Equal(t, []string{
		"0/1000 v1, 2 records, at 1000, skipped false",
		"0/2000 v1, 0 records, at 2000, skipped false",
		"1/1000 v1, 1 records, at 1000, skipped true", // it went through the first time
	}, acks)
	require.Equal(t, samples, r.Samples())

	acks, err = runWrite(t, r.w, groupParts())
	require.NoError(t, err)
	require.Equal(t, []string{
		"0/1000 v1, 2 records, at 1000, skipped true",
		"0/2000 v1, 0 records, at 2000, skipped true",
		"1/1000 v1, 1 records, at 1000, skipped true",
	}, acks)
	require.Equal(t, samples, r.Samples())

	commits, err := commitlog.ReadAll(t.Context(), r.w.Cluster, r.w.CommitLog)
	require.NoError(t, err)
	require.Equal(t, map[int32]commitlog.Commits{
		0: {TruncatedBefore: commitlog.NoID, Groups: []commitlog.Committed{{ID: 1000, Version: 1, Records: 2}, {ID: 2000, Version: 1}}},
		1: {TruncatedBefore: commitlog.NoID, Groups: []commitlog.Committed{{Shard: 1, ID: 1000, Version: 1, Records: 1}}},
	}, commits)
}

func TestWriteMisuse(t *testing.T) {
	r := newFakeSink(t, 2)
	parts := groupParts()
	for _, c := range []struct {
		name   string
		groups []sink.Group
		want   string
	}{
		{"no last part", parts[:1], "group 1000 of shard 0 has no last part in its bundle, 1 parts came"},
		{"no first part", parts[2:3], "part 1 of group 1000 of shard 0 came where part 0 was due"},
		{"a part again", []sink.Group{parts[0], parts[0]}, "part 0 of group 1000 of shard 0 came where part 1 was due"},
		{"shard too large", []sink.Group{{Shard: 2, Last: true}}, "group 0 of shard 2: shards are 0 to 1"},
		{"negative shard", []sink.Group{{Shard: -1, Last: true}}, "group 0 of shard -1: shards are 0 to 1"},
		{"broken frame", []sink.Group{{Last: true, Records: []byte{0, 9}}}, "shard 0: part 0 of group 0: framed record: 2 bytes do not hold it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := writeBundle(t.Context(), r.w, c.groups)
			require.ErrorContains(t, err, c.want)
			require.Empty(t, r.Samples())
		})
	}
}

// writeBundle runs one bundle through the DoFn, and returns how many acknowledgements came
// before the bundle's end, and in all.
func writeBundle(ctx context.Context, w sink.Config, groups []sink.Group) ([2]int, error) {
	f := &writeFn{Config: w}
	if err := f.Setup(); err != nil {
		return [2]int{}, err
	}
	defer f.Teardown()
	var acks [2]int
	emit := func(beam.EventTime, commitlog.Committed) { acks[1]++ }
	refuse := func(beam.EventTime, sink.Refused) {}
	f.StartBundle(ctx, emit, refuse)
	for _, g := range groups {
		if err := f.ProcessElement(ctx, 0, g, emit, refuse); err != nil {
			return acks, err
		}
	}
	acks[0] = acks[1]
	return acks, f.FinishBundle(ctx, emit, refuse)
}

// What a large bundle has is written before it ends, so memory stays bounded.
func TestWriteFlushesLargeBundles(t *testing.T) {
	r := newFakeSink(t, 1)
	value := kafkatest.RandomBytes(512 << 10)
	var groups []sink.Group
	for i := range int64(sink.FlushBytes/len(value) + 3) {
		groups = append(groups, sink.Group{ID: i, Last: true, Records: sink.AppendRecord(nil, []byte("k"), value, 1)})
	}
	acks, err := writeBundle(t.Context(), r.w, groups)
	require.NoError(t, err)
	require.Equal(t, [2]int{sink.FlushBytes / len(value), len(groups)}, acks)
	require.Len(t, r.Samples(), len(groups))
}

// TestAborted: a bundle whose context has ended writes nothing, whichever sink it is of.
func TestAborted(t *testing.T) {
	r := newFakeSink(t, 1)
	r.Create("beside", 1, nil)
	aborted := errors.New("another bundle failed")
	ctx, abort := context.WithCancelCause(t.Context())
	abort(aborted)
	_, err := writeBundle(ctx, r.w, groupParts()[3:])
	require.ErrorIs(t, err, aborted)
	beside := sink.Config{Cluster: r.w.Cluster, Topic: "beside"}
	require.ErrorIs(t, (&sendFn{Config: beside}).StartBundle(ctx, nil, nil), aborted)
	progress := &progressFn{Config: beside, Job: r.w.Job}
	progress.Setup()
	progress.through = 1
	require.ErrorIs(t, progress.FinishBundle(ctx), aborted)
	change := func() ([]*kgo.Record, error) {
		return []*kgo.Record{{Value: []byte("v")}}, nil
	}
	within, cancel := context.WithCancelCause(t.Context())
	require.ErrorIs(t, sink.Rewrite(within, beside, "id", nil, func() ([]*kgo.Record, error) {
		cancel(aborted)
		return change()
	}), aborted)
	require.Empty(t, r.Samples())
	require.Empty(t, r.CommittedRecords("beside"))
	require.NoError(t, sink.Rewrite(t.Context(), beside, "id", nil, change))
	require.Len(t, r.CommittedRecords("beside"), 1)
}

func TestWriteAtLeastOnce(t *testing.T) {
	r := newSink(t, 1)
	limit := "200000"
	_, err := r.Admin.AlterTopicConfigs(t.Context(), []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "max.message.bytes", Value: &limit}}, r.w.Topic)
	require.NoError(t, err)
	if !beam.Initialized() {
		beam.Init()
	}
	large := kafkatest.RandomBytes(1 << 20)
	messages := []sink.Message{
		{Key: []byte("k"), Value: []byte("v"), TimestampMs: 1234, Headers: []sink.Header{{Key: "reason", Value: []byte("late")}}},
		{Value: large, Headers: []sink.Header{{Key: "reason", Value: []byte("malformed")}}},
	}
	for i := range 500 { // a batch of them is more than the topic takes at once
		messages = append(messages, sink.Message{Key: fmt.Append(nil, i), Value: large[i : i+1000]})
	}
	p, s := beam.NewPipelineWithRoot()
	w := r.w
	w.Cut = true
	WriteAtLeastOnce(s, w, beam.CreateList(s, messages))
	_, err = prism.Execute(t.Context(), p)
	require.NoError(t, err)
	got := map[string]*kgo.Record{}
	for _, rec := range r.CommittedRecords(r.w.Topic) {
		got[string(rec.Key)] = rec
	}
	require.Len(t, got, len(messages))
	require.Equal(t, int64(1234), got["k"].Timestamp.UnixMilli())
	require.Equal(t, []kgo.RecordHeader{{Key: "reason", Value: []byte("late")}}, got["k"].Headers)
	require.Equal(t, large[:64<<10], got[""].Value)
	require.Equal(t, []kgo.RecordHeader{{Key: "reason", Value: []byte("malformed")}, {Key: sink.TruncatedHeader, Value: []byte("1048576")}}, got[""].Headers)
}

// TestLargeKeyIsCut: a dead letter about a record whose key is larger than what the topic takes is
// written all the same, and two of them are two.
func TestLargeKeyIsCut(t *testing.T) {
	r := newSink(t, 1)
	p, s := beam.NewPipelineWithRoot()
	begin := bytes.Repeat([]byte("k"), 2<<20)
	messages := []sink.Message{{Key: append(begin[:len(begin):len(begin)], '1'), Value: []byte("one")}, {Key: append(begin[:len(begin):len(begin)], '2'), Value: []byte("two")}}
	WriteAtLeastOnce(s, sink.Config{Cluster: r.w.Cluster, Topic: r.w.Topic, Cut: true}, beam.CreateList(s, messages))
	_, err := prism.Execute(t.Context(), p)
	require.NoError(t, err)
	got := map[string]string{}
	for _, record := range r.CommittedRecords(r.w.Topic) {
		require.Less(t, len(record.Key), 2<<10)
		got[string(record.Key)] = string(record.Value)
	}
	require.Len(t, got, 2)
	require.ElementsMatch(t, []string{"one", "two"}, slices.Collect(maps.Values(got)))
}

// Without Cut, a record that is too large is handed back, and the others are written. So is
// one that only became too large since the limit was last looked at, when the bundle is tried again.
func TestWriteAtLeastOnceTooLarge(t *testing.T) {
	r := newSink(t, 1)
	w := sink.Config{Cluster: r.w.Cluster, Topic: r.w.Topic}
	send := func() (refused []sink.Refused, err error) {
		f := &sendFn{Config: w}
		require.NoError(t, f.StartBundle(t.Context(), nil, nil))
		for _, m := range []sink.Message{{Key: []byte("small"), Value: []byte("v")}, {Key: []byte("middle"), Value: kafkatest.RandomBytes(5000)}, {Key: []byte("large"), Value: kafkatest.RandomBytes(2 << 20)}} {
			require.NoError(t, f.ProcessElement(t.Context(), 0, m, func(r sink.Refused) { refused = append(refused, r) }, nil))
		}
		return refused, f.FinishBundle(t.Context(), nil, func(beam.EventTime, int64) {})
	}
	refused, err := send()
	require.NoError(t, err)
	require.Len(t, refused, 1)
	require.Equal(t, "large", string(refused[0].Key))
	require.Len(t, r.CommittedRecords(r.w.Topic), 2)

	limit := "1000"
	_, err = r.Admin.AlterTopicConfigs(t.Context(), []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "max.message.bytes", Value: &limit}}, r.w.Topic)
	require.NoError(t, err)
	_, err = send()
	require.ErrorContains(t, err, "MESSAGE_TOO_LARGE")
	refused, err = send()
	require.NoError(t, err)
	require.Len(t, refused, 2)
}

// What a pipeline is told of samples that their topic does not take.
func TestWriteRefused(t *testing.T) {
	r := newSink(t, 1)
	groups := []sink.Group{{ID: 7, Last: true, Records: sink.AppendRecord(sink.AppendRecord(nil, []byte("a"), []byte("x"), sink.NoTimestamp), []byte("b"), kafkatest.RandomBytes(2<<20), sink.NoTimestamp)}}
	notes, err := runWrite(t, r.w, groups)
	require.NoError(t, err)
	require.Equal(t, []string{
		"0/7 v1, 2 records, at 7, skipped false",
		"refused b at 7: it takes 2097281 bytes, more than topic " + r.w.Topic + " takes: raise its max.message.bytes, which is 1048588",
	}, notes)
	require.Equal(t, []string{"a=x v1"}, r.Samples())
}

// A refused message fails the bundle: nothing is dropped.
func TestWriteAtLeastOnceRefused(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	require.NoError(t, err)
	defer cluster.Close()
	r := sinkOn(t, 1, cluster.ListenAddrs())
	var sent []string
	send := func() error {
		f := &sendFn{Config: sink.Config{Cluster: r.w.Cluster, Topic: r.w.Topic}}
		acks := func(at beam.EventTime, n int64) { sent = append(sent, fmt.Sprint(n, " at ", at)) }
		require.NoError(t, f.StartBundle(t.Context(), nil, acks))
		require.NoError(t, f.ProcessElement(t.Context(), 7, sink.Message{Key: []byte("k"), Value: []byte("v")}, nil, acks))
		require.NoError(t, f.ProcessElement(t.Context(), 5, sink.Message{Key: []byte("k"), Value: []byte("v")}, nil, acks))
		return f.FinishBundle(t.Context(), nil, acks)
	}
	cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.InvalidRecord})
	require.ErrorContains(t, send(), `key "k", 1 bytes: INVALID_RECORD`)
	require.Empty(t, r.CommittedRecords(r.w.Topic))
	require.Empty(t, sent)
	require.NoError(t, send(), "the bundle is tried again")
	require.Len(t, r.CommittedRecords(r.w.Topic), 2)
	require.Equal(t, []string{"2 at 7"}, sent)
}

func TestWriteIsRegistered(t *testing.T) {
	r := newFakeSink(t, 2)
	p, s := beam.NewPipelineWithRoot()
	r.w.Step = 1000
	committed, _ := Write(s, r.w, beam.CreateList(s, groupParts()))
	_, sent := WriteAtLeastOnce(s, r.w, beam.CreateList(s, []sink.Message{{Value: []byte("v")}}))
	NoteProgress(s, r.w, committed, sent)
	found, err := vet.Evaluate(t.Context(), p)
	require.NoError(t, err)
	require.True(t, found.Performant(), "%v", found)
}

// TestSendBundles: each bundle tells its own messages, its own latest time and its own error.
func TestSendBundles(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	require.NoError(t, err)
	defer cluster.Close()
	r := sinkOn(t, 1, cluster.ListenAddrs())
	limit := "512" // just so much
	r.Create("late", 1, map[string]*string{"max.message.bytes": &limit})
	f := &sendFn{Config: sink.Config{Cluster: r.w.Cluster, Topic: "late"}}
	bundle := func(times ...beam.EventTime) (told []string, err error) {
		refuse := func(r sink.Refused) { told = append(told, fmt.Sprint("refused ", r.Bytes)) }
		emit := func(at beam.EventTime, n int64) { told = append(told, fmt.Sprint(at, " ", n)) }
		require.NoError(t, f.StartBundle(t.Context(), refuse, emit))
		m := sink.Message{Key: []byte("k"), Value: bytes.Repeat([]byte("v"), 512-128-1)}
		for _, at := range times {
			require.NoError(t, f.ProcessElement(t.Context(), at, m, refuse, emit))
		}
		if len(times) == 0 {
			m.Value = append(m.Value, 'v')
			require.NoError(t, f.ProcessElement(t.Context(), 7, m, refuse, emit))
		}
		return told, f.FinishBundle(t.Context(), refuse, emit)
	}
	told, err := bundle(5, 9, 6)
	require.NoError(t, err)
	require.Equal(t, []string{"9 3"}, told)
	require.Len(t, r.CommittedRecords("late"), 3)
	cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "late", Err: kerr.InvalidRecord})
	told, err = bundle(20)
	require.ErrorIs(t, err, kerr.InvalidRecord)
	require.Empty(t, told)
	told, err = bundle(8)
	require.NoError(t, err)
	require.Equal(t, []string{"8 1"}, told)
	told, err = bundle()
	require.NoError(t, err)
	require.Equal(t, []string{"refused 513", "7 1"}, told)
	require.Len(t, r.CommittedRecords("late"), 4)
}
