package exporter

import (
	"context"
	"errors"

	"tributary/pipelines/audit"
	"tributary/pipelines/metrics"
)

// audit audits all that is complete. It may take as long as until the next one.
func (e *Exporter) audit(ctx context.Context) {
	e.source(ctx, "audit", e.opt.AuditEvery, func(ctx context.Context, out *collected) error {
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
				labels := []string{sinkLabel(sink.Topic), stageLabel(of.Stage)}
				out.add(metrics.AuditCompared, float64(of.Expected), labels...)
				for _, class := range audit.Classes {
					out.add(metrics.AuditFindings, float64(of.Of(class)), append(labels, string(class))...)
				}
			}
		}
		if found.Accounts != nil {
			out.add(metrics.AuditFindings, float64(len(found.Accounts.Differences)), "accounts", lastStage, string(audit.Different))
		}
		return nil
	})
}
