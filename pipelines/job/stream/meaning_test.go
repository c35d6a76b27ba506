package stream

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"tributary/io/kafkaio/cluster"
	"tributary/io/kafkaio/commitlog"
	"tributary/io/kafkaio/sink"
	"tributary/io/kafkaio/source"
	"tributary/pipelines/job/topics"
	"tributary/runners/prism"
)

const (
	likeBlock = "  like:\n    inputs:\n      - {topic: NAME.engagements, format: avro, schema: engagement.avsc}\n    where: {kind: like}\n    view: view_id\n    time: ts\n    id: event_id\n    window: 2m\n"
	buyBlock  = "  buy:\n    inputs:\n      - {topic: NAME.engagements, format: avro, schema: engagement.avsc}\n    where: {kind: buy}\n    view: view_id\n    time: ts\n    id: event_id\n    window: 3m\n    label: {sum: amount}\n"
)

// changes are edits of a spec that give it another meaning; NAME is the job's.
var changes = map[string][]string{
	"version":                            {"version: 1\n", "version: 22\n"},
	"engagements.like":                   {"window: 2m", "window: 150s"},
	"engagements.buy":                    {"label: {sum: amount}", "label: {max: amount}"},
	"engagements.like: window 120000 ms": {"window: 2m", "window: 4m"},
	"out_of_orderness":                   {"out_of_orderness: 30s", "out_of_orderness: 40s"},
	"engagements.like.where":             {"where: {kind: like}", "where: {kind: buy}"},
	"dedup_window":                       {"dedup_window: 10s", "dedup_window: 5s"},
	"kinds of engagements":               {buyBlock, ""},
	"engagements.like.id":                {"id: event_id\n    window: 2m", "window: 2m"},
	"negatives":                          {"out_of_orderness: 30s", "out_of_orderness: 30s\nnegatives: {keep: 0.5}"},
}

func named(name string, edits []string) []string {
	out := make([]string, len(edits))
	for i, edit := range edits {
		out[i] = strings.ReplaceAll(edit, "NAME", name)
	}
	return out
}

// TestResumeWithAnotherMeaning takes a job up from the log with a changed spec, while some
// shards have written buckets that others have not: what is written stays, all else is as
// the new spec has it, and nothing is there twice or missing.
func TestResumeWithAnotherMeaning(t *testing.T) {
	fake, old := undisturbed(t, 700, "")
	dir := old.dir
	was, _ := old.newest()
	for i, what := range slices.Sorted(maps.Keys(changes)) {
		edits := changes[what]
		t.Run(what, func(t *testing.T) {
			name := fmt.Sprint("m", i)
			whole := newCutJob(t, fake.ListenAddrs(), dir, "whole"+name)
			whole.publish(1)
			run(t, whole.toEnd("whole"+name, Fresh, true, named(whole.name, edits)...).Pipeline())
			is, times := whole.newest()

			cut := newCutJob(t, fake.ListenAddrs(), dir, name)
			cut.publish(0.6)
			cut.runUntilShardHangs(fake, 2)
			cut.publish(1)
			edits := named(cut.name, edits)
			for attempt := range 2 { // the second finds in the commit log what the first has kept
				plan := cut.toEnd(fmt.Sprint(name, attempt), FromLog, true, edits...)
				t.Log(plan.Resumed())
				if attempt == 0 {
					require.NotEmpty(t, plan.Resumed().Changed)
					require.Contains(t, strings.Join(plan.Resumed().Changed, "; "), what)
					require.Contains(t, plan.Resumed().String(), "parts of later buckets stay as they were written")
				} else {
					require.Empty(t, plan.Resumed().Changed)
				}
				run(t, plan.Pipeline())
			}
			got, count := cut.newest()
			for id, n := range count {
				require.LessOrEqual(t, n, max(1, times[id]), "view %s", id)
			}
			stayed, changed := 0, 0
			for id, value := range got {
				switch {
				case value == is[id]:
					changed++
				case value == was[id]:
					stayed++
				case times[id] > 1: // two views of one id, which were duplicates
				default:
					t.Fatalf("view %s: %q\nis of neither spec:\n%q\n%q", id, value, was[id], is[id])
				}
			}
			require.Positive(t, changed)
			if what == "version" {
				require.Positive(t, stayed, "there is nothing in flight that was written")
			}
			for id := range is {
				if _, ok := got[id]; !ok {
					require.NotContains(t, was, id, "a view is missing that is no sample only where what is written stays")
				}
			}
		})
	}
}

// runUntilShardHangs runs a job for ever, of which one shard cannot open its producer, until the
// others have written.
func (j *cutJob) runUntilShardHangs(fake *kfake.Cluster, shard int) {
	j.t.Helper()
	plan, err := New(j.t.Context(), j.spec(3), quick(j.name, Fresh))
	require.NoError(j.t, err)
	hang := fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.InitProducerID}, Err: kerr.CoordinatorLoadInProgress, Count: -1, When: func(r kmsg.Request) bool {
		id := r.(*kmsg.InitProducerIDRequest).TransactionalID
		return id != nil && *id == fmt.Sprintf("%s-%d", j.name, shard)
	}})
	defer hang.Remove()
	ctx, cancel := context.WithTimeout(j.t.Context(), time.Minute)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- prism.Run(ctx, plan.Pipeline()) }()
	for written := 0; written < 2; time.Sleep(50 * time.Millisecond) {
		require.NoError(j.t, ctx.Err())
		shards, err := commitlog.ReadAll(ctx, cluster.Config{Brokers: j.brokers}, j.name+".ledger")
		require.NoError(j.t, err)
		written = 0
		for _, s := range shards {
			written += min(1, len(s.Groups))
		}
	}
	cancel()
	require.Error(j.t, <-ended)
}

// TestResumeFromStateRefused: state that means something else is not gone on from, and the old
// job is left as it is.
func TestResumeFromStateRefused(t *testing.T) {
	fake, err := kfake.NewCluster(kfake.NumBrokers(1))
	require.NoError(t, err)
	t.Cleanup(fake.Close)
	job := newCutJob(t, fake.ListenAddrs(), hard(t, 300), "state")
	_, err = New(t.Context(), job.spec(3), quick("b", FromState))
	require.ErrorContains(t, err, "the commit log does not say what the state means")
	first, err := New(t.Context(), job.spec(3), quick("a", Fresh))
	require.NoError(t, err)
	before := consume(t, job.brokers, "state.ledger")

	for what, edits := range changes {
		_, err := New(t.Context(), job.spec(3, named("state", edits)...), quick("b", FromState))
		require.ErrorContains(t, err, "use --resume log", what)
		require.ErrorContains(t, err, what)
	}
	for what, edits := range map[string][]string{
		"shards: 3, now 4":             {"shards: 3", "shards: 4"},
		"source_parallelism: 1, now 5": {"source_parallelism: 2", "source_parallelism: 5"},
	} {
		opt := quick("b", FromState)
		opt.Readers = 0
		_, err := New(t.Context(), job.spec(3, edits...), opt)
		require.ErrorContains(t, err, what)
	}
	ends := quick("b", FromState)
	ends.Stop = source.Stop{At: source.StopAtEnd}
	_, err = New(t.Context(), job.spec(3), ends)
	require.ErrorContains(t, err, "how topics are read: by timers, now up to an end")
	require.Equal(t, before, consume(t, job.brokers, "state.ledger"), "nothing was touched")

	same, err := New(t.Context(), job.spec(3, "clock_skew:", "# a comment\nclock_skew:"), quick("b", FromState))
	require.NoError(t, err)
	require.Equal(t, first.params, same.params)
	require.Equal(t, first.samples.FencingEpoch, same.samples.FencingEpoch, "it is the same job")
	_, err = New(t.Context(), job.spec(3, "id: view_id", "id: surface"), quick("b", FromLog))
	require.ErrorContains(t, err, "views.id: view_id, now surface: views are spread over shards by it")
}

// TestBeginsOnce: a job that has written is not begun again beside its commit log.
func TestBeginsOnce(t *testing.T) {
	fake, err := kfake.NewCluster(kfake.NumBrokers(1))
	require.NoError(t, err)
	t.Cleanup(fake.Close)
	job := newCutJob(t, fake.ListenAddrs(), hard(t, 300), "once")
	run(t, job.toEnd("empty", Fresh, true).Pipeline())
	job.publish(1)
	run(t, job.toEnd("first", Fresh, true).Pipeline())
	before := consume(t, job.brokers, "once.ledger")
	_, err = New(t.Context(), job.spec(3), quick("again", Fresh))
	require.ErrorIs(t, err, sink.ErrBegun)
	require.ErrorContains(t, err, "to go on with it, use --resume log, last or the path of a savepoint; to begin anew, give the job another stream.name")
	require.Equal(t, before, consume(t, job.brokers, "once.ledger"))
}

// TestBeginsOnceWithStages: so it is where early stages have written, and the last one has not yet. Nobody is fenced off: the job
// may be at work.
func TestBeginsOnceWithStages(t *testing.T) {
	fake, err := kfake.NewCluster(kfake.NumBrokers(1))
	require.NoError(t, err)
	t.Cleanup(fake.Close)
	dir := hard(t, 300)
	addStages(t, dir, "stages: [10s, 1m]\n")
	job := newCutJob(t, fake.ListenAddrs(), dir, "once")
	job.publish(0.05)
	run(t, job.toEnd("first", Fresh, false).Pipeline())
	before := consume(t, job.brokers, "once.ledger")
	require.Len(t, before, 1, "a header, and no group")
	require.NotEmpty(t, consume(t, job.brokers, "once"), "the early stages have written")
	_, err = New(t.Context(), job.spec(3), quick("again", Fresh))
	require.ErrorIs(t, err, sink.ErrBegun)
	require.ErrorContains(t, err, "to go on with it, use --resume log")
	require.Equal(t, before, consume(t, job.brokers, "once.ledger"))
	other := job.spec(3, "stages: [10s, 1m]", "stages: [20s, 1m]")
	_, err = topics.Create(t.Context(), other, topics.CreateOptions{Replicas: 1})
	require.NoError(t, err)
	_, err = New(t.Context(), other, quick("other stages", Fresh))
	require.ErrorIs(t, err, sink.ErrCommitLogLost)
	require.Equal(t, before, consume(t, job.brokers, "once.ledger"))
	run(t, job.toEnd("gone on", FromLog, true).Pipeline())
	require.NoError(t, job.report().Check())
}
