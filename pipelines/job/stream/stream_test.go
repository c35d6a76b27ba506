package stream

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners/vet"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/dofn"
	"tributary/io/fileio"
	"tributary/io/format/avro"
	"tributary/io/kafkaio/cluster"
	"tributary/io/kafkaio/source"
	"tributary/pipelines/job/batch"
	"tributary/pipelines/job/topics"
	"tributary/pipelines/sim/generate/generatetest"
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

// hard is generatetest.Hard of 20 minutes.
func hard(t *testing.T, views int64) (dir string) {
	t.Helper()
	return generatetest.Hard(t, views, 20*time.Minute)
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

// samplesBelow counts the samples in the Avro files of a folder, by their bytes.
func samplesBelow(t *testing.T, dir string) map[string]int {
	t.Helper()
	counts := map[string]int{}
	all, err := fileio.List(t.Context(), dir+"/**/*.avro")
	require.NoError(t, err)
	for _, file := range all {
		eachRecord(t, file.Path, func(record []byte) { counts[string(record)]++ })
	}
	return counts
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
	for _, views := range []int64{1000, 3000} { // of the shorter log a lone record is far ahead of the end
		streamEqualsBatch(t, views, fake.ListenAddrs(), Options{Rest: 50 * time.Millisecond, Readers: prism.Readers}, "", func(p *beam.Pipeline) { run(t, p) })
	}
}

// TestStagesEqualBatch does so with stages, all of which are in one topic: of a view, versions rise.
func TestStagesEqualBatch(t *testing.T) {
	fake, err := kfake.NewCluster(kfake.NumBrokers(1))
	require.NoError(t, err)
	t.Cleanup(fake.Close)
	streamEqualsBatch(t, 3000, fake.ListenAddrs(), Options{Rest: 50 * time.Millisecond, Readers: prism.Readers}, stagesUnderTest, func(p *beam.Pipeline) { run(t, p) })
}

// TestShapeEqualsBatch does so with fields of views as columns instead of views: chosen ones, and all of them with stages.
func TestShapeEqualsBatch(t *testing.T) {
	for _, shape := range []string{shapeUnderTest, "sample: {view: flat}\n" + stagesUnderTest} {
		fake, err := kfake.NewCluster(kfake.NumBrokers(1))
		require.NoError(t, err)
		t.Cleanup(fake.Close)
		streamEqualsBatch(t, 3000, fake.ListenAddrs(), Options{Rest: 50 * time.Millisecond, Readers: prism.Readers}, shape, func(p *beam.Pipeline) { run(t, p) })
	}
}

// shapeUnderTest are fields of made views.
const shapeUnderTest = "sample: {fields: [{user: user_id}, {time: {field: ts, type: string}}, features], view: none}\n"

// stagesUnderTest have records late for one stage and not for the next.
const stagesUnderTest = "stages: [{after: 10s, emit: positives}, {after: 30s, out_of_orderness: 10s, emit: all}, 1m]\n"

// addStages gives the spec of made input stages.
func addStages(t *testing.T, dir, stages string) {
	t.Helper()
	made, err := os.ReadFile(dir + "/spec.yaml")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(dir+"/spec.yaml", []byte(strings.Replace(string(made), "clock_skew:", stages+"clock_skew:", 1)), 0o600))
}

// TestStreamOnFlinkEqualsBatch does the same with servers as they are in production: Kafka,
// and Flink with this process as the worker.
func TestStreamOnFlinkEqualsBatch(t *testing.T) {
	_, kafka := servicestest.Start(t, "kafka")
	_, flinkAt := servicestest.Start(t, "flink")
	streamEqualsBatch(t, 30_000, []string{string(kafka)}, Options{}, "", func(p *beam.Pipeline) { runOnFlink(t, flinkAt, p) })
}

// TestStagesOnFlinkEqualBatch does so with stages.
func TestStagesOnFlinkEqualBatch(t *testing.T) {
	_, kafka := servicestest.Start(t, "kafka")
	_, flinkAt := servicestest.Start(t, "flink")
	streamEqualsBatch(t, 30_000, []string{string(kafka)}, Options{}, stagesUnderTest, func(p *beam.Pipeline) { runOnFlink(t, flinkAt, p) })
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
func streamEqualsBatch(t *testing.T, views int64, brokers []string, opt Options, stages string, run func(*beam.Pipeline)) {
	t.Helper()
	dir := hard(t, views)
	addStages(t, dir, stages)
	own := strings.ToLower(t.Name()) + fmt.Sprint(time.Now().UnixNano()) // topics of this test alone
	s := streamSpec(t, dir, brokers, "topic: views", "topic: "+own+".views", "topic: engagements", "topic: "+own+".engagements", "name: made", "name: "+own, "topic: samples", "topic: "+own)
	states, err := topics.Create(t.Context(), s, topics.CreateOptions{Inputs: true, Partitions: 3, Replicas: 1})
	require.NoError(t, err)
	require.Len(t, states, 8+max(0, len(s.Stages)-1))
	send(t, brokers, own+".views", dir+"/views")
	send(t, brokers, own+".engagements", dir+"/engagements")

	files, err := spec.Load(dir + "/spec.yaml")
	require.NoError(t, err)
	report, err := batch.Run(t.Context(), files, batch.Options{})
	require.NoError(t, err)
	want := samplesBelow(t, dir+"/out/samples")
	samples := int(report.Accounts.Views.N[account.Samples])
	if len(s.Stages) > 0 {
		samples = 0
		for _, stage := range report.Accounts.Stages {
			samples += int(stage.N[account.Given] + stage.N[account.Withdrawn])
		}
		require.Greater(t, samples, int(report.Accounts.Views.N[account.Samples]))
	}
	require.Len(t, want, samples)
	opt.Stop, opt.Drain = source.Stop{At: source.StopAtEnd}, true
	plan, err := New(t.Context(), s, opt)
	require.NoError(t, err)
	for _, attempt := range []string{"first", "again"} {
		plan.reading.Job = own + attempt
		run(plan.Pipeline())
		got := consume(t, brokers, own)
		require.Len(t, got, samples, attempt)
		require.True(t, maps.Equal(want, got), "%s run: samples differ from the batch's", attempt)

		accounted, err := Report(t.Context(), s)
		require.NoError(t, err)
		require.NoError(t, accounted.Accounts.Check())
		require.EqualValues(t, samples, accounted.Outputs[0].Count)
		require.Equal(t, report.Accounts.Views, accounted.Accounts.Views, attempt)
		require.Equal(t, report.Accounts.Stages, accounted.Accounts.Stages, attempt)
		requireVersionsRise(t, brokers, own, plan.sampleSchema, s)
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

// requireVersionsRise looks at the samples of each view in a topic: their versions rise from one to the next.
func requireVersionsRise(t *testing.T, brokers []string, topic, schema string, s *spec.Spec) {
	t.Helper()
	if len(s.Stages) == 0 {
		return
	}
	parsed, err := avro.ParseSchema(schema)
	require.NoError(t, err)
	codec, err := parsed.Codec()
	require.NoError(t, err)
	type view struct {
		id   string
		time int64
	}
	last, several := map[view]int32{}, 0
	require.NoError(t, cluster.ReadAll(t.Context(), cluster.Config{Brokers: brokers}, topic, func(r *kgo.Record) error {
		native, _, err := codec.NativeFromBinary(r.Value)
		require.NoError(t, err)
		fields := native.(map[string]any)
		of, version := view{string(r.Key), fields["view_time"].(int64)}, fields["version"].(int32)
		require.Equal(t, s.Stages[version].Name(), fields["stage"])
		require.Equal(t, int(version) == len(s.Stages)-1, fields["final"])
		if before, ever := last[of]; ever {
			several++
			require.Greater(t, version, before, "%+v", of)
		}
		last[of] = version
		return nil
	}))
	require.Positive(t, several)
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
