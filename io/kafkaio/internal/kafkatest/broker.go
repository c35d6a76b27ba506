// Package kafkatest is what tests of Kafka clients share: a cluster, in this process or real, a network
// that tests disturb, secrets that must not show, and what is logged.
package kafkatest

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Broker is a cluster to test against: in this process, or the one that TRIBUTARY_KAFKA
// names.
type Broker struct {
	T       testing.TB
	Brokers []string
	Client  *kgo.Client
	Admin   *kadm.Client
	Fake    *kfake.Cluster // nil for a real one
}

// NewBroker connects to a cluster that ends with the test.
func NewBroker(t testing.TB) *Broker {
	t.Helper()
	b := &Broker{T: t, Brokers: strings.Split(os.Getenv("TRIBUTARY_KAFKA"), ",")}
	if b.Brokers[0] == "" {
		b.Fake = kfake.MustCluster(kfake.NumBrokers(2), kfake.BrokerConfigs(map[string]string{"message.max.bytes": "16777216"}))
		t.Cleanup(b.Fake.Close)
		b.Brokers = b.Fake.ListenAddrs()
	}
	b.Client = b.Writer()
	b.Admin = kadm.NewClient(b.Client)
	return b
}

// Connect returns another client, closed when the test ends.
func (b *Broker) Connect(opts ...kgo.Opt) *kgo.Client {
	b.T.Helper()
	client, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(b.Brokers...), kgo.AlwaysRetryEOF()}, opts...)...)
	require.NoError(b.T, err)
	b.T.Cleanup(client.Close)
	return client
}

// Writer returns a client that writes where records say; it knows of partitions that there
// are now.
func (b *Broker) Writer() *kgo.Client {
	b.T.Helper()
	return b.Connect(kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchMaxBytes(16<<20))
}

var topicsMade atomic.Int64

// Topic makes a topic of its own for the test.
func (b *Broker) Topic(partitions int32, configs ...string) string {
	b.T.Helper()
	name := fmt.Sprintf("read-%d-%d", time.Now().UnixNano(), topicsMade.Add(1))
	settings := map[string]*string{"retention.ms": kadm.StringPtr("-1"), "max.message.bytes": kadm.StringPtr("16777216")}
	for i := 0; i < len(configs); i += 2 {
		settings[configs[i]] = &configs[i+1]
	}
	_, err := b.Admin.CreateTopic(b.T.Context(), partitions, 1, settings, name)
	require.NoError(b.T, err)
	// A broker may not know it yet that answers next.
	require.Eventually(b.T, func() bool {
		starts, err := b.Admin.ListStartOffsets(b.T.Context(), name)
		return err == nil && starts.Error() == nil && len(starts[name]) == int(partitions)
	}, 10*time.Second, 20*time.Millisecond)
	b.T.Cleanup(func() {
		_, err := b.Admin.DeleteTopics(context.WithoutCancel(b.T.Context()), name)
		require.NoError(b.T, err) // tells nothing of topics that the test has deleted
	})
	return name
}

// Produce writes values to a partition; nil makes a tombstone.
func (b *Broker) Produce(topic string, partition int32, values ...string) {
	b.T.Helper()
	var records []*kgo.Record
	for _, v := range values {
		records = append(records, &kgo.Record{Topic: topic, Partition: partition, Value: []byte(v)})
	}
	require.NoError(b.T, b.Client.ProduceSync(b.T.Context(), records...).FirstErr())
}

// Consume reads a partition up to an offset, committed records only.
func (b *Broker) Consume(topic string, partition int32, end int64) (all []*kgo.Record) {
	b.T.Helper()
	client := b.Connect(kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {partition: kgo.NewOffset().AtStart()}}))
	for next := int64(0); next < end; {
		fetches := client.PollFetches(b.T.Context())
		require.NoError(b.T, fetches.Err())
		fetches.EachRecord(func(r *kgo.Record) {
			next = r.Offset + 1
			if !r.Attrs.IsControl() {
				all = append(all, r)
			}
		})
	}
	return all
}

// Truncate deletes the records of a partition before an offset.
func (b *Broker) Truncate(topic string, partition int32, before int64) {
	b.T.Helper()
	offsets := kadm.Offsets{}
	offsets.AddOffset(topic, partition, before, -1)
	_, err := b.Admin.DeleteRecords(b.T.Context(), offsets)
	require.NoError(b.T, err)
}
