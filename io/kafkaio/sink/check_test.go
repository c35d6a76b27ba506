package sink

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/kafkaio/commitlog"
	"tributary/io/kafkaio/internal/kafkatest"
)

func TestCommitLogLost(t *testing.T) {
	ctx := context.Background()
	for name, recreate := range map[string]bool{"empty": true, "missing": false} {
		t.Run(name, func(t *testing.T) {
			r := newWriteRig(t, 2)
			g := makeGroup(t, 1, 1, 2, 0)
			_, err := r.process().write(ctx, 1, []*group{g})
			require.NoError(t, err)
			_, err = r.Admin.DeleteTopic(ctx, r.w.CommitLog)
			require.NoError(t, err)
			if recreate {
				compact := "compact"
				require.Eventually(t, func() bool {
					_, err := r.Admin.CreateTopic(ctx, 2, 1, map[string]*string{"cleanup.policy": &compact}, r.w.CommitLog)
					return err == nil
				}, 10*time.Second, 100*time.Millisecond)
			}
			for shard := range int32(2) {
				require.Eventually(t, func() bool { // brokers learn of topics one after another
					_, err := r.process().write(ctx, shard, []*group{makeGroup(t, shard, 1, 2, 0)})
					require.Error(t, err)
					return errors.Is(err, ErrCommitLogLost)
				}, 20*time.Second, 10*time.Millisecond)
			}
			require.Equal(t, sampleLines(1, 1, 2, 0, 1), r.Samples())
			if recreate {
				r.w.NewCommitLog = true
				acks, err := r.process().write(ctx, 1, []*group{g})
				require.NoError(t, err)
				require.False(t, acks[0].Skipped)
				r.w.NewCommitLog = false
				_, err = r.process().write(ctx, 0, []*group{makeGroup(t, 0, 1, 2, 0)})
				require.NoError(t, err, "from now on there is a commit log")
			}
		})
	}
}

// Records of others, and samples that were never committed, are no sign of a lost commit log.
func TestCommitLogNotLost(t *testing.T) {
	ctx := context.Background()
	r := newWriteRig(t, 1)
	foreign := r.Client(kgo.TransactionalID(r.w.Job + "-foreign"))
	defer foreign.Close()
	for _, r := range []*kgo.Record{
		{Topic: r.w.Topic, Value: []byte("foreign")},
		{Topic: r.w.Topic, Value: []byte("aborted"), Headers: []kgo.RecordHeader{{Key: VersionHeader, Value: []byte("1")}}},
	} {
		require.NoError(t, foreign.BeginTransaction())
		require.NoError(t, foreign.ProduceSync(ctx, r).FirstErr())
		require.NoError(t, foreign.EndTransaction(ctx, kgo.TransactionEndTry(len(r.Headers) == 0)))
	}
	_, err := r.process().write(ctx, 0, []*group{makeGroup(t, 0, 1, 1, 0)})
	require.NoError(t, err)
}

func refuse(context.Context, string, string) (net.Conn, error) { return nil, kafkatest.ErrCut }

// begin writes a first group to shard 0.
func (r *writeRig) begin() {
	r.T.Helper()
	_, err := r.process().write(context.Background(), 0, []*group{makeGroup(r.T, 0, 1, 1, 0)})
	require.NoError(r.T, err)
}

func TestUnfitTopics(t *testing.T) {
	ctx := context.Background()
	for _, c := range []struct {
		name  string
		spoil func(*writeRig)
		want  string
	}{
		{"too few partitions", func(r *writeRig) { r.w.Shards = 5 }, "has 2 partitions, want 5, one for each shard"},
		{"fewer shards than before", func(r *writeRig) {
			r.begin()
			r.w.Shards = 1
		}, "has group 1 spread over 2 shards, not 1: resume from the log"},
		{"fewer shards than before, in one that wrote nothing", func(r *writeRig) {
			_, err := r.process().write(ctx, 1, []*group{makeGroup(r.T, 1, 1, 1, 0)})
			require.NoError(r.T, err)
			r.w.Shards = 1
		}, "has group 1 spread over 2 shards, not 1: resume from the log"},
		{"groups of another length", func(r *writeRig) {
			r.begin()
			r.w.Step = 60_000
		}, "is of groups 0 apart, not 60000: the length of a bucket stays"},
		{"not compacted", func(r *writeRig) {
			r.w.CommitLog += "-deleted"
			r.Create(r.w.CommitLog, 2, nil)
		}, "cleanup.policy=delete, want compact"},
		{"compacted and deleted", func(r *writeRig) {
			r.w.CommitLog += "-both"
			both := "compact,delete"
			r.Create(r.w.CommitLog, 2, map[string]*string{"cleanup.policy": &both})
		}, "cleanup.policy=compact,delete, want compact"},
		{"no commit log", func(r *writeRig) { r.w.CommitLog = "nowhere" }, "attempt 5: open producer job"},
		{"no output", func(r *writeRig) { r.w.Topic = "nowhere" }, "topic does not exist: nowhere: create it first"},
		{"the commit log of another job", func(r *writeRig) {
			r.begin()
			r.w.Job = "another"
		}, "it belongs to job"},
		{"nobody there", func(r *writeRig) {
			r.Dial = refuse
		}, kafkatest.ErrCut.Error()},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // the pauses between attempts cost nothing
				r := newVirtualRig(t, 2)
				c.spoil(r)
				_, err := r.process().write(ctx, 0, []*group{makeGroup(t, 0, 1, 1, 0)})
				require.ErrorContains(t, err, c.want)
			})
		})
	}
}

// What compaction leaves of a commit log is enough, and so is what was let go of it.
func TestCommitLogCompactedAndBounded(t *testing.T) {
	ctx := context.Background()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	require.NoError(t, err)
	defer cluster.Close()
	r := rigOn(t, 1, cluster.ListenAddrs(), kafkatest.NetDial)
	r.w.Keep = 16
	for id := range int64(40) {
		_, err := r.process().write(ctx, 0, []*group{makeGroup(t, 0, id, 1, 0), makeGroup(t, 0, id, 1, 1)})
		require.NoError(t, err)
		cluster.Compact()
	}
	commits := r.commits(0)
	require.GreaterOrEqual(t, len(commits), 16)
	require.LessOrEqual(t, len(commits), 18)
	for _, c := range commits {
		acks, err := r.process().write(ctx, 0, []*group{makeGroup(t, 0, c.ID, 1, 1)})
		require.NoError(t, err)
		require.Equal(t, []commitlog.Committed{{ID: c.ID, Version: 2, Records: 1, Skipped: true}}, acks)
	}
	_, err = r.process().write(ctx, 0, []*group{makeGroup(t, 0, 0, 1, 0)})
	require.ErrorIs(t, err, commitlog.ErrExpired)
	require.Len(t, r.Samples(), 80)
}
