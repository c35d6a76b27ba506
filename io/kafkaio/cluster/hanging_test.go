package cluster

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestJudge tells what hangs from what goes on.
func TestJudge(t *testing.T) {
	said := func(state kmsg.TransactionState, epoch int16) decision {
		return decision{id: "x", TxnMetadataValue: kmsg.TxnMetadataValue{ProducerEpoch: epoch, State: state}}
	}
	written := time.UnixMilli(1_000_000)
	open := []kadm.DescribedProducer{
		{Topic: "b", ProducerID: 5, ProducerEpoch: 7, CurrentTxnStartOffset: 4, LastTimestamp: written.UnixMilli()},
		{Topic: "a", Partition: 1, ProducerID: 5, ProducerEpoch: 7, CoordinatorEpoch: 3, CurrentTxnStartOffset: 2, LastTimestamp: written.UnixMilli()},
	}
	const commit, commits, abort, aborts, ongoing = kmsg.TransactionStatePrepareCommit, kmsg.TransactionStateCompleteCommit, kmsg.TransactionStatePrepareAbort, kmsg.TransactionStateCompleteAbort, kmsg.TransactionStateOngoing
	for _, tt := range []struct {
		name    string
		decided []decision
		since   time.Time
		id      string
		fate    Fate
		ends    int16
	}{
		{"no coordinator's, of late", nil, written.Add(-1), "", GoesOn, 7},
		{"no coordinator's", nil, written, "", Nobodys, 7},
		{"open", []decision{said(commit, 7), said(ongoing, 7)}, written, "x", GoesOn, 7},
		{"being ended", []decision{said(commit, 8)}, written, "x", GoesOn, 7},
		{"ended", []decision{said(commit, 8), said(commits, 8)}, written, "x", LostCommit, 8},
		{"ended, as the one before was", []decision{said(abort, 7), said(aborts, 7), said(commit, 8), said(commits, 8)}, written, "x", LostCommit, 8},
		{"ended long ago", []decision{said(abort, 8), said(ongoing, 12)}, written, "x", LostAbort, 8},
		{"ended, with ends of the same epoch", []decision{said(commit, 7), said(commits, 7)}, written, "x", Unclear, 7},
		{"ended, and the log has forgotten how", []decision{said(commits, 8)}, written, "x", Unclear, 7},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, []OpenTransaction{{
				ID: tt.id, Producer: 5, Epoch: 7, Partitions: []OpenPartition{{"a", 1, 2, written}, {"b", 0, 4, written}}, Fate: tt.fate, ends: tt.ends, coordinator: 3,
			}}, judge(open, tt.decided, tt.since))
		})
	}
}

// TestStillOpen is of a transaction whose end comes while it is looked at: it does not hang.
func TestStillOpen(t *testing.T) {
	at := func(topic string, start int64) kadm.DescribedProducer {
		return kadm.DescribedProducer{Topic: topic, CurrentTxnStartOffset: start}
	}
	before := []kadm.DescribedProducer{at("hangs", 5), at("ended", 5), at("followed", 5)}
	require.Equal(t, []kadm.DescribedProducer{at("hangs", 5)}, stillOpen(before, []kadm.DescribedProducer{at("hangs", 5), at("followed", 9)}))
}

// TestNobodys ends a transaction that no coordinator knows, and none that may go on.
func TestNobodys(t *testing.T) {
	c, err := kfake.NewCluster(kfake.NumBrokers(2), kfake.SeedTopics(2, "samples", "others"), kfake.SeedTopics(1, "__transaction_state"))
	require.NoError(t, err)
	t.Cleanup(c.Close)
	client, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...))
	require.NoError(t, err)
	t.Cleanup(client.Close)
	begin := func(id string, partition int32) (producer int64) {
		client, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.TransactionalID(id), kgo.RecordPartitioner(kgo.ManualPartitioner()))
		require.NoError(t, err)
		t.Cleanup(client.Close)
		require.NoError(t, client.BeginTransaction())
		for _, topic := range []string{"samples", "others"} {
			require.NoError(t, client.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Partition: partition, Value: []byte("v")}).FirstErr())
		}
		producer, _, err = client.ProducerID(t.Context())
		require.NoError(t, err)
		return producer
	}
	begin("gone", 0)
	key := kmsg.TxnMetadataKey{Version: 0, TransactionalID: "there"}
	value := kmsg.TxnMetadataValue{ProducerID: begin("there", 1), State: kmsg.TransactionStateOngoing}
	require.NoError(t, client.ProduceSync(t.Context(), &kgo.Record{Topic: "__transaction_state", Key: key.AppendTo(nil), Value: value.AppendTo(nil)}).FirstErr())
	soon, err := OpenTransactions(t.Context(), client, "samples")
	require.NoError(t, err)
	require.Equal(t, []Fate{GoesOn, GoesOn}, []Fate{soon[0].Fate, soon[1].Fate}, "its coordinator may be away")
	found, err := openTransactions(t.Context(), client, time.Now().Add(time.Hour), []string{"samples", "missing"})
	require.NoError(t, err)
	require.Len(t, found, 2)
	for _, tr := range found {
		require.Len(t, tr.Partitions, 1)
		if tr.Partitions[0].Partition == 0 {
			require.Equal(t, Nobodys, tr.Fate)
			require.NoError(t, tr.End(t.Context(), client))
		} else {
			require.Equal(t, GoesOn, tr.Fate)
			require.Equal(t, "there", tr.ID)
			require.ErrorContains(t, tr.End(t.Context(), client), "what became of it: goes on")
		}
	}
	stable, err := kadm.NewClient(client).ListCommittedOffsets(t.Context(), "samples")
	require.NoError(t, err)
	o, _ := stable.Lookup("samples", 0)
	require.EqualValues(t, 2, o.Offset, "the record and its marker")
	o, _ = stable.Lookup("samples", 1)
	require.Zero(t, o.Offset)
}
