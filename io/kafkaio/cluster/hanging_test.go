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
		return decision{id: "x", TxnMetadataValue: kmsg.TxnMetadataValue{ProducerEpoch: epoch, State: state, ClientTransactionVersion: byEpochs}}
	}
	before890 := func(all ...decision) []decision {
		for i := range all {
			all[i].ClientTransactionVersion = 0
		}
		return all
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
	}{
		{"no coordinator's, of late", nil, written.Add(-1), "", GoesOn},
		{"no coordinator's", nil, written, "", Nobodys},
		{"open", []decision{said(commit, 7), said(ongoing, 7)}, written, "x", GoesOn},
		{"being ended", []decision{said(commit, 8)}, written, "x", GoesOn},
		{"ended", []decision{said(commit, 8), said(commits, 8)}, written, "x", LostCommit},
		{"ended, as the one before was", []decision{said(abort, 7), said(aborts, 7), said(commit, 8), said(commits, 8)}, written, "x", LostCommit},
		{"ended long ago", []decision{said(abort, 8), said(ongoing, 12)}, written, "x", LostAbort},
		{"ended, with ends of the same epoch", []decision{said(commit, 7), said(commits, 7)}, written, "x", Unclear},
		{"aborted for a producer that began anew", []decision{said(ongoing, 7), said(abort, 9), said(aborts, 9)}, written, "x", LostAbort},
		{"the end after the next one's", []decision{said(ongoing, 8), said(abort, 9), said(aborts, 9)}, written, "x", Unclear},
		{"ended, and the log has another's end", []decision{said(commits, 11), said(ongoing, 11), said(abort, 12), said(aborts, 12)}, written, "x", Unclear},
		{"ended before KIP-890, and so is another", before890(said(commits, 7), said(abort, 8), said(aborts, 8)), written, "x", Unclear},
		{"ended, and the log has forgotten how", []decision{said(commits, 8)}, written, "x", Unclear},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, []OpenTransaction{{
				ID: tt.id, Producer: 5, Epoch: 7, Partitions: []OpenPartition{{"a", 1, 2, written}, {"b", 0, 4, written}}, Fate: tt.fate, coordinator: 3,
			}}, judge(open, tt.decided, tt.since))
		})
	}
}

// TestStillOpen is of a transaction whose end comes while it is looked at: it does not hang.
func TestStillOpen(t *testing.T) {
	at := func(topic string, start int64, epoch int16) kadm.DescribedProducer {
		return kadm.DescribedProducer{Topic: topic, CurrentTxnStartOffset: start, ProducerEpoch: epoch}
	}
	before := []kadm.DescribedProducer{at("hangs", 5, 1), at("ended", 5, 1), at("followed", 5, 1), at("joined", 5, 1)}
	after := []kadm.DescribedProducer{at("hangs", 5, 1), at("followed", 9, 2), at("joined", 5, 2)}
	require.Equal(t, []kadm.DescribedProducer{at("hangs", 5, 1)}, stillOpen(before, after))
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
	none, err := OpenTransactions(t.Context(), client, "missing")
	require.NoError(t, err)
	require.Empty(t, none, "of topics that are not there, not of all")
	found, err := openTransactions(t.Context(), client, time.Now().Add(time.Hour), []string{"samples", "missing"})
	require.NoError(t, err)
	require.Len(t, found, 2)
	for _, tr := range found {
		require.Len(t, tr.Partitions, 1)
		if tr.Partitions[0].Partition == 0 {
			require.Equal(t, Nobodys, tr.Fate)
			require.NoError(t, tr.End(t.Context(), client, false))
		} else {
			require.Equal(t, GoesOn, tr.Fate)
			require.Equal(t, "there", tr.ID)
			require.ErrorContains(t, tr.End(t.Context(), client, false), "what became of it: goes on")
		}
	}
	stable, err := kadm.NewClient(client).ListCommittedOffsets(t.Context(), "samples")
	require.NoError(t, err)
	o, _ := stable.Lookup("samples", 0)
	require.EqualValues(t, 2, o.Offset, "the record and its marker")
	o, _ = stable.Lookup("samples", 1)
	require.Zero(t, o.Offset)
}
