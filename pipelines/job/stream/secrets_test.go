package stream

import (
	"bytes"
	"encoding/base64"
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/runtime/graphx"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"google.golang.org/protobuf/proto"

	"tributary/pipelines/job/topics"
	"tributary/pipelines/spec"
)

// TestNoSecretInJob: what is submitted to a runner says where secrets are found, and not what they are.
func TestNoSecretInJob(t *testing.T) {
	const secret = "the canary of all secrets"
	t.Setenv("TEST_JOB_SECRET", secret)
	fake, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.EnableSASL(), kfake.Superuser("SCRAM-SHA-512", "joiner", secret))
	require.NoError(t, err)
	t.Cleanup(fake.Close)
	s, err := spec.Parse("spec.yaml", []byte(`
clusters:
  main:
    brokers: "`+fake.ListenAddrs()[0]+`"
    sasl: {mechanism: scram-sha-512, user: joiner, password: {env: TEST_JOB_SECRET}}
    registry: {url: "http://127.0.0.1:1", user: {env: TEST_JOB_SECRET}, password: {env: TEST_JOB_SECRET}, insecure: true}
views: {inputs: [{topic: views, format: json, registry: false}], id: id, time: t}
engagements:
  like: {inputs: [{topic: likes, format: json, registry: false}], view: view, time: t, window: 30m}
outputs: {samples: {topic: samples, format: json, registry: false}}
`))
	require.NoError(t, err)
	_, err = topics.Create(t.Context(), s, topics.CreateOptions{Inputs: true, Partitions: 2, Replicas: 1})
	require.NoError(t, err)
	plan, err := New(t.Context(), s, Options{})
	require.NoError(t, err)
	edges, _, err := plan.Pipeline().Build()
	require.NoError(t, err)
	job, err := graphx.Marshal(edges, &graphx.Options{})
	require.NoError(t, err)
	text, err := proto.Marshal(job)
	require.NoError(t, err)
	require.True(t, holds(text, "TEST_JOB_SECRET"), "where it is found is in there, as this test can see")
	require.False(t, holds(text, secret))
}

// holds tells whether a text is in bytes, as it is or in base64, from whichever of three bytes it begins at: functions are JSON in
// base64 in a job.
func holds(in []byte, text string) bool {
	for _, before := range []string{"", "x", "xx"} {
		encoded := base64.StdEncoding.EncodeToString([]byte(before + text))
		// The first and the last group depend on what stands beside it.
		if bytes.Contains(in, []byte(encoded[4:len(encoded)-4])) {
			return true
		}
	}
	return bytes.Contains(in, []byte(text))
}
