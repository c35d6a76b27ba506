package sink

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/log"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/kafkaio/cluster"
	"tributary/io/kafkaio/commitlog"
	"tributary/io/kafkaio/internal/kafkatest"
)

// quiet keeps the retries that tests provoke out of their output.
type quiet struct{}

func (quiet) Log(context.Context, log.Severity, int, string) {}

func init() { log.SetLogger(quiet{}) }

// writeRig is a cluster with topics to write to, and how.
type writeRig struct {
	*kafkatest.SinkTopics
	w Config
}

// newWriteRig uses the cluster at $TRIBUTARY_KAFKA, or kfake if that is not set.
func newWriteRig(t testing.TB, shards int32) *writeRig {
	return rigOf(kafkatest.NewSinkTopics(t, shards), shards)
}

func newFakeRig(t testing.TB, shards int32, opts ...kfake.Opt) *writeRig {
	return rigOf(kafkatest.NewFakeTopics(t, shards, opts...), shards)
}

// newVirtualRig runs kfake on a network in memory, for a synctest bubble.
func newVirtualRig(t testing.TB, shards int32, opts ...kfake.Opt) *writeRig {
	return rigOf(kafkatest.NewVirtualTopics(t, shards, opts...), shards)
}

func rigOn(t testing.TB, shards int32, brokers []string, dial kafkatest.DialFunc) *writeRig {
	return rigOf(kafkatest.NewTopicsOn(t, shards, brokers, dial), shards)
}

func rigOf(topics *kafkatest.SinkTopics, shards int32) *writeRig {
	return &writeRig{SinkTopics: topics, w: Config{
		Cluster: cluster.Config{Brokers: topics.Brokers}, Topic: topics.Topic, CommitLog: topics.CommitLog, Job: topics.Job, Shards: shards,
	}.withDefaults()}
}

// process starts a writer process with a network of its own.
func (r *writeRig) process() *process {
	p := &process{wire: &kafkatest.Wire{Dial: r.Dial}}
	var err error
	p.Writers, err = newWriters(r.w, append(r.Opts(), kgo.Dialer(p.wire.DialContext)), newWriterPool())
	require.NoError(r.T, err)
	r.T.Cleanup(p.CloseIdle)
	return p
}

type process struct {
	*Writers
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

// sampleLines are the samples of a group of makeGroup, as writeRig.samples gives them.
func sampleLines(shard int32, id int64, size, variant, version int) []string {
	var want []string
	for i := range size {
		want = append(want, fmt.Sprintf("%d/%d/%d=%d v%d", shard, id, i, variant, version))
	}
	return want
}

// commits returns what the commit log says of a shard.
func (r *writeRig) commits(shard int32) []commitlog.Committed {
	r.T.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	all, err := commitlog.ReadCommits(ctx, r.Opts(), r.w.CommitLog)
	require.NoError(r.T, err)
	return all[shard].Groups
}
