package preflight

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"tributary/pipelines/job/topics"
	"tributary/pipelines/spec"
)

const outputs = "outputs: {samples: {topic: samples, format: json}}\n"

// parse makes a spec of JSON topics; more has the outputs and further sections.
func parse(t *testing.T, cluster, more string) *spec.Spec {
	t.Helper()
	views := "views: {inputs: [{topic: views, format: json}], id: view_id, time: ts}\n"
	if strings.Contains(more, "views:") {
		views = ""
	}
	s, err := spec.Parse("spec.yaml", []byte("clusters:\n  main:\n    "+cluster+"\n"+views+`
engagements:
  like: {inputs: [{topic: clicks, format: json}], view: view_id, time: ts, window: 30m}
shards: 3
`+more))
	require.NoError(t, err)
	return s
}

func at(addresses ...string) string {
	return `brokers: ["` + strings.Join(addresses, `", "`) + `"]`
}

func newCluster(t *testing.T, opts ...kfake.Opt) (*kfake.Cluster, string) {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1), kfake.DefaultNumPartitions(4)}, opts...)...)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c, c.ListenAddrs()[0]
}

func create(t *testing.T, s *spec.Spec) {
	t.Helper()
	states, err := topics.Create(t.Context(), s, topics.CreateOptions{Inputs: true, Replicas: 1})
	require.NoError(t, err)
	for _, st := range states {
		require.Empty(t, st.Err, st.Name)
	}
}

// lines are findings in short: "problem topic views".
func lines(findings []Finding, statuses ...Status) []string {
	out := []string{}
	for _, f := range findings {
		for _, s := range statuses {
			if f.Status == s {
				out = append(out, fmt.Sprintf("%s %s %s", f.Status, f.Step, f.Target))
			}
		}
	}
	return out
}

func find(t *testing.T, findings []Finding, step, target string) Finding {
	t.Helper()
	for _, f := range findings {
		if f.Step == step && f.Target == target {
			return f
		}
	}
	require.Failf(t, "no finding", "%s %s among:\n%s", step, target, Text(findings))
	return Finding{}
}

func check(t *testing.T, s *spec.Spec, targets Targets) []Finding {
	t.Helper()
	found := Check(t.Context(), s, targets)
	for _, f := range found {
		require.NotEmpty(t, f.Step)
		require.NotEmpty(t, f.Target)
		require.NotEmpty(t, f.Detail, f.Target)
		if f.Status == Problem || f.Status == Warning {
			require.NotEmpty(t, f.Fix, "%+v", f)
		}
	}
	return found
}

func TestAllIsWell(t *testing.T) {
	_, address := newCluster(t)
	s := parse(t, at(address), outputs)
	create(t, s)
	found := check(t, s, Targets{})
	require.True(t, Passed(found), Text(found))
	require.Equal(t, []string{
		"ok broker " + address, "ok sign-in main",
		"ok topic views", "ok topic clicks", "ok topic samples", "ok topic samples.late", "ok topic samples.dead", "ok topic samples.ledger", "ok topic samples.marks", "ok topic samples.accounts",
		"ok rights main", "ok transactions samples-check", "ok transaction.version main",
	}, lines(found, OK, Warning, Problem, Skipped))
	require.Contains(t, find(t, found, "topic", "samples.ledger").Detail, "partitions: 3, replicas: 1, compacted")
	require.Contains(t, find(t, found, "topic", "views").Detail, "kept for ever")
}

// TestFilesBesideTopics: files among the inputs are no topic of any cluster, and readers are held against the partitions there are.
func TestFilesBesideTopics(t *testing.T) {
	_, address := newCluster(t)
	s := parse(t, at(address), "views: {inputs: views/*.jsonl, id: view_id, time: ts}\n"+outputs+"stream: {source_parallelism: 7}\n")
	create(t, s)
	found := check(t, s, Targets{})
	require.Contains(t, find(t, found, "readers", "main").Detail, "7 readers for ")
	require.NotContains(t, lines(found, OK, Warning, Problem), "ok topic views")
}

func TestTopics(t *testing.T) {
	_, address := newCluster(t, kfake.SeedTopics(1, "vews"))
	for name, configs := range map[string]map[string]string{"clicks": {"retention.ms": "60000", "retention.bytes": "5"}, "samples.ledger": {"max.message.bytes": "1000"}} {
		createTopic(t, address, name, configs)
	}
	found := check(t, parse(t, at(address), outputs+"stream: {source_parallelism: 7}\n"), Targets{})
	require.Equal(t, []string{
		"problem topic views", "problem topic clicks", "problem topic samples", "problem topic samples.late", "problem topic samples.dead",
		"problem topic samples.ledger", "problem topic samples.ledger", "problem topic samples.marks", "problem topic samples.accounts",
	}, lines(found, Problem))
	views := find(t, found, "topic", "views")
	require.Contains(t, views.Fix, "is it vews?")
	require.Contains(t, views.Fix, "--create --inputs")
	for _, f := range found {
		require.NotContains(t, f.Fix, "is it "+f.Target, "not itself")
	}
	require.Equal(t, "tributary topics spec.yaml --create", find(t, found, "topic", "samples").Fix)
	clicks := find(t, found, "topic", "clicks")
	require.Contains(t, clicks.Detail, "retention.ms is 60000, and must be at least 4090000 (1h8m10s)")
	require.Contains(t, clicks.Fix, "--add-config retention.ms=-1")
	var ledger []string
	for _, f := range found {
		if f.Target == "samples.ledger" {
			ledger = append(ledger, f.Detail)
		}
	}
	text := strings.Join(ledger, "\n")
	require.Contains(t, text, "partitions is 1, and must be at least 3")
	require.Contains(t, text, "cleanup.policy is delete, and must be compact")
	require.Contains(t, text, "max.message.bytes is 1000: larger samples become dead letters")
	require.Contains(t, find(t, found, "readers", "main").Detail, "7 readers for 1 partitions")
}

// TestClocks: timestamps that nobody checks are no guard against a clock that is years ahead.
func TestClocks(t *testing.T) {
	for _, tt := range []struct {
		name, stream string
		settings     map[string]string
		want         []string
	}{
		{"any timestamp", "", map[string]string{"message.timestamp.after.max.ms": "9223372036854775807"}, []string{"warning topic views"}},
		{"an hour ahead", "", map[string]string{"message.timestamp.after.max.ms": "3600000"}, []string{}},
		{"the broker's clock", "", map[string]string{"message.timestamp.after.max.ms": "9223372036854775807", "message.timestamp.type": "LogAppendTime"}, []string{}},
		{"not asked for", ", max_future_skew: never", map[string]string{"message.timestamp.after.max.ms": "9223372036854775807"}, []string{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, address := newCluster(t)
			createTopic(t, address, "views", tt.settings)
			createTopic(t, address, "clicks", map[string]string{"message.timestamp.after.max.ms": "3600000"})
			s := parse(t, at(address), outputs+"stream: {source_parallelism: 2"+tt.stream+"}\n")
			create(t, s)
			require.Equal(t, tt.want, lines(check(t, s, Targets{}), Warning, Problem))
		})
	}
}

func createTopic(t *testing.T, address, name string, configs map[string]string) {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(address))
	require.NoError(t, err)
	defer cl.Close()
	set := map[string]*string{}
	for key, value := range configs {
		set[key] = &value
	}
	_, err = kadm.NewClient(cl).CreateTopic(t.Context(), 1, 1, set, name)
	require.NoError(t, err)
}

// silent accepts connections and never answers; closed is an address where nothing listens.
func silent(t *testing.T) (address, closed string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, gone.Close())
	return l.Addr().String(), gone.Addr().String()
}

// TestUnreachable: every step ends by itself, and what needs an earlier one is skipped.
func TestUnreachable(t *testing.T) {
	hung, closed := silent(t)
	began := time.Now()
	found := check(t, parse(t, at(closed), outputs), Targets{Timeout: 500 * time.Millisecond, Flink: closed, JobServer: closed})
	require.Equal(t, []string{"problem broker " + closed, "problem flink " + closed, "problem job server " + closed}, lines(found, Problem))
	require.Equal(t, []string{"skipped sign-in main", "skipped topic main", "skipped rights main", "skipped transactions main"}, lines(found, Skipped))

	var told []string
	found = check(t, parse(t, at(hung), outputs), Targets{Timeout: 500 * time.Millisecond, Flink: hung, JobServer: hung, Progress: func(step, target string) {
		told = append(told, step+" "+target)
	}})
	require.Equal(t, []string{"problem sign-in main", "problem flink " + hung, "problem job server " + hung}, lines(found, Problem), Text(found))
	require.Contains(t, find(t, found, "flink", hung).Detail, "no answer within 500ms")
	require.Equal(t, []string{"brokers main", "sign-in main", "flink " + hung, "job server " + hung}, told)
	require.Less(t, time.Since(began), 8*time.Second)
}

// TestOneBrokerOfSeveral: the rest is checked with those that answer.
func TestOneBrokerOfSeveral(t *testing.T) {
	_, address := newCluster(t)
	_, closed := silent(t)
	s := parse(t, at(closed, address), outputs)
	create(t, s)
	found := check(t, s, Targets{})
	require.Equal(t, []string{"problem broker " + closed}, lines(found, Problem), Text(found))
	require.Equal(t, OK, find(t, found, "rights", "main").Status)
}

// TestAdvertisedAddress: brokers that name themselves by an address nobody can reach.
func TestAdvertisedAddress(t *testing.T) {
	c, address := newCluster(t)
	_, closed := silent(t)
	host, port, err := net.SplitHostPort(closed)
	require.NoError(t, err)
	c.ControlKey(int16(kmsg.Metadata), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		resp := req.ResponseKind().(*kmsg.MetadataResponse)
		b := kmsg.NewMetadataResponseBroker()
		b.Host = host
		_, err := fmt.Sscan(port, &b.Port)
		resp.Brokers = append(resp.Brokers, b)
		return resp, err, true
	})
	found := check(t, parse(t, at(address), outputs), Targets{Timeout: 500 * time.Millisecond})
	f := find(t, found, "advertised broker", closed)
	require.Equal(t, Problem, f.Status)
	require.Contains(t, f.Fix, "advertised.listeners")
}

// TestStepsAreBounded: one that does not look at its context is not waited for, one that
// says itself that it ran out of time is.
func TestStepsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		end := make(chan struct{})
		ctx, cancel := context.WithTimeoutCause(t.Context(), StepTimeout, errors.New("no answer within 5s"))
		defer cancel()
		began := time.Now()
		found := bounded(ctx, func(context.Context) []Finding { <-end; return nil })
		require.Equal(t, StepTimeout+grace, time.Since(began))
		require.Equal(t, Problem, found[0].Status)
		require.Equal(t, "no answer within 5s", found[0].Detail)
		require.NotEmpty(t, found[0].Fix)
		close(end)

		found = bounded(ctx, func(ctx context.Context) []Finding { <-ctx.Done(); return []Finding{{Detail: "mine"}} })
		require.Equal(t, "mine", found[0].Detail)
	})
}

func TestStopped(t *testing.T) {
	_, address := newCluster(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	found := Check(ctx, parse(t, at(address), outputs), Targets{Flink: "127.0.0.1:1"})
	require.NotEmpty(t, found)
	require.Empty(t, lines(found, OK, Warning, Problem))
}
