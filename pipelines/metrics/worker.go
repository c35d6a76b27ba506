package metrics

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"tributary/transforms/account"
)

// again is what all counts of workers are subject to.
const again = "By this process since it began: what a runner does again after a failure counts again. tributary metrics has the exact numbers."

// What workers tell.
var (
	workerInfo = define(Metric{
		Name: "tributary_worker_info", Type: Gauge, Source: Worker, Labels: []string{"version"},
		Help: "1, labelled with what runs here.",
	})
	workerHarnesses = define(Metric{
		Name: "tributary_worker_harnesses", Type: Gauge, Source: Worker,
		Help: "Connections to runners that are served now.",
	})
	workerStarted = define(Metric{
		Name: "tributary_worker_harnesses_started_total", Type: Counter, Source: Worker,
		Help: "Connections to runners that were ever served.",
	})
	workerFailed = define(Metric{
		Name: "tributary_worker_harnesses_failed_total", Type: Counter, Source: Worker,
		Help: "Connections to runners that ended with an error.",
	})
	workerRefused = define(Metric{
		Name: "tributary_worker_refused_total", Type: Counter, Source: Worker,
		Help: "Requests of runners that were refused, mostly for another version.",
	})
	workerViews = define(Metric{
		Name: "tributary_worker_views_total", Type: Counter, Source: Worker, Labels: []string{"stream", "count"},
		Help: "Views by what happened to them: read, samples, sampled_out, duplicates, late, dead, tombstones, positives. " + again,
	})
	workerEngagements = define(Metric{
		Name: "tributary_worker_engagements_total", Type: Counter, Source: Worker, Labels: []string{"stream", "kind", "count"},
		Help: "Engagements by what happened to them: read, matched, outside_window, orphans, duplicates, late, dead, tombstones. " + again,
	})
	workerStageViews = define(Metric{
		Name: "tributary_worker_stage_views_total", Type: Counter, Source: Worker, Labels: []string{"stream", "stage", "count"},
		Help: "Views of a stage by what happened to them: samples, late, positives, given. " + again,
	})
)

// collectors make what counts in a worker.
func gauge(m *Metric) prometheus.Gauge {
	return prometheus.NewGauge(prometheus.GaugeOpts{Name: m.Name, Help: m.Help})
}

func counter(m *Metric) prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts{Name: m.Name, Help: m.Help})
}

func counters(m *Metric) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: m.Name, Help: m.Help}, m.Labels)
}

// events are what jobs count in this process, whichever worker runs them.
var events = sync.OnceValue(func() (e struct{ views, engagements, stages *prometheus.CounterVec }) {
	e.views, e.engagements, e.stages = counters(workerViews), counters(workerEngagements), counters(workerStageViews)
	return e
})

// Count adds accounts of a stream to the counters of this process.
func Count(stream string, l *account.Sheet) {
	e := events()
	l.EachMetric(func(s account.Subject, name string, row *account.Row, n int64) {
		switch s {
		case account.OfEngagements:
			e.engagements.WithLabelValues(stream, name, row.Key).Add(float64(n))
		case account.OfStage:
			e.stages.WithLabelValues(stream, name, row.Key).Add(float64(n))
		default:
			e.views.WithLabelValues(stream, row.Key).Add(float64(n))
		}
	})
}

// OfWorker is what a worker counts in.
type OfWorker struct {
	Registry                 *prometheus.Registry
	Harnesses                prometheus.Gauge
	Started, Failed, Refused prometheus.Counter
}

// NewWorker returns the metrics of a worker of a version, with those of what jobs count in this process.
func NewWorker(version string) *OfWorker {
	w := &OfWorker{
		Registry: prometheus.NewRegistry(), Harnesses: gauge(workerHarnesses),
		Started: counter(workerStarted), Failed: counter(workerFailed), Refused: counter(workerRefused),
	}
	info := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: workerInfo.Name, Help: workerInfo.Help}, workerInfo.Labels)
	info.WithLabelValues(version).Set(1)
	e := events()
	w.Registry.MustRegister(info, w.Harnesses, w.Started, w.Failed, w.Refused, e.views, e.engagements, e.stages)
	return w
}
