package stream

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners/vet"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/dofn"
	"tributary/io/format/avro"
	"tributary/io/kafkaio/cluster"
	"tributary/io/kafkaio/source"
	"tributary/pipelines/job/batch"
	"tributary/pipelines/job/topics"
	"tributary/pipelines/sim/generate"
	"tributary/pipelines/sim/replay"
	"tributary/pipelines/spec"
	"tributary/runners/devcluster/services"
	"tributary/runners/devcluster/servicestest"
	"tributary/runners/flink"
	"tributary/runners/prism"
	"tributary/transforms/account"
)

func TestMain(m *testing.M) {
	flag.Parse()
	beam.Init()
	os.Exit(servicestest.Main(m))
}

// hard is input in which all goes wrong that can, in partitions with an order.
func hard(t *testing.T, views int64) (dir string) {
	t.Helper()
	c := generate.Default()
	c.Out, c.Views, c.Duration, c.Partitions, c.Order = t.TempDir(), views, 20*time.Minute, 3, generate.OrderFile
	var err error
	c.Kinds, err = generate.ParseKinds("like:30%:window=2m,median=40s,repeat=30% buy:5%:window=3m,amount=20", time.Minute)
	require.NoError(t, err)
	c.OutOfOrderness, c.ClockSkew, c.Disorder = 30*time.Second, 2*time.Second, 20*time.Second
	c.Duplicates, c.Late, c.Orphans, c.Malformed, c.Early, c.Edges = 0.1, 0.1, 0.1, 0.05, 0.1, 0.3
	_, err = generate.Run(t.Context(), c, nil)
	require.NoError(t, err)
	return c.Out
}

// eachRecord calls visit for every record of an Avro file.
func eachRecord(t *testing.T, path string, visit func(record []byte)) *avro.Schema {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close() //nolint:errcheck // only read
	schema, err := avro.EachRow(f, func(record []byte, _ struct{}) error {
		visit(record)
		return nil
	})
	require.NoError(t, err)
	return schema
}

// send writes the files of a folder to the partitions of a topic.
func send(t *testing.T, brokers []string, topic, folder string) {
	t.Helper()
	from, err := replay.Open(t.Context(), folder, topic, "ts")
	require.NoError(t, err)
	require.NoError(t, replay.Run(t.Context(), cluster.Config{Brokers: brokers}, replay.Options{}, from))
}

// streamSpec turns the spec of made input into one of topics.
func streamSpec(t *testing.T, dir string, brokers []string, edits ...string) *spec.Spec {
	t.Helper()
	text, err := os.ReadFile(dir + "/spec.yaml")
	require.NoError(t, err)
	replace := append([]string{
		"{path: views/*.avro, order: file}", "{topic: views, format: avro, schema: view.avsc}",
		"{path: engagements/*.avro, order: file}", "{topic: engagements, format: avro, schema: engagement.avsc}",
		"samples: out/samples", "samples: {topic: samples}",
		"clock_skew:", fmt.Sprintf("shards: 3\nbucket: 1m\nclusters: {main: {brokers: [%q]}}\nstream: {name: made, idle_timeout: never, source_parallelism: 2}\nclock_skew:", brokers[0]),
	}, edits...)
	edited := string(text)
	for i := 0; i < len(replace); i += 2 {
		require.Contains(t, edited, replace[i])
		edited = strings.ReplaceAll(edited, replace[i], replace[i+1])
	}
	s, err := spec.Parse(dir+"/stream.yaml", []byte(edited))
	require.NoError(t, err)
	return s
}

// run runs a pipeline on Prism; one that is stuck fails the test instead of holding it up.
func run(t *testing.T, p *beam.Pipeline) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	require.NoError(t, prism.Run(ctx, p))
}

// consume reads all committed records of a topic: how often each value is there.
func consume(t *testing.T, brokers []string, topic string) map[string]int {
	t.Helper()
	out := map[string]int{}
	require.NoError(t, cluster.ReadAll(t.Context(), cluster.Config{Brokers: brokers}, topic, func(r *kgo.Record) error {
		out[string(r.Value)]++
		return nil
	}))
	return out
}

// TestStreamEqualsBatch joins the same records as topics on prism and as files on the direct
// runner.
func TestStreamEqualsBatch(t *testing.T) {
	fake, err := kfake.NewCluster(kfake.NumBrokers(1))
	require.NoError(t, err)
	t.Cleanup(fake.Close)
	streamEqualsBatch(t, 3000, fake.ListenAddrs(), Options{Rest: 50 * time.Millisecond, Readers: prism.Readers}, func(p *beam.Pipeline) { run(t, p) })
}

// TestStreamOnFlinkEqualsBatch does the same with servers as they are in production: Kafka,
// and Flink with this process as the worker.
func TestStreamOnFlinkEqualsBatch(t *testing.T) {
	_, kafka := servicestest.Start(t, "kafka")
	_, flinkAt := servicestest.Start(t, "flink")
	streamEqualsBatch(t, 30_000, []string{string(kafka)}, Options{}, func(p *beam.Pipeline) { runOnFlink(t, flinkAt, p) })
}

// runOnFlink runs a pipeline until its input is exhausted, with this process as the worker.
func runOnFlink(t *testing.T, at services.Address, p *beam.Pipeline) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	job, err := flink.Submit(ctx, p, flink.Options{
		JobServer: at.Part("jobserver"), REST: at.Part("rest"), Name: t.Name(), Parallelism: 2,
		Checkpoints: flink.Checkpoints{Interval: 2 * time.Second},
	})
	require.NoError(t, err)
	defer func() { require.NoError(t, job.Close()) }()
	status, err := job.WaitExhausted(ctx, func(s flink.Status) { t.Log(s) })
	require.NoError(t, err, "%s", status)
}

// streamEqualsBatch joins records with all kinds of faults from topics and from files: the
// samples are the same bytes, each once, and so are those of a run that begins with nothing a second
// time, as a runner's restart without a checkpoint does, and finds them all in the commit log.
func streamEqualsBatch(t *testing.T, views int64, brokers []string, opt Options, run func(*beam.Pipeline)) {
	t.Helper()
	dir := hard(t, views)
	engagements := eachRecord(t, dir+"/engagements/part-00000-00000.avro", func([]byte) {})
	require.NoError(t, os.WriteFile(dir+"/engagement.avsc", []byte(engagements.String()), 0o600))
	own := strings.ToLower(t.Name()) + fmt.Sprint(time.Now().UnixNano()) // topics of this test alone
	s := streamSpec(t, dir, brokers, "topic: views", "topic: "+own+".views", "topic: engagements", "topic: "+own+".engagements", "name: made", "name: "+own, "topic: samples", "topic: "+own)
	states, err := topics.Create(t.Context(), s, topics.CreateOptions{Inputs: true, Partitions: 3, Replicas: 1})
	require.NoError(t, err)
	require.Len(t, states, 8)
	send(t, brokers, own+".views", dir+"/views")
	send(t, brokers, own+".engagements", dir+"/engagements")

	files, err := spec.Load(dir + "/spec.yaml")
	require.NoError(t, err)
	report, err := batch.Run(t.Context(), files, batch.Options{})
	require.NoError(t, err)
	want := map[string]int{}
	written, err := filepath.Glob(dir + "/out/samples/*/*.avro")
	require.NoError(t, err)
	for _, path := range written {
		eachRecord(t, path, func(record []byte) { want[string(record)]++ })
	}
	require.Len(t, want, int(report.Accounts.Views.N[account.Samples]))
	opt.Stop, opt.Drain = source.Stop{At: source.StopAtEnd}, true
	plan, err := New(t.Context(), s, opt)
	require.NoError(t, err)
	for _, attempt := range []string{"first", "again"} {
		plan.reading.Job = own + attempt
		run(plan.Pipeline())
		got := consume(t, brokers, own)
		require.Len(t, got, int(report.Accounts.Views.N[account.Samples]), attempt)
		require.True(t, maps.Equal(want, got), "%s run: samples differ from the batch's", attempt)

		accounted, err := Report(t.Context(), s)
		require.NoError(t, err)
		require.NoError(t, accounted.Accounts.Check())
		require.Equal(t, report.Accounts.Views, accounted.Accounts.Views, attempt)
		require.Equal(t, report.Accounts.Engagements, accounted.Accounts.Engagements, attempt)
	}

	// A record that a restart wrote twice is the same bytes: what is distinct is counted.
	late, dead := consume(t, brokers, own+".late"), consume(t, brokers, own+".dead")
	wantLate, wantDead := report.Accounts.Views.N[account.Late], report.Accounts.Views.N[account.Dead]
	for _, e := range report.Accounts.Engagements {
		wantLate, wantDead = wantLate+e.N[account.PartlyLate], wantDead+e.N[account.Dead]
	}
	wholly := int64(0)
	for value := range late {
		if strings.Contains(value, `"reason":"late"`) && !strings.Contains(value, `"role":"views"`) {
			wholly++
		}
	}
	require.Len(t, late, int(wantLate+wholly))
	require.Len(t, dead, int(wantDead))
}

// brokerWith is a broker with all topics of the spec of made input.
func brokerWith(t *testing.T, dir string) (brokers []string) {
	t.Helper()
	fake, err := kfake.NewCluster(kfake.NumBrokers(1))
	require.NoError(t, err)
	t.Cleanup(fake.Close)
	_, err = topics.Create(t.Context(), streamSpec(t, dir, fake.ListenAddrs()), topics.CreateOptions{Inputs: true, Partitions: 3, Replicas: 1})
	require.NoError(t, err)
	return fake.ListenAddrs()
}

// TestReaders looks at how many readers a join has.
func TestReaders(t *testing.T) {
	dir := hard(t, 10)
	engagements := eachRecord(t, dir+"/engagements/part-00000-00000.avro", func([]byte) {})
	require.NoError(t, os.WriteFile(dir+"/engagement.avsc", []byte(engagements.String()), 0o600))
	s := streamSpec(t, dir, brokerWith(t, dir))
	for _, test := range []struct{ option, want int }{{0, 2}, {prism.Readers, 1}} {
		plan, err := New(t.Context(), s, Options{Readers: test.option})
		require.NoError(t, err)
		require.Equal(t, test.want, plan.reading.Readers)
	}
}

// TestRegistered builds the pipeline as a worker in another process would have to run it.
func TestRegistered(t *testing.T) {
	dir := hard(t, 100)
	engagements := eachRecord(t, dir+"/engagements/part-00000-00000.avro", func([]byte) {})
	require.NoError(t, os.WriteFile(dir+"/engagement.avsc", []byte(engagements.String()), 0o600))
	brokers := brokerWith(t, dir)
	for name, edits := range map[string][]string{
		"exactly once":  nil,
		"at least once": {"name: made,", "name: made, delivery: at_least_once,"},
		"json":          {"samples: {topic: samples}", "samples: {topic: samples, format: json}"},
	} {
		t.Run(name, func(t *testing.T) {
			plan, err := New(t.Context(), streamSpec(t, dir, brokers, edits...), Options{})
			require.NoError(t, err)
			e, err := vet.Evaluate(t.Context(), plan.Pipeline())
			require.NoError(t, err)
			require.True(t, e.Performant(), "%s", e.Bytes())
			require.NoError(t, dofn.Check(plan.Pipeline()))
		})
	}
}
