package exporter

import (
	"context"
	"fmt"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"tributary/pipelines/serving"
)

// Serve reads the metrics and serves them, until the context ends.
func (e *Exporter) Serve(ctx context.Context, o serving.Options) error {
	if err := serving.Serve(ctx, e.handler(), o, e.Run); err != nil {
		return fmt.Errorf("metrics: %w", err)
	}
	return nil
}

// handler serves the metrics, and whether there are some.
func (e *Exporter) handler() http.Handler {
	own := prometheus.NewRegistry()
	own.MustRegister(e, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(own, promhttp.HandlerOpts{MaxRequestsInFlight: serving.MostConnections, Timeout: serving.AnswerWithin / 2}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		if !e.Ready() {
			http.Error(w, "nothing was read yet", http.StatusServiceUnavailable)
			return
		}
		_, _ = fmt.Fprintln(w, "ok", e.opt.Version)
	})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintln(w, "tributary's metrics of stream", e.stream, "are at /metrics")
	})
	return mux
}
