package flink

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	fnpb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/fnexecution_v1"
	pipepb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/pipeline_v1"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"
)

// Two tokens, which must turn up nowhere.
var oneToken, otherToken = strings.Repeat("canary-1", 4), strings.Repeat("canary-2", 4)

func tokenFile(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return file
}

// paramsOf are what the runner of a job hands to a worker pool.
func paramsOf(t *testing.T, token string) map[string]string {
	t.Helper()
	p, s := beam.NewPipelineWithRoot()
	beam.Impulse(s)
	pb, err := marshal(p, "127.0.0.1:1", "v1", token)
	require.NoError(t, err)
	text, err := proto.Marshal(pb)
	require.NoError(t, err)
	require.NotContains(t, string(text), "canary", "the job graph is kept and shown")
	for _, env := range pb.GetComponents().GetEnvironments() {
		var payload pipepb.ExternalPayload
		require.NoError(t, proto.Unmarshal(env.GetPayload(), &payload))
		return payload.GetParams()
	}
	return nil
}

// TestWorkerToken: a pool with tokens starts no worker for whoever does not know one.
func TestWorkerToken(t *testing.T) {
	file := tokenFile(t, oneToken+"\n")
	p := newPool(t, harnesses{})
	p.tokens = func() ([]string, error) { return readTokens(file) }
	start := func(control string, params map[string]string) string {
		r := request("1-1", control)
		r.Params = params
		answer, err := p.StartWorker(t.Context(), r)
		require.NoError(t, err)
		require.NotContains(t, answer.GetError(), "canary")
		return answer.GetError()
	}
	assert.Contains(t, start("a:1", map[string]string{versionParam: "v1"}), errNoProof.Error())
	assert.Contains(t, start("a:1", map[string]string{versionParam: "v1", proofParam: "00"}), errOtherProof.Error())
	assert.Contains(t, start("a:1", paramsOf(t, otherToken)), errOtherProof.Error())
	assert.Contains(t, start("a:1", map[string]string{versionParam: "v1", proofParam: proof(oneToken, "v2")}), errOtherProof.Error(), "of another binary")
	assert.Zero(t, live(p))
	assert.Empty(t, start("a:1", paramsOf(t, oneToken)))
	assert.Equal(t, 1, live(p))

	// A new token beside the old one: jobs of both may restart. Then the old one is gone.
	require.NoError(t, os.WriteFile(file, []byte(otherToken+"\n"+oneToken+"\n"), 0o600))
	assert.Empty(t, start("b:1", paramsOf(t, otherToken)))
	assert.Empty(t, start("c:1", paramsOf(t, oneToken)))
	require.NoError(t, os.WriteFile(file, []byte(otherToken), 0o600))
	assert.Contains(t, start("d:1", paramsOf(t, oneToken)), errOtherProof.Error())
	require.NoError(t, os.Remove(file))
	assert.Contains(t, start("e:1", paramsOf(t, otherToken)), "no such file", "no file is not no token")
}

func TestReadTokens(t *testing.T) {
	for text, want := range map[string]string{"": "is empty", "\n \n": "is empty", "canary": "fewer than 32 characters", oneToken + "\ncanary": "fewer than 32 characters"} {
		_, err := readTokens(tokenFile(t, text))
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "canary")
	}
	require.GreaterOrEqual(t, len(newToken()), shortestToken)
}

// outside is an address that other machines reach.
func outside(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "0.0.0.0:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	return listener.Addr().String()
}

// TestWorkerIsNotOpen: an address that other machines reach needs a token, or the word of whoever
// starts it; profiles have no such address at all.
func TestWorkerIsNotOpen(t *testing.T) {
	serve := func(o WorkerOptions) error {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		o.Version, o.Log, o.Ready = "v1", slog.New(slog.DiscardHandler), func(string, string) { cancel() }
		return Worker(ctx, o)
	}
	for _, listen := range []string{outside(t), ":0"} {
		require.ErrorIs(t, serve(WorkerOptions{Listen: listen}), ErrOpen)
		require.NoError(t, serve(WorkerOptions{Listen: listen, Open: true}))
		require.NoError(t, serve(WorkerOptions{Listen: listen, TokenFile: tokenFile(t, oneToken)}))
		require.ErrorContains(t, serve(WorkerOptions{Listen: listen, TokenFile: tokenFile(t, "x")}), "fewer than 32 characters")
	}
	for _, listen := range []string{"127.0.0.1:0", "localhost:0", "[::1]:0"} {
		if err := serve(WorkerOptions{Listen: listen}); err != nil {
			require.NotErrorIs(t, err, ErrOpen, "a machine may have no IPv6")
		}
	}
	require.ErrorContains(t, serve(WorkerOptions{Listen: "127.0.0.1:0", Profiles: ":0"}), "is reached from other machines")
	require.NoError(t, serve(WorkerOptions{Listen: "127.0.0.1:0", Health: ":0"}))
}

func TestWorkerProfiles(t *testing.T) {
	profiles := outside(t)
	_, port, err := net.SplitHostPort(profiles)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ready, ended := make(chan string, 1), make(chan error, 1)
	go func() {
		ended <- Worker(ctx, WorkerOptions{
			Listen: "127.0.0.1:0", Profiles: "127.0.0.1:" + port, TokenFile: tokenFile(t, oneToken), Version: "v1",
			Log: slog.New(slog.DiscardHandler), Ready: func(listen, _ string) { ready <- listen },
		})
	}()
	listen := <-ready
	resp, err := http.Get("http://127.0.0.1:" + port + "/debug/pprof/") //nolint:noctx // a test's own server
	require.NoError(t, err)
	defer resp.Body.Close() //nolint:errcheck // only read
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Contains(t, string(text), "goroutine")

	// Over the network, as an attacker does it who knows the binary.
	conn, err := grpc.NewClient(listen, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	answer, err := fnpb.NewBeamFnExternalWorkerPoolClient(conn).StartWorker(t.Context(), request("1-1", "attacker:1"))
	require.NoError(t, err)
	assert.Contains(t, answer.GetError(), errNoProof.Error())
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		require.NoError(t, err)
	}
}
