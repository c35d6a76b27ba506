package stream

import (
	"context"
	"fmt"
	"time"

	"tributary/pipelines/report"
	"tributary/pipelines/spec"
	"tributary/transforms/account"
)

// Report tells from the accounts of a stream, which may go on meanwhile, what became of
// every event that it has read. What is in windows that are still open is counted as open.
func Report(ctx context.Context, s *spec.Spec) (*report.Report, error) {
	if s.Outputs.Topics.Accounts == "" {
		return nil, fmt.Errorf("%s has no topic of accounts: `tributary join` reports on what it joins", s.File)
	}
	all, err := readAccounts(ctx, s)
	if err != nil {
		return nil, err
	}
	sum, err := all.sum(s)
	if err != nil {
		return nil, err
	}
	o := s.Outputs
	out := &report.Report{
		Spec: s.File, Version: s.Version, Accounts: sum, Kinds: s.Kinds(), Windows: map[string]time.Duration{},
	}
	for _, sink := range o.SampleSinks() {
		out.Outputs = append(out.Outputs, report.Output{Name: "samples", Path: sink.Path, Topic: sink.Topic, Count: sum.Views.N[account.Samples]})
	}
	for _, e := range s.Engagements {
		out.Windows[e.Kind] = e.Window
	}
	return out, nil
}
