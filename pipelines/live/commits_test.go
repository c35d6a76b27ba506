package live

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/kafkaio/cluster"
	"tributary/io/kafkaio/commitlog"
	"tributary/io/kafkaio/sink"
	"tributary/pipelines/metrics"
)

// TestCommits: what is committed is counted once, what is aborted is told, and what is open waits.
func TestCommits(t *testing.T) {
	fake, err := kfake.NewCluster(kfake.NumBrokers(1))
	require.NoError(t, err)
	t.Cleanup(fake.Close)
	client, err := kgo.NewClient(kgo.SeedBrokers(fake.ListenAddrs()...), kgo.TransactionalID("made-0"), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	require.NoError(t, err)
	t.Cleanup(client.Close)
	const topic = "samples.ledger"
	_, err = kadm.NewClient(client).CreateTopic(t.Context(), 1, 1, nil, topic)
	require.NoError(t, err)
	began := time.UnixMilli(time.Now().UnixMilli()).Add(-time.Hour)
	write := func(id int64, written time.Time, partial bool) {
		line := commitlog.Record{ID: id, Entry: commitlog.Entry{Version: 1, Records: 3, Partial: partial}, Job: "made"}
		r := &kgo.Record{Topic: topic, Key: commitlog.Key(0, id), Value: line.Value(), Timestamp: written}
		require.NoError(t, client.ProduceSync(t.Context(), r).FirstErr())
	}
	transact := func(end kgo.TransactionEndTry, write func()) {
		require.NoError(t, client.BeginTransaction())
		write()
		require.NoError(t, client.EndTransaction(t.Context(), end))
	}
	c := &commitsOf{
		stage: LastStage, config: sink.Config{Cluster: cluster.Config{Brokers: fake.ListenAddrs()}, CommitLog: topic}, lag: 31 * time.Minute,
		counted: map[int32]int64{}, delay: newDistribution(metrics.CommitDelay.Buckets),
	}
	read := func(groups, commits, aborts int64) time.Time {
		t.Helper()
		oldest, err := c.read(t.Context())
		require.NoError(t, err)
		require.Equal(t, []int64{groups, commits, aborts}, []int64{c.groups, c.commits, c.aborts})
		return oldest
	}
	read(0, 0, 0)
	closes := began.Add(c.lag)
	transact(kgo.TryCommit, func() {
		write(began.UnixMilli(), closes.Add(3*time.Second), false)
		write(began.UnixMilli()+60_000, closes.Add(59*time.Second), false) // before it closed, at the end of a log
	})
	require.Zero(t, read(2, 1, 0))
	transact(kgo.TryAbort, func() { write(began.UnixMilli()+120_000, closes, false) })
	transact(kgo.TryCommit, func() { write(began.UnixMilli()+180_000, closes, true) })
	require.Zero(t, read(2, 2, 1), "what was counted is not counted again, and what is written in part not yet")
	require.NoError(t, client.BeginTransaction())
	write(began.UnixMilli()+180_000, closes.Add(200*time.Second), false)
	require.Equal(t, closes.Add(200*time.Second), read(2, 2, 1), "it is open since then")
	require.NoError(t, client.EndTransaction(t.Context(), kgo.TryCommit))
	require.Zero(t, read(3, 3, 1), "what was read while it was open counts when it is committed")

	now := c.now(time.Now(), time.Time{})
	require.Equal(t, uint64(3), now.Delay.Count)
	require.InDelta(t, 3+0+20, now.Delay.Sum, 0.001)
	require.InDelta(t, 20, *now.Last, 0.001)
	require.Zero(t, now.Open)
	for i, bound := range now.Delay.Bounds {
		want := uint64(1)
		if bound >= 5 {
			want = 2
		}
		if bound >= 30 {
			want = 3
		}
		require.Equal(t, want, now.Delay.Counts[i], "%v s", bound)
	}
}
