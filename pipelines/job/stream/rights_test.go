package stream

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"tributary/pipelines/job"
	"tributary/pipelines/job/topics"
	"tributary/pipelines/spec"
	"tributary/runners/prism"
)

// granted are the rights that `topics --acls` prints commands for.
func granted(t *testing.T, s *spec.Spec) (acls []kfake.ACL) {
	t.Helper()
	kinds := map[string]kmsg.ACLResourceType{"topic": kmsg.ACLResourceTypeTopic, "group": kmsg.ACLResourceTypeGroup, "transactional-id": kmsg.ACLResourceTypeTransactionalId}
	ops := map[string]kmsg.ACLOperation{"Read": kmsg.ACLOperationRead, "Write": kmsg.ACLOperationWrite, "DescribeConfigs": kmsg.ACLOperationDescribeConfigs}
	for _, r := range topics.Rights(s) {
		require.Equal(t, "User:joiner", r.Principal)
		pattern := kmsg.ACLResourcePatternTypeLiteral
		if r.Prefixed {
			pattern = kmsg.ACLResourcePatternTypePrefixed
		}
		for _, op := range r.Operations {
			require.NotZero(t, ops[op])
			acls = append(acls, kfake.ACL{Resource: kinds[r.Resource], Name: r.Name, Pattern: pattern, Operation: ops[op], Allow: true})
		}
	}
	return acls
}

// TestLeastRights: a job, and one that goes on from its log, do all their work with the rights that
// are called the least.
func TestLeastRights(t *testing.T) {
	t.Setenv("TEST_RIGHTS_JOINER", "j")
	t.Setenv("TEST_RIGHTS_ADMIN", "a")
	load := func(address, user, variable string) *spec.Spec {
		s, err := spec.Parse("spec.yaml", fmt.Appendf(nil, `
clusters: {main: {brokers: %q, sasl: {mechanism: scram-sha-512, user: %s, password: {env: %s}}}}
views: {inputs: [{topic: views, format: json}], id: id, time: {field: t, unit: epoch-seconds}}
engagements:
  like: {inputs: [{topic: likes, format: json}], view: view, time: {field: t, unit: epoch-seconds}, id: id, window: 30m}
out_of_orderness: 1m
bucket: 10m
shards: 2
outputs: {samples: {topic: samples, format: json}, orphans: {topic: samples.orphans}}
`, address, user, variable))
		require.NoError(t, err)
		return s
	}
	joiner := load("127.0.0.1:1", "joiner", "TEST_RIGHTS_JOINER")
	fake, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.EnableSASL(), kfake.EnableACLs(), kfake.Superuser("SCRAM-SHA-512", "admin", "a"),
		kfake.User("SCRAM-SHA-512", "joiner", "j", granted(t, joiner)...))
	require.NoError(t, err)
	t.Cleanup(fake.Close)
	joiner = load(fake.ListenAddrs()[0], "joiner", "TEST_RIGHTS_JOINER")
	admin := load(fake.ListenAddrs()[0], "admin", "TEST_RIGHTS_ADMIN")
	_, err = topics.Create(t.Context(), admin, topics.CreateOptions{Inputs: true, Partitions: 2, Replicas: 1})
	require.NoError(t, err)
	opts, err := job.Kafka(&admin.Clusters[0]).Options()
	require.NoError(t, err)
	client, err := kgo.NewClient(opts...)
	require.NoError(t, err)
	t.Cleanup(client.Close)
	began := time.Now().Add(-6 * time.Hour).Unix()
	fill := func(from, to int64) {
		for i := from; i < to; i++ {
			at := began + i*60
			require.NoError(t, client.ProduceSync(t.Context(),
				&kgo.Record{Topic: "views", Value: fmt.Appendf(nil, `{"id":"v%d","t":%d}`, i, at)},
				&kgo.Record{Topic: "likes", Value: fmt.Appendf(nil, `{"id":"e%d","view":"v%d","t":%d}`, i, i-i%3, at+1)},
				&kgo.Record{Topic: "likes", Value: fmt.Appendf(nil, `{"id":"o%d","view":"nobody","t":%d}`, i, at)},
				&kgo.Record{Topic: "views", Value: []byte("no record")},
			).FirstErr())
		}
	}
	written := func() int64 {
		ends, err := kadm.NewClient(client).ListEndOffsets(t.Context(), "samples")
		require.NoError(t, err)
		var sum int64
		ends.Each(func(o kadm.ListedOffset) { sum += o.Offset })
		return sum
	}
	end := Options{Rest: 50 * time.Millisecond, Readers: prism.Readers}
	end.Stop.At = "end"
	fill(0, 120)
	plan, err := New(t.Context(), joiner, end)
	require.NoError(t, err)
	run(t, plan.Pipeline())
	first := written()
	require.Positive(t, first)

	fill(120, 240)
	end.Resume = FromLog
	plan, err = New(t.Context(), joiner, end)
	require.NoError(t, err)
	run(t, plan.Pipeline())
	require.Greater(t, written(), first)
}
