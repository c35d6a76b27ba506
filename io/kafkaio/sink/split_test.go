package sink

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"pgregory.net/rapid"

	"tributary/io/kafkaio/commitlog"
	"tributary/io/kafkaio/internal/kafkatest"
)

// rowsGroup is a group of records whose keys count them and whose values are of a variant from
// one of them on, cut into parts.
func rowsGroup(t require.TestingT, id int64, size, from, variant, parts int) *group {
	g := &group{id: id}
	framed := make([][]byte, parts)
	for i := range size {
		value := "0"
		if i >= from {
			value = strconv.Itoa(variant)
		}
		framed[i*parts/size] = AppendRecord(framed[i*parts/size], strconv.AppendInt(nil, int64(i), 10), []byte(value), NoTimestamp)
	}
	for i, p := range framed {
		require.NoError(t, g.add(Group{ID: id, Part: int32(i), Records: p}))
	}
	require.NoError(t, g.seal())
	return g
}

// rowsOf are the records of a log by version, each "key=value".
func rowsOf(log []*kgo.Record, topic string) map[string][]string {
	found := map[string][]string{}
	for _, r := range log {
		if r.Topic == topic {
			version := string(r.Headers[0].Value)
			found[version] = append(found[version], string(r.Key)+"="+string(r.Value))
		}
	}
	return found
}

func rowsWanted(size, from, variant int) (want []string) {
	for i := range size {
		if i < from {
			want = append(want, fmt.Sprintf("%d=0", i))
		} else {
			want = append(want, fmt.Sprintf("%d=%d", i, variant))
		}
	}
	return want
}

// TestCrashBetweenParts ends a writer before and after each transaction of a group, whether its
// commit counted or not, and has another one go on, which cuts the group otherwise. Every record
// is there once.
func TestCrashBetweenParts(t *testing.T) {
	const size, bytes = 20, 17 // some three records each
	ends := func(log *memoryLog, w *Config, from int, commit int, applied bool) error {
		n := 0
		log.fail = func() (bool, error) {
			if n++; n == commit {
				return applied, commitlog.ErrUnfit // what no attempt mends
			}
			return true, nil
		}
		_, err := (&shardWriter{w: w, open: log.open(w.Topic, w.Job)}).write(t.Context(), []*group{rowsGroup(t, 7, size, from, 1, 3)})
		return err
	}
	for commit := 1; ; commit++ {
		for _, applied := range []bool{false, true} {
			log := &memoryLog{}
			w := Config{Topic: "samples", CommitLog: "ledger", Job: "job", Keep: 5, TransactionBytes: bytes}
			if ends(log, &w, size, commit, applied) == nil {
				require.Greater(t, commit, 6, "it was written in so many")
				return
			}
			w.TransactionBytes = 29
			log.fail = func() (bool, error) { return true, nil }
			acks, err := (&shardWriter{w: &w, open: log.open(w.Topic, w.Job)}).write(t.Context(), []*group{rowsGroup(t, 7, size, size, 1, 2)})
			require.NoError(t, err)
			require.Len(t, acks, 1)
			require.Equal(t, [2]int64{1, size}, [2]int64{int64(acks[0].Version), acks[0].Records})
			require.Equal(t, map[string][]string{"1": rowsWanted(size, size, 1)}, rowsOf(log.records, w.Topic), "commit %d, applied %v", commit, applied)

			// And once more, with another end: the next version, from its first record.
			_, err = (&shardWriter{w: &w, open: log.open(w.Topic, w.Job)}).write(t.Context(), []*group{rowsGroup(t, 7, size, 15, 1, 2)})
			require.NoError(t, err)
			require.Equal(t, map[string][]string{"1": rowsWanted(size, size, 1), "2": rowsWanted(size, 15, 1)}, rowsOf(log.records, w.Topic))
		}
	}
}

// TestEveryCommitIsProgress: attempts are bounded between two commits, not for all transactions of
// a group.
func TestEveryCommitIsProgress(t *testing.T) {
	log := &memoryLog{}
	n := 0
	log.fail = func() (bool, error) {
		if n++; n%maxAttempts == 0 {
			return true, nil
		}
		return false, context.DeadlineExceeded
	}
	w := Config{Topic: "samples", CommitLog: "ledger", Job: "job", Keep: 5, TransactionBytes: 17}
	_, err := (&shardWriter{w: &w, open: log.open(w.Topic, w.Job)}).write(t.Context(), []*group{rowsGroup(t, 7, 20, 20, 0, 1)})
	require.NoError(t, err)
	require.Equal(t, map[string][]string{"1": rowsWanted(20, 20, 0)}, rowsOf(log.records, w.Topic))
	log.fail = func() (bool, error) { return false, context.DeadlineExceeded }
	_, err = (&shardWriter{w: &w, open: log.open(w.Topic, w.Job)}).write(t.Context(), []*group{rowsGroup(t, 8, 20, 20, 0, 1)})
	require.ErrorContains(t, err, "attempt 5: ")
}

// TestRecordsKeepTheirTime: the time that a record was given, the epoch's too, or that of producing.
func TestRecordsKeepTheirTime(t *testing.T) {
	g := &group{id: 1}
	var framed []byte
	for _, stamp := range []int64{0, 7, NoTimestamp} {
		framed = AppendRecord(framed, nil, []byte("v"), stamp)
	}
	require.NoError(t, g.add(Group{ID: 1, Records: framed}))
	require.NoError(t, g.seal())
	require.NoError(t, g.refuse("samples", math.MaxInt32))
	slab, err := (&piece{decision: decision{group: g}, to: g.end(), last: true}).appendRecords(nil, "samples")
	require.NoError(t, err)
	require.Equal(t, []time.Time{time.UnixMilli(0), time.UnixMilli(7), {}}, []time.Time{slab[0].Timestamp, slab[1].Timestamp, slab[2].Timestamp})
}

// TestContentChangesBetweenParts: what is written is left as far as it came, if the group no
// longer begins with it, and gone on with if it does.
func TestContentChangesBetweenParts(t *testing.T) {
	const size = 20
	for from := range size {
		log := &memoryLog{}
		w := Config{Topic: "samples", CommitLog: "ledger", Job: "job", Keep: 5, TransactionBytes: 17}
		n := 0
		log.fail = func() (bool, error) {
			if n++; n == 4 {
				return false, commitlog.ErrUnfit
			}
			return true, nil
		}
		_, err := (&shardWriter{w: &w, open: log.open(w.Topic, w.Job)}).write(t.Context(), []*group{rowsGroup(t, 7, size, size, 0, 1)})
		require.ErrorIs(t, err, commitlog.ErrUnfit)
		written := len(rowsOf(log.records, w.Topic)["1"])
		require.Equal(t, 9, written) // a record takes 5 bytes
		_, err = (&shardWriter{w: &w, open: log.open(w.Topic, w.Job)}).write(t.Context(), []*group{rowsGroup(t, 7, size, from, 1, 1)})
		require.NoError(t, err)
		want := map[string][]string{"1": rowsWanted(size, from, 1)}
		if from < written {
			want = map[string][]string{"1": rowsWanted(written, size, 0), "2": rowsWanted(size, from, 1)}
		}
		require.Equal(t, want, rowsOf(log.records, w.Topic), "the content is another from record %d on", from)
	}
}

// TestTransactionsEqualTheirPlan: cut at any size, the pieces are the groups, in order, and what
// fits into a transaction is in one.
func TestTransactionsEqualTheirPlan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		most := rapid.Int64Range(1, 100).Draw(t, "most")
		var p plan
		for id := range rapid.Int64Range(0, 5).Draw(t, "groups") {
			size := rapid.IntRange(0, 30).Draw(t, "size")
			g := rowsGroup(t, id, size, size, 0, rapid.IntRange(1, 4).Draw(t, "parts"))
			require.NoError(t, g.refuse("samples", math.MaxInt32))
			p.decisions = append(p.decisions, decision{group: g, version: 1, from: rapid.Int64Range(0, int64(size)).Draw(t, "from"), skip: rapid.Bool().Draw(t, "skip")})
		}
		all, err := p.transactions(most)
		require.NoError(t, err)
		got := map[int64][]string{}
		in := map[int64]int{}
		for _, tx := range all {
			require.NotEmpty(t, tx.pieces)
			bytes := int64(0)
			for _, piece := range tx.pieces {
				slab, err := piece.appendRecords(nil, "samples")
				require.NoError(t, err)
				for _, r := range slab {
					got[piece.group.id] = append(got[piece.group.id], string(r.Key)+"="+string(r.Value))
					bytes += int64(len(AppendRecord(nil, r.Key, r.Value, NoTimestamp)))
				}
				in[piece.group.id]++
				whole, err := piece.group.begins(piece.entry())
				require.NoError(t, err)
				require.True(t, whole, "the entry is of what is written by then")
				require.Equal(t, piece.entry().Partial, !piece.last)
			}
			require.Equal(t, tx.bytes, bytes)
			require.True(t, bytes <= most || tx.records == 1)
		}
		for _, d := range p.decisions {
			rest := rowsWanted(int(d.group.records), int(d.group.records), 0)[d.from:]
			if d.skip {
				require.Zero(t, in[d.group.id])
				continue
			}
			require.ElementsMatch(t, rest, got[d.group.id])
			if d.group.end().bytes <= most {
				require.Equal(t, 1, in[d.group.id])
			}
		}
	})
}

// TestLargeGroup writes a group in many transactions to a broker: each has its record in the
// commit log, and the last says that it is whole.
func TestLargeGroup(t *testing.T) {
	r := newWriteRig(t, 1)
	r.w.TransactionBytes = 8 << 10
	p := r.process()
	const size = 5000
	acks, err := p.write(t.Context(), 0, []*group{makeGroup(t, 0, 10, 3, 0), makeGroup(t, 0, 20, size, 0), makeGroup(t, 0, 30, 3, 0)})
	require.NoError(t, err)
	require.Equal(t, []commitlog.Committed{{ID: 10, Version: 1, Records: 3}, {ID: 20, Version: 1, Records: size}, {ID: 30, Version: 1, Records: 3}}, acks)
	require.Len(t, r.CommittedRecords(r.w.Topic), size+6)
	parts, last := 0, commitlog.Entry{}
	for _, record := range r.CommittedRecords(r.w.CommitLog) {
		if string(record.Key) != "0/20" {
			continue
		}
		e, _, _, err := commitlog.ParseValue(record.Value)
		require.NoError(t, err)
		require.Greater(t, e.Records, last.Records)
		parts, last = parts+1, e
	}
	require.Greater(t, parts, 5)
	require.False(t, last.Partial)
	acks, err = r.process().write(t.Context(), 0, []*group{makeGroup(t, 0, 20, size, 0)})
	require.NoError(t, err)
	require.True(t, acks[0].Skipped)

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	commits, err := commitlog.ReadAll(ctx, r.w.Cluster, r.w.CommitLog)
	require.NoError(t, err)
	require.Len(t, commits[0].Groups, 3)
	require.Empty(t, commits[0].Begun)
}

// TestRecoveryOfAGroupInPart: a job that is taken over within a group, with other shards even, goes
// on with what the group has, in the layout that it was begun with.
func TestRecoveryOfAGroupInPart(t *testing.T) {
	r := newWriteRig(t, 2)
	r.w.Step, r.w.TransactionBytes = 10, 1<<10
	const size = 1000
	ctx, die := context.WithCancel(t.Context())
	defer die()
	p, commits := r.process(), atomic.Int32{}
	p.wire.SetFault(func(k kmsg.Key) kafkatest.Fate {
		if k != kmsg.EndTxn || commits.Add(1) < 4 {
			return kafkatest.Fate{}
		}
		die()
		return kafkatest.Fate{Die: true, Lose: true}
	})
	_, err := p.write(ctx, 1, []*group{makeGroup(t, 1, 20, size, 0)})
	require.Error(t, err)

	r.w.Shards = 4
	got, err := Recover(t.Context(), r.w)
	require.NoError(t, err)
	require.Equal(t, []commitlog.Layout{{Until: 30, Shards: 2}}, got.Earlier)
	commitsOf := func() commitlog.Commits {
		all, err := commitlog.ReadAll(t.Context(), r.w.Cluster, r.w.CommitLog)
		require.NoError(t, err)
		return all[1]
	}
	begun := commitsOf()
	require.Empty(t, begun.Groups)
	require.Len(t, begun.Begun, 1)
	require.Less(t, begun.Begun[0].Records, int64(size))
	require.Len(t, r.CommittedRecords(r.w.Topic), int(begun.Begun[0].Records))

	acks, err := r.at(got).process().write(t.Context(), 1, []*group{makeGroup(t, 1, 20, size, 0)})
	require.NoError(t, err)
	require.Equal(t, []commitlog.Committed{{Shard: 1, ID: 20, Version: 1, Records: size}}, acks)
	require.Len(t, r.CommittedRecords(r.w.Topic), size)
	whole := commitsOf()
	require.Empty(t, whole.Begun)
	require.Len(t, whole.Groups, 1)
}
