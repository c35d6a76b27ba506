package exporter

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"tributary/pipelines/serving"
	"tributary/pipelines/spec"
)

// away is a spec whose brokers are not there, with a secret that nothing may tell.
const away = `clusters:
  main: {brokers: ["127.0.0.1:1"], tls: true, sasl: {mechanism: plain, user: canary-user, password: {env: TRIBUTARY_TEST_PASSWORD}}}
views: {inputs: [{topic: views, format: json}], id: view_id, time: ts}
engagements:
  like: {inputs: [{topic: likes, format: json}], view: view_id, time: ts, window: 30m}
shards: 8
outputs: {samples: {topic: samples, format: json}}
`

// served is the address of metrics that are served until the test ends.
func served(t *testing.T, o serving.Options) string {
	t.Helper()
	t.Setenv("TRIBUTARY_TEST_PASSWORD", "canary-password")
	s, err := spec.Parse("away.yaml", []byte(away))
	require.NoError(t, err)
	e, err := New(s, Options{Log: slog.New(slog.DiscardHandler), Version: "v7"})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended, ready := make(chan error, 1), make(chan string, 1)
	o.Ready = func(at string) { ready <- strings.TrimPrefix(at, "http://") }
	go func() { ended <- e.Serve(ctx, o) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended, "it ends at once, whatever is read")
	})
	select {
	case at := <-ready:
		return at
	case err := <-ended:
		ended <- nil
		require.NoError(t, err)
		return ""
	}
}

// get asks for a page, as a host and with a token if there are some.
func get(t *testing.T, at, path, host, token string) (int, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+at+path, nil)
	require.NoError(t, err)
	if host != "" {
		request.Host = host
	}
	if token != "" {
		request.Header.Set("Authorization", token)
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close() //nolint:errcheck // only read
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(text)
}

func TestServe(t *testing.T) {
	at := served(t, serving.Options{Listen: "127.0.0.1:0"})
	code, text := get(t, at, "/metrics", "", "")
	require.Equal(t, http.StatusOK, code, "a scrape waits for no broker")
	require.Contains(t, text, `tributary_exporter_info{stream="samples",version="v7"} 1`)
	require.Contains(t, text, "go_goroutines ")
	require.NotContains(t, text, "canary")
	code, _ = get(t, at, "/healthz", "", "")
	assert.Equal(t, http.StatusServiceUnavailable, code, "nothing was read yet")
	code, _ = get(t, at, "/debug/pprof/", "", "")
	assert.Equal(t, http.StatusNotFound, code)
	_, port, err := net.SplitHostPort(at)
	require.NoError(t, err)
	for host, want := range map[string]int{"localhost:" + port: 200, "[::1]:" + port: 200, "evil.example": 403, "evil.example:" + port: 403, "127.0.0.1.evil.example": 403} {
		code, text := get(t, at, "/metrics", host, "")
		assert.Equal(t, want, code, host)
		assert.Equal(t, want == 200, strings.Contains(text, "tributary_"), host)
	}
	response, err := http.Post("http://"+at+"/metrics", "text/plain", strings.NewReader("x")) //nolint:noctx // a test's own server
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, http.StatusMethodNotAllowed, response.StatusCode)
}

// TestSlowClients: who sends a request by the byte, or none, or does not read the answer, holds nobody else up, and is hung up on.
func TestSlowClients(t *testing.T) {
	at := served(t, serving.Options{Listen: "127.0.0.1:0"})
	var slow []net.Conn
	for i := range serving.MostConnections - 8 {
		conn, err := net.Dial("tcp", at) //nolint:noctx // a test's own server
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		if i%2 == 0 {
			_, err = io.WriteString(conn, "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nX-")
		} else {
			_, err = io.WriteString(conn, strings.Repeat("GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 50))
		}
		require.NoError(t, err)
		slow = append(slow, conn)
	}
	began := time.Now()
	code, _ := get(t, at, "/metrics", "", "")
	require.Equal(t, http.StatusOK, code)
	require.Less(t, time.Since(began), 2*time.Second)

	// More than it takes at once wait for those, and no longer than they last.
	for range 16 {
		conn, err := net.Dial("tcp", at) //nolint:noctx // a test's own server
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		_, err = io.WriteString(conn, "G")
		require.NoError(t, err)
	}
	require.NoError(t, slow[0].SetReadDeadline(time.Now().Add(serving.HeaderWithin+5*time.Second)))
	_, err := io.Copy(io.Discard, slow[0])
	require.False(t, errors.Is(err, os.ErrDeadlineExceeded), "its header has taken long enough")
	require.Eventually(t, func() bool {
		client := http.Client{Timeout: time.Second}
		response, err := client.Get("http://" + at + "/metrics") //nolint:noctx // it has a timeout
		if err != nil {
			return false
		}
		return response.Body.Close() == nil && response.StatusCode == http.StatusOK
	}, serving.HeaderWithin+serving.AnswerWithin+5*time.Second, 100*time.Millisecond)
}

func TestServeToOthers(t *testing.T) {
	s, err := spec.Parse("away.yaml", []byte(away))
	require.NoError(t, err)
	e, err := New(s, Options{Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	require.ErrorIs(t, e.Serve(t.Context(), serving.Options{Listen: "0.0.0.0:0"}), serving.ErrOpen)
	file := filepath.Join(t.TempDir(), "token")
	require.ErrorContains(t, e.Serve(t.Context(), serving.Options{Listen: "0.0.0.0:0", TokenFile: file}), "token: open ")
	require.NoError(t, os.WriteFile(file, []byte("short\n"), 0o600))
	require.ErrorContains(t, e.Serve(t.Context(), serving.Options{Listen: "127.0.0.1:0", TokenFile: file}), "must hold one token of at least 16 characters")

	const token = "0123456789abcdef"
	require.NoError(t, os.WriteFile(file, []byte(token+"\n"), 0o600))
	at := served(t, serving.Options{Listen: "0.0.0.0:0", TokenFile: file})
	_, port, err := net.SplitHostPort(at)
	require.NoError(t, err)
	for given, want := range map[string]int{"": 401, "Bearer ": 401, "Bearer 0123456789abcdeX": 401, token: 401, "Bearer " + token: 200} {
		code, text := get(t, "127.0.0.1:"+port, "/metrics", "metrics.example", given)
		assert.Equal(t, want, code, given)
		assert.Equal(t, want == 200, strings.Contains(text, "tributary_"), given)
		assert.NotContains(t, text, token)
	}
	open := served(t, serving.Options{Listen: "0.0.0.0:0", Open: true})
	_, port, err = net.SplitHostPort(open)
	require.NoError(t, err)
	code, _ := get(t, fmt.Sprint("127.0.0.1:", port), "/metrics", "", "")
	assert.Equal(t, http.StatusOK, code)
}
