// Package runnertest is a runner of tests: all that it takes to add one is in this file.
package runnertest

import (
	"context"
	"sync/atomic"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"tributary/runners"
	"tributary/runners/direct"
)

func init() { runners.Register(Counting{}) }

// Started is how many pipelines Counting has started.
var Started atomic.Int64

// Counting is the direct runner, and counts.
type Counting struct{}

// Name implements runners.Runner.
func (Counting) Name() string { return "counting" }

// Limits implements runners.Runner.
func (Counting) Limits() runners.Limits { return runners.Limits{Bounded: true, NoState: true} }

// Start implements runners.Runner.
func (Counting) Start(ctx context.Context, p *beam.Pipeline) (runners.Job, error) {
	Started.Add(1)
	return runners.InProcess(ctx, func(ctx context.Context) error { return direct.Run(ctx, p) }), nil
}
