package stream

import (
	"context"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"tributary/io/dofn"
	"tributary/transforms/account"
)

func init() {
	dofn.Register(dofn.Method2x0((*countFn).ProcessElement))
}

// countFn adds up accounts in the runner's counters, which show how a job does while it
// runs; after a restart they may have counted some twice.
type countFn struct{}

func (f *countFn) ProcessElement(ctx context.Context, l account.Sheet) {
	count := func(name string, n int64) {
		if n != 0 {
			beam.NewCounter("tributary", name).Inc(ctx, n)
		}
	}
	v := l.Views
	count("views_read", v.Read)
	count("samples", v.Samples)
	count("positives", v.Positives)
	count("sampled_out", v.SampledOut)
	count("views_duplicate", v.Duplicates)
	count("views_late", v.Late)
	count("views_dead", v.Dead)
	for kind, e := range l.Engagements {
		count(kind+"_read", e.Read)
		count(kind+"_matched", e.Matched)
		count(kind+"_outside_window", e.Outside)
		count(kind+"_orphans", e.Orphans)
		count(kind+"_duplicate", e.Duplicates)
		count(kind+"_late", e.Late)
		count(kind+"_dead", e.Dead)
	}
}
