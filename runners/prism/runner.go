package prism

import (
	"context"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"tributary/runners"
)

func init() { runners.Register(Runner{}) }

// Runner runs pipelines on Prism.
type Runner struct{}

// Name implements runners.Runner.
func (Runner) Name() string { return "prism" }

// Limits implements runners.Runner. Nobody else waits for the watermark, so readers hardly rest.
func (Runner) Limits() runners.Limits {
	return runners.Limits{NoState: true, Small: true, Readers: Readers, Rest: 100 * time.Millisecond}
}

// Start implements runners.Runner.
func (Runner) Start(ctx context.Context, p *beam.Pipeline) (runners.Job, error) {
	return runners.InProcess(ctx, func(ctx context.Context) error { return Run(ctx, p) }), nil
}
