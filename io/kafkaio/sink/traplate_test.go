package sink

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"tributary/io/kafkaio/commitlog"
	"tributary/io/kafkaio/internal/kafkatest"
)

// A dead writer's open transaction hides what others write, until its successor opens.
func TestTrap9SuccessorFreesReaders(t *testing.T) {
	r := newWriteRig(t, 1)
	ctx := context.Background()
	dead := r.process()
	dead.wire.SetFault(kafkatest.Nth(kmsg.EndTxn, 1, func() kafkatest.Fate { return kafkatest.Fate{Lose: true, Die: true} }))
	doomed, cancel := context.WithCancel(ctx)
	done := make(chan error)
	go func() {
		_, err := dead.write(doomed, 0, []*group{makeGroup(t, 0, 1, 3, 0)})
		done <- err
	}()
	require.Eventually(t, dead.wire.IsDead, 10*time.Second, time.Millisecond)
	cancel()
	require.False(t, r.Stable(r.w.CommitLog))
	_, err := r.process().write(ctx, 0, []*group{makeGroup(t, 0, 2, 1, 0)})
	require.NoError(t, err)
	// Long before the 45 s of the timeout; a commit shows soon after it is acknowledged.
	require.Eventually(t, func() bool { return r.Stable(r.w.CommitLog) }, 10*time.Second, 10*time.Millisecond)
	require.Equal(t, sampleLines(0, 2, 1, 0, 1), r.Samples())
	require.Error(t, <-done)
}

// Brokers forget a transactional id that rests for a week; a producer that has rested for
// much less is opened anew.
func TestTrap10IdleID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newVirtualRig(t, 1)
		p := r.process()
		for id := range int64(2) {
			acks, err := p.write(context.Background(), 0, []*group{makeGroup(t, 0, id, 1, 0), makeGroup(t, 0, 0, 1, 0)})
			require.NoError(t, err)
			require.Equal(t, int32(1), acks[0].Version)
			time.Sleep(8 * 24 * time.Hour)
		}
		require.Equal(t, []string{"0/0/0=0 v1", "0/1/0=0 v1"}, r.Samples())
	})
}

// Idle producers are closed: each holds several connections.
func TestTrap13IdleProducersClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newVirtualRig(t, 2)
		p := r.process()
		for shard := range int32(2) {
			_, err := p.write(context.Background(), shard, []*group{makeGroup(t, shard, 1, 1, 0)})
			require.NoError(t, err)
		}
		both := p.wire.Open()
		time.Sleep(restTime - time.Second)
		_, err := p.write(context.Background(), 1, []*group{makeGroup(t, 1, 2, 1, 0)})
		require.NoError(t, err)
		time.Sleep(time.Second)
		require.Nil(t, p.shard(0).tx)
		require.NotNil(t, p.shard(1).tx, "it was at work meanwhile")
		require.Less(t, p.wire.Open(), both)
	})
}

// A commit under way is waited for, whatever becomes of the bundle's context.
func TestTrap14CommitIsNotCancelled(t *testing.T) {
	r := newWriteRig(t, 1)
	ctx, cancel := context.WithCancel(context.Background())
	p := r.process()
	p.wire.SetFault(kafkatest.Nth(kmsg.EndTxn, 1, func() kafkatest.Fate { cancel(); return kafkatest.Fate{} }))
	acks, err := p.write(ctx, 0, []*group{makeGroup(t, 0, 1, 1, 0)})
	require.NoError(t, err)
	require.Equal(t, []commitlog.Committed{{ID: 1, Version: 1, Records: 1}}, acks)
	require.Equal(t, acks, r.commits(0))
}

// A bundle that is cancelled between produce and commit leaves nothing open behind it.
func TestCancelledBundleAborts(t *testing.T) {
	r := newWriteRig(t, 1)
	p := r.process()
	ctx, cancel := context.WithCancel(context.Background())
	p.wire.SetFault(kafkatest.Nth(kmsg.Produce, 1, func() kafkatest.Fate { cancel(); return kafkatest.Fate{Hold: 50 * time.Millisecond} }))
	_, err := p.write(ctx, 0, []*group{makeGroup(t, 0, 1, 3, 0)})
	require.ErrorIs(t, err, context.Canceled)
	require.Eventually(t, func() bool { return r.Stable(r.w.CommitLog) && r.Stable(r.w.Topic) }, 10*time.Second, 10*time.Millisecond)
	require.Empty(t, r.Samples())
	require.Empty(t, r.commits(0))
}

// A request of a dead writer reaches the broker while its successor has a transaction open.
func TestTrap16LateRequest(t *testing.T) {
	for name, key := range map[string]kmsg.Key{"produce": kmsg.Produce, "commit": kmsg.EndTxn} {
		t.Run(name, func(t *testing.T) {
			onBroker(t, func(t *testing.T, r *writeRig) {
				ctx, cancel := context.WithCancel(context.Background())
				dead, next := r.process(), r.process()
				_, err := dead.write(ctx, 0, []*group{makeGroup(t, 0, 1, 1, 0)})
				require.NoError(t, err)
				dead.wire.SetFault(kafkatest.Nth(key, 1, func() kafkatest.Fate { return kafkatest.Fate{Late: 500 * time.Millisecond} }))
				var done sync.WaitGroup
				defer done.Wait()
				done.Go(func() {
					_, err := dead.write(ctx, 0, []*group{makeGroup(t, 0, 2, 3, 0)})
					if err == nil {
						t.Error("the dead writer succeeded")
					}
				})
				require.Eventually(t, dead.wire.IsDead, 10*time.Second, time.Millisecond)
				cancel()
				// The successor's transaction is open from before the request arrives until after.
				next.wire.SetFault(kafkatest.Nth(kmsg.EndTxn, 1, func() kafkatest.Fate { return kafkatest.Fate{Hold: time.Second} }))
				_, err = next.write(context.Background(), 0, []*group{makeGroup(t, 0, 2, 3, 0)})
				require.NoError(t, err)
				require.Equal(t, append(sampleLines(0, 1, 1, 0, 1), sampleLines(0, 2, 3, 0, 1)...), r.Samples())
			})
		})
	}
}
