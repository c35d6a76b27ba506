package exporter

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"

	"tributary/io/kafkaio/cluster"
	"tributary/pipelines/audit"
	"tributary/pipelines/job/stream"
	"tributary/pipelines/job/topics"
	"tributary/pipelines/live"
	"tributary/pipelines/sim/generate/generatetest"
	"tributary/pipelines/sim/replay"
	"tributary/pipelines/spec"
	"tributary/runners/prism"
	"tributary/transforms/account"
)

func TestMain(m *testing.M) {
	flag.Parse()
	beam.Init()
	os.Exit(m.Run())
}

// rig is a stream that has ended, with the broker that its topics are on.
type rig struct {
	*testing.T
	spec    *spec.Spec
	brokers []string
	fake    *kfake.Cluster
	// before is a scrape before the stream began.
	before []byte
}

// newRig makes input in which all goes wrong that can, in topics, and has a stream of two stages join it until no more comes.
func newRig(t *testing.T) *rig {
	t.Helper()
	dir := generatetest.Hard(t, 400, 12*time.Minute)
	fake, err := kfake.NewCluster(kfake.NumBrokers(1))
	require.NoError(t, err)
	t.Cleanup(fake.Close)
	r := &rig{T: t, brokers: fake.ListenAddrs(), fake: fake}
	text, err := os.ReadFile(dir + "/spec.yaml")
	require.NoError(t, err)
	edited := strings.NewReplacer(
		"{path: views/*.avro, order: file}", "{topic: views, format: avro, schema: view.avsc}",
		"{path: engagements/*.avro, order: file}", "{topic: engagements, format: avro, schema: engagement.avsc}",
		"samples: out/samples", "samples: [{topic: samples}, {path: out/samples}]",
		"clock_skew:", fmt.Sprintf("shards: 3\nbucket: 1m\nclusters: {main: {brokers: [%q]}}\nstream: {name: made, idle_timeout: never, source_parallelism: 2}\nstages: [10s]\nclock_skew:", r.brokers[0]),
	).Replace(string(text))
	r.spec, err = spec.Parse(dir+"/stream.yaml", []byte(edited))
	require.NoError(t, err)
	_, err = topics.Create(t.Context(), r.spec, topics.CreateOptions{Inputs: true, Partitions: 3, Replicas: 1})
	require.NoError(t, err)
	r.before = scraped(t, r.exporter(Options{Flink: flinkServer(t), Job: "JOB"}))
	r.publish(dir)
	r.stream()
	return r
}

// publish writes the input to the topics.
func (r *rig) publish(dir string) {
	for _, topic := range []string{"views", "engagements"} {
		from, err := replay.Open(r.Context(), dir+"/"+topic, topic, "ts")
		require.NoError(r, err)
		require.NoError(r, replay.Run(r.Context(), cluster.Config{Brokers: r.brokers}, replay.Options{}, from))
	}
}

// stream runs the stream until it has read all that the topics hold.
func (r *rig) stream() {
	plan, err := stream.New(r.Context(), r.spec, stream.Options{Rest: 50 * time.Millisecond, Readers: prism.Readers})
	require.NoError(r, err)
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Minute)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- prism.Run(ctx, plan.Pipeline()) }()
	before := int64(0)
	require.Eventually(r, func() bool {
		seen, err := stream.Look(r.Context(), r.spec, 0)
		if err != nil {
			return false
		}
		n := int64(0)
		for _, stage := range seen.Report.Accounts.Stages {
			n += stage.N[account.Samples]
		}
		same := seen.Report.Accounts.Views.N[account.Samples] > 0 && n == before
		before = n
		completes, err := audit.Completes(r.Context(), r.spec)
		none := func(of audit.Complete) bool { return of.Before.IsZero() }
		return same && err == nil && len(completes) == 4 && !slices.ContainsFunc(completes, none)
	}, time.Minute, time.Second)
	cancel()
	require.Error(r, <-ended, "it was ended")
}

// exporter is one that has read all there is.
func (r *rig) exporter(opt Options) *Exporter {
	r.Helper()
	opt.Log, opt.Version = slog.New(slog.DiscardHandler), "v7"
	e, err := New(r.spec, opt)
	require.NoError(r, err)
	e.Read(r.Context())
	return e
}

// families are what a scrape gets, by name.
func families(t *testing.T, e *Exporter) map[string]*dto.MetricFamily {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(e)
	gathered, err := registry.Gather()
	require.NoError(t, err)
	all := map[string]*dto.MetricFamily{}
	for _, f := range gathered {
		all[f.GetName()] = f
	}
	return all
}

// values are the series of a family by the values of their labels, in the order of their names: without the stream's.
func values(f *dto.MetricFamily) map[string]float64 {
	all := map[string]float64{}
	for _, m := range f.GetMetric() {
		var labels []string
		for _, l := range m.GetLabel() {
			if l.GetName() != "stream" {
				labels = append(labels, l.GetValue())
			}
		}
		all[strings.Join(labels, " ")] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
	}
	return all
}

// flinkServer answers as a Flink cluster that runs a job.
func flinkServer(t *testing.T) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.Trim(strings.ReplaceAll(r.URL.Path, "/", "_"), "_") + ".json"
		text, err := os.Open(filepath.Join("..", "..", "..", "runners", "flink", "testdata", "rest", name))
		if err != nil {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		defer text.Close() //nolint:errcheck // only read
		_, _ = io.Copy(w, text)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func withTimeout(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// labelled is the value of a label.
func labelled(m *dto.Metric, name string) string {
	for _, l := range m.GetLabel() {
		if l.GetName() == name {
			return l.GetValue()
		}
	}
	return ""
}

// series is the value of the one series of a family that has the outcome or count, and the kind or stage.
func series(f *dto.MetricFamily, count, of string) float64 {
	for _, m := range f.GetMetric() {
		if labelled(m, "outcome")+labelled(m, "count") == count && labelled(m, "kind")+labelled(m, "stage") == of {
			return m.GetGauge().GetValue()
		}
	}
	return -1
}

// watching is a watch of a stream.
func watching(t *testing.T, s *spec.Spec, opt live.Options) *live.Watch {
	t.Helper()
	w, err := live.New(s, opt)
	require.NoError(t, err)
	return w
}
