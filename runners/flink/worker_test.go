package flink

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	fnpb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/fnexecution_v1"
	pipepb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/pipeline_v1"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"tributary/pipelines/metrics"
)

// request asks for a worker as the runner of a job submitted by version v1 does.
func request(id, control string) *fnpb.StartWorkerRequest {
	return &fnpb.StartWorkerRequest{
		WorkerId:        id,
		ControlEndpoint: &pipepb.ApiServiceDescriptor{Url: control},
		LoggingEndpoint: &pipepb.ApiServiceDescriptor{Url: control},
		Params:          map[string]string{versionParam: "v1"},
	}
}

// harnesses stand for the runners that workers of a pool serve: one hangs up when it is sent an error.
type harnesses map[string]chan error

func newPool(t *testing.T, served harnesses) *pool {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := startPool(listener, "v1", func() ([]string, error) { return nil, nil }, slog.New(slog.DiscardHandler), unseen())
	p.run = func(ctx context.Context, r *fnpb.StartWorkerRequest) error {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-served[r.GetControlEndpoint().GetUrl()]:
			return err
		}
	}
	t.Cleanup(func() { require.NoError(t, p.stop(context.Background())) })
	return p
}

func live(p *pool) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.live)
}

func TestPoolRefuses(t *testing.T) {
	with := func(change func(*fnpb.StartWorkerRequest)) *fnpb.StartWorkerRequest {
		r := request("1-1", "a:1")
		change(r)
		return r
	}
	tests := []struct {
		name    string
		request *fnpb.StartWorkerRequest
		want    string
	}{
		{
			"another binary", with(func(r *fnpb.StartWorkerRequest) { r.Params[versionParam] = "v2" }),
			"the job was submitted by version v2 of the binary, and this is version v1; run the same one in both places",
		},
		{"no binary named", with(func(r *fnpb.StartWorkerRequest) { r.Params = nil }), "the job does not say which binary submitted it"},
		{"no control endpoint", with(func(r *fnpb.StartWorkerRequest) { r.ControlEndpoint = nil }), "names no control or no logging endpoint"},
		{"no logging endpoint", with(func(r *fnpb.StartWorkerRequest) { r.LoggingEndpoint = nil }), "names no control or no logging endpoint"},
		{"authentication", with(func(r *fnpb.StartWorkerRequest) { r.ControlEndpoint.Authentication = &pipepb.AuthenticationSpec{} }), "asks for authentication"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newPool(t, nil)
			answer, err := p.StartWorker(t.Context(), tt.request)
			require.NoError(t, err)
			assert.Contains(t, answer.GetError(), tt.want)
			assert.Contains(t, answer.GetError(), p.address(), "which pool it was")
			assert.Zero(t, live(p))
			assert.InDelta(t, 1, testutil.ToFloat64(p.meter.Refused), 0)
		})
	}
}

// A TaskManager that was killed leaves a worker of the id that its successor asks for.
func TestWorkersOfSeveralRunnersShareIDs(t *testing.T) {
	served := harnesses{"a:1": make(chan error), "b:1": make(chan error)}
	p := newPool(t, served)
	start := func(control string) string {
		answer, err := p.StartWorker(t.Context(), request("1-1", control))
		require.NoError(t, err)
		return answer.GetError()
	}
	require.Empty(t, start("a:1"))
	require.Empty(t, start("b:1"))
	assert.Contains(t, start("a:1"), `worker "1-1" of a:1 runs already`)
	assert.Equal(t, 2, live(p))

	stop := func() {
		answer, err := p.StopWorker(t.Context(), &fnpb.StopWorkerRequest{WorkerId: "1-1"})
		require.NoError(t, err)
		assert.Empty(t, answer.GetError())
	}
	stop()
	assert.Equal(t, 2, live(p), "nobody knows whose is meant")
	served["a:1"] <- errors.New("connection lost")
	require.Eventually(t, func() bool { return live(p) == 1 }, 10*time.Second, time.Millisecond)
	require.Eventually(t, func() bool { return testutil.ToFloat64(p.meter.Failed) == 1 }, 10*time.Second, time.Millisecond)
	stop()
	require.Eventually(t, func() bool { return live(p) == 0 }, 10*time.Second, time.Millisecond)
	require.Empty(t, start("a:1"), "an id may be used again")
}

func TestStoppedPoolTakesNoWorker(t *testing.T) {
	p := newPool(t, nil)
	_, err := p.StartWorker(t.Context(), request("1-1", "a:1"))
	require.NoError(t, err)
	require.NoError(t, p.stop(t.Context()))
	assert.Zero(t, live(p), "stop waits for workers")
	answer, err := p.StartWorker(t.Context(), request("1-2", "a:1"))
	require.NoError(t, err)
	assert.Contains(t, answer.GetError(), "is shutting down")
}

func TestWorkerTellsHowItIs(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	type addresses struct{ listen, health string }
	ready, ended := make(chan addresses, 1), make(chan error, 1)
	go func() {
		ended <- Worker(ctx, WorkerOptions{
			Listen: "127.0.0.1:0", Health: "127.0.0.1:0", Version: "v7", Log: slog.New(slog.DiscardHandler),
			Meter: func(version string) *Meter {
				m := metrics.NewWorker(version)
				return &Meter{Gatherer: m.Registry, Harnesses: m.Harnesses, Started: m.Started, Failed: m.Failed, Refused: m.Refused}
			},
			Ready: func(listen, health string) { ready <- addresses{listen, health} },
		})
	}()
	at := <-ready
	get := func(path string) string {
		resp, err := http.Get("http://" + at.health + path) //nolint:noctx // a test's own server
		require.NoError(t, err)
		defer resp.Body.Close() //nolint:errcheck // only read
		if path == "/debug/pprof/" {
			require.Equal(t, http.StatusNotFound, resp.StatusCode, "profiles have an address of their own")
			return ""
		}
		require.Equal(t, http.StatusOK, resp.StatusCode)
		text, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return string(text)
	}
	assert.Equal(t, "ok v7\n", get("/healthz"))
	get("/debug/pprof/")

	// Over the network, as a runner does it; of a job that names no binary.
	conn, err := grpc.NewClient(at.listen, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	answer, err := fnpb.NewBeamFnExternalWorkerPoolClient(conn).StartWorker(t.Context(), &fnpb.StartWorkerRequest{WorkerId: "1-1"})
	require.NoError(t, err)
	assert.Contains(t, answer.GetError(), "does not say which binary submitted it")

	shown := get("/metrics")
	for _, line := range []string{
		`tributary_worker_info{version="v7"} 1`, "tributary_worker_harnesses 0", "tributary_worker_refused_total 1", "go_goroutines ",
	} {
		assert.Contains(t, shown, line)
	}
	stop()
	require.NoError(t, <-ended)
}

func TestWorkerNeedsItsAddress(t *testing.T) {
	first := newPool(t, nil)
	err := Worker(t.Context(), WorkerOptions{Listen: first.address(), Version: "v1", Log: slog.New(slog.DiscardHandler)})
	require.ErrorContains(t, err, "address already in use")
	err = Worker(t.Context(), WorkerOptions{Listen: "127.0.0.1:0", Health: first.address(), Version: "v1", Log: slog.New(slog.DiscardHandler)})
	require.ErrorContains(t, err, "worker's health: listen tcp "+first.address())
}

func TestVersionTellsBinariesApart(t *testing.T) {
	version, err := Version()
	require.NoError(t, err)
	// A test binary is no release, so its file is part of it.
	assert.Regexp(t, `^\S+-[0-9a-f]{12}$`, version)
}
