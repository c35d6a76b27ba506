package stream

import (
	"context"
	"fmt"
	"time"

	"tributary/io/kafkaio/cluster"
	"tributary/pipelines/job/batch"
	"tributary/pipelines/report"
	"tributary/pipelines/spec"
)

// Report tells from the accounts of a stream, which may go on meanwhile, what became of
// every event that it has read. What is in windows that are still open is counted as open.
func Report(ctx context.Context, s *spec.Spec) (*report.Report, error) {
	r, _, err := ReportWithin(ctx, s, cluster.Forever)
	return r, err
}

// ReportWithin is Report that waits for open transactions no longer than that; held says that accounts behind one are left out.
func ReportWithin(ctx context.Context, s *spec.Spec, wait time.Duration) (r *report.Report, held bool, err error) {
	seen, err := Look(ctx, s, wait)
	if err != nil {
		return nil, false, err
	}
	return seen.Report, seen.Held, nil
}

// Seen is what the accounts of a stream say at a time.
type Seen struct {
	Report *report.Report
	// Held says that accounts behind an open transaction are left out.
	Held bool
	// Read is how far the partitions of topics are read, for each role once.
	Read []ReadTo
}

// Look reads the accounts of a stream as Report does, once for all that is in Seen. It waits for open transactions no longer than that.
func Look(ctx context.Context, s *spec.Spec, wait time.Duration) (*Seen, error) {
	if s.Outputs.Topics.Accounts == "" {
		return nil, fmt.Errorf("%s has no topic of accounts: `tributary join` reports on what it joins", s.File)
	}
	all, held, err := readAccounts(ctx, s, wait)
	if err != nil {
		return nil, err
	}
	r, err := all.report(s)
	if err != nil {
		return nil, err
	}
	return &Seen{Report: r, Held: held, Read: all.readTo()}, nil
}

// report is the report of a job on what the accounts say.
func (all *accounts) report(s *spec.Spec) (*report.Report, error) {
	sum, err := all.sum(s)
	if err != nil {
		return nil, err
	}
	o := s.Outputs
	out := &report.Report{
		Spec: s.File, Version: s.Version, Accounts: sum, Kinds: s.Kinds(), Windows: map[string]time.Duration{},
	}
	for _, sink := range o.SampleSinks() {
		out.Outputs = append(out.Outputs, report.Output{Name: "samples", Path: sink.Path, Topic: sink.Topic, Count: batch.SamplesIn(&sink, sum)})
	}
	for _, e := range s.Engagements {
		out.Windows[e.Kind] = e.Window
	}
	return out, nil
}
