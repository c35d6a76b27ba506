package kafkatest

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// SinkTopics are an output topic and a topic for its commit log, on a cluster and a network that tests
// can disturb between it and each writer process.
type SinkTopics struct {
	T       testing.TB
	Brokers []string
	Topic   string
	// CommitLog has a partition a shard.
	CommitLog string
	Job       string
	Admin     *kadm.Client
	// Dial reaches the cluster undisturbed, with reach.
	Dial  DialFunc
	reach []kgo.Opt
}

// NewSinkTopics uses the cluster at $TRIBUTARY_KAFKA, or kfake if that is not set.
func NewSinkTopics(t testing.TB, shards int32) *SinkTopics {
	if address := os.Getenv("TRIBUTARY_KAFKA"); address != "" {
		return NewTopicsOn(t, shards, []string{address}, NetDial)
	}
	return NewFakeTopics(t, shards)
}

// NewFakeTopics uses kfake.
func NewFakeTopics(t testing.TB, shards int32, opts ...kfake.Opt) *SinkTopics {
	fake, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1)}, opts...)...)
	require.NoError(t, err)
	t.Cleanup(fake.Close)
	return NewTopicsOn(t, shards, fake.ListenAddrs(), NetDial)
}

// NewVirtualTopics uses kfake on a network in memory, for a synctest bubble.
func NewVirtualTopics(t testing.TB, shards int32, opts ...kfake.Opt) *SinkTopics {
	var network kfake.VirtualNetwork
	fake, err := kfake.NewCluster(append([]kfake.Opt{
		kfake.NumBrokers(1), kfake.Ports(9092), kfake.ListenFn(network.Listen),
	}, opts...)...)
	require.NoError(t, err)
	t.Cleanup(fake.Close)
	return NewTopicsOn(t, shards, fake.ListenAddrs(), network.DialContext)
}

// NewTopicsOn makes topics of their own for the test. Options say how to reach brokers that want more.
func NewTopicsOn(t testing.TB, shards int32, brokers []string, dial DialFunc, reach ...kgo.Opt) *SinkTopics {
	unique := strconv.FormatUint(rand.Uint64(), 36)
	r := &SinkTopics{T: t, Brokers: brokers, Dial: dial, reach: reach, Topic: "samples-" + unique, CommitLog: "commit-log-" + unique, Job: "job-" + unique}
	client := r.Client()
	t.Cleanup(client.Close)
	r.Admin = kadm.NewClient(client)
	compact, forever := "compact", "-1"
	r.Create(r.Topic, 3, map[string]*string{"retention.ms": &forever})
	r.Create(r.CommitLog, shards, map[string]*string{"cleanup.policy": &compact, "retention.ms": &forever}) // kfake lets compacted topics expire
	return r
}

// Create makes another topic.
func (r *SinkTopics) Create(topic string, partitions int32, configs map[string]*string) {
	r.T.Helper()
	ctx := context.Background()
	_, err := r.Admin.CreateTopic(ctx, partitions, 1, configs, topic)
	require.NoError(r.T, err)
	for range 500 { // a broker may not know it yet that answers next
		starts, err := r.Admin.ListStartOffsets(ctx, topic)
		if err == nil && starts.Error() == nil && len(starts[topic]) == int(partitions) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	require.Fail(r.T, "topic "+topic+" does not come into being")
}

// Opts reach the cluster undisturbed.
func (r *SinkTopics) Opts() []kgo.Opt {
	opts := append([]kgo.Opt{kgo.SeedBrokers(r.Brokers...), kgo.AlwaysRetryEOF()}, r.reach...)
	if r.Dial != nil {
		opts = append(opts, kgo.Dialer(r.Dial))
	}
	return opts
}

// Client is another one, undisturbed.
func (r *SinkTopics) Client(opts ...kgo.Opt) *kgo.Client {
	client, err := kgo.NewClient(append(r.Opts(), opts...)...)
	require.NoError(r.T, err)
	return client
}

// CommittedRecords reads all committed records of a topic, as far as its high watermark.
func (r *SinkTopics) CommittedRecords(topic string) []*kgo.Record {
	r.T.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	starts, due := r.offsets(ctx, topic, r.Admin.ListStartOffsets), r.offsets(ctx, topic, r.Admin.ListEndOffsets)
	from := map[int32]kgo.Offset{}
	for p, end := range due {
		if end <= starts[p] {
			delete(due, p)
			continue
		}
		from[p] = kgo.NewOffset().AtStart()
	}
	var records []*kgo.Record
	if len(due) == 0 {
		return nil
	}
	client := r.Client(kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: from}), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords())
	defer client.Close()
	for len(due) > 0 {
		fetches := client.PollFetches(ctx)
		require.NoError(r.T, ctx.Err(), "waited for the ends of %s: %v", topic, due)
		require.NoError(r.T, fetches.Err())
		for rec := range fetches.RecordsAll() {
			if end, ok := due[rec.Partition]; ok && rec.Offset < end && !rec.Attrs.IsControl() {
				records = append(records, rec)
			}
			if rec.Offset+1 >= due[rec.Partition] {
				delete(due, rec.Partition)
			}
		}
	}
	return records
}

func (r *SinkTopics) offsets(ctx context.Context, topic string, list func(context.Context, ...string) (kadm.ListedOffsets, error)) map[int32]int64 {
	r.T.Helper()
	listed, err := list(ctx, topic)
	require.NoError(r.T, err)
	require.NoError(r.T, listed.Error())
	offsets := map[int32]int64{}
	for p, o := range listed[topic] {
		offsets[p] = o.Offset
	}
	return offsets
}

// Stable says whether no transaction is open in a topic.
func (r *SinkTopics) Stable(topic string) bool {
	r.T.Helper()
	ctx := context.Background()
	return maps.Equal(r.offsets(ctx, topic, r.Admin.ListCommittedOffsets), r.offsets(ctx, topic, r.Admin.ListEndOffsets))
}

// Samples returns the committed records of the output topic as "key=value vVERSION", sorted.
func (r *SinkTopics) Samples() []string {
	r.T.Helper()
	var got []string
	for _, rec := range r.CommittedRecords(r.Topic) {
		got = append(got, fmt.Sprintf("%s=%s v%s", rec.Key, rec.Value, rec.Headers[0].Value))
	}
	slices.Sort(got)
	return got
}

// RandomBytes do not compress.
func RandomBytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rand.Uint32())
	}
	return b
}
