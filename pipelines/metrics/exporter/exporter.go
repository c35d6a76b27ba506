// Package exporter serves the metrics of a stream: it reads what the job has written, again and again, and hands out what it read last.
//
// A scrape reads nothing: it costs the same however often it comes, and hangs on no broker. What a source does not tell any more is not
// served any more, and tributary_exporter_up says so.
//
//	exporter.go   the sources, read in turn
//	accounts.go   what became of every event; partitions.go: how far partitions are read; commits.go: what is committed
//	flink.go      the job on Flink; audit.go: audits
//	serve.go      over HTTP; text.go: once, as text
package exporter

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tributary/pipelines/job"
	"tributary/pipelines/job/stream"
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

const (
	// readWithin bounds the reading of a source: longer than a broker takes to restart.
	readWithin = time.Minute
	// held is how long accounts wait for an open transaction. Metrics say that they are held instead.
	held = 2 * time.Second
)

// Exporter collects the metrics of a stream. It is a prometheus.Collector.
type Exporter struct {
	spec *spec.Spec
	opt  Options
	// stream names it in labels.
	stream string
	// commits are of the stages with a commit log of their own.
	commits []*commitsOf

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
	if s.Outputs.Topics.Accounts == "" {
		return nil, fmt.Errorf("%s has no topic of accounts: `tributary join` reports on what it joins", s.File)
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
	if opt.Job == "" {
		opt.Job = s.Stream.Name
	}
	e := &Exporter{spec: s, opt: opt, stream: s.Stream.Name, read: map[string]reading{}}
	last := job.SampleConfig(s)
	for stage := range max(1, len(s.Stages)) {
		if c := job.StageConfig(last, s, stage); c.Topic != "" && s.Stream.Delivery != spec.AtLeastOnce {
			e.commits = append(e.commits, newCommits(s, stage, c))
		}
	}
	return e, nil
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
	began := e.opt.Now()
	var seen *stream.Seen
	watermark := noWatermark
	e.source(ctx, "accounts", readWithin, func(ctx context.Context, out *collected) (err error) {
		if seen, err = stream.Look(ctx, e.spec, held); err != nil {
			return err
		}
		e.accounts(seen, out)
		return nil
	})
	e.source(ctx, "partitions", readWithin, func(ctx context.Context, out *collected) (err error) {
		if seen == nil {
			return errUnread
		}
		watermark, err = e.partitions(ctx, seen.Read, out)
		return err
	})
	e.source(ctx, "commits", readWithin, func(ctx context.Context, out *collected) error {
		return e.committed(ctx, watermark, out)
	})
	if e.opt.Flink != "" {
		e.source(ctx, "flink", readWithin, e.flink)
	}
	e.mu.Lock()
	e.began = began
	e.mu.Unlock()
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

func (c *collected) distribution(d *metrics.Distribution, labels ...string) {
	c.metrics = append(c.metrics, d.Metric(append([]string{c.stream}, labels...)...))
}

// source reads a source, in no more than so much time.
func (e *Exporter) source(ctx context.Context, name string, within time.Duration, read func(context.Context, *collected) error) {
	began := time.Now()
	bounded, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	out := &collected{stream: e.stream}
	err := read(bounded, out)
	if err != nil {
		if ctx.Err() != nil {
			return // it ends
		}
		e.opt.Log.Warn("metrics of a source are not known", "source", name, "error", err)
		out.metrics = nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.read[name] = reading{out.metrics, err == nil, time.Since(began)}
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
