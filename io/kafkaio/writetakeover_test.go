package kafkaio

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/graph"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners/prism"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"pgregory.net/rapid"

	"tributary/io/kafkaio/internal/kafkatest"
)

// noteThrough notes progress as NoteProgress does.
func (r *writeRig) noteThrough(id int64) {
	r.t.Helper()
	value, err := json.Marshal(complete{Job: r.w.Job, Through: id})
	require.NoError(r.t, err)
	client := r.client()
	defer client.Close()
	require.NoError(r.t, client.ProduceSync(context.Background(), &kgo.Record{Topic: r.w.LedgerTopic, Key: []byte(completeKey), Value: value}).FirstErr())
}

// at makes the rig's writers those of a run that began with that progress.
func (r *writeRig) at(p Progress) *writeRig {
	r.w.Earlier, r.w.Generation = p.Earlier, p.Generation
	return r
}

// TestTakeOver: a job that begins anew cannot change what is settled, and the one before it
// cannot write any more.
func TestTakeOver(t *testing.T) {
	ctx := t.Context()
	r := newWriteRig(t, 2)
	r.w.Step = 10
	got, err := TakeOver(ctx, r.w)
	require.NoError(t, err)
	require.Equal(t, Progress{Settled: noFloor, Generation: 1}, got, "nothing was written yet")

	before := r.at(got).process()
	for _, id := range []int64{10, 20, 30} {
		_, err := before.write(ctx, 0, []*group{makeGroup(t, 0, id, 2, 0)})
		require.NoError(t, err)
	}
	got, err = TakeOver(ctx, r.w)
	require.NoError(t, err)
	require.Equal(t, Progress{Settled: noFloor, Generation: 2}, got, "shard 1 may have a group 10 yet")
	before = r.at(got).process()
	_, err = before.write(ctx, 1, []*group{makeGroup(t, 1, 10, 1, 0)})
	require.NoError(t, err)
	r.noteThrough(20)
	r.noteThrough(10)

	got, err = TakeOver(ctx, r.w)
	require.NoError(t, err)
	require.Equal(t, Progress{Settled: 30, Generation: 3}, got)
	read, err := ReadProgress(ctx, r.w)
	require.NoError(t, err)
	require.Equal(t, got, read)
	_, err = before.write(ctx, 1, []*group{makeGroup(t, 1, 40, 1, 0)})
	require.ErrorIs(t, err, ErrFenced)

	after := r.at(got).process()
	acks, err := after.write(ctx, 0, []*group{
		makeGroup(t, 0, 0, 1, 1), makeGroup(t, 0, 20, 1, 1), makeGroup(t, 0, 30, 2, 0), makeGroup(t, 0, 40, 1, 0),
	})
	require.NoError(t, err)
	tx := after.shard(0).tx
	for shard := range int32(2) { // what is left of the job before steps back before it fences
		_, err = before.write(ctx, shard, []*group{makeGroup(t, shard, 50, 1, 0)})
		require.ErrorIs(t, err, ErrFenced)
		require.ErrorContains(t, err, "was resumed from the log after this run of it had begun")
	}
	acked, err := after.write(ctx, 0, []*group{makeGroup(t, 0, 40, 1, 0)})
	require.NoError(t, err)
	require.True(t, acked[0].Skipped)
	require.Same(t, tx, after.shard(0).tx, "it was not fenced")
	require.Equal(t, []Committed{
		{ID: 0, Version: 1, Records: 1, Skipped: true}, // it never came, or it came empty
		{ID: 20, Version: 1, Records: 1, Skipped: true},
		{ID: 30, Version: 1, Records: 2, Skipped: true},
		{ID: 40, Version: 1, Records: 1},
	}, acks)
	want := slices.Concat(sampleLines(0, 10, 2, 0, 1), sampleLines(0, 20, 2, 0, 1), sampleLines(0, 30, 2, 0, 1), sampleLines(0, 40, 1, 0, 1), sampleLines(1, 10, 1, 0, 1))
	require.Equal(t, want, r.samples())
}

// TestTakeOverWithOtherShards: groups that may be there keep their shards, and a writer of
// the old number is refused where the new one counts.
func TestTakeOverWithOtherShards(t *testing.T) {
	ctx := t.Context()
	for name, shards := range map[string]int32{"more": 4, "fewer": 1} {
		t.Run(name, func(t *testing.T) {
			r := newWriteRig(t, 2)
			r.w.Step = 10
			_, err := r.process().write(ctx, 1, []*group{makeGroup(t, 1, 10, 1, 0), makeGroup(t, 1, 30, 1, 0)})
			require.NoError(t, err)
			r.noteThrough(10)
			old := r.process()

			r.w.Shards = shards
			got, err := TakeOver(ctx, r.w)
			require.NoError(t, err)
			require.Equal(t, Progress{Settled: 20, Generation: 1, Earlier: []Layout{{Until: 40, Shards: 2}}}, got)
			r.at(got)
			for shard := range shards {
				_, err := r.process().write(ctx, shard, []*group{makeGroup(t, shard, 40, 1, 0)})
				require.NoError(t, err)
			}
			_, err = r.process().write(ctx, 1, []*group{makeGroup(t, 1, 20, 1, 0)})
			require.NoError(t, err)
			_, err = old.write(ctx, 0, []*group{makeGroup(t, 0, 50, 1, 0)})
			require.ErrorIs(t, err, ErrFenced)
			r.w.Shards, r.w.Earlier = 2, nil
			_, err = r.process().write(ctx, 0, []*group{makeGroup(t, 0, 50, 1, 0)})
			require.ErrorContains(t, err, "resume from the log to change how many there are")
		})
	}
}

// TestTakeOverWithAnotherMeaning: what was written whole stays, whatever comes of it now, over
// any number of takeovers; the rest is of the new meaning.
func TestTakeOverWithAnotherMeaning(t *testing.T) {
	ctx := t.Context()
	r := newWriteRig(t, 2)
	r.w.Step, r.w.TransactionBytes = 10, 150
	r.w.Meaning = map[string]string{"version": "1"}
	got, err := Begin(ctx, r.w)
	require.NoError(t, err)
	require.Equal(t, Progress{Settled: noFloor, Generation: 1, Meaning: r.w.Meaning}, got)
	before := r.at(got).process()
	for _, id := range []int64{10, 20, 30} {
		_, err := before.write(ctx, 0, []*group{makeGroup(t, 0, id, 2, 0)})
		require.NoError(t, err)
	}
	_, err = before.write(ctx, 1, []*group{makeGroup(t, 1, 10, 1, 0)})
	require.NoError(t, err)
	r.noteThrough(10)

	r.w.Meaning = map[string]string{"version": "2"}
	for generation := range int64(2) {
		got, err = TakeOver(ctx, r.w)
		require.NoError(t, err)
		require.Equal(t, Progress{Settled: 20, Generation: 2 + generation, Meaning: r.w.Meaning, Kept: []Part{{20, 0}, {30, 0}}}, got)
		read, err := ReadProgress(ctx, r.w)
		require.NoError(t, err)
		require.Equal(t, got, read)
		acks, err := r.at(got).process().write(ctx, 0, []*group{makeGroup(t, 0, 20, 2, 1), makeGroup(t, 0, 30, 2, 1), makeGroup(t, 0, 40, 2, 1)})
		require.NoError(t, err)
		require.Equal(t, []Committed{
			{ID: 20, Version: 1, Records: 2, Skipped: true},
			{ID: 30, Version: 1, Records: 2, Skipped: true},
			{ID: 40, Version: 1, Records: 2, Skipped: generation == 1},
		}, acks)
		acks, err = r.process().write(ctx, 1, []*group{makeGroup(t, 1, 20, 1, 1)})
		require.NoError(t, err)
		require.Equal(t, []Committed{{Shard: 1, ID: 20, Version: 1, Records: 1, Skipped: generation == 1}}, acks, "of this shard it was not written")
	}
	require.Equal(t, slices.Concat(sampleLines(0, 10, 2, 0, 1), sampleLines(0, 20, 2, 0, 1), sampleLines(0, 30, 2, 0, 1), sampleLines(0, 40, 2, 1, 1),
		sampleLines(1, 10, 1, 0, 1), sampleLines(1, 20, 1, 1, 1)), r.samples())

	// And once more: what is of the second meaning stays under a third.
	r.w.Meaning = map[string]string{"version": "3"}
	got, err = TakeOver(ctx, r.w)
	require.NoError(t, err)
	require.Equal(t, []Part{{20, 0}, {30, 0}, {40, 0}, {20, 1}}, got.Kept)
	r.noteThrough(30)
	got, err = TakeOver(ctx, r.at(got).w)
	require.NoError(t, err)
	require.Equal(t, []Part{{40, 0}}, got.Kept, "what is settled needs no list")
}

// TestKeepParts: what is written in part does not stay, and what stayed once does so under any meaning.
func TestKeepParts(t *testing.T) {
	l := newShardLedger()
	l.head = &head{Kept: []int64{30}}
	l.entries[20], l.entries[40], l.entries[50] = entry{version: 1}, entry{version: 1, partial: true}, entry{version: 1}
	require.Equal(t, map[int32][]int64{1: {20, 30, 50}}, keepParts([]*shardLedger{newShardLedger(), l}, 20, true))
	require.Equal(t, map[int32][]int64{1: {30}}, keepParts([]*shardLedger{newShardLedger(), l}, 20, false))
	require.Empty(t, keepParts([]*shardLedger{newShardLedger(), l}, 31, false))
}

// TestBegin: a job begins once. What has written nothing yet may begin again, and fences off
// what is left of its first run.
func TestBegin(t *testing.T) {
	ctx := t.Context()
	r := newWriteRig(t, 2)
	r.w.Step = 10
	got, err := Begin(ctx, r.w)
	require.NoError(t, err)
	first := r.at(got).process()
	_, err = first.write(ctx, 1, nil)
	require.NoError(t, err)
	r.w.Step = 20 // of nothing
	got, err = Begin(ctx, r.w)
	require.NoError(t, err)
	require.Equal(t, Progress{Settled: noFloor, Generation: 2}, got)
	_, err = first.write(ctx, 1, []*group{makeGroup(t, 1, 20, 1, 0)})
	require.ErrorIs(t, err, ErrFenced)

	second := r.at(got).process()
	_, err = second.write(ctx, 1, []*group{makeGroup(t, 1, 20, 1, 0)})
	require.NoError(t, err)
	tx := second.shard(1).tx
	_, err = Begin(ctx, r.w)
	require.ErrorIs(t, err, ErrBegun)
	require.ErrorContains(t, err, "has 1 groups, up to 1970-01-01T00:00:00Z")
	_, err = second.write(ctx, 1, []*group{makeGroup(t, 1, 40, 1, 0)})
	require.NoError(t, err)
	require.Same(t, tx, second.shard(1).tx, "the job that is at work was fenced off")
	r.w.LedgerTopic = r.w.LedgerTopic + "-gone"
	_, err = Begin(ctx, r.w)
	require.ErrorContains(t, err, "UNKNOWN_TOPIC_OR_PARTITION")
}

// TestBeginBeside: a ledger that has only let groups go, or only tells how far all has come,
// is of a job that has written.
func TestBeginBeside(t *testing.T) {
	w := &Writing{LedgerTopic: "l"}
	require.NoError(t, nothingWritten(w, []*shardLedger{newShardLedger(), {head: &head{}, floor: noFloor}}))
	for _, l := range []*shardLedger{{floor: 5}, {floor: noFloor, completes: true}, {floor: noFloor, entries: map[int64]entry{0: {partial: true}}}} {
		require.ErrorIs(t, nothingWritten(w, []*shardLedger{newShardLedger(), l}), ErrBegun)
		require.ErrorIs(t, nothingWritten(w, []*shardLedger{l, newShardLedger()}), ErrBegun)
	}
}

// TestTakeOverRefused: what cannot be taken over says why.
func TestTakeOverRefused(t *testing.T) {
	ctx := t.Context()
	r := newFakeRig(t, 2)
	r.w.Step = 10
	r.begin()
	for _, c := range []struct {
		name  string
		spoil func(*Writing)
		want  string
	}{
		{"another bucket length", func(w *Writing) { w.Step = 20 }, "is of groups 10 apart, not 20"},
		{"no ledger", func(w *Writing) { w.LedgerTopic = "nowhere" }, "look at ledger nowhere: UNKNOWN_TOPIC_OR_PARTITION"},
		{"of another job", func(w *Writing) { w.Job = "another" }, "it belongs to job"},
		{"no shards", func(w *Writing) { w.Shards = 0 }, "shards: must be at least 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := r.w
			c.spoil(&w)
			_, err := TakeOver(ctx, w)
			require.ErrorContains(t, err, "take over job "+w.Job)
			require.ErrorContains(t, err, c.want)
		})
	}
}

// TestNextHead plays jobs that are taken over again and again, with other numbers of
// shards, and takeovers that break off. However they come: no group is spread over two
// numbers of shards.
func TestNextHead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const step = 10
		spread := map[int64]int32{} // over how many shards each group is that was written
		var ledgers []*shardLedger
		for range rapid.IntRange(1, 8).Draw(t, "jobs") {
			w := &Writing{Job: "j", Step: step, Shards: rapid.Int32Range(1, 4).Draw(t, "shards")}
			for len(ledgers) < int(w.Shards) {
				ledgers = append(ledgers, newShardLedger())
			}
			next, kept, err := nextHead(w, ledgers)
			require.NoError(t, err)
			require.Empty(t, kept)
			broken := rapid.IntRange(0, 3).Draw(t, "breaks off") == 0
			for _, l := range ledgers {
				if !broken || rapid.Bool().Draw(t, "taken") {
					l.head = next
				}
			}
			if broken {
				continue
			}
			w.Earlier = next.Earlier
			require.LessOrEqual(t, len(next.Earlier), 8)
			last := int64(0)
			for _, l := range ledgers {
				for id := range l.entries {
					last = max(last, id)
				}
			}
			for id := last; id < last+20*step; id += step {
				if _, there := spread[id]; !there {
					require.Equal(t, w.Shards, w.shardsOf(id), "the new number counts from the first group on that is not there, %d", id)
				}
			}
			for range rapid.IntRange(0, 6).Draw(t, "groups") {
				id := max(next.Settled, 0) + step*rapid.Int64Range(0, 6).Draw(t, "group")
				require.NoError(t, next.fits(w, id))
				have, there := spread[id]
				require.True(t, !there || have == w.shardsOf(id), "group %d over %d and %d shards", id, have, w.shardsOf(id))
				spread[id] = w.shardsOf(id)
				ledgers[rapid.Int32Range(0, w.shardsOf(id)-1).Draw(t, "shard")].entries[id] = entry{version: 1}
			}
			if ids := slices.Sorted(maps.Keys(spread)); len(ids) > 0 && rapid.Bool().Draw(t, "progress") {
				l := ledgers[0]
				l.through, l.completes = max(l.through, rapid.SampledFrom(ids).Draw(t, "through")), true
			}
		}
	})
}

// TestNoteProgress: the ledger says how far the output has come, once all of it is there.
func TestNoteProgress(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	require.NoError(t, err)
	defer cluster.Close()
	r := rigOn(t, 2, cluster.ListenAddrs(), kafkatest.NetDial)
	r.w.Step = 1000
	r.create("late", 1, nil)
	run := func() error {
		if !beam.Initialized() {
			beam.Init()
		}
		p, s := beam.NewPipelineWithRoot()
		late := Writing{Cluster: r.w.Cluster, Topic: "late"}
		committed, _ := Write(s, r.w, beam.ParDo(s, stamp, beam.CreateList(s, groupParts())))
		_, sent := WriteAtLeastOnce(s, late, beam.CreateList(s, []Message{{Value: []byte("v")}}))
		NoteProgress(s, r.w, committed, sent)
		_, err := prism.Execute(t.Context(), p)
		return err
	}
	cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "late", Err: kerr.InvalidRecord})
	require.ErrorContains(t, run(), "INVALID_RECORD")
	got, err := TakeOver(t.Context(), r.w)
	require.NoError(t, err)
	require.Equal(t, Progress{Settled: noFloor, Generation: 1}, got, "something is not written yet")

	r.at(got)
	require.NoError(t, run())
	got, err = TakeOver(t.Context(), r.w)
	require.NoError(t, err)
	require.Equal(t, Progress{Settled: 3000, Generation: 2}, got)
}

// TestNoteProgressWaitsForAll: what closes the windows of notes is the watermark of groups and of
// every topic beside them.
func TestNoteProgressWaitsForAll(t *testing.T) {
	r := newFakeRig(t, 2)
	r.w.Step = 1000
	p, s := beam.NewPipelineWithRoot()
	committed, _ := Write(s, r.w, beam.ParDo(s, stamp, beam.CreateList(s, groupParts())))
	var sent []beam.PCollection
	for _, topic := range []string{"late", "dead"} {
		_, c := WriteAtLeastOnce(s, Writing{Cluster: r.w.Cluster, Topic: topic}, beam.CreateList(s, []Message{{}}))
		sent = append(sent, c)
	}
	NoteProgress(s, r.w, committed, sent...)
	edges, _, err := p.Build()
	require.NoError(t, err)
	madeBy := map[int]*graph.MultiEdge{}
	var notes *graph.MultiEdge
	for _, e := range edges {
		for _, out := range e.Output {
			madeBy[out.To.ID()] = e
		}
		if e.Op == graph.CoGBK && strings.Contains(e.Scope().String(), "kafkaio.NoteProgress") {
			notes = e
		}
	}
	before := map[string]int{}
	seen := map[int]bool{}
	var visit func(e *graph.MultiEdge)
	visit = func(e *graph.MultiEdge) {
		if seen[e.ID()] {
			return
		}
		seen[e.ID()] = true
		if e.DoFn != nil {
			before[e.DoFn.Name()]++
		}
		for _, in := range e.Input {
			visit(madeBy[in.From.ID()])
		}
	}
	visit(notes)
	require.Equal(t, 1, before["tributary/io/kafkaio.writeFn"], before)
	require.Equal(t, 2, before["tributary/io/kafkaio.sendFn"], before)
}

// TestHeadsOfShards: what a takeover makes of heads and notes of several shards, whatever their
// order.
func TestHeadsOfShards(t *testing.T) {
	w := &Writing{Job: "j", Step: 10, Shards: 3}
	wrote := func(ids ...int64) *shardLedger {
		l := newShardLedger()
		l.head = &head{Job: "j", Generation: 2, Step: 10, Shards: 2, Settled: 30, Earlier: []Layout{{Until: 30, Shards: 5}, {Until: 60, Shards: 4}}}
		for _, id := range ids {
			l.entries[id] = entry{version: 1}
		}
		return l
	}
	through := func(l *shardLedger, id int64) *shardLedger {
		l.through, l.completes = id, true
		return l
	}
	brokenOff := func(l *shardLedger) *shardLedger {
		l.head = &head{Job: "j", Generation: 3, Step: 10, Shards: 9, Settled: 40}
		return l
	}
	after := func(generation, settled int64, earlier ...Layout) head {
		return head{Job: "j", Generation: generation, Step: 10, Shards: 3, Settled: settled, Earlier: earlier}
	}
	for _, tt := range []struct {
		name    string
		ledgers []*shardLedger
		want    head
	}{
		{"nobody noted how far all has come", []*shardLedger{wrote(40, 70), wrote(50)}, after(3, 30, Layout{60, 4}, Layout{80, 2})},
		{"the largest note counts", []*shardLedger{through(wrote(40), 40), through(wrote(50), 30), wrote(70)}, after(3, 50, Layout{60, 4}, Layout{80, 2})},
		{"what is settled needs no layout", []*shardLedger{wrote(40), through(wrote(70), 50)}, after(3, 60, Layout{80, 2})},
		{"under a takeover that broke off nothing was written", []*shardLedger{brokenOff(wrote(70)), wrote(40)}, after(4, 40, Layout{60, 4}, Layout{80, 2})},
		{"nor was the layout changed behind the last group", []*shardLedger{wrote(40), wrote()}, after(3, 30, Layout{50, 4})},
	} {
		t.Run(tt.name, func(t *testing.T) {
			next, _, err := nextHead(w, tt.ledgers)
			require.NoError(t, err)
			require.Equal(t, tt.want, *next)
			slices.Reverse(tt.ledgers)
			next, _, err = nextHead(w, tt.ledgers)
			require.NoError(t, err)
			require.Equal(t, tt.want, *next, "in the other order")
		})
	}
}

// TestProgressOfBundles: a note is of the largest group so far that is not provisional, and is
// written once.
func TestProgressOfBundles(t *testing.T) {
	r := newFakeRig(t, 1)
	f := &progressFn{Writing: Writing{Cluster: r.w.Cluster, Topic: r.w.LedgerTopic, ProvisionalFrom: 50}, Job: r.w.Job}
	f.Setup()
	bundle := func(ids ...int64) {
		f.ProcessElement(0, func(id *int64) bool {
			if len(ids) == 0 {
				return false
			}
			*id, ids = ids[0], ids[1:]
			return true
		})
	}
	bundle(20, 40, 10)
	require.NoError(t, f.FinishBundle(t.Context()))
	bundle(30)
	require.NoError(t, f.FinishBundle(t.Context()), "no news")
	bundle(50, 60)
	require.NoError(t, f.FinishBundle(t.Context()), "neither are provisional groups")
	var notes []string
	for _, record := range r.committedRecords(r.w.LedgerTopic) {
		notes = append(notes, string(record.Value))
	}
	require.Equal(t, []string{`{"job":"` + r.w.Job + `","through":40}`}, notes)

	bundle(45)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorContains(t, f.FinishBundle(gone), "kafkaio.NoteProgress: ")
	require.NoError(t, f.FinishBundle(t.Context()), "it is written with the next bundle")
	require.Len(t, r.committedRecords(r.w.LedgerTopic), 2)
}

// TestShardsAreBound: a shard that has written nothing is bound by what the others have.
func TestShardsAreBound(t *testing.T) {
	r := newFakeRig(t, 2)
	r.w.Step = 10
	_, err := r.process().write(t.Context(), 0, []*group{makeGroup(t, 0, 10, 1, 0)})
	require.NoError(t, err)
	r.w.Step = 20
	_, err = r.process().write(t.Context(), 1, []*group{makeGroup(t, 1, 20, 1, 0)})
	require.ErrorIs(t, err, errSetup)
	require.ErrorContains(t, err, "groups 10 apart, not 20")
}
