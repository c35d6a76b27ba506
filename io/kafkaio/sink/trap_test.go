package sink

import (
	"context"
	"math"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"tributary/io/kafkaio/commitlog"
	"tributary/io/kafkaio/internal/kafkatest"
)

// These tests are named after the traps of transactions that a commit log may fall into. All run on
// kfake, and on the broker at $TRIBUTARY_KAFKA if it is set, except those that need a
// week of virtual time or a fault that only kfake gives (ShortTimeout, IdleID).
//
// Answers in which kfake and brokers differ, so that only the latter show them: a fenced commit is
// PRODUCER_FENCED there and INVALID_TXN_STATE here; an InitProducerID while a
// commit is being completed waits there.

// onBroker plays a test on the broker at $TRIBUTARY_KAFKA, or else on kfake in virtual time.
func onBroker(t *testing.T, play func(*testing.T, *writeRig)) {
	if os.Getenv("TRIBUTARY_KAFKA") != "" {
		play(t, newWriteRig(t, 1))
		return
	}
	synctest.Test(t, func(t *testing.T) { play(t, newVirtualRig(t, 1)) })
}

// Two groups are written, written again, and corrected.
func TestWriteOnceSkipCorrect(t *testing.T) {
	r := newWriteRig(t, 2)
	ctx := context.Background()
	a, b := makeGroup(t, 1, 60_000, 3, 0), makeGroup(t, 1, 120_000, 0, 0)
	first := r.process()
	acks, err := first.write(ctx, 1, []*group{a, b})
	require.NoError(t, err)
	require.Equal(t, []commitlog.Committed{{Shard: 1, ID: 60_000, Version: 1, Records: 3}, {Shard: 1, ID: 120_000, Version: 1}}, acks)

	for name, p := range map[string]*process{"same producer": first, "new producer": r.process()} {
		acks, err = p.write(ctx, 1, []*group{a, b})
		require.NoError(t, err, name)
		require.Equal(t, []commitlog.Committed{
			{Shard: 1, ID: 60_000, Version: 1, Records: 3, Skipped: true}, {Shard: 1, ID: 120_000, Version: 1, Skipped: true},
		}, acks, name)
	}
	require.Equal(t, sampleLines(1, 60_000, 3, 0, 1), r.Samples())

	acks, err = r.process().write(ctx, 1, []*group{makeGroup(t, 1, 60_000, 2, 7)})
	require.NoError(t, err)
	require.Equal(t, []commitlog.Committed{{Shard: 1, ID: 60_000, Version: 2, Records: 2}}, acks)
	require.ElementsMatch(t, append(sampleLines(1, 60_000, 3, 0, 1), sampleLines(1, 60_000, 2, 7, 2)...), r.Samples())
	require.Equal(t, []commitlog.Committed{{Shard: 1, ID: 60_000, Version: 2, Records: 2}, {Shard: 1, ID: 120_000, Version: 1}}, r.commits(1))
	require.Empty(t, r.commits(0))
}

// The broker refuses a sample but takes the commit log record: a commit would go through.
func TestTrap1PartialCommit(t *testing.T) {
	r := newWriteRig(t, 1)
	ctx := context.Background()
	p := r.process()
	_, err := p.write(ctx, 0, []*group{makeGroup(t, 0, 1, 2, 0)})
	require.NoError(t, err)
	limit := "1000" // it was more when the producer was opened
	_, err = r.Admin.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "max.message.bytes", Value: &limit}}, r.w.Topic)
	require.NoError(t, err)

	value := kafkatest.RandomBytes(5000)
	large := func() *group {
		g := &group{id: 2, parts: [][]byte{AppendRecord(nil, []byte("large"), value, NoTimestamp)}}
		g.parts = append(g.parts, AppendRecord(nil, []byte("small"), []byte("0"), NoTimestamp))
		require.NoError(t, g.seal())
		return g
	}
	s := p.shard(0)
	_, err = s.attempt(ctx, []*group{makeGroup(t, 0, 3, 1, 0), large()}, map[*group]int32{})
	require.ErrorIs(t, err, kerr.MessageTooLarge)
	require.ErrorContains(t, err, `key "large"`)
	require.Equal(t, sampleLines(0, 1, 2, 0, 1), r.Samples())
	require.Equal(t, []commitlog.Committed{{ID: 1, Version: 1, Records: 2}}, r.commits(0))

	// The next attempt knows the new limit, leaves the one record out, and says so, and so does
	// a replay that finds the group written.
	s.drop()
	for _, skipped := range []bool{false, true} {
		g := large()
		acks, err := p.write(ctx, 0, []*group{makeGroup(t, 0, 3, 1, 0), g})
		require.NoError(t, err)
		require.Equal(t, []commitlog.Committed{{ID: 3, Version: 1, Records: 1, Skipped: skipped}, {ID: 2, Version: 1, Records: 2, Skipped: skipped}}, acks)
		require.Equal(t, []Refused{{Topic: r.w.Topic, Key: []byte("large"), Bytes: 5000 + 5 + recordOverhead, Limit: 1000}}, g.refused)
		require.ElementsMatch(t, append(sampleLines(0, 1, 2, 0, 1), append(sampleLines(0, 3, 1, 0, 1), "small=0 v1")...), r.Samples())
	}
}

// The commit is applied, its answer is lost, and the broker cannot be reached for longer
// than the client tries.
func TestTrap2UnknownCommit(t *testing.T) {
	for name, lose := range map[string]bool{"applied": false, "not applied": true} {
		t.Run(name, func(t *testing.T) {
			onBroker(t, func(t *testing.T, r *writeRig) {
				r.w.TransactionTimeout = time.Second
				p := r.process()
				g := makeGroup(t, 0, 1, 3, 0)
				p.wire.SetFault(kafkatest.Nth(kmsg.EndTxn, 1, func() kafkatest.Fate { return kafkatest.Fate{Lose: lose, Cut: 2500 * time.Millisecond} }))
				acks, err := p.write(context.Background(), 0, []*group{g})
				require.NoError(t, err)
				require.Equal(t, []commitlog.Committed{{ID: 1, Version: 1, Records: 3}}, acks)
				require.Equal(t, sampleLines(0, 1, 3, 0, 1), r.Samples())
				require.Greater(t, p.wire.Dials, 4, "a second client took over")
			})
		})
	}
}

// Ending a transaction that was never begun looks like a good commit.
func TestTrap3BeginRefused(t *testing.T) {
	r := newWriteRig(t, 1)
	p := r.process()
	_, err := p.write(context.Background(), 0, []*group{makeGroup(t, 0, 1, 1, 0)})
	require.NoError(t, err)
	tx := p.shard(0).tx
	require.NoError(t, tx.(*producer).client.BeginTransaction()) // the one of transact is refused
	err = tx.transact(context.Background(), []*kgo.Record{{Topic: r.w.Topic, Value: []byte("v")}})
	require.ErrorContains(t, err, "begin transaction")
}

// A transaction of somebody else holds the last stable offset below our own entries.
func TestTrap4LastStableOffset(t *testing.T) { onBroker(t, playTrap4) }

func playTrap4(t *testing.T, r *writeRig) {
	ctx := context.Background()
	stray := r.Client(kgo.TransactionalID(r.w.Job+"-stray"), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	defer stray.Close()
	require.NoError(t, stray.BeginTransaction())
	require.NoError(t, stray.ProduceSync(ctx, &kgo.Record{Topic: r.w.CommitLog, Key: []byte("x")}).FirstErr())

	g := makeGroup(t, 0, 1, 3, 0)
	// The commit log is not empty, but nobody can tell what is in it.
	short, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	_, err := r.process().write(short, 0, []*group{g})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "is open from 0 on")

	// As if it had been opened before the other one began.
	w := r.process()
	w.shard(0).tx, w.shard(0).log = r.openUnread(t), commitlog.NewLog()
	_, err = w.write(ctx, 0, []*group{g})
	require.NoError(t, err)
	done := make(chan error)
	go func() {
		acks, err := r.process().write(ctx, 0, []*group{g})
		if err == nil && !acks[0].Skipped {
			err = errIncomplete
		}
		done <- err
	}()
	select {
	case err := <-done:
		require.Fail(t, "it did not wait", "%v", err)
	case <-time.After(time.Second): // it is a waiting that is to be seen
	}
	require.NoError(t, stray.EndTransaction(ctx, kgo.TryAbort))
	require.NoError(t, <-done)
	require.Equal(t, sampleLines(0, 1, 3, 0, 1), r.Samples())
}

// openUnread opens a producer of shard 0 without reading the commit log.
func (r *writeRig) openUnread(t *testing.T) *producer {
	client := r.Client(kgo.TransactionalID(transactionalID(r.w.Job, 0)), kgo.RecordPartitioner(partitioner{commitLog: r.w.CommitLog}))
	t.Cleanup(client.Close)
	return &producer{client: client, timeout: r.w.TransactionTimeout, largest: math.MaxInt32}
}

// The old writer commits at the last moment before it is fenced: whoever has read the
// commit log before that misses it.
func TestTrap5FenceThenRead(t *testing.T) {
	r := newWriteRig(t, 1)
	ctx := context.Background()
	older, newer := r.process(), r.process()
	g := makeGroup(t, 0, 1, 3, 0)
	newer.wire.SetFault(kafkatest.Nth(kmsg.InitProducerID, 1, func() kafkatest.Fate {
		_, err := older.write(ctx, 0, []*group{g})
		if err != nil {
			t.Errorf("older writer: %v", err)
		}
		return kafkatest.Fate{}
	}))
	acks, err := newer.write(ctx, 0, []*group{g})
	require.NoError(t, err)
	require.True(t, acks[0].Skipped)
	require.Equal(t, sampleLines(0, 1, 3, 0, 1), r.Samples())
}

// A writer that was replaced does not write, says so, and does not take the shard back by
// itself; if the runner tries the bundle again there, it does.
func TestTrap6FencedZombie(t *testing.T) {
	r := newWriteRig(t, 2)
	ctx := context.Background()
	zombie, owner := r.process(), r.process()
	for shard := range int32(2) {
		_, err := zombie.write(ctx, shard, []*group{makeGroup(t, shard, 1, 1, 0)})
		require.NoError(t, err)
	}
	_, err := owner.write(ctx, 0, []*group{makeGroup(t, 0, 2, 1, 0)})
	require.NoError(t, err)
	_, err = zombie.write(ctx, 0, []*group{makeGroup(t, 0, 3, 1, 0)})
	require.ErrorIs(t, err, ErrFenced)
	require.ErrorContains(t, err, "does another job of the name "+r.w.Job+" run")
	require.Nil(t, zombie.shard(1).tx, "its other producers are closed too")
	_, err = owner.write(ctx, 0, []*group{makeGroup(t, 0, 4, 1, 0)})
	require.NoError(t, err, "the owner is undisturbed")
	_, err = zombie.write(ctx, 0, []*group{makeGroup(t, 0, 3, 1, 0), makeGroup(t, 0, 4, 1, 0)})
	require.NoError(t, err)
	require.ElementsMatch(t, []string{"0/1/0=0 v1", "1/1/0=0 v1", "0/2/0=0 v1", "0/3/0=0 v1", "0/4/0=0 v1"}, r.Samples())
}

// A pause outlasts the transaction: the commit comes too late.
func TestTrap7TimedOut(t *testing.T) {
	onBroker(t, func(t *testing.T, r *writeRig) {
		r.w.TransactionTimeout = time.Second
		p := r.process()
		g := makeGroup(t, 0, 1, 3, 0)
		p.wire.SetFault(kafkatest.Nth(kmsg.EndTxn, 1, func() kafkatest.Fate { return kafkatest.Fate{Hold: 15 * time.Second} }))
		_, err := p.write(context.Background(), 0, []*group{g})
		require.ErrorIs(t, err, ErrFenced)
		require.Empty(t, r.Samples())
		acks, err := p.write(context.Background(), 0, []*group{g})
		require.NoError(t, err)
		require.False(t, acks[0].Skipped)
		require.Equal(t, sampleLines(0, 1, 3, 0, 1), r.Samples())
	})
}

// The timeout is the sink's own, not the client's or the broker's.
func TestTrap8ShortTimeout(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	require.NoError(t, err)
	defer cluster.Close()
	got := make(chan int32, 1)
	cluster.ControlKey(int16(kmsg.InitProducerID), func(req kmsg.Request) (kmsg.Response, error, bool) {
		got <- req.(*kmsg.InitProducerIDRequest).TransactionTimeoutMillis
		return nil, nil, false
	})
	r := rigOn(t, 1, cluster.ListenAddrs(), kafkatest.NetDial)
	_, err = r.process().write(context.Background(), 0, []*group{makeGroup(t, 0, 1, 1, 0)})
	require.NoError(t, err)
	require.Equal(t, int32(45_000), <-got)
}
