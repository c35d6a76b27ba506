package flink

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/log"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// WorkerOptions say where a worker listens.
type WorkerOptions struct {
	// Listen is the address for Flink's TaskManagers; port 0 takes any free one. Whoever reaches it
	// can have this binary's code run, if there is no token: so beyond this machine there must be one.
	Listen string

	// TokenFile holds tokens, a line each, one of which a job's submitter must know: see
	// Options.WorkerTokenFile. It is read for each worker that a runner asks for, so that tokens can be
	// added and removed. What Flink and its workers say to each other is not encrypted, and a
	// proof can be repeated: the token keeps out who can connect, not who can read along.
	TokenFile string

	// Open takes jobs of anybody who reaches Listen from other machines, without a token.
	Open bool

	// Health is the address of an HTTP server: /healthz answers "ok" and the version while it takes
	// jobs, /metrics is for Prometheus. Empty: no such server.
	Health string

	// Profiles is the address of an HTTP server for /debug/pprof/, on this machine's loopback alone: a
	// profile of the heap holds records. Empty: no such server.
	Profiles string

	Version string                      // of this binary; default Version()
	Log     *slog.Logger                // default slog.Default()
	Meter   func(version string) *Meter // what to count in; nil for nothing

	// Ready, if set, is told once the worker takes jobs, with the addresses it has.
	Ready func(listen, health string)
}

// Worker runs the Go code of jobs that name its address in Options.Worker, any number of them
// at once, until the context ends. It stands beside a TaskManager, one for each, as the same
// binary that submits the jobs: it refuses those of another one, and their failure says so.
//
// A worker that is killed loses nothing: its jobs fail, and restart from their last
// checkpoint with the worker that took its place at the address.
func Worker(ctx context.Context, o WorkerOptions) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Version == "" {
		version, err := Version()
		if err != nil {
			return err
		}
		o.Version = version
	}
	log.SetLogger(beamLogger{o.Log})
	m := unseen()
	if o.Meter != nil {
		m = o.Meter(o.Version)
	}
	listener, err := o.listen()
	if err != nil {
		return err
	}
	pool := startPool(listener, o.Version, func() ([]string, error) { return readTokens(o.TokenFile) }, o.Log, m)
	// Ending a worker means hanging up: what takes longer is not worth waiting for.
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := pool.stop(ctx); err != nil {
			o.Log.Warn("worker stops all the same", "error", err)
		}
	}()
	failed := make(chan error, 2)
	health, err := serveHTTP(ctx, "worker's health", o.Health, m.handler(o.Version), false, failed)
	if err != nil {
		return err
	}
	profiles, err := serveHTTP(ctx, "worker's profiles", o.Profiles, profileHandler(), true, failed)
	if err != nil {
		return err
	}
	o.Log.Info("worker takes jobs", "listen", pool.address(), "token", o.TokenFile != "", "health", health, "profiles", profiles, "version", o.Version)
	if o.Ready != nil {
		o.Ready(pool.address(), health)
	}
	select {
	case <-ctx.Done():
		return nil
	case <-pool.served:
		return fmt.Errorf("worker pool at %s ended by itself", pool.address())
	case err := <-failed:
		return err
	}
}

// ErrOpen says that a worker would run code for anybody who reaches it.
var ErrOpen = errors.New("whoever reaches it could run this binary's code, with what this user may read and where it may connect")

// listen returns the pool's listener, if it may be one.
func (o WorkerOptions) listen() (net.Listener, error) {
	if _, err := readTokens(o.TokenFile); err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", o.Listen)
	if err != nil {
		return nil, fmt.Errorf("worker pool: %w", err)
	}
	if !isLoopback(listener.Addr()) && o.TokenFile == "" && !o.Open {
		_ = listener.Close() // nobody was served
		return nil, fmt.Errorf("worker pool at %s: other machines reach it, and without a token %w", listener.Addr(), ErrOpen)
	}
	return listener, nil
}

// serveHTTP serves until the context ends, and returns the address; empty for none. An error
// afterwards goes to failed.
func serveHTTP(ctx context.Context, what, address string, handler http.Handler, loopback bool, failed chan<- error) (string, error) {
	if address == "" {
		return "", nil
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return "", fmt.Errorf("%s: %w", what, err)
	}
	at := listener.Addr().String()
	if loopback && !isLoopback(listener.Addr()) {
		_ = listener.Close() // nobody was served
		return "", fmt.Errorf("%s: %s is reached from other machines: use 127.0.0.1, and a tunnel from elsewhere", what, at)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		err := server.Serve(listener)
		if ctx.Err() == nil {
			failed <- fmt.Errorf("%s at %s: %w", what, at, err)
		}
	}()
	context.AfterFunc(ctx, func() { _ = server.Close() }) // nobody is left to be told
	return at, nil
}

// Meter is what a worker counts in, and shows at /metrics beside the process and Go's runtime.
type Meter struct {
	Gatherer prometheus.Gatherer
	// Harnesses are the connections to runners that are served now; Started were ever served, Failed ended with an error. Refused are
	// requests.
	Harnesses                prometheus.Gauge
	Started, Failed, Refused prometheus.Counter
}

// unseen counts for nobody.
func unseen() *Meter {
	counter := func() prometheus.Counter { return prometheus.NewCounter(prometheus.CounterOpts{Name: "unseen"}) }
	return &Meter{
		Gatherer: prometheus.NewRegistry(), Harnesses: prometheus.NewGauge(prometheus.GaugeOpts{Name: "unseen"}),
		Started: counter(), Failed: counter(), Refused: counter(),
	}
}

func (m *Meter) handler(version string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintln(w, "ok", version) })
	// The default registry has the process and Go's runtime.
	all := prometheus.Gatherers{m.Gatherer, prometheus.DefaultGatherer}
	mux.Handle("GET /metrics", promhttp.HandlerFor(all, promhttp.HandlerOpts{}))
	return mux
}

func profileHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return mux
}

// beamLogger writes what Beam and DoFns log to a worker's log, debug messages left out: the
// harness has one for nearly every bundle.
type beamLogger struct{ to *slog.Logger }

func (l beamLogger) Log(ctx context.Context, severity log.Severity, _ int, msg string) {
	level := slog.LevelInfo
	switch {
	case severity == log.SevDebug:
		return
	case severity >= log.SevError:
		level = slog.LevelError
	case severity == log.SevWarn:
		level = slog.LevelWarn
	}
	l.to.Log(ctx, level, msg)
}
