package chaos

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"tributary/io/kafkaio/cluster"
	"tributary/runners/devcluster/servicestest"
)

// TestLostEnds kills a broker as soon as it has taken the ends of transactions, mostly before it has marked all of them in the
// partitions: after each start all is committed.
func TestLostEnds(t *testing.T) {
	const producers, partitions = 30, 3
	kafka, brokers := servicestest.Start(t, "kafka")
	s := &Stream{Brokers: string(brokers)}
	plain, err := s.client()
	require.NoError(t, err)
	defer plain.Close()
	admin := kadm.NewClient(plain)
	topic := fmt.Sprint("ends", time.Now().UnixNano())
	_, err = admin.CreateTopic(t.Context(), partitions, 1, nil, topic)
	require.NoError(t, err)
	for kills := range int64(2) {
		var ending sync.WaitGroup
		for i := range producers {
			client, err := s.client(kgo.TransactionalID(fmt.Sprint(topic, i)), kgo.RecordPartitioner(kgo.ManualPartitioner()))
			require.NoError(t, err)
			defer client.Close()
			require.NoError(t, client.BeginTransaction())
			for p := range int32(partitions) {
				require.NoError(t, client.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Partition: p, Value: []byte("v")}).FirstErr())
			}
			ending.Go(func() { assert.NoError(t, client.EndTransaction(t.Context(), kgo.TryCommit)) })
		}
		ending.Wait()
		require.NoError(t, killNow(t.Context(), kafka))
		_, err := kafka.Start(t.Context())
		require.NoError(t, err)
		short, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		read := cluster.ReadAll(short, cluster.Config{Brokers: []string{s.Brokers}}, topic, func(*kgo.Record) error { return nil })
		ended, err := endHanging(t.Context(), plain)
		require.NoError(t, err)
		if t.Log(ended); strings.Contains(strings.Join(ended, " "), " in "+topic+"/") {
			require.ErrorContains(t, read, "though it was ended (its state is CompleteCommit)")
		} else {
			require.NoError(t, read)
		}
		committed, err := admin.ListCommittedOffsets(t.Context(), topic)
		require.NoError(t, err)
		ends, err := admin.ListEndOffsets(t.Context(), topic)
		require.NoError(t, err)
		ends.Each(func(end kadm.ListedOffset) {
			o, _ := committed.Lookup(topic, end.Partition)
			require.NoError(t, errors.Join(end.Err, o.Err))
			require.Equal(t, end.Offset, o.Offset, "all is committed")
			// A broker that starts again may write a marker once more.
			require.GreaterOrEqual(t, o.Offset, 2*producers*(kills+1), "a record and a marker of each producer for each kill")
		})
	}
}

// TestHanging tells what hangs from what goes on.
func TestHanging(t *testing.T) {
	ended := func(state kmsg.TransactionState, epoch int16) decision {
		return decision{id: "x", TxnMetadataValue: kmsg.TxnMetadataValue{ProducerEpoch: epoch, State: state}}
	}
	open := []kadm.DescribedProducer{{Topic: "a", Partition: 1, ProducerEpoch: 7, CoordinatorEpoch: 3}, {Topic: "b", ProducerEpoch: 7}}
	for _, tt := range []struct {
		name    string
		decided []decision
		want    map[int16]*hanging
	}{
		{"not a coordinator's", nil, nil},
		{"open", []decision{ended(kmsg.TransactionStatePrepareCommit, 7), ended(kmsg.TransactionStateOngoing, 7)}, nil},
		{"being ended", []decision{ended(kmsg.TransactionStatePrepareCommit, 8)}, nil},
		{
			"ended",
			[]decision{ended(kmsg.TransactionStatePrepareCommit, 8), ended(kmsg.TransactionStateCompleteCommit, 8)},
			map[int16]*hanging{7: {id: "x", epoch: 8, commit: true, coordinator: 3, topics: kadm.TopicsSet{"a": {1: {}}, "b": {0: {}}}}},
		},
		{
			"ended, as the one before was",
			[]decision{
				ended(kmsg.TransactionStatePrepareAbort, 7), ended(kmsg.TransactionStateCompleteAbort, 7),
				ended(kmsg.TransactionStatePrepareCommit, 8), ended(kmsg.TransactionStateCompleteCommit, 8),
			},
			map[int16]*hanging{7: {id: "x", epoch: 8, commit: true, coordinator: 3, topics: kadm.TopicsSet{"a": {1: {}}, "b": {0: {}}}}},
		},
		{
			"ended long ago",
			[]decision{ended(kmsg.TransactionStatePrepareAbort, 8), ended(kmsg.TransactionStateOngoing, 12)},
			map[int16]*hanging{7: {id: "x", epoch: 8, coordinator: 3, topics: kadm.TopicsSet{"a": {1: {}}, "b": {0: {}}}}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) { require.Equal(t, tt.want, hangingOf(open, tt.decided)) })
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
