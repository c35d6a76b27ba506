package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
)

// Report is all that was measured.
type Report struct {
	// Processors is how many there are for all servers together.
	Processors int `json:"processors"`
	// IdleCluster is the processor time that a Flink cluster and a worker without a job take
	// each second.
	IdleCluster float64       `json:"idle_cluster_cpu_seconds_per_second"`
	Throughput  []*Throughput `json:"throughput"`
	State       []*StateSize  `json:"state"`
	Delay       []*Delay      `json:"delay"`
}

func newReport() *Report { return &Report{Processors: runtime.NumCPU()} }

// report measures, or reads what was measured.
func (o options) report(ctx context.Context) (*Report, error) {
	if o.from == "" {
		return run(ctx, o)
	}
	text, err := os.ReadFile(o.from)
	if err != nil {
		return nil, err
	}
	r := newReport()
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("result in %s: %w", o.from, err)
	}
	return r, nil
}

// print writes a report as it was asked for.
func (o options) print(w io.Writer, r *Report) error {
	if o.plot != "" {
		if err := r.draw(o.plot); err != nil {
			return err
		}
	}
	if o.json {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		return encoder.Encode(r)
	}
	_, err := io.WriteString(w, r.markdown())
	return err
}

// best is the run of a system with the highest rate, nil if there is none.
func (r *Report) best(system string) *Throughput {
	var best *Throughput
	for _, t := range r.Throughput {
		if t.System == system && (best == nil || t.EventsPerSecond() > best.EventsPerSecond()) {
			best = t
		}
	}
	return best
}

// of returns the run of a system at a parallelism, nil if there is none.
func (r *Report) of(system string, parallelism int) *Throughput {
	i := slices.IndexFunc(r.Throughput, func(t *Throughput) bool { return t.System == system && t.Parallelism == parallelism })
	if i < 0 {
		return nil
	}
	return r.Throughput[i]
}

// stateOf returns the state of a system, nil if it was not measured.
func (r *Report) stateOf(system string) *StateSize {
	i := slices.IndexFunc(r.State, func(s *StateSize) bool { return s.System == system })
	if i < 0 {
		return nil
	}
	return r.State[i]
}

// parallelisms are those that something ran at.
func (r *Report) parallelisms() []int {
	var out []int
	for _, t := range r.Throughput {
		out = append(out, t.Parallelism)
	}
	slices.SortFunc(out, cmp.Compare[int])
	return slices.Compact(out)
}
