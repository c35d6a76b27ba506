// Package prism runs pipelines with unbounded sources in this process, on Beam's Prism
// runner: for tests, demonstrations and small streams.
//
// Prism keeps everything in memory, takes no checkpoints and is not meant for production:
// what a restart must not lose has to be in the pipeline's own sinks.
package prism

import (
	"context"
	"fmt"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners/prism"
)

// Run runs a pipeline until it ends or ctx does, in which case the error is the context's.
// Prism goes on in the background then, until the process ends.
func Run(ctx context.Context, p *beam.Pipeline) error {
	done := make(chan error, 1)
	go func() {
		_, err := prism.Execute(ctx, p)
		done <- err
	}()
	select {
	case err := <-done:
		if err != nil {
			return fmt.Errorf("prism runner: %w", err)
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
