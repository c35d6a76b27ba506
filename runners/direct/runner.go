package direct

import (
	"context"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"tributary/runners"
)

func init() { runners.Register(Runner{}) }

// Runner runs pipelines on the direct runner, each on one goroutine. RunAll is for several at once.
type Runner struct{}

// Name implements runners.Runner.
func (Runner) Name() string { return "direct" }

// Limits implements runners.Runner.
func (Runner) Limits() runners.Limits { return runners.Limits{Bounded: true, NoState: true} }

// Start implements runners.Runner.
func (Runner) Start(ctx context.Context, p *beam.Pipeline) (runners.Job, error) {
	return runners.InProcess(ctx, func(ctx context.Context) error { return Run(ctx, p) }), nil
}
