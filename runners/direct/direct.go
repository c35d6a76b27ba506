// Package direct runs bounded pipelines in this process, on Beam's direct runner.
//
// The direct runner does all of a pipeline on one goroutine and keeps what it groups in
// memory: there is no cheaper way to run Beam, and no way to make one pipeline use two
// processors. So the work is cut into pipelines, and several run at once.
//
// It runs no state, timers, triggers or unbounded sources, and a worker's failure is the
// failure of the run.
package direct

import (
	"context"
	"sync"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/log"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners/direct" //nolint:staticcheck // bounded and stateless is what it is for, see above
	"golang.org/x/sync/errgroup"
)

// Run runs one pipeline to its end. An error says what went wrong, not where in Beam's plan;
// what a step emitted before it stays where it was written.
func Run(ctx context.Context, p *beam.Pipeline) error {
	quiet.Do(func() { log.SetLogger(warnings{&log.Standard{Level: log.SevWarn}}) })
	if _, err := direct.Execute(ctx, p); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return causeOf(err)
	}
	return nil
}

// RunAll runs n pipelines, at most parallel of them at once, in order of their number.
// build makes the i-th, just before it runs; done is told when it has succeeded, on
// the pipeline's goroutine. The first error, of a pipeline or of done, stops the others.
func RunAll(ctx context.Context, n, parallel int, build func(i int) *beam.Pipeline, done func(i int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(max(parallel, 1))
	for i := range n {
		if ctx.Err() != nil {
			break
		}
		group.Go(func() error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err := Run(ctx, build(i)); err != nil {
				return err
			}
			return done(i)
		})
	}
	return group.Wait()
}

// quiet is for Beam's logger, which is one for the process.
var quiet sync.Once

// warnings drops what is not at least a warning: at its usual level Beam prints every
// pipeline and its plan.
type warnings struct{ to log.Logger }

func (w warnings) Log(ctx context.Context, severity log.Severity, calldepth int, msg string) {
	// The direct runner warns at every start that Beam was not initialised as a worker.
	if severity >= log.SevError {
		w.to.Log(ctx, severity, calldepth+1, msg)
	}
}
