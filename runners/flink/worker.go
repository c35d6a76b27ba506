package flink

import (
	"context"
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
	// Listen is the address for Flink's TaskManagers; port 0 takes any free one. There is no
	// authentication: whoever reaches it can have this binary's code run. Keep it on loopback,
	// or on a network of the cluster's own.
	Listen string

	// Health is the address of an HTTP server: /healthz answers "ok" and the version while it takes
	// jobs, /metrics is for Prometheus, /debug/pprof/ for profiles. Empty: no such server.
	Health string

	Version string       // of this binary; default Version()
	Log     *slog.Logger // default slog.Default()

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
	m := newMeter(o.Version)
	pool, err := startPool(o.Listen, o.Version, o.Log, m)
	if err != nil {
		return err
	}
	// Ending a worker means hanging up: what takes longer is not worth waiting for.
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := pool.stop(ctx); err != nil {
			o.Log.Warn("worker stops all the same", "error", err)
		}
	}()
	health := ""
	failed := make(chan error, 1)
	if o.Health != "" {
		listener, err := net.Listen("tcp", o.Health)
		if err != nil {
			return fmt.Errorf("worker's health: %w", err)
		}
		health = listener.Addr().String()
		server := &http.Server{Handler: m.handler(), ReadHeaderTimeout: 10 * time.Second}
		go func() { failed <- server.Serve(listener) }()
		defer server.Close() //nolint:errcheck // nobody is left to be told
	}
	o.Log.Info("worker takes jobs", "listen", pool.address(), "health", health, "version", o.Version)
	if o.Ready != nil {
		o.Ready(pool.address(), health)
	}
	select {
	case <-ctx.Done():
		return nil
	case <-pool.served:
		return fmt.Errorf("worker pool at %s ended by itself", pool.address())
	case err := <-failed:
		return fmt.Errorf("worker's health at %s: %w", health, err)
	}
}

// meter counts what a worker does.
type meter struct {
	version                  string
	registry                 *prometheus.Registry
	live                     prometheus.Gauge
	started, failed, refused prometheus.Counter
}

func newMeter(version string) *meter {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "tributary_worker", Name: name, Help: help})
	}
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: "tributary_worker", Name: "info", Help: "1, labelled with what runs here.",
		ConstLabels: prometheus.Labels{"version": version},
	})
	info.Set(1)
	m := &meter{
		version:  version,
		registry: prometheus.NewRegistry(),
		live: prometheus.NewGauge(prometheus.GaugeOpts{
			Namespace: "tributary_worker", Name: "harnesses", Help: "Connections to runners that are served now.",
		}),
		started: counter("harnesses_started_total", "Connections to runners that were ever served."),
		failed:  counter("harnesses_failed_total", "Connections to runners that ended with an error."),
		refused: counter("refused_total", "Requests of runners that were refused, mostly for another version."),
	}
	m.registry.MustRegister(info, m.live, m.started, m.failed, m.refused)
	return m
}

func (m *meter) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintln(w, "ok", m.version) })
	// The default registry has the process, Go's runtime, and what connectors count.
	all := prometheus.Gatherers{m.registry, prometheus.DefaultGatherer}
	mux.Handle("GET /metrics", promhttp.HandlerFor(all, promhttp.HandlerOpts{}))
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
