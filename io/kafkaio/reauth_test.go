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
	"tributary/io/kafkaio/internal/kafkatest"
	"tributary/runners/devcluster/services"
)

// lives reads and writes through a cluster, one record and one transaction after another, until
// there were as many authentications as that, and holds the log against what was written.
func lives(t *testing.T, c cluster.Config, enough func() bool) {
	t.Helper()
	client, err := c.Connect(t.Context(), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	require.NoError(t, err)
	t.Cleanup(client.Close)
	b := &kafkatest.Broker{T: t, Brokers: c.Brokers, Client: client, Admin: kadm.NewClient(client)}
	input := b.Topic(1)
	reading := readingOf(b, input)
	reading.Clusters = []cluster.Config{c}
	reading.Stop, reading.SliceTime = Stop{}, 300*time.Millisecond
	s := newSession(t, reading, 0)
	unique := fmt.Sprint(time.Now().UnixNano())
	rig := &writeRig{t: t, dial: kafkatest.NetDial, admin: b.Admin, w: Writing{Cluster: c, Topic: "samples-" + unique, LedgerTopic: "ledger-" + unique, Job: "job-" + unique, Shards: 1}.withDefaults()}
	rig.create(rig.w.Topic, 1, nil)
	rig.create(rig.w.LedgerTopic, 1, map[string]*string{"cleanup.policy": kadm.StringPtr("compact"), "retention.ms": kadm.StringPtr("-1")})
	opts, err := c.Options()
	require.NoError(t, err)
	writers, err := newJobWriters(rig.w, opts, newWriterPool())
	require.NoError(t, err)
	t.Cleanup(writers.closeIdle)
	var want []string
	deadline := time.Now().Add(time.Minute)
	written := 0
	for ; !enough(); written++ {
		require.True(t, time.Now().Before(deadline), "stuck")
		b.Produce(input, 0, at(int64(1000+written)))
		s.until(func() bool { return len(records(t, s.batches)) == written+1 })
		acks, err := writers.write(t.Context(), 0, []*group{makeGroup(t, 0, int64(written)*60_000, 1, 0)})
		require.NoError(t, err)
		require.Equal(t, []Committed{{Shard: 0, ID: int64(written) * 60_000, Version: 1, Records: 1}}, acks)
		want = append(want, sampleLines(0, int64(written)*60_000, 1, 0, 1)...)
	}
	require.Equal(t, logOf(b, input), records(t, s.batches))
	require.ElementsMatch(t, want, rig.samples())
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
