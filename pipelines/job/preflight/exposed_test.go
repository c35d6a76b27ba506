package preflight

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"tributary/pipelines/spec"
	"tributary/runners/flink"
)

// listening serves Flink's overview at an address and returns its port.
func listening(t *testing.T, address string) string {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	require.NoError(t, err)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"taskmanagers":1,"slots-total":4,"slots-available":3,"flink-version":"1.19.3"}`))
	}))
	_ = server.Listener.Close() // it was on another address
	server.Listener = listener
	server.Start()
	t.Cleanup(server.Close)
	_, port, err := net.SplitHostPort(listener.Addr().String())
	require.NoError(t, err)
	return port
}

// otherAddress is one of this machine that is not loopback.
func otherAddress(t *testing.T) string {
	t.Helper()
	own, err := net.InterfaceAddrs()
	require.NoError(t, err)
	for _, addr := range own {
		if network, ok := addr.(*net.IPNet); ok && !network.IP.IsLoopback() && network.IP.To4() != nil && !network.IP.IsLinkLocalUnicast() {
			return network.IP.String()
		}
	}
	t.Skip("this machine has no address but loopback, so nothing can be reached at another")
	return ""
}

// TestExposedFlink: asked for on loopback or not, a server that other machines reach is told, with
// what follows.
func TestExposedFlink(t *testing.T) {
	other := otherAddress(t)
	files, err := spec.Load("../../../testdata/specs/feed.yaml")
	require.NoError(t, err)
	port := listening(t, "0.0.0.0:0")
	for _, target := range []string{"127.0.0.1:" + port, "http://localhost:" + port + "/", net.JoinHostPort(other, port)} {
		found := check(t, files, Targets{Flink: target})
		require.Equal(t, []string{"warning flink " + target}, lines(found, Warning, Problem), Text(found))
		require.Contains(t, found[len(found)-1].Detail, "other machines reach it at ")
		require.Contains(t, found[len(found)-1].Detail, ":"+port+", without a login: whoever reaches it can upload a program")
		require.True(t, Passed(found))
	}
	port = listening(t, "127.0.0.1:0")
	require.Empty(t, lines(check(t, files, Targets{Flink: "127.0.0.1:" + port}), Warning, Problem))
}

// startWorker starts a worker of this binary and returns its address.
func startWorker(t *testing.T, o flink.WorkerOptions) string {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	ready, ended := make(chan string, 1), make(chan error, 1)
	o.Log, o.Ready = slog.New(slog.DiscardHandler), func(listen, _ string) { ready <- listen }
	go func() { ended <- flink.Worker(ctx, o) }()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-ended)
	})
	return <-ready
}

func TestWorker(t *testing.T) {
	files, err := spec.Load("../../../testdata/specs/feed.yaml")
	require.NoError(t, err)
	dir := t.TempDir()
	token := func(name string) string {
		file := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(file, []byte(strings.Repeat(name, 8)), 0o600))
		return file
	}
	one, two := token("canary-1"), token("canary-2")
	open, guarded := startWorker(t, flink.WorkerOptions{Listen: "127.0.0.1:0"}), startWorker(t, flink.WorkerOptions{Listen: "127.0.0.1:0", TokenFile: one})
	other := startWorker(t, flink.WorkerOptions{Listen: "127.0.0.1:0", Version: "v0"})
	elsewhere := grpc.NewServer()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = elsewhere.Serve(listener) }()
	t.Cleanup(elsewhere.Stop)
	_, closed := silent(t)
	for _, tt := range []struct {
		name, address, token string
		status               Status
		detail, fix          string
	}{
		{"open, on loopback", open, "", OK, "takes jobs of this binary", ""},
		{"open, and a token", open, one, OK, "takes jobs of this binary", ""},
		{"the right token", guarded, one, OK, "from who knows its token", ""},
		{"no token", guarded, "", Problem, "does not show that its submitter knows", "--worker-token-file"},
		{"another token", guarded, two, Problem, "knows another token", "--worker-token-file"},
		{"no such file", guarded, filepath.Join(dir, "none"), Problem, "no such file", ""},
		{"another binary", other, "", Problem, "this is version v0", "of this binary"},
		{"another service", listener.Addr().String(), "", Problem, "no worker", "correct --worker"},
		{"nobody", closed, "", Skipped, "not reached from here", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			found := check(t, files, Targets{Worker: tt.address, WorkerTokenFile: tt.token})
			f := find(t, found, "worker", tt.address)
			require.Equal(t, tt.status, f.Status, Text(found))
			require.Contains(t, f.Detail, tt.detail)
			require.Contains(t, f.Fix, tt.fix)
			require.NotContains(t, Text(found), "canary-1canary")
			require.NotContains(t, Text(found), "canary-2canary")
		})
	}
}

func TestExposedWorker(t *testing.T) {
	other := otherAddress(t)
	files, err := spec.Load("../../../testdata/specs/feed.yaml")
	require.NoError(t, err)
	_, port, err := net.SplitHostPort(startWorker(t, flink.WorkerOptions{Listen: ":0", Open: true}))
	require.NoError(t, err)
	found := check(t, files, Targets{Worker: "127.0.0.1:" + port})
	require.Contains(t, found[len(found)-1].Detail, "other machines reach it at ")
	require.Contains(t, found[len(found)-1].Detail, "read what the worker's user may read")
	require.Equal(t, []string{"warning worker " + net.JoinHostPort(other, port)}, lines(check(t, files, Targets{Worker: net.JoinHostPort(other, port)}), Warning, Problem))
}
