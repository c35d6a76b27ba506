package kafkaio

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"tributary/io/kafkaio/cluster"
	"tributary/io/kafkaio/commitlog"
	"tributary/io/kafkaio/internal/kafkatest"
	"tributary/io/kafkaio/sink"
	"tributary/io/kafkaio/source"
	"tributary/io/record"
	"tributary/runners/devcluster/services"
)

// lives reads and writes through a cluster, one record and one transaction after another, until
// there were as many authentications as that, and holds the log against what was written.
func lives(t *testing.T, c cluster.Config, enough func() bool) {
	t.Helper()
	opts, err := c.Options()
	require.NoError(t, err)
	topics := kafkatest.NewTopicsOn(t, 1, c.Brokers, nil, opts...)
	topics.Create("views", 1, nil)
	client := mustConnect(t, c)
	reading := source.Config{
		Job: topics.Job, Clusters: []cluster.Config{c}, Topics: []source.Topic{{Name: "views", Format: source.JSON, Time: source.Field{Path: "t", Unit: record.UnitEpochMs}, Inputs: []int32{0}}},
		Readers: 1, PollBudget: 300 * time.Millisecond,
	}
	at, err := reading.Initial(t.Context(), 0)
	require.NoError(t, err)
	reader, err := source.NewReader(t.Context(), reading, 0)
	require.NoError(t, err)
	defer reader.Close()
	tracked, read := source.NewTracker(at), 0
	out := source.Output{
		Claim:  func(c source.Claim) bool { return tracked.TryClaim(c) },
		Batch:  func(_ int64, b record.Batch) { read += int(b.Count) },
		Reject: func(_ int64, r record.Rejected) { t.Errorf("rejected: %v", r) },
	}
	writers, err := sink.NewWriters(sink.Config{Cluster: c, Topic: topics.Topic, CommitLog: topics.CommitLog, Job: topics.Job, Shards: 1})
	require.NoError(t, err)
	defer writers.CloseIdle()
	var want []string
	deadline := time.Now().Add(time.Minute)
	for written := 0; !enough(); written++ {
		require.True(t, time.Now().Before(deadline), "stuck")
		require.NoError(t, client.ProduceSync(t.Context(), &kgo.Record{Topic: "views", Value: fmt.Appendf(nil, `{"t":%d}`, 1000+written)}).FirstErr())
		for read <= written {
			_, err := reader.Poll(t.Context(), tracked.GetRestriction().(source.Restriction), time.Now().Add(reading.PollBudget), out)
			require.NoError(t, err)
			require.True(t, time.Now().Before(deadline), "stuck")
		}
		var b sink.Bundle
		_, err := b.Add(sink.Group{ID: int64(written), Last: true, Records: sink.AppendRecord(nil, []byte("k"), fmt.Append(nil, written), sink.NoTimestamp)})
		require.NoError(t, err)
		acks, err := writers.Write(t.Context(), 0, &b)
		require.NoError(t, err)
		require.Equal(t, []sink.Ack{{Committed: commitlog.Committed{ID: int64(written), Version: 1, Records: 1}}}, acks)
		want = append(want, fmt.Sprintf("k=%d v1", written))
	}
	require.ElementsMatch(t, want, topics.Samples())
}

// TestReauthentication: a broker asks for the password anew every second and a half (KIP-368), and
// the password changes meanwhile. The connections stay.
func TestReauthentication(t *testing.T) {
	file := filepath.Join(t.TempDir(), "password")
	require.NoError(t, os.WriteFile(file, []byte(kafkatest.Canary), 0o600))
	fake := kfake.MustCluster(kfake.NumBrokers(1), kfake.EnableSASL(), kfake.Superuser(string(cluster.ScramSHA512), "user", kafkatest.Canary),
		kfake.BrokerConfigs(map[string]string{"connections.max.reauth.ms": "1500"}))
	t.Cleanup(fake.Close)
	var authentications, connections atomic.Int32
	fake.ControlKey(int16(kmsg.SASLHandshake), func(kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		authentications.Add(1)
		return nil, nil, false
	})
	fake.ControlKey(int16(kmsg.ApiVersions), func(kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		connections.Add(1) // each begins with it
		return nil, nil, false
	})
	c := cluster.Config{Brokers: fake.ListenAddrs(), SASL: &cluster.SASL{Mechanism: cluster.ScramSHA512, User: cluster.User{Name: "user"}, Password: cluster.Secret{File: file}}}
	changed := false
	lives(t, c, func() bool {
		again := authentications.Load() - connections.Load()
		if again > 10 && !changed {
			changed = true
			change := kadm.NewClient(mustConnect(t, c))
			_, err := change.AlterUserSCRAMs(t.Context(), nil, []kadm.UpsertSCRAM{{User: "user", Mechanism: kadm.ScramSha512, Iterations: 4096, Password: kafkatest.Canary + "-new"}})
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(file, []byte(kafkatest.Canary+"-new"), 0o600))
		}
		return again > 30
	})
}

func mustConnect(t *testing.T, c cluster.Config) *kgo.Client {
	t.Helper()
	client, err := c.Connect(t.Context())
	require.NoError(t, err)
	t.Cleanup(client.Close)
	return client
}

// TestTokens holds against a broker of Kafka's own, which takes unsigned tokens and asks for a new
// one after 5 s, or when the one at hand expires.
func TestTokens(t *testing.T) {
	service := services.Service{Name: "kafka", Data: t.TempDir(), Env: []string{"KAFKA_TOKENS=1"}, Owned: true, Log: os.Stderr}
	address, err := service.Start(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, service.Stop(context.WithoutCancel(t.Context()))) })
	dir := t.TempDir()
	// What gives out tokens: it counts them, and each is good for four seconds.
	counted := filepath.Join(dir, "counted")
	script := filepath.Join(dir, "token.sh")
	require.NoError(t, os.WriteFile(script, []byte(`#!/bin/sh
echo x >>"$1"
part() { printf %s "$1" | base64 | tr -d '=\n' | tr '+/' '-_'; }
now=$(date +%s)
echo "$(part '{"alg":"none"}').$(part "{\"sub\":\"joiner\",\"iat\":$now,\"exp\":$((now + 4))}")."
`), 0o700)) //nolint:gosec // it is run
	c := cluster.Config{
		Brokers: []string{address.Part("tokens")}, AllowPlaintext: true,
		SASL: &cluster.SASL{Mechanism: cluster.OAuthBearer, Token: cluster.Token{Command: []string{script, counted}}, Extensions: map[string]string{"pool": "a b"}},
	}
	lives(t, c, func() bool {
		text, err := os.ReadFile(counted)
		require.NoError(t, err)
		return strings.Count(string(text), "x") >= 5
	})

	t.Run("an expired token", func(t *testing.T) {
		file := filepath.Join(dir, "token")
		require.NoError(t, os.WriteFile(file, []byte(kafkatest.Unsigned("joiner", time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour))), 0o600))
		c := c
		c.SASL = &cluster.SASL{Mechanism: cluster.OAuthBearer, Token: cluster.Token{Secret: cluster.Secret{File: file}}}
		_, err := c.Connect(t.Context())
		require.ErrorIs(t, err, kerr.SaslAuthenticationFailed)
		require.ErrorIs(t, err, cluster.ErrTokenRefused)
		require.ErrorContains(t, err, "invalid_token")
		require.NoError(t, os.WriteFile(file, []byte(kafkatest.Unsigned("joiner", time.Now(), time.Now().Add(time.Hour))), 0o600))
		mustConnect(t, c)
	})
}
