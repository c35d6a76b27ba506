package sink

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"pgregory.net/rapid"

	"tributary/io/kafkaio/cluster"
	"tributary/io/kafkaio/commitlog"
)

func TestPlan(t *testing.T) {
	shardLog := func() *commitlog.Log {
		return &commitlog.Log{TruncatedBefore: 10, Entries: map[int64]commitlog.Entry{
			10: {Version: 1, Records: 2, Digest: 5},
			20: {Version: 3, Records: 2, Digest: 6},
		}}
	}
	g := func(id, records int64, digest uint64) *group {
		return &group{id: id, records: records, digest: digest}
	}
	for _, c := range []struct {
		name      string
		groups    []*group
		keep      int
		want      []string
		drop      []int64
		truncated int64
		err       error
	}{
		{name: "nothing", keep: 9, truncated: 10},
		{name: "new group", groups: []*group{g(30, 1, 1)}, keep: 9, want: []string{"30 write 1"}, truncated: 10},
		{name: "empty group", groups: []*group{g(30, 0, 0)}, keep: 9, want: []string{"30 write 1"}, truncated: 10},
		{name: "committed with the same digest", groups: []*group{g(20, 2, 6)}, keep: 9, want: []string{"20 skip 3"}, truncated: 10},
		{name: "another digest", groups: []*group{g(20, 2, 7)}, keep: 9, want: []string{"20 write 4"}, truncated: 10},
		{name: "another count with the same digest", groups: []*group{g(10, 3, 5)}, keep: 9, want: []string{"10 write 2"}, truncated: 10},
		{name: "twice in a bundle, the same", groups: []*group{g(30, 1, 1), g(30, 1, 1)}, keep: 9, want: []string{"30 write 1", "30 skip 1"}, truncated: 10},
		{name: "twice in a bundle, not the same", groups: []*group{g(30, 1, 1), g(30, 1, 2)}, keep: 9, want: []string{"30 write 1", "30 write 2"}, truncated: 10},
		{name: "where it was truncated", groups: []*group{g(10, 2, 5)}, keep: 9, want: []string{"10 skip 1"}, truncated: 10},
		{name: "before where it was truncated", groups: []*group{g(9, 2, 5)}, keep: 9, err: commitlog.ErrExpired},
		{name: "lets go", groups: []*group{g(30, 1, 1)}, keep: 1, want: []string{"30 write 1"}, drop: []int64{10, 20}, truncated: 21},
		{name: "keeps what it writes", groups: []*group{g(15, 1, 1)}, keep: 1, want: []string{"15 write 1"}, drop: []int64{10}, truncated: 11},
		{name: "a far future costs one place", groups: []*group{g(1e15, 1, 1)}, keep: 2, want: []string{"1000000000000000 write 1"}, drop: []int64{10}, truncated: 11},
		{name: "a skip lets nothing go", groups: []*group{g(20, 2, 6)}, keep: 1, want: []string{"20 skip 3"}, truncated: 10},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := shardLog()
			p, err := newPlan(l, c.groups, c.keep)
			require.Equal(t, shardLog(), l, "a plan changes nothing")
			require.ErrorIs(t, err, c.err)
			if c.err != nil {
				return
			}
			var got []string
			for _, d := range p.decisions {
				what := "write"
				if d.skip {
					what = "skip"
				}
				got = append(got, fmt.Sprintf("%d %s %d", d.group.id, what, d.version))
			}
			require.Equal(t, c.want, got)
			require.Equal(t, c.drop, p.drop)
			require.Equal(t, c.truncated, p.truncatedBefore)
		})
	}
}

// TestCompleteGroups looks at both sides of the place up to which all is written, and at groups that
// stay beyond it.
func TestCompleteGroups(t *testing.T) {
	l := commitlog.NewLog()
	require.False(t, l.Committed(19), "nobody has written anything")
	l.Header = &commitlog.Header{CommittedBefore: 20, Kept: []int64{40}}
	for id, want := range map[int64]bool{19: true, 20: false, 39: false, 40: true, 41: false} {
		require.Equal(t, want, l.Committed(id), "group %d", id)
	}
}

func TestNext(t *testing.T) {
	for _, c := range []struct {
		name    string
		err     error
		attempt int
		want    step
	}{
		{name: "timeout of a commit", err: context.DeadlineExceeded, attempt: 1, want: stepAgain},
		{name: "once too often", err: context.DeadlineExceeded, attempt: maxAttempts, want: stepFail},
		{name: "forgotten id", err: kerr.InvalidProducerIDMapping, attempt: 1, want: stepAgain},
		{name: "unknown error", err: kerr.UnknownServerError, attempt: 1, want: stepAgain},
		{name: "unchecked records", err: errIncomplete, attempt: 1, want: stepAgain},
		{name: "topic not there yet", err: errMissing, attempt: 1, want: stepAgain},
		{name: "fenced", err: kerr.ProducerFenced, attempt: 1, want: stepYield},
		{name: "fenced, as older brokers say it", err: kerr.InvalidProducerEpoch, attempt: 1, want: stepYield},
		{name: "timed out", err: kerr.InvalidTxnState, attempt: maxAttempts, want: stepYield},
		{name: "too large, though limits were looked at: they have changed", err: kerr.MessageTooLarge, attempt: 1, want: stepAgain},
		{name: "no right", err: kerr.TransactionalIDAuthorizationFailed, attempt: 1, want: stepFail},
		{name: "commit log lost", err: ErrCommitLogLost, attempt: 1, want: stepFail},
		{name: "unfit topic", err: commitlog.ErrUnfit, attempt: 1, want: stepFail},
		{name: "expired", err: commitlog.ErrExpired, attempt: 1, want: stepFail},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, c.want, next(fmt.Errorf("wrapped: %w", c.err), c.attempt))
		})
	}
}

// memoryLog is the log of one shard in memory, and its fence.
type memoryLog struct {
	records []*kgo.Record
	epoch   int
	// fail is asked at every commit: whether it is applied, and what is answered.
	fail func() (applied bool, err error)
}

type memoryTx struct {
	log   *memoryLog
	epoch int
}

func (l *memoryLog) open(topic, job string) opener {
	return func(context.Context, int32) (transactor, *commitlog.Log, error) {
		l.epoch++
		shardLog := commitlog.NewLog()
		newest := map[string]*kgo.Record{}
		for _, r := range l.records {
			if r.Topic != topic {
				newest[string(r.Key)] = r // as compaction leaves it
			}
		}
		for _, r := range newest {
			if err := shardLog.Take(r, job); err != nil {
				return nil, nil, err
			}
		}
		return &memoryTx{log: l, epoch: l.epoch}, shardLog, nil
	}
}

func (tx *memoryTx) transact(_ context.Context, records []*kgo.Record) error {
	if tx.epoch != tx.log.epoch {
		return kerr.ProducerFenced
	}
	applied, err := tx.log.fail()
	if applied {
		tx.log.records = append(tx.log.records, records...)
	}
	return err
}

func (tx *memoryTx) takes() int32 { return math.MaxInt32 }

func (tx *memoryTx) Close() { tx.log.epoch++ }

// TestWriterEqualsReference writes groups again and again, in any order and with failing
// commits, applied or not, and new writers in between; the reference is a map of what was
// written last. The commit log is read as compaction leaves it, and bounded.
func TestWriterEqualsReference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := Config{Topic: "samples", CommitLog: "ledger", Job: "job", Keep: rapid.IntRange(1, 12).Draw(t, "keep"), TransactionBytes: DefaultTransactionBytes}
		log := &memoryLog{}
		log.fail = func() (bool, error) {
			switch rapid.IntRange(0, 5).Draw(t, "commit") {
			case 0:
				return true, context.DeadlineExceeded
			case 1:
				return false, context.DeadlineExceeded
			default:
				return true, nil
			}
		}
		fresh := func() *shardWriter { return &shardWriter{w: &w, open: log.open(w.Topic, w.Job)} }
		writer := fresh()
		type content struct {
			parts, spare int
			follows      int64
		}
		type written struct {
			version int32
			content
		}
		// recordsOf are those that are written as a version: the first has no spare ones.
		recordsOf := func(w written) int {
			if w.version == 1 {
				return w.parts
			}
			return w.parts + w.spare
		}
		want := map[int64]written{}
		samples := map[string]int{}
		for range rapid.IntRange(1, 20).Draw(t, "bundles") {
			if rapid.IntRange(0, 3).Draw(t, "restart") == 0 {
				writer = fresh()
			}
			id := rapid.Int64Range(0, 30).Draw(t, "id")
			has := content{rapid.IntRange(0, 2).Draw(t, "parts"), rapid.IntRange(0, 1).Draw(t, "spare"), rapid.Int64Range(0, 1).Draw(t, "follows")}
			last, known := want[id]
			g := &group{id: id}
			for i := range has.parts + has.spare {
				part := Group{Part: int32(i), Spare: i >= has.parts, Follows: has.follows, Records: AppendRecord(nil, []byte("k"), []byte("v"), 7)}
				require.NoError(t, g.add(part))
			}
			g.follows = has.follows
			require.NoError(t, g.seal())
			acks, err := writer.write(t.Context(), []*group{g})
			switch {
			case errors.Is(err, commitlog.ErrExpired):
				larger := 0
				for other := range want {
					if other > id {
						larger++
					}
				}
				require.GreaterOrEqual(t, larger, w.Keep, "the newest are kept")
				continue
			case err != nil: // five failures in a row: what was written shows in the log
				require.ErrorIs(t, err, context.DeadlineExceeded)
				writer = fresh()
				_, shardLog, err := log.open(w.Topic, w.Job)(t.Context(), 0)
				require.NoError(t, err)
				if e, ok := shardLog.Entries[id]; ok && e.Version > last.version {
					want[id] = written{e.Version, has}
					samples[fmt.Sprint(id, e.Version)] = recordsOf(want[id])
				}
				continue
			}
			next := last
			if !known || last.content != has {
				next = written{last.version + 1, has}
				samples[fmt.Sprint(id, next.version)] = recordsOf(next)
			}
			want[id] = next
			require.Equal(t, []commitlog.Committed{{ID: id, Version: next.version, Records: int64(recordsOf(next)), Skipped: next == last}}, acks)
			if next != last && id == slices.Max(slices.Collect(maps.Keys(want))) {
				require.LessOrEqual(t, len(writer.log.Entries), w.Keep+w.Keep/8, "memory is bounded")
			}
		}
		entries := map[int64][]int32{}
		count := 0
		for _, r := range log.records {
			if r.Topic == w.Topic {
				count++
				continue
			}
			if r.Value == nil || string(r.Key) == commitlog.HeaderKey {
				continue
			}
			_, id, err := commitlog.ParseKey(r.Key)
			require.NoError(t, err)
			e, _, _, err := commitlog.ParseValue(r.Value)
			require.NoError(t, err)
			entries[id] = append(entries[id], e.Version)
		}
		sum := 0
		for _, n := range samples {
			sum += n
		}
		require.Equal(t, sum, count, "samples of every version once")
		for id, versions := range entries {
			require.Equal(t, want[id].version, versions[len(versions)-1])
			require.True(t, slices.IsSorted(versions))
			require.Len(t, versions, int(want[id].version), "versions of %d: %v", id, versions)
		}
		require.Len(t, entries, len(want))
	})
}

func TestValidate(t *testing.T) {
	good := Config{Cluster: cluster.Config{Brokers: []string{"b:1"}}, Topic: "t", CommitLog: "l", Job: "j", Shards: 1}
	require.NoError(t, good.Validate())
	for _, c := range []struct {
		name  string
		spoil func(*Config)
		want  string
	}{
		{"no brokers", func(w *Config) { w.Cluster = cluster.Config{} }, "brokers: at least one is needed"},
		{"no topic", func(w *Config) { w.Topic = "" }, "topic: must have a name"},
		{"no commit log", func(w *Config) { w.CommitLog = "" }, `commit log topic: must be a topic of its own, got ""`},
		{"commit log in the output", func(w *Config) { w.CommitLog = "t" }, `commit log topic: must be a topic of its own, got "t"`},
		{"no job", func(w *Config) { w.Job = "" }, "job: must have a name that stays the same over restarts"},
		{"no shards", func(w *Config) { w.Shards = 0 }, "shards: must be at least 1, got 0"},
		{"timeout too short", func(w *Config) { w.TransactionTimeout = time.Millisecond }, "got 1ms"},
		{"timeout too long", func(w *Config) { w.TransactionTimeout = time.Hour }, "got 1h0m0s"},
		{"negative keep", func(w *Config) { w.Keep = -1 }, "keep: must not be negative, got -1"},
		{"compression", func(w *Config) { w.Compression = "rar" }, `compression: must be one of ["gzip" "lz4" "none" "snappy" "zstd"], got "rar"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := good
			c.spoil(&w)
			require.ErrorContains(t, w.Validate(), c.want)
		})
	}
}
