package kafkaio

import (
	"bytes"
	"context"
	"encoding/json"
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
	"tributary/io/kafkaio/internal/kafkatest"
)

func init() {
	dofn.Register(dofn.Method2x0((*noteFn).ProcessElement))
	dofn.Register(dofn.Method2x0((*noteRefusedFn).ProcessElement))
	register.Function2x0(stamp)
	register.Emitter2[beam.EventTime, Group]()
}

// stamp gives a group its ID as event time.
func stamp(g Group, emit func(beam.EventTime, Group)) { emit(mtime.FromMilliseconds(g.ID), g) }

// acknowledged are the acknowledgements that pipelines of this process emitted, by test.
var acknowledged = struct {
	sync.Mutex
	byTest map[string][]string
}{byTest: map[string][]string{}}

// noteFn notes acknowledgements with their event times.
type noteFn struct{ Test string }

func (f *noteFn) ProcessElement(at beam.EventTime, c Committed) {
	acknowledged.Lock()
	defer acknowledged.Unlock()
	acknowledged.byTest[f.Test] = append(acknowledged.byTest[f.Test],
		fmt.Sprintf("%d/%d v%d, %d records, at %d, skipped %t", c.Shard, c.ID, c.Version, c.Records, at.Milliseconds(), c.Skipped))
}

// noteRefusedFn notes what was refused with its event time.
type noteRefusedFn struct{ Test string }

func (f *noteRefusedFn) ProcessElement(at beam.EventTime, r Refused) {
	acknowledged.Lock()
	defer acknowledged.Unlock()
	acknowledged.byTest[f.Test] = append(acknowledged.byTest[f.Test], fmt.Sprintf("refused %s at %d: %s", r.Key, at.Milliseconds(), r))
}

// groupParts are three groups of two shards, one of them in two parts.
func groupParts() []Group {
	record := func(key string) []byte { return AppendRecord(nil, []byte(key), []byte("x"), NoTimestamp) }
	return []Group{
		{Shard: 0, ID: 1000, Records: record("a")},
		{Shard: 1, ID: 1000, Last: true, Records: record("b")},
		{Shard: 0, ID: 1000, Part: 1, Last: true, Records: record("c")},
		{Shard: 0, ID: 2000, Last: true},
	}
}

// runWrite runs a pipeline that writes groups, and returns the acknowledgements, sorted.
func runWrite(t *testing.T, w Writing, groups []Group) ([]string, error) {
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
	r := rigOn(t, 2, cluster.ListenAddrs(), kafkatest.NetDial)
	cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: r.w.LedgerTopic, Partitions: []int32{0}, Err: kerr.InvalidRecord})
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
	require.Equal(t, samples, r.samples())

	acks, err = runWrite(t, r.w, groupParts())
	require.NoError(t, err)
	require.Equal(t, []string{
		"0/1000 v1, 2 records, at 1000, skipped true",
		"0/2000 v1, 0 records, at 2000, skipped true",
		"1/1000 v1, 1 records, at 1000, skipped true",
	}, acks)
	require.Equal(t, samples, r.samples())

	commits, err := ReadLedger(t.Context(), r.w.Cluster, r.w.LedgerTopic)
	require.NoError(t, err)
	require.Equal(t, map[int32]ShardCommits{
		0: {Floor: noFloor, Groups: []Committed{{ID: 1000, Version: 1, Records: 2}, {ID: 2000, Version: 1}}},
		1: {Floor: noFloor, Groups: []Committed{{Shard: 1, ID: 1000, Version: 1, Records: 1}}},
	}, commits)
}

func TestWriteMisuse(t *testing.T) {
	r := newFakeRig(t, 2)
	parts := groupParts()
	for _, c := range []struct {
		name   string
		groups []Group
		want   string
	}{
		{"no last part", parts[:1], "group 1000 of shard 0 has no last part in its bundle, 1 parts came"},
		{"no first part", parts[2:3], "part 1 of group 1000 of shard 0 came where part 0 was due"},
		{"a part again", []Group{parts[0], parts[0]}, "part 0 of group 1000 of shard 0 came where part 1 was due"},
		{"shard too large", []Group{{Shard: 2, Last: true}}, "group 0 of shard 2: shards are 0 to 1"},
		{"negative shard", []Group{{Shard: -1, Last: true}}, "group 0 of shard -1: shards are 0 to 1"},
		{"broken frame", []Group{{Last: true, Records: []byte{0, 9}}}, "shard 0: part 0 of group 0: framed record: key: length 9 with 0 bytes left"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := writeBundle(t.Context(), r.w, c.groups)
			require.ErrorContains(t, err, c.want)
			require.Empty(t, r.samples())
		})
	}
}

// writeBundle runs one bundle through the DoFn, and returns how many acknowledgements came
// before the bundle's end, and in all.
func writeBundle(ctx context.Context, w Writing, groups []Group) ([2]int, error) {
	f := &writeFn{Writing: w}
	if err := f.Setup(); err != nil {
		return [2]int{}, err
	}
	defer f.Teardown()
	var acks [2]int
	emit := func(beam.EventTime, Committed) { acks[1]++ }
	refuse := func(beam.EventTime, Refused) {}
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
	r := newFakeRig(t, 1)
	value := randomBytes(512 << 10)
	var groups []Group
	for i := range int64(flushBytes/len(value) + 3) {
		groups = append(groups, Group{ID: i, Last: true, Records: AppendRecord(nil, []byte("k"), value, 1)})
	}
	acks, err := writeBundle(t.Context(), r.w, groups)
	require.NoError(t, err)
	require.Equal(t, [2]int{flushBytes / len(value), len(groups)}, acks)
	require.Len(t, r.samples(), len(groups))
}

// Teardown closes the producers of its job that are idle, and those of no other.
func TestWritersClose(t *testing.T) {
	r, other := newFakeRig(t, 1), newFakeRig(t, 1)
	rests := func(r *writeRig) bool {
		writing, err := json.Marshal(r.w)
		require.NoError(t, err)
		return writers.Count(func(k writerKey) bool { return k.writing == string(writing) }) == 1
	}
	fns := []*writeFn{{Writing: r.w}, {Writing: other.w}}
	for _, f := range fns {
		require.NoError(t, f.Setup())
		_, err := f.write(t.Context(), 0, []*group{makeGroup(t, 0, 1, 1, 0)})
		require.NoError(t, err)
	}
	require.True(t, rests(r) && rests(other), "they are kept for the next bundle")
	fns[0].Teardown()
	require.False(t, rests(r))
	require.True(t, rests(other))
	fns[1].Teardown()
	require.False(t, rests(other))
}

// TestAborted: a bundle whose context has ended writes nothing, whichever sink it is of.
func TestAborted(t *testing.T) {
	r := newFakeRig(t, 1)
	r.create("beside", 1, nil)
	aborted := errors.New("another bundle failed")
	ctx, abort := context.WithCancelCause(t.Context())
	abort(aborted)
	_, err := writeBundle(ctx, r.w, groupParts()[3:])
	require.ErrorIs(t, err, aborted)
	beside := Writing{Cluster: r.w.Cluster, Topic: "beside"}
	require.ErrorIs(t, (&sendFn{Writing: beside}).StartBundle(ctx, nil, nil), aborted)
	progress := &progressFn{Writing: beside, Job: r.w.Job}
	progress.Setup()
	progress.through = 1
	require.ErrorIs(t, progress.FinishBundle(ctx), aborted)
	change := func() ([]*kgo.Record, error) {
		return []*kgo.Record{{Value: []byte("v")}}, nil
	}
	within, cancel := context.WithCancelCause(t.Context())
	require.ErrorIs(t, Rewrite(within, beside, "id", nil, func() ([]*kgo.Record, error) {
		cancel(aborted)
		return change()
	}), aborted)
	require.Empty(t, r.samples())
	require.Empty(t, r.committedRecords("beside"))
	require.NoError(t, Rewrite(t.Context(), beside, "id", nil, change))
	require.Len(t, r.committedRecords("beside"), 1)
}

func TestWriteAtLeastOnce(t *testing.T) {
	r := newWriteRig(t, 1)
	limit := "200000"
	_, err := r.admin.AlterTopicConfigs(t.Context(), []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "max.message.bytes", Value: &limit}}, r.w.Topic)
	require.NoError(t, err)
	if !beam.Initialized() {
		beam.Init()
	}
	large := randomBytes(1 << 20)
	messages := []Message{
		{Key: []byte("k"), Value: []byte("v"), TimestampMs: 1234, Headers: []Header{{Key: "reason", Value: []byte("late")}}},
		{Value: large, Headers: []Header{{Key: "reason", Value: []byte("malformed")}}},
	}
	for i := range 500 { // a batch of them is more than the topic takes at once
		messages = append(messages, Message{Key: fmt.Append(nil, i), Value: large[i : i+1000]})
	}
	p, s := beam.NewPipelineWithRoot()
	w := r.w
	w.Cut = true
	WriteAtLeastOnce(s, w, beam.CreateList(s, messages))
	_, err = prism.Execute(t.Context(), p)
	require.NoError(t, err)
	got := map[string]*kgo.Record{}
	for _, rec := range r.committedRecords(r.w.Topic) {
		got[string(rec.Key)] = rec
	}
	require.Len(t, got, len(messages))
	require.Equal(t, int64(1234), got["k"].Timestamp.UnixMilli())
	require.Equal(t, []kgo.RecordHeader{{Key: "reason", Value: []byte("late")}}, got["k"].Headers)
	require.Equal(t, large[:truncatedBytes], got[""].Value)
	require.Equal(t, []kgo.RecordHeader{{Key: "reason", Value: []byte("malformed")}, {Key: TruncatedHeader, Value: []byte("1048576")}}, got[""].Headers)
}

// TestLargeKeyIsCut: a dead letter about a record whose key is larger than what the topic takes is
// written all the same, and two of them are two.
func TestLargeKeyIsCut(t *testing.T) {
	r := newWriteRig(t, 1)
	p, s := beam.NewPipelineWithRoot()
	begin := bytes.Repeat([]byte("k"), 2<<20)
	messages := []Message{{Key: append(begin[:len(begin):len(begin)], '1'), Value: []byte("one")}, {Key: append(begin[:len(begin):len(begin)], '2'), Value: []byte("two")}}
	WriteAtLeastOnce(s, Writing{Cluster: r.w.Cluster, Topic: r.w.Topic, Cut: true}, beam.CreateList(s, messages))
	_, err := prism.Execute(t.Context(), p)
	require.NoError(t, err)
	got := map[string]string{}
	for _, record := range r.committedRecords(r.w.Topic) {
		require.Less(t, len(record.Key), 2*truncatedKey)
		got[string(record.Key)] = string(record.Value)
	}
	require.Len(t, got, 2)
	require.ElementsMatch(t, []string{"one", "two"}, slices.Collect(maps.Values(got)))
}

// Without Cut, a record that is too large is handed back, and the others are written. So is
// one that only became too large since the limit was last looked at, when the bundle is tried again.
func TestWriteAtLeastOnceTooLarge(t *testing.T) {
	r := newWriteRig(t, 1)
	w := Writing{Cluster: r.w.Cluster, Topic: r.w.Topic}
	send := func() (refused []Refused, err error) {
		f := &sendFn{Writing: w}
		require.NoError(t, f.StartBundle(t.Context(), nil, nil))
		for _, m := range []Message{{Key: []byte("small"), Value: []byte("v")}, {Key: []byte("middle"), Value: randomBytes(5000)}, {Key: []byte("large"), Value: randomBytes(2 << 20)}} {
			require.NoError(t, f.ProcessElement(t.Context(), 0, m, func(r Refused) { refused = append(refused, r) }, nil))
		}
		return refused, f.FinishBundle(t.Context(), nil, func(beam.EventTime, int64) {})
	}
	refused, err := send()
	require.NoError(t, err)
	require.Len(t, refused, 1)
	require.Equal(t, "large", string(refused[0].Key))
	require.Len(t, r.committedRecords(r.w.Topic), 2)

	limit := "1000"
	_, err = r.admin.AlterTopicConfigs(t.Context(), []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "max.message.bytes", Value: &limit}}, r.w.Topic)
	require.NoError(t, err)
	_, err = send()
	require.ErrorContains(t, err, "MESSAGE_TOO_LARGE")
	refused, err = send()
	require.NoError(t, err)
	require.Len(t, refused, 2)
}

// What a pipeline is told of samples that their topic does not take.
func TestWriteRefused(t *testing.T) {
	r := newWriteRig(t, 1)
	groups := []Group{{ID: 7, Last: true, Records: AppendRecord(AppendRecord(nil, []byte("a"), []byte("x"), NoTimestamp), []byte("b"), randomBytes(2<<20), NoTimestamp)}}
	notes, err := runWrite(t, r.w, groups)
	require.NoError(t, err)
	require.Equal(t, []string{
		"0/7 v1, 2 records, at 7, skipped false",
		"refused b at 7: it takes 2097281 bytes, more than topic " + r.w.Topic + " takes: raise its max.message.bytes, which is 1048588",
	}, notes)
	require.Equal(t, []string{"a=x v1"}, r.samples())
}

// A refused message fails the bundle: nothing is dropped.
func TestWriteAtLeastOnceRefused(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	require.NoError(t, err)
	defer cluster.Close()
	r := rigOn(t, 1, cluster.ListenAddrs(), kafkatest.NetDial)
	var sent []string
	send := func() error {
		f := &sendFn{Writing: Writing{Cluster: r.w.Cluster, Topic: r.w.Topic}}
		acks := func(at beam.EventTime, n int64) { sent = append(sent, fmt.Sprint(n, " at ", at)) }
		require.NoError(t, f.StartBundle(t.Context(), nil, acks))
		require.NoError(t, f.ProcessElement(t.Context(), 7, Message{Key: []byte("k"), Value: []byte("v")}, nil, acks))
		require.NoError(t, f.ProcessElement(t.Context(), 5, Message{Key: []byte("k"), Value: []byte("v")}, nil, acks))
		return f.FinishBundle(t.Context(), nil, acks)
	}
	cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.InvalidRecord})
	require.ErrorContains(t, send(), `key "k", 1 bytes: INVALID_RECORD`)
	require.Empty(t, r.committedRecords(r.w.Topic))
	require.Empty(t, sent)
	require.NoError(t, send(), "the bundle is tried again")
	require.Len(t, r.committedRecords(r.w.Topic), 2)
	require.Equal(t, []string{"2 at 7"}, sent)
}

func TestWriteIsRegistered(t *testing.T) {
	r := newFakeRig(t, 2)
	p, s := beam.NewPipelineWithRoot()
	r.w.Step = 1000
	committed, _ := Write(s, r.w, beam.CreateList(s, groupParts()))
	_, sent := WriteAtLeastOnce(s, r.w, beam.CreateList(s, []Message{{Value: []byte("v")}}))
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
	r := rigOn(t, 1, cluster.ListenAddrs(), kafkatest.NetDial)
	r.create("late", 1, nil)
	f := &sendFn{Writing: Writing{Cluster: r.w.Cluster, Topic: "late"}}
	bundle := func(times ...beam.EventTime) (told []string, err error) {
		refuse := func(r Refused) { told = append(told, fmt.Sprint("refused ", r.Bytes)) }
		emit := func(at beam.EventTime, n int64) { told = append(told, fmt.Sprint(at, " ", n)) }
		require.NoError(t, f.StartBundle(t.Context(), refuse, emit))
		m := Message{Key: []byte("k"), Value: []byte("v")}
		require.NoError(t, withSender(t.Context(), f.Writing, func(s *sender) error {
			s.largest = int32(recordBytes(1, 1, nil)) // just so much
			return nil
		}))
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
	require.Len(t, r.committedRecords("late"), 3)
	cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "late", Err: kerr.InvalidRecord})
	told, err = bundle(20)
	require.ErrorIs(t, err, kerr.InvalidRecord)
	require.Empty(t, told)
	told, err = bundle(8)
	require.NoError(t, err)
	require.Equal(t, []string{"8 1"}, told)
	told, err = bundle()
	require.NoError(t, err)
	require.Equal(t, []string{fmt.Sprint("refused ", recordBytes(1, 2, nil)), "7 1"}, told)
	require.Len(t, r.committedRecords("late"), 4)
}
