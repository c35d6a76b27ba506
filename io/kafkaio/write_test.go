package kafkaio

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

	"github.com/apache/beam/sdks/v2/go/pkg/beam/log"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/kafkaio/cluster"
	"tributary/io/kafkaio/internal/kafkatest"
)

// quiet keeps the retries that tests provoke out of their output.
type quiet struct{}

func (quiet) Log(context.Context, log.Severity, int, string) {}

func init() { log.SetLogger(quiet{}) }

// writeRig is a cluster with an output and a ledger topic, and a network that tests can
// disturb between it and each writer process.
type writeRig struct {
	t     testing.TB
	w     Writing
	admin *kadm.Client
	// dial reaches the cluster undisturbed.
	dial kafkatest.DialFunc
}

// newWriteRig uses the cluster at $TRIBUTARY_KAFKA, or kfake if that is not set.
func newWriteRig(t testing.TB, shards int32) *writeRig {
	if address := os.Getenv("TRIBUTARY_KAFKA"); address != "" {
		return rigOn(t, shards, []string{address}, kafkatest.NetDial)
	}
	return newFakeRig(t, shards)
}

func newFakeRig(t testing.TB, shards int32, opts ...kfake.Opt) *writeRig {
	brokers, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1)}, opts...)...)
	require.NoError(t, err)
	t.Cleanup(brokers.Close)
	return rigOn(t, shards, brokers.ListenAddrs(), kafkatest.NetDial)
}

// newVirtualRig runs kfake on a network in memory, for a synctest bubble.
func newVirtualRig(t testing.TB, shards int32, opts ...kfake.Opt) *writeRig {
	var network kfake.VirtualNetwork
	brokers, err := kfake.NewCluster(append([]kfake.Opt{
		kfake.NumBrokers(1), kfake.Ports(9092), kfake.ListenFn(network.Listen),
	}, opts...)...)
	require.NoError(t, err)
	t.Cleanup(brokers.Close)
	return rigOn(t, shards, brokers.ListenAddrs(), network.DialContext)
}

func rigOn(t testing.TB, shards int32, brokers []string, dial kafkatest.DialFunc) *writeRig {
	unique := strconv.FormatUint(rand.Uint64(), 36)
	r := &writeRig{t: t, dial: dial, w: Writing{
		Cluster: cluster.Config{Brokers: brokers}, Topic: "samples-" + unique, LedgerTopic: "ledger-" + unique,
		Job: "job-" + unique, Shards: shards,
	}.withDefaults()}
	client := r.client()
	t.Cleanup(client.Close)
	r.admin = kadm.NewClient(client)
	compact, forever := "compact", "-1"
	r.create(r.w.Topic, 3, map[string]*string{"retention.ms": &forever})
	r.create(r.w.LedgerTopic, shards, map[string]*string{"cleanup.policy": &compact, "retention.ms": &forever}) // kfake lets compacted topics expire
	return r
}

func (r *writeRig) create(topic string, partitions int32, configs map[string]*string) {
	r.t.Helper()
	_, err := r.admin.CreateTopic(context.Background(), partitions, 1, configs, topic)
	require.NoError(r.t, err)
}

// opts reach the cluster undisturbed.
func (r *writeRig) opts() []kgo.Opt {
	opts, err := r.w.Cluster.Options()
	require.NoError(r.t, err)
	return append(opts, kgo.Dialer(r.dial))
}

func (r *writeRig) client(opts ...kgo.Opt) *kgo.Client {
	client, err := kgo.NewClient(append(r.opts(), opts...)...)
	require.NoError(r.t, err)
	return client
}

// process starts a writer process with a network of its own.
func (r *writeRig) process() *process {
	p := &process{wire: &kafkatest.Wire{Dial: r.dial}}
	var err error
	p.jobWriters, err = newJobWriters(r.w, append(r.opts(), kgo.Dialer(p.wire.DialContext)), newWriterPool())
	require.NoError(r.t, err)
	r.t.Cleanup(p.closeIdle)
	return p
}

type process struct {
	*jobWriters
	wire *kafkatest.Wire
}

// shard is the writer of a shard, to look at while it rests.
func (p *process) shard(n int32) (found *shardWriter) {
	if err := p.use(context.Background(), n, func(s *shardWriter) error { found = s; return nil }); err != nil {
		panic(err)
	}
	return found
}

// makeGroup makes a sealed group of size records, in two parts; variants differ in content.
func makeGroup(t testing.TB, shard int32, id int64, size, variant int) *group {
	g := &group{id: id}
	var parts [2][]byte
	for i := range size {
		key := fmt.Appendf(nil, "%d/%d/%d", shard, id, i)
		parts[i%2] = AppendRecord(parts[i%2], key, strconv.AppendInt(nil, int64(variant), 10), NoTimestamp)
	}
	for i, p := range parts {
		require.NoError(t, g.add(Group{Shard: shard, ID: id, Part: int32(i), Records: p}))
	}
	require.NoError(t, g.seal())
	return g
}

// committedRecords reads all committed records of a topic, as far as its high watermark.
func (r *writeRig) committedRecords(topic string) []*kgo.Record {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	ends, err := cluster.ListOffsets(ctx, topic, r.admin.ListEndOffsets)
	require.NoError(r.t, err)
	starts, err := cluster.ListOffsets(ctx, topic, r.admin.ListStartOffsets)
	require.NoError(r.t, err)
	var records []*kgo.Record
	require.NoError(r.t, cluster.ReadTo(ctx, r.opts(), topic, cluster.Filled(starts, ends), func(rec *kgo.Record) (bool, error) {
		records = append(records, rec)
		return false, nil
	}))
	return records
}

// stable says whether no transaction is open in a topic.
func (r *writeRig) stable(topic string) bool {
	r.t.Helper()
	stable, err := cluster.ListOffsets(context.Background(), topic, r.admin.ListCommittedOffsets)
	require.NoError(r.t, err)
	ends, err := cluster.ListOffsets(context.Background(), topic, r.admin.ListEndOffsets)
	require.NoError(r.t, err)
	return maps.Equal(stable, ends)
}

// samples returns the committed records of the output topic as "key=value vVERSION", sorted.
func (r *writeRig) samples() []string {
	r.t.Helper()
	var got []string
	for _, rec := range r.committedRecords(r.w.Topic) {
		got = append(got, fmt.Sprintf("%s=%s v%s", rec.Key, rec.Value, rec.Headers[0].Value))
	}
	slices.Sort(got)
	return got
}

// sampleLines are the samples of a group of makeGroup, as writeRig.samples gives them.
func sampleLines(shard int32, id int64, size, variant, version int) []string {
	var want []string
	for i := range size {
		want = append(want, fmt.Sprintf("%d/%d/%d=%d v%d", shard, id, i, variant, version))
	}
	return want
}

// commits returns what the ledger says of a shard.
func (r *writeRig) commits(shard int32) []Committed {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	all, err := readCommits(ctx, r.opts(), r.w.LedgerTopic)
	require.NoError(r.t, err)
	return all[shard].Groups
}

// randomBytes do not compress.
func randomBytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rand.Uint32())
	}
	return b
}
