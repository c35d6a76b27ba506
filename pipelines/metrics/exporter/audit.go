package exporter

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"tributary/pipelines/audit"
	"tributary/pipelines/live"
	"tributary/pipelines/metrics"
)

// audit audits all that is complete. It may take as long as until the next one.
func (e *Exporter) audit(ctx context.Context) {
	began := time.Now()
	bounded, cancel := context.WithTimeout(ctx, e.opt.AuditEvery)
	defer cancel()
	out := &collected{stream: e.stream}
	if err := e.audited(bounded, out); err == nil || ctx.Err() == nil {
		e.took("audit", err, time.Since(began), out.metrics)
	}
}

func (e *Exporter) audited(ctx context.Context, out *collected) error {
	out.add(metrics.AuditInterval, e.opt.AuditEvery.Seconds())
	found, err := audit.Run(ctx, e.spec, audit.Options{Scratch: e.opt.Scratch})
	if errors.Is(err, audit.ErrNothingClosed) {
		return nil
	}
	if err != nil {
		return err
	}
	out.add(metrics.AuditTime, seconds(e.opt.Now()))
	for _, sink := range found.Sinks {
		for i := range sink.Stages {
			of := &sink.Stages[i]
			labels := []string{sinkLabel(sink.Topic), cmp.Or(of.Stage, live.LastStage)}
			out.add(metrics.AuditCompared, float64(of.Expected), labels...)
			for _, class := range audit.Classes {
				out.add(metrics.AuditFindings, float64(of.Of(class)), append(slices.Clone(labels), string(class))...)
			}
		}
	}
	if found.Accounts != nil {
		out.add(metrics.AuditFindings, float64(len(found.Accounts.Differences)), "accounts", live.LastStage, string(audit.Different))
	}
	return nil
}

func sinkLabel(topic string) string {
	if topic == "" {
		return "folder"
	}
	return "topic"
}
