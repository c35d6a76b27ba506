package topics

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"tributary/io/kafkaio/cluster"
	"tributary/io/kafkaio/registry"
	"tributary/pipelines/job"
	"tributary/pipelines/spec"
)

// parse makes a spec of three input topics, one of them shared, with a cluster at an address.
func parse(t *testing.T, address, more string) *spec.Spec {
	t.Helper()
	s, err := spec.Parse("spec.yaml", fmt.Appendf(nil, `
clusters: {main: {brokers: %q}}
views: {inputs: [{topic: views, format: json}, {topic: views-eu, format: json}], id: view_id, time: ts}
engagements:
  like: {inputs: [{topic: clicks, format: json}], where: {kind: like}, view: view_id, time: ts, window: 30m}
  share: {inputs: [{topic: clicks, format: json}], where: {kind: share}, view: view_id, time: ts, window: 1h}
bucket: 10m
out_of_orderness: 2m
shards: 3
%s`, address, more))
	require.NoError(t, err)
	return s
}

const outputs = "outputs: {samples: {topic: samples, format: json}}\n"

func newCluster(t *testing.T, opts ...kfake.Opt) (*kfake.Cluster, string) {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1)}, opts...)...)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c, c.ListenAddrs()[0]
}

func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func statuses(states []State) map[string]Status {
	out := map[string]Status{}
	for _, st := range states {
		out[st.Name] = st.Status
	}
	return out
}

// needed: 2 * window 1h + bucket 10m + 3 * disorder 2m + skew 10s.
const needed = 136*time.Minute + 10*time.Second

func TestNeeded(t *testing.T) {
	got := Needed(parse(t, "k:1", "outputs: {samples: {topic: samples, format: json}, orphans: {topic: o}, time_index: {topic: m}}"))
	require.Equal(t, []Topic{
		{Cluster: "main", Name: "views", Role: "views", Retention: needed},
		{Cluster: "main", Name: "views-eu", Role: "views", Retention: needed},
		{Cluster: "main", Name: "clicks", Role: "like", Retention: needed},
		{Cluster: "main", Name: "samples", Role: "samples", Output: true},
		{Cluster: "main", Name: "samples.late", Role: "late", Output: true},
		{Cluster: "main", Name: "samples.dead", Role: "dead_letters", Output: true},
		{Cluster: "main", Name: "o", Role: "orphans", Output: true},
		{Cluster: "main", Name: "samples.ledger", Role: "commit_log", Output: true, Partitions: 3, Compacted: true},
		{Cluster: "main", Name: "m", Role: "time_index", Output: true, Compacted: true},
		{Cluster: "main", Name: "samples.accounts", Role: "accounts", Output: true, Compacted: true},
	}, got)

	files, err := spec.Load("../../../testdata/specs/feed.yaml")
	require.NoError(t, err)
	require.Empty(t, Needed(files))
}

// TestCreate: outputs only, with the settings that List then finds right; inputs when asked.
func TestCreate(t *testing.T) {
	_, address := newCluster(t)
	s := parse(t, address, outputs)
	states, err := List(soon(t), s)
	require.NoError(t, err)
	for _, st := range states {
		require.Equal(t, Missing, st.Status, st.Name)
	}

	states, err = Create(soon(t), s, CreateOptions{Partitions: 5, Replicas: 1})
	require.NoError(t, err)
	require.Equal(t, map[string]Status{
		"views": Missing, "views-eu": Missing, "clicks": Missing,
		"samples": Created, "samples.late": Created, "samples.dead": Created, "samples.ledger": Created, "samples.marks": Created, "samples.accounts": Created,
	}, statuses(states))

	states, err = Create(soon(t), s, CreateOptions{Inputs: true, Replicas: 1})
	require.NoError(t, err)
	require.Equal(t, Created, statuses(states)["views"])
	require.Equal(t, Exists, statuses(states)["samples"])

	states, err = List(soon(t), s)
	require.NoError(t, err)
	partitions := map[string]int{}
	for _, st := range states {
		require.Equal(t, Exists, st.Status, "%s: %+v", st.Name, st.Differences)
		partitions[st.Name] = st.HasPartitions
		if st.Compacted {
			require.Equal(t, "compact", st.Settings["cleanup.policy"])
			continue
		}
		require.Equal(t, "-1", st.Settings["retention.ms"], st.Name)
		require.Equal(t, "delete", st.Settings["cleanup.policy"])
	}
	require.Equal(t, 3, partitions["samples.ledger"], "a partition a shard")
	require.Equal(t, 1, partitions["samples.marks"])
	require.Equal(t, 1, partitions["samples.accounts"])
	require.Equal(t, 5, partitions["samples"])
}

// TestDifferences: each setting that would lose data, and values that are good enough.
func TestDifferences(t *testing.T) {
	keep := strconv.FormatInt(needed.Milliseconds(), 10)
	less := strconv.FormatInt(needed.Milliseconds()-1, 10)
	for _, c := range []struct {
		name, topic string
		partitions  int32
		settings    map[string]string
		want        []string // settings that differ
	}{
		{"retention exactly as long as needed", "views", 1, map[string]string{"retention.ms": keep}, nil},
		{"retention a millisecond short", "views", 1, map[string]string{"retention.ms": less}, []string{"retention.ms"}},
		{"retention for ever", "views", 1, map[string]string{"retention.ms": "-1"}, nil},
		{"input compacted", "clicks", 1, map[string]string{"cleanup.policy": "compact"}, []string{"cleanup.policy"}},
		{"samples compacted and deleted", "samples", 1, map[string]string{"cleanup.policy": "compact,delete"}, []string{"cleanup.policy"}},
		{"samples kept for a moment", "samples", 1, map[string]string{"retention.ms": "1000"}, nil},
		{"ledger as it should be", "samples.ledger", 3, map[string]string{"cleanup.policy": "compact"}, nil},
		{"ledger deleted by age", "samples.ledger", 3, map[string]string{"cleanup.policy": "delete"}, []string{"cleanup.policy"}},
		{"ledger compacted and deleted", "samples.ledger", 3, map[string]string{"cleanup.policy": "compact,delete"}, []string{"cleanup.policy"}},
		{"ledger with more partitions, of shards before", "samples.ledger", 4, map[string]string{"cleanup.policy": "compact"}, nil},
		{"ledger with fewer partitions", "samples.ledger", 2, map[string]string{"cleanup.policy": "compact"}, []string{"partitions"}},
		{"a time index with any number of partitions", "samples.marks", 2, map[string]string{"cleanup.policy": "compact"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, address := newCluster(t)
			cl, err := kgo.NewClient(kgo.SeedBrokers(address))
			require.NoError(t, err)
			defer cl.Close()
			configs := map[string]*string{}
			for k, v := range c.settings {
				configs[k] = &v
			}
			_, err = kadm.NewClient(cl).CreateTopic(soon(t), c.partitions, 1, configs, c.topic)
			require.NoError(t, err)
			states, err := List(soon(t), parse(t, address, outputs))
			require.NoError(t, err)
			for _, st := range states {
				if st.Name != c.topic {
					require.Equal(t, Missing, st.Status)
					continue
				}
				var got []string
				for _, d := range st.Differences {
					got = append(got, d.Setting)
					require.NotEmpty(t, d.Got)
					require.NotEmpty(t, d.Want)
					require.NotEmpty(t, d.Why)
				}
				require.Equal(t, c.want, got)
				require.Equal(t, map[bool]Status{true: Exists, false: Differs}[len(c.want) == 0], st.Status)
			}
		})
	}
}

// TestCreateLeavesOthersAlone: a topic that differs is not changed, and one that cannot be
// created says why while the others are.
func TestCreateLeavesOthersAlone(t *testing.T) {
	_, address := newCluster(t, kfake.SeedTopics(1, "samples.ledger"))
	states, err := Create(soon(t), parse(t, address, outputs), CreateOptions{Replicas: 30_000})
	require.NoError(t, err)
	for _, st := range states {
		switch {
		case st.Name == "samples.ledger":
			require.Equal(t, Differs, st.Status)
		case st.Output && st.Err == "":
			require.Equal(t, Created, st.Status)
		case st.Output:
			require.Equal(t, Missing, st.Status)
			require.Contains(t, st.Err, "create: ")
		}
	}
	after, err := List(soon(t), parse(t, address, outputs))
	require.NoError(t, err)
	require.Equal(t, Differs, statuses(after)["samples.ledger"], "still as it was")
}

// TestCreatedTopicsAreSeen: Create waits for brokers that hear of new topics a moment later,
// and says so when they never do.
func TestCreatedTopicsAreSeen(t *testing.T) {
	for _, c := range []struct {
		name     string
		unknowns int // how many answers do not know them yet
	}{{"a moment later", 3}, {"never", 1 << 30}} {
		t.Run(c.name, func(t *testing.T) {
			fake, address := newCluster(t)
			left, created := c.unknowns, false
			fake.ControlKey(int16(kmsg.CreateTopics), func(kmsg.Request) (kmsg.Response, error, bool) {
				fake.KeepControl()
				created = true
				return nil, nil, false
			})
			fake.ControlKey(int16(kmsg.Metadata), func(req kmsg.Request) (kmsg.Response, error, bool) {
				fake.KeepControl()
				asked := req.(*kmsg.MetadataRequest).Topics
				if !created || len(asked) == 0 || left == 0 {
					return nil, nil, false
				}
				left--
				resp := req.ResponseKind().(*kmsg.MetadataResponse)
				for _, a := range asked {
					topic := kmsg.NewMetadataResponseTopic()
					topic.Topic, topic.ErrorCode = a.Topic, kerr.UnknownTopicOrPartition.Code
					resp.Topics = append(resp.Topics, topic)
				}
				return resp, nil, true
			})
			ctx, cancel := context.WithTimeout(t.Context(), map[bool]time.Duration{true: 20 * time.Second, false: 500 * time.Millisecond}[c.unknowns < 10])
			defer cancel()
			_, err := Create(ctx, parse(t, address, outputs), CreateOptions{Replicas: 1})
			if c.unknowns < 10 {
				require.NoError(t, err)
				require.Zero(t, left)
				return
			}
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.ErrorContains(t, err, "samples.ledger")
		})
	}
}

func TestUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = l.Close() }() // accepts, and never answers
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	began := time.Now()
	_, err = List(ctx, parse(t, l.Addr().String(), outputs))
	require.ErrorContains(t, err, "cluster main: list topics: ")
	require.Less(t, time.Since(began), 4*time.Second)
}

func TestKafka(t *testing.T) {
	s, err := spec.Parse("conf/spec.yaml", []byte(`
clusters:
  main:
    brokers: ["a:1", "b:2"]
    tls: {ca: ca.pem, cert: c.pem, key: k.pem, server_name: n}
    sasl: {mechanism: plain, user: {file: u}, password: {env: P}, insecure: true}
    registry: {url: ["https://r1", "http://r2"], user: u, password: {file: p}, insecure: true}
views: {inputs: [{topic: views, format: json}], id: view_id, time: ts}
engagements: {like: {inputs: [{topic: clicks, format: json}], view: view_id, time: ts, window: 30m}}
`+outputs))
	require.NoError(t, err)
	require.Equal(t, cluster.Config{
		Name: "main", Brokers: []string{"a:1", "b:2"}, AllowPlaintext: true,
		TLS:  &cluster.TLS{CAFile: "conf/ca.pem", CertFile: "conf/c.pem", KeyFile: "conf/k.pem", ServerName: "n"},
		SASL: &cluster.SASL{Mechanism: cluster.Plain, User: cluster.User{Secret: cluster.Secret{File: "conf/u"}}, Password: cluster.Secret{Env: "P"}},
	}, job.Kafka(&s.Clusters[0]))
	require.Equal(t, &registry.Config{
		URLs: []string{"https://r1", "http://r2"}, User: cluster.User{Name: "u"}, Password: cluster.Secret{File: "conf/p"}, AllowPlaintext: true,
	}, job.Registry(&s.Clusters[0]))
	s.Clusters[0].Registry = &spec.Registry{URLs: []string{"https://r"}, Token: spec.Token{Secret: spec.Secret{Env: "T"}}, TLS: s.Clusters[0].TLS}
	require.Equal(t, &registry.Config{URLs: []string{"https://r"}, Token: cluster.Token{Secret: cluster.Secret{Env: "T"}}, TLS: job.Kafka(&s.Clusters[0]).TLS}, job.Registry(&s.Clusters[0]))
	s.Clusters[0].SASL = &spec.SASL{Mechanism: spec.OAuthBearer, Token: spec.Token{Command: []string{"get"}}, Extensions: map[string]string{"a": "b"}}
	require.Equal(t, &cluster.SASL{Mechanism: cluster.OAuthBearer, Token: cluster.Token{Command: []string{"get"}}, Extensions: map[string]string{"a": "b"}}, job.Kafka(&s.Clusters[0]).SASL)
	s.Clusters[0].SASL = &spec.SASL{Mechanism: spec.AWSMSKIAM, Credentials: []string{"aws"}}
	require.Equal(t, &cluster.SASL{Mechanism: cluster.AWSMSKIAM, Credentials: []string{"aws"}}, job.Kafka(&s.Clusters[0]).SASL)
	require.Equal(t, cluster.Config{Name: "main", Brokers: []string{"k:1"}}, job.Kafka(&parse(t, "k:1", outputs).Clusters[0]))
}

// TestSamplesOfStagesMayBeCompacted: they are versions of views. Those of the last stage alone are not.
func TestSamplesOfStagesMayBeCompacted(t *testing.T) {
	for text, want := range map[string]Status{
		"stages: [1m]\n" + outputs: Exists,
		"stages: [1m, {after: 1h, emit: all}]\noutputs: {samples: {topic: samples, format: json, stages: final}}\n": Differs,
	} {
		_, address := newCluster(t)
		cl, err := kgo.NewClient(kgo.SeedBrokers(address))
		require.NoError(t, err)
		policy := "compact"
		_, err = kadm.NewClient(cl).CreateTopic(soon(t), 1, 1, map[string]*string{"cleanup.policy": &policy}, "samples")
		cl.Close()
		require.NoError(t, err)
		states, err := List(soon(t), parse(t, address, text))
		require.NoError(t, err)
		require.Equal(t, want, statuses(states)["samples"], text)
	}
}
