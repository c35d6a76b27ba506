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
