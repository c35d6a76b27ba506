package audit

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/kafkaio/cluster"
	"tributary/io/kafkaio/commitlog"
)

// TestCommitLog: a commit log that has lost a group, or says another number of samples of one, is found, though all samples are there.
func TestCommitLog(t *testing.T) {
	r := newRig(t, "samples: {topic: samples}", "")
	clean := r.audit(Options{})
	require.Zero(t, clean.Findings)
	to := clean.Sinks[0].Stages[0].To.UnixMilli()
	write := func(rec *kgo.Record) {
		client, err := kgo.NewClient(kgo.SeedBrokers(r.brokers...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
		require.NoError(t, err)
		defer client.Close()
		require.NoError(t, client.ProduceSync(t.Context(), rec).FirstErr())
	}
	entries := map[int64]*kgo.Record{} // by the bucket, one of some shard
	require.NoError(t, cluster.ReadAll(t.Context(), cluster.Config{Brokers: r.brokers}, "samples.ledger", func(rec *kgo.Record) error {
		if _, id, err := commitlog.ParseKey(rec.Key); err == nil && len(rec.Value) > 0 {
			entries[id] = rec
		}
		return nil
	}))
	lost, other := entries[to-120_000], entries[to-60_000]
	require.NotNil(t, lost)
	require.NotNil(t, other)
	write(&kgo.Record{Topic: "samples.ledger", Partition: lost.Partition, Key: lost.Key})
	found := r.audit(Options{})
	require.Equal(t, map[string]int64{"commit log": 1}, classes(found))
	require.EqualValues(t, 1, found.Findings)
	first := found.Sinks[0].Examples[0]
	require.Equal(t, to-120_000, first.ViewTime.UnixMilli())
	require.Contains(t, first.Note, "the commit log says ")

	shard, id, err := commitlog.ParseKey(other.Key)
	require.NoError(t, err)
	entry, truncated, job, err := commitlog.ParseValue(other.Value)
	require.NoError(t, err)
	entry.Records++
	changed := commitlog.Record{Shard: shard, ID: id, Entry: entry, TruncatedBefore: truncated, Job: job}
	write(&kgo.Record{Topic: "samples.ledger", Partition: other.Partition, Key: other.Key, Value: changed.Value()})
	found = r.audit(Options{})
	require.Equal(t, map[string]int64{"commit log": 2}, classes(found))
	var text strings.Builder
	require.NoError(t, found.Text(&text, 120))
	require.Contains(t, text.String(), "commit log of "+found.Sinks[0].Examples[0].ViewTime.Format("2006-01-02T15:04:05Z")+": of the bucket that starts then")
}
