package stream

import (
	"context"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"tributary/io/dofn"
	"tributary/pipelines/metrics"
	"tributary/transforms/account"
)

func init() {
	dofn.Register(dofn.Method2x0((*countFn).ProcessElement))
}

// countFn adds up accounts in the runner's counters, which show how a job does while it
// runs, and in those of the worker's process; after a restart they may have counted some twice.
type countFn struct{ Stream string }

func (f *countFn) ProcessElement(ctx context.Context, l account.Sheet) {
	metrics.Count(f.Stream, &l)
	count := func(s account.Subject, prefix string, counts *account.Counts) {
		for i, row := range account.Table() {
			if use := row.In(s); use != nil && use.Metric != "" && counts[i] != 0 {
				beam.NewCounter("tributary", prefix+use.Metric).Inc(ctx, counts[i])
			}
		}
	}
	count(account.OfViews, "", &l.Views.N)
	for kind, e := range l.Engagements {
		count(account.OfEngagements, kind+"_", &e.N)
	}
	for stage, n := range l.Stages {
		count(account.OfStage, "stage_"+stage+"_", &n.N)
	}
}
