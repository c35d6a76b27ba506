package sink

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	"pgregory.net/rapid"

	"tributary/io/kafkaio/commitlog"
)

// noteThrough notes progress as NoteProgress does.
func (r *writeRig) noteThrough(id int64) {
	r.T.Helper()
	value, err := json.Marshal(commitlog.Complete{Job: r.w.Job, Through: id})
	require.NoError(r.T, err)
	client := r.Client()
	defer client.Close()
	require.NoError(r.T, client.ProduceSync(context.Background(), &kgo.Record{Topic: r.w.CommitLog, Key: []byte(commitlog.CompleteKey), Value: value}).FirstErr())
}

// at makes the rig's writers those of a run that began with that progress.
func (r *writeRig) at(p commitlog.Progress) *writeRig {
	r.w.Earlier, r.w.FencingEpoch = p.Earlier, p.FencingEpoch
	return r
}

// TestRecover: a job that begins anew cannot change what is settled, and the one before it
// cannot write any more.
func TestRecover(t *testing.T) {
	ctx := t.Context()
	r := newWriteRig(t, 2)
	r.w.Step = 10
	got, err := Recover(ctx, r.w)
	require.NoError(t, err)
	require.Equal(t, commitlog.Progress{CommittedBefore: commitlog.NoID, FencingEpoch: 1}, got, "nothing was written yet")

	before := r.at(got).process()
	for _, id := range []int64{10, 20, 30} {
		_, err := before.write(ctx, 0, []*group{makeGroup(t, 0, id, 2, 0)})
		require.NoError(t, err)
	}
	got, err = Recover(ctx, r.w)
	require.NoError(t, err)
	require.Equal(t, commitlog.Progress{CommittedBefore: commitlog.NoID, FencingEpoch: 2}, got, "shard 1 may have a group 10 yet")
	before = r.at(got).process()
	_, err = before.write(ctx, 1, []*group{makeGroup(t, 1, 10, 1, 0)})
	require.NoError(t, err)
	r.noteThrough(20)
	r.noteThrough(10)

	got, err = Recover(ctx, r.w)
	require.NoError(t, err)
	require.Equal(t, commitlog.Progress{CommittedBefore: 30, FencingEpoch: 3}, got)
	read, err := commitlog.ReadProgress(ctx, r.w.Cluster, r.w.CommitLog, r.w.Job)
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
	require.Equal(t, []commitlog.Committed{
		{ID: 0, Version: 1, Records: 1, Skipped: true}, // it never came, or it came empty
		{ID: 20, Version: 1, Records: 1, Skipped: true},
		{ID: 30, Version: 1, Records: 2, Skipped: true},
		{ID: 40, Version: 1, Records: 1},
	}, acks)
	want := slices.Concat(sampleLines(0, 10, 2, 0, 1), sampleLines(0, 20, 2, 0, 1), sampleLines(0, 30, 2, 0, 1), sampleLines(0, 40, 1, 0, 1), sampleLines(1, 10, 1, 0, 1))
	require.Equal(t, want, r.Samples())
}

// TestRecoverWithOtherShards: groups that may be there keep their shards, and a writer of
// the old number is refused where the new one counts.
func TestRecoverWithOtherShards(t *testing.T) {
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
			got, err := Recover(ctx, r.w)
			require.NoError(t, err)
			require.Equal(t, commitlog.Progress{CommittedBefore: 20, FencingEpoch: 1, Earlier: []commitlog.Layout{{Until: 40, Shards: 2}}}, got)
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

// TestRecoverWithAnotherMeaning: what was written whole stays, whatever comes of it now, over
// any number of takeovers; the rest is of the new meaning.
func TestRecoverWithAnotherMeaning(t *testing.T) {
	ctx := t.Context()
	r := newWriteRig(t, 2)
	r.w.Step, r.w.TransactionBytes = 10, 150
	r.w.Meaning = map[string]string{"version": "1"}
	got, err := Begin(ctx, r.w)
	require.NoError(t, err)
	require.Equal(t, commitlog.Progress{CommittedBefore: commitlog.NoID, FencingEpoch: 1, Meaning: r.w.Meaning}, got)
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
		got, err = Recover(ctx, r.w)
		require.NoError(t, err)
		require.Equal(t, commitlog.Progress{CommittedBefore: 20, FencingEpoch: 2 + generation, Meaning: r.w.Meaning, Kept: []commitlog.Part{{ID: 20, Shard: 0}, {ID: 30, Shard: 0}}}, got)
		read, err := commitlog.ReadProgress(ctx, r.w.Cluster, r.w.CommitLog, r.w.Job)
		require.NoError(t, err)
		require.Equal(t, got, read)
		acks, err := r.at(got).process().write(ctx, 0, []*group{makeGroup(t, 0, 20, 2, 1), makeGroup(t, 0, 30, 2, 1), makeGroup(t, 0, 40, 2, 1)})
		require.NoError(t, err)
		require.Equal(t, []commitlog.Committed{
			{ID: 20, Version: 1, Records: 2, Skipped: true},
			{ID: 30, Version: 1, Records: 2, Skipped: true},
			{ID: 40, Version: 1, Records: 2, Skipped: generation == 1},
		}, acks)
		acks, err = r.process().write(ctx, 1, []*group{makeGroup(t, 1, 20, 1, 1)})
		require.NoError(t, err)
		require.Equal(t, []commitlog.Committed{{Shard: 1, ID: 20, Version: 1, Records: 1, Skipped: generation == 1}}, acks, "of this shard it was not written")
	}
	require.Equal(t, slices.Concat(sampleLines(0, 10, 2, 0, 1), sampleLines(0, 20, 2, 0, 1), sampleLines(0, 30, 2, 0, 1), sampleLines(0, 40, 2, 1, 1),
		sampleLines(1, 10, 1, 0, 1), sampleLines(1, 20, 1, 1, 1)), r.Samples())

	// And once more: what is of the second meaning stays under a third.
	r.w.Meaning = map[string]string{"version": "3"}
	got, err = Recover(ctx, r.w)
	require.NoError(t, err)
	require.Equal(t, []commitlog.Part{{ID: 20, Shard: 0}, {ID: 30, Shard: 0}, {ID: 40, Shard: 0}, {ID: 20, Shard: 1}}, got.Kept)
	r.noteThrough(30)
	got, err = Recover(ctx, r.at(got).w)
	require.NoError(t, err)
	require.Equal(t, []commitlog.Part{{ID: 40, Shard: 0}}, got.Kept, "what is complete needs no list")
}

// TestRecoverTellsCorrections: who resumes from the log, and who goes on after that, knows which groups were written more than once.
func TestRecoverTellsCorrections(t *testing.T) {
	ctx := t.Context()
	r := newWriteRig(t, 2)
	r.w.Step = 10
	got, err := Begin(ctx, r.w)
	require.NoError(t, err)
	before := r.at(got).process()
	for variant := range 3 {
		_, err := before.write(ctx, 1, []*group{makeGroup(t, 1, 10, 2, variant), makeGroup(t, 1, 20, 2, variant)})
		require.NoError(t, err)
	}
	r.noteThrough(10)
	for generation := range int64(2) {
		got, err = Recover(ctx, r.w)
		require.NoError(t, err)
		require.Equal(t, commitlog.Progress{
			CommittedBefore: 20, FencingEpoch: 2 + generation, Corrected: []commitlog.Correction{{Part: commitlog.Part{ID: 10, Shard: 1}, Version: 3}},
		}, got)
		read, err := commitlog.ReadProgress(ctx, r.w.Cluster, r.w.CommitLog, r.w.Job)
		require.NoError(t, err)
		require.Equal(t, got, read)
	}
	// What comes again tells itself.
	acks, err := r.at(got).process().write(ctx, 1, []*group{makeGroup(t, 1, 20, 2, 2)})
	require.NoError(t, err)
	require.Equal(t, []commitlog.Committed{{Shard: 1, ID: 20, Version: 3, Records: 2, Skipped: true}}, acks)
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
	require.Equal(t, commitlog.Progress{CommittedBefore: commitlog.NoID, FencingEpoch: 2}, got)
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
	r.w.CommitLog = r.w.CommitLog + "-gone"
	_, err = Begin(ctx, r.w)
	require.ErrorContains(t, err, "UNKNOWN_TOPIC_OR_PARTITION")
}

// TestBeginBeside: a commit log that has only let groups go, or only tells how far all has come,
// is of a job that has written.
func TestBeginBeside(t *testing.T) {
	w := &Config{CommitLog: "l"}
	require.NoError(t, nothingWritten(w, []*commitlog.Log{commitlog.NewLog(), {Header: &commitlog.Header{}, TruncatedBefore: commitlog.NoID}}))
	for _, l := range []*commitlog.Log{{TruncatedBefore: 5}, {TruncatedBefore: commitlog.NoID, Completes: true}, {TruncatedBefore: commitlog.NoID, Entries: map[int64]commitlog.Entry{0: {Partial: true}}}} {
		require.ErrorIs(t, nothingWritten(w, []*commitlog.Log{commitlog.NewLog(), l}), ErrBegun)
		require.ErrorIs(t, nothingWritten(w, []*commitlog.Log{l, commitlog.NewLog()}), ErrBegun)
	}
}

// TestRecoverRefused: what cannot be taken over says why.
func TestRecoverRefused(t *testing.T) {
	ctx := t.Context()
	r := newFakeRig(t, 2)
	r.w.Step = 10
	r.begin()
	for _, c := range []struct {
		name  string
		spoil func(*Config)
		want  string
	}{
		{"another bucket length", func(w *Config) { w.Step = 20 }, "is of groups 10 apart, not 20"},
		{"no commit log", func(w *Config) { w.CommitLog = "nowhere" }, "look at commit log nowhere: UNKNOWN_TOPIC_OR_PARTITION"},
		{"of another job", func(w *Config) { w.Job = "another" }, "it belongs to job"},
		{"no shards", func(w *Config) { w.Shards = 0 }, "shards: must be at least 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := r.w
			c.spoil(&w)
			_, err := Recover(ctx, w)
			require.ErrorContains(t, err, "recover job "+w.Job)
			require.ErrorContains(t, err, c.want)
		})
	}
}

// TestNextHeader plays jobs that are taken over again and again, with other numbers of
// shards, and takeovers that break off. However they come: no group is spread over two
// numbers of shards.
func TestNextHeader(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const step = 10
		spread := map[int64]int32{} // over how many shards each group is that was written
		var logs []*commitlog.Log
		for range rapid.IntRange(1, 8).Draw(t, "jobs") {
			w := &Config{Job: "j", Step: step, Shards: rapid.Int32Range(1, 4).Draw(t, "shards")}
			for len(logs) < int(w.Shards) {
				logs = append(logs, commitlog.NewLog())
			}
			next, kept, err := commitlog.Next(w.CommitLog, w.Header(), logs)
			require.NoError(t, err)
			require.Empty(t, kept)
			broken := rapid.IntRange(0, 3).Draw(t, "breaks off") == 0
			for _, l := range logs {
				if !broken || rapid.Bool().Draw(t, "taken") {
					l.Header = next
				}
			}
			if broken {
				continue
			}
			w.Earlier = next.Earlier
			require.LessOrEqual(t, len(next.Earlier), 8)
			last := int64(0)
			for _, l := range logs {
				for id := range l.Entries {
					last = max(last, id)
				}
			}
			for id := last; id < last+20*step; id += step {
				if _, there := spread[id]; !there {
					require.Equal(t, w.Shards, w.ShardsOf(id), "the new number counts from the first group on that is not there, %d", id)
				}
			}
			for range rapid.IntRange(0, 6).Draw(t, "groups") {
				id := max(next.CommittedBefore, 0) + step*rapid.Int64Range(0, 6).Draw(t, "group")
				require.NoError(t, next.Fits(w.CommitLog, w.Header(), id))
				have, there := spread[id]
				require.True(t, !there || have == w.ShardsOf(id), "group %d over %d and %d shards", id, have, w.ShardsOf(id))
				spread[id] = w.ShardsOf(id)
				logs[rapid.Int32Range(0, w.ShardsOf(id)-1).Draw(t, "shard")].Entries[id] = commitlog.Entry{Version: 1}
			}
			if ids := slices.Sorted(maps.Keys(spread)); len(ids) > 0 && rapid.Bool().Draw(t, "progress") {
				l := logs[0]
				l.Through, l.Completes = max(l.Through, rapid.SampledFrom(ids).Draw(t, "through")), true
			}
		}
	})
}

// TestHeadersOfShards: what a recovery makes of headers and notes of several shards, whatever their
// order.
func TestHeadersOfShards(t *testing.T) {
	w := &Config{Job: "j", Step: 10, Shards: 3}
	wrote := func(ids ...int64) *commitlog.Log {
		l := commitlog.NewLog()
		l.Header = &commitlog.Header{Job: "j", FencingEpoch: 2, Step: 10, Shards: 2, CommittedBefore: 30, Earlier: []commitlog.Layout{{Until: 30, Shards: 5}, {Until: 60, Shards: 4}}}
		for _, id := range ids {
			l.Entries[id] = commitlog.Entry{Version: 1}
		}
		return l
	}
	through := func(l *commitlog.Log, id int64) *commitlog.Log {
		l.Through, l.Completes = id, true
		return l
	}
	brokenOff := func(l *commitlog.Log) *commitlog.Log {
		l.Header = &commitlog.Header{Job: "j", FencingEpoch: 3, Step: 10, Shards: 9, CommittedBefore: 40}
		return l
	}
	after := func(generation, settled int64, earlier ...commitlog.Layout) commitlog.Header {
		return commitlog.Header{Job: "j", FencingEpoch: generation, Step: 10, Shards: 3, CommittedBefore: settled, Earlier: earlier}
	}
	for _, tt := range []struct {
		name string
		logs []*commitlog.Log
		want commitlog.Header
	}{
		{"nobody noted how far all has come", []*commitlog.Log{wrote(40, 70), wrote(50)}, after(3, 30, commitlog.Layout{Until: 60, Shards: 4}, commitlog.Layout{Until: 80, Shards: 2})},
		{"the largest note counts", []*commitlog.Log{through(wrote(40), 40), through(wrote(50), 30), wrote(70)}, after(3, 50, commitlog.Layout{Until: 60, Shards: 4}, commitlog.Layout{Until: 80, Shards: 2})},
		{"what is complete needs no layout", []*commitlog.Log{wrote(40), through(wrote(70), 50)}, after(3, 60, commitlog.Layout{Until: 80, Shards: 2})},
		{"under a recovery that broke off nothing was written", []*commitlog.Log{brokenOff(wrote(70)), wrote(40)}, after(4, 40, commitlog.Layout{Until: 60, Shards: 4}, commitlog.Layout{Until: 80, Shards: 2})},
		{"nor was the layout changed behind the last group", []*commitlog.Log{wrote(40), wrote()}, after(3, 30, commitlog.Layout{Until: 50, Shards: 4})},
	} {
		t.Run(tt.name, func(t *testing.T) {
			next, _, err := commitlog.Next(w.CommitLog, w.Header(), tt.logs)
			require.NoError(t, err)
			since := *next.MeaningSince // see commitlog.TestMeansSince
			next.MeaningSince = nil
			require.Equal(t, tt.want, *next)
			slices.Reverse(tt.logs)
			next, _, err = commitlog.Next(w.CommitLog, w.Header(), tt.logs)
			require.NoError(t, err)
			require.Equal(t, since, *next.MeaningSince)
			next.MeaningSince = nil
			require.Equal(t, tt.want, *next, "in the other order")
		})
	}
}

// TestShardsAreBound: a shard that has written nothing is bound by what the others have.
func TestShardsAreBound(t *testing.T) {
	r := newFakeRig(t, 2)
	r.w.Step = 10
	_, err := r.process().write(t.Context(), 0, []*group{makeGroup(t, 0, 10, 1, 0)})
	require.NoError(t, err)
	r.w.Step = 20
	_, err = r.process().write(t.Context(), 1, []*group{makeGroup(t, 1, 20, 1, 0)})
	require.ErrorIs(t, err, commitlog.ErrUnfit)
	require.ErrorContains(t, err, "groups 10 apart, not 20")
}
