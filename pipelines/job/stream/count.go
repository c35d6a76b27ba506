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
	l.EachMetric(func(s account.Subject, name string, row *account.Row, n int64) {
		prefix := ""
		switch s {
		case account.OfEngagements:
			prefix = name + "_"
		case account.OfStage:
			prefix = "stage_" + name + "_"
		default: // views have none
		}
		beam.NewCounter("tributary", prefix+row.In(s).Metric).Inc(ctx, n)
	})
}
