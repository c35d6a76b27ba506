// Package exporter serves the metrics of a stream: it reads what the job has written, again and again, and hands out what it read last.
//
// A scrape reads nothing: it costs the same however often it comes, and hangs on no broker. What a source does not tell any more is not
// served any more, and tributary_exporter_up says so.
//
// What is so it has from package live, in a State; here that becomes metrics.
//
//	exporter.go   the sources, read in turn
//	accounts.go   what became of every event; progress.go: partitions, commits and the job on Flink
//	audit.go      audits
//	serve.go      over HTTP; text.go: once, as text
package exporter

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tributary/pipelines/live"
	"tributary/pipelines/metrics"
	"tributary/pipelines/spec"
)

// Options are the choices of an exporter.
type Options struct {
	// Interval is how often it reads; 0 for DefaultInterval.
	Interval time.Duration
	// AuditEvery is how often the job is audited; 0 for never. Scratch is the folder for what audits do not hold in memory.
	AuditEvery time.Duration
	Scratch    string
	// Flink is the address of Flink's REST interface, empty for none; Job names the job there, the stream's name if it is empty.
	Flink, Job string
	Version    string       // of this binary
	Log        *slog.Logger // default slog.Default()
	// Now is the clock; nil for time.Now.
	Now func() time.Time
}

// DefaultInterval is twice that of most scrapes: figures change with buckets, which are of minutes.
const DefaultInterval = 30 * time.Second

// Exporter collects the metrics of a stream. It is a prometheus.Collector.
type Exporter struct {
	spec *spec.Spec
	opt  Options
	// stream names it in labels.
	stream string
	watch  *live.Watch

	mu    sync.Mutex
	began time.Time
	// read is what each source gave last.
	read map[string]reading
}

// reading is what a source gave.
type reading struct {
	metrics []prometheus.Metric
	up      bool
	took    time.Duration
}

// New returns the exporter of a spec, which has a topic of accounts.
func New(s *spec.Spec, opt Options) (*Exporter, error) {
	watch, err := live.New(s, live.Options{Flink: opt.Flink, Job: opt.Job, Now: opt.Now})
	if err != nil {
		return nil, err
	}
	if opt.Interval <= 0 {
		opt.Interval = DefaultInterval
	}
	if opt.Log == nil {
		opt.Log = slog.Default()
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	return &Exporter{spec: s, opt: opt, stream: s.Stream.Name, watch: watch, read: map[string]reading{}}, nil
}

// Run reads all sources every interval, and audits, until the context ends.
func (e *Exporter) Run(ctx context.Context) {
	var audits sync.WaitGroup
	defer audits.Wait()
	if e.opt.AuditEvery > 0 {
		audits.Go(func() { e.every(ctx, e.opt.AuditEvery, e.audit) })
	}
	e.every(ctx, e.opt.Interval, e.Read)
}

func (e *Exporter) every(ctx context.Context, interval time.Duration, do func(context.Context)) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		do(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Read reads all sources but audits. What fails is logged.
func (e *Exporter) Read(ctx context.Context) {
	s := e.watch.Gather(ctx)
	for _, of := range s.Sources {
		if of.Err != nil && ctx.Err() != nil {
			return // it ends
		}
		e.took(of.Name, of.Err, time.Duration(of.Seconds*float64(time.Second)), e.of(s, of.Name))
	}
	e.mu.Lock()
	e.began = s.At
	e.mu.Unlock()
}

// of are the metrics of a source that was read.
func (e *Exporter) of(s *live.State, source string) []prometheus.Metric {
	out := &collected{stream: e.stream}
	if !s.OK(source) {
		return nil
	}
	switch source {
	case live.Accounts:
		accounts(s.Figures, out)
	case live.Partitions:
		partitions(s, out)
	case live.Commits:
		committed(s, out)
	case live.Flink:
		flinkJob(s.Flink, out)
	}
	return out.metrics
}

// collected are the metrics that a source gives.
type collected struct {
	stream  string
	metrics []prometheus.Metric
}

// add adds a metric of the stream, which is its first label.
func (c *collected) add(m *metrics.Metric, value float64, labels ...string) {
	c.metrics = append(c.metrics, m.Of(value, append([]string{c.stream}, labels...)...))
}

func (c *collected) distribution(m *metrics.Metric, d *live.Distribution, labels ...string) {
	counts := make(map[float64]uint64, len(d.Bounds))
	for i, bound := range d.Bounds {
		counts[bound] = d.Counts[i]
	}
	c.metrics = append(c.metrics, m.Histogram(d.Count, d.Sum, counts, append([]string{c.stream}, labels...)...))
}

// took takes what a source gave, or why it gave nothing.
func (e *Exporter) took(name string, err error, took time.Duration, given []prometheus.Metric) {
	if err != nil {
		e.opt.Log.Warn("metrics of a source are not known", "source", name, "error", err)
		given = nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.read[name] = reading{given, err == nil, took}
}

// Describe implements prometheus.Collector.
func (e *Exporter) Describe(to chan<- *prometheus.Desc) {
	for _, m := range metrics.Table() {
		if m.Source == metrics.Exporter {
			to <- m.Desc()
		}
	}
}

// Collect implements prometheus.Collector.
func (e *Exporter) Collect(to chan<- prometheus.Metric) {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := collected{stream: e.stream}
	out.add(metrics.Info, 1, e.opt.Version)
	if !e.began.IsZero() {
		out.add(metrics.ReadTime, seconds(e.began))
	}
	for name, r := range e.read {
		out.metrics = append(out.metrics, r.metrics...)
		out.add(metrics.Up, truth(r.up), name)
		out.add(metrics.ReadDuration, r.took.Seconds(), name)
	}
	for _, m := range out.metrics {
		to <- m
	}
}

// Ready tells whether sources were read once, whatever came of it.
func (e *Exporter) Ready() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return !e.began.IsZero()
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// seconds is a time as Prometheus has it.
func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
