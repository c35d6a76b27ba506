// Package metrics declares every Prometheus metric of this module in one table: name, type, unit, labels and help. The
// collectors, the reference page, the alert rules and the dashboard follow from it, and tests hold each against it.
//
// There are two sources, for two questions:
//
//   - the exporter (tributary metrics SPEC) asks what is so: it reads what the job has written to its topics, by the code of
//     `tributary report` and `tributary audit`, so its figures are theirs, and exact whatever was restarted;
//   - workers (tributary worker --health) tell what passes them now. What a runner does again counts again.
//
// Labels are bounded by the spec and the topics: names of streams, inputs, kinds, stages, topics and partitions, never an id of a record.
//
//	metrics.go     what a metric is, and the table of all
//	table.go       the metrics of the exporter; worker.go: those of workers, and their collectors
//	page.go        the reference
//	alerts.go      alerts with their playbooks; rules.go: as rules for Prometheus, and as a page
//	dashboard.go   the dashboard for Grafana, which a test builds
package metrics

import (
	"fmt"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
)

// Type is what a metric is to Prometheus.
type Type string

// Types of metrics.
const (
	Counter   Type = "counter"
	Gauge     Type = "gauge"
	Histogram Type = "histogram"
)

// Source is who exports a metric.
type Source string

// Sources of metrics.
const (
	Exporter Source = "exporter"
	Worker   Source = "worker"
)

// Metric declares a metric.
type Metric struct {
	Name   string   `json:"name"`
	Type   Type     `json:"type"`
	Source Source   `json:"source"`
	Labels []string `json:"labels"`
	// Unit is the one in the name: seconds, bytes; empty for counts and shares.
	Unit string `json:"unit,omitempty"`
	Help string `json:"help"`
	// Buckets are the upper bounds of a histogram's, in its unit.
	Buckets []float64 `json:"buckets,omitempty"`

	desc *prometheus.Desc
}

var table []*Metric

// define adds a metric to the table.
func define(m Metric) *Metric {
	if slices.ContainsFunc(table, func(other *Metric) bool { return other.Name == m.Name }) {
		panic(fmt.Sprintf("metrics: %s is declared twice", m.Name))
	}
	m.desc = prometheus.NewDesc(m.Name, m.Help, m.Labels, nil)
	table = append(table, &m)
	return &m
}

// Table returns all metrics, those of the exporter first.
func Table() []*Metric { return slices.Clone(table) }

// Desc describes the metric to a registry.
func (m *Metric) Desc() *prometheus.Desc { return m.desc }

// Of is the metric with a value and the values of its labels, in their order.
func (m *Metric) Of(value float64, labels ...string) prometheus.Metric {
	kind := prometheus.GaugeValue
	if m.Type == Counter {
		kind = prometheus.CounterValue
	}
	return prometheus.MustNewConstMetric(m.desc, kind, value, labels...)
}

// Histogram is the metric with how many values there are, their sum, and how many are no larger than each bound.
func (m *Metric) Histogram(count uint64, sum float64, cumulative map[float64]uint64, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstHistogram(m.desc, count, sum, cumulative, labels...)
}
