package audit

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/kafkaio/cluster"
	"tributary/io/kafkaio/source"
	"tributary/pipelines/job/stream"
	"tributary/pipelines/job/topics"
	"tributary/pipelines/sim/generate/generatetest"
	"tributary/pipelines/sim/replay"
	"tributary/pipelines/spec"
	"tributary/runners/prism"
)

func TestMain(m *testing.M) {
	flag.Parse()
	beam.Init()
	os.Exit(m.Run())
}

// rig is a stream that has ended, with the broker that its topics are on.
type rig struct {
	*testing.T
	dir     string
	brokers []string
	spec    *spec.Spec
}

// stages are those of a rig that has some, with records late for one and not for the next.
const stages = "stages: [{after: 10s, emit: positives}, {after: 30s, out_of_orderness: 10s, emit: all}, 1m]\n"

// lasting are stages the last of which gives all samples.
const lasting = "stages: [10s, {after: 3m, emit: all}]\n"

// newRig makes input in which all goes wrong that can, in topics, and has a stream join it as far as it is decided. samples is
// what the spec says of its outputs, more what it says besides.
func newRig(t *testing.T, samples, more string) *rig {
	t.Helper()
	r := &rig{T: t, dir: generatetest.Hard(t, 1200, 12*time.Minute)}
	r.start()
	text, err := os.ReadFile(r.dir + "/spec.yaml")
	require.NoError(t, err)
	edited := strings.NewReplacer(
		"{path: views/*.avro, order: file}", "{topic: views, format: avro, schema: view.avsc}",
		"{path: engagements/*.avro, order: file}", "{topic: engagements, format: avro, schema: engagement.avsc}",
		"samples: out/samples", samples,
		"clock_skew:", fmt.Sprintf("shards: 3\nbucket: 1m\nclusters: {main: {brokers: [%q]}}\nstream: {name: made, idle_timeout: never, source_parallelism: 2}\n%sclock_skew:", r.brokers[0], more),
	).Replace(string(text))
	r.load(3, edited)
	for _, topic := range []string{"views", "engagements"} {
		from, err := replay.Open(t.Context(), r.dir+"/"+topic, topic, "ts")
		require.NoError(t, err)
		require.NoError(t, replay.Run(t.Context(), cluster.Config{Brokers: r.brokers}, replay.Options{}, from))
	}
	r.stream(stream.Options{})
	return r
}

// start starts a broker.
func (r *rig) start() {
	fake, err := kfake.NewCluster(kfake.NumBrokers(1))
	require.NoError(r, err)
	r.Cleanup(fake.Close)
	r.brokers = fake.ListenAddrs()
}

// load reads the spec, and makes its topics, of so many partitions.
func (r *rig) load(partitions int32, text string) {
	var err error
	r.spec, err = spec.Parse(r.dir+"/stream.yaml", []byte(text))
	require.NoError(r, err)
	_, err = topics.Create(r.Context(), r.spec, topics.CreateOptions{Inputs: true, Partitions: partitions, Replicas: 1})
	require.NoError(r, err)
}

// stream runs the stream up to where the topics end now.
func (r *rig) stream(opt stream.Options) {
	opt.Rest, opt.Readers, opt.Stop = 50*time.Millisecond, prism.Readers, source.Stop{At: source.StopAtEnd}
	plan, err := stream.New(r.Context(), r.spec, opt)
	require.NoError(r, err)
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Minute)
	defer cancel()
	require.NoError(r, prism.Run(ctx, plan.Pipeline()))
}

// audit audits all that is closed.
func (r *rig) audit(opt Options) *Result {
	r.Helper()
	found, err := Run(r.Context(), r.spec, opt)
	require.NoError(r, err)
	return found
}

// admin is a client for topics.
func (r *rig) admin() *kadm.Client {
	client, err := kgo.NewClient(kgo.SeedBrokers(r.brokers...))
	require.NoError(r, err)
	r.Cleanup(client.Close)
	return kadm.NewClient(client)
}
