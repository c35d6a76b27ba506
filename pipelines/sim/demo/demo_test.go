package demo

import (
	"context"
	"flag"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/pipelines/spec"
	"tributary/pipelines/why"
)

func TestMain(m *testing.M) {
	flag.Parse()
	beam.Init()
	os.Exit(m.Run())
}

// quick is a demonstration that does not wait.
func quick(t *testing.T) (Options, *strings.Builder) {
	t.Helper()
	t.Setenv("TMPDIR", t.TempDir())
	log := &strings.Builder{}
	return Options{Views: 600, Seed: 3, Log: log}, log
}

func TestRun(t *testing.T) {
	opt, log := quick(t)
	opt.Keep = t.TempDir()
	r, err := Run(t.Context(), opt)
	require.NoError(t, err)
	require.True(t, r.Exact, "%+v", r)
	require.True(t, r.Right(), "%+v", r.Audit)
	audited := r.Audit.Sinks[0].Stages[0].Counts
	require.Greater(t, audited.Equal, r.Views.Samples.Truth/2)
	require.Equal(t, r.Views.Samples.Truth, audited.Equal+audited.NotClosed)
	require.Equal(t, why.Positive, r.Why.Outcome)
	// Every fault is in the traffic, or the balance would say little.
	for _, row := range r.rows() {
		require.Positive(t, row.Truth, row.name)
	}
	v := r.Views
	require.Equal(t, v.Sent.Truth, v.Samples.Truth+v.Duplicates.Truth+v.Late.Truth+v.Dead.Truth)
	require.Contains(t, log.String(), "and joined in this process")
	require.Contains(t, log.String(), "a page shows it: http://127.0.0.1:")

	s, err := spec.Load(opt.Keep + "/stream.yaml")
	require.NoError(t, err)
	require.True(t, s.Streams())
	var text strings.Builder
	require.NoError(t, r.Text(&text))
	require.Contains(t, text.String(), "each of 591 samples is there once, with the labels of the truth")
	require.Contains(t, text.String(), "kept in "+opt.Keep)
	require.Contains(t, text.String(), "\nno findings: the samples are what a join of the same records gives; ")
	require.Contains(t, text.String(), "\nwhy "+r.Why.ID+": what became of one view\n")
	require.Contains(t, text.String(), " is a positive: ")
}

// TestAuditFinds has the audit look at samples of which one was written twice since they were held against the truth.
func TestAuditFinds(t *testing.T) {
	opt, _ := quick(t)
	traffic, err := makeTraffic(t.Context(), opt, t.TempDir())
	require.NoError(t, err)
	on, err := newProcess(0)
	require.NoError(t, err)
	t.Cleanup(on.cluster.Close)
	r, err := show(t.Context(), opt, traffic, on)
	require.NoError(t, err)
	require.True(t, r.Right())

	client, err := kgo.NewClient(kgo.SeedBrokers(on.broker()), kgo.ConsumeTopics("samples"), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	require.NoError(t, err)
	t.Cleanup(client.Close)
	first := client.PollFetches(t.Context()).Records()[0]
	again := &kgo.Record{Topic: first.Topic, Partition: first.Partition, Key: first.Key, Value: first.Value, Headers: first.Headers}
	require.NoError(t, client.ProduceSync(t.Context(), again).FirstErr())
	s, err := spec.Load(traffic.dir + "/stream.yaml")
	require.NoError(t, err)
	require.NoError(t, r.look(t.Context(), s, &tally{}, traffic.truth))
	require.True(t, r.Exact)
	require.False(t, r.Right(), "%+v", r.Audit)
	require.EqualValues(t, 1, r.Audit.Sinks[0].Stages[0].Doubled)
	var text strings.Builder
	require.NoError(t, r.Text(&text))
	require.Contains(t, text.String(), "topic samples: 1 finding\n")
}

// TestRunOfOne: where nothing is decided there is nothing to audit, and nothing wrong.
func TestRunOfOne(t *testing.T) {
	opt, _ := quick(t)
	opt.Views = 1
	r, err := Run(t.Context(), opt)
	require.NoError(t, err)
	require.True(t, r.Right(), "%+v", r)
	var text strings.Builder
	require.NoError(t, r.Text(&text))
	require.Contains(t, text.String(), "audit: ")
}

// TestRunInexact holds what a join writes against a truth that is another.
func TestRunInexact(t *testing.T) {
	opt, _ := quick(t)
	traffic, err := makeTraffic(t.Context(), opt, t.TempDir())
	require.NoError(t, err)
	samples, changed := traffic.truth.samples, 0
	for id, want := range samples {
		switch changed {
		case 0: // its sample is one that nobody knows
			delete(samples, id)
		case 1:
			want.Positive = !want.Positive
			samples[id] = want
		case 2: // two that never come
			samples["no such view"], samples["nor this"] = want, want
		}
		changed++
	}
	on, err := newProcess(0)
	require.NoError(t, err)
	t.Cleanup(on.cluster.Close)
	r, err := show(t.Context(), opt, traffic, on)
	require.NoError(t, err)
	require.False(t, r.Exact)
	require.NotEmpty(t, r.Samples.First)
	r.Samples.First = ""
	require.Equal(t, Samples{Missing: 2, Unknown: 1, Differing: 1}, r.Samples)
	var text strings.Builder
	require.NoError(t, r.Text(&text))
	require.Contains(t, text.String(), "NOT EXACT: 2 samples missing, 0 repeated, 1 unknown, 1 differing")
}

// stopper ends a context when it is told the first line.
type stopper struct{ stop context.CancelFunc }

func (s stopper) Write(p []byte) (int, error) {
	s.stop()
	return len(p), nil
}

func TestRunStopped(t *testing.T) {
	opt, _ := quick(t)
	ctx, stop := context.WithCancel(t.Context())
	opt.Sending, opt.Log = time.Hour, stopper{stop}
	_, err := Run(ctx, opt)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorContains(t, err, "stopped with ")
	left, err := filepath.Glob(filepath.Join(os.TempDir(), "tributary-demo-*"))
	require.NoError(t, err)
	require.Empty(t, left, "the made input")
}

func TestRunPortTaken(t *testing.T) {
	opt, _ := quick(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, taken.Close()) })
	opt.Port = taken.Addr().(*net.TCPAddr).Port
	_, err = Run(t.Context(), opt)
	require.ErrorContains(t, err, "broker in this process: listen tcp 127.0.0.1:")
	require.ErrorContains(t, err, "address already in use")
}

func TestValidate(t *testing.T) {
	for name, test := range map[string]struct {
		opt  Options
		want string
	}{
		"no views":          {Options{}, "views: must be 1 to"},
		"too many for here": {Options{Views: mostHere + 1}, "views: must be 1 to"},
		"negative time":     {Options{Views: 1, Sending: -1}, "for: must be 0 to 1h"},
		"port":              {Options{Views: 1, Port: 65536}, "port: must be 0 to 65535, got 65536"},
		"port of real":      {Options{Views: 1, Port: 9092, Real: true}, "real Kafka has its own"},
	} {
		t.Run(name, func(t *testing.T) { require.ErrorContains(t, test.opt.Validate(), test.want) })
	}
	require.NoError(t, (&Options{Views: mostHere + 1, Real: true}).Validate())
}

// TestSpecAgrees compares what is made with what the join is told.
func TestSpecAgrees(t *testing.T) {
	opt, _ := quick(t)
	traffic, err := makeTraffic(t.Context(), opt, t.TempDir())
	require.NoError(t, err)
	on, err := newProcess(0)
	require.NoError(t, err)
	t.Cleanup(on.cluster.Close)
	s, err := traffic.spec(t.Context(), on)
	require.NoError(t, err)
	c := &traffic.config
	require.Equal(t, c.OutOfOrderness, s.OutOfOrderness)
	require.Equal(t, c.ClockSkew, s.ClockSkew)
	require.Len(t, s.Engagements, len(c.Kinds))
	for _, k := range c.Kinds {
		require.Equal(t, k.Window, s.Engagement(k.Name).Window, k.Name)
	}
}
