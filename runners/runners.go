// Package runners says what a runner is to those who start pipelines. Each is a package below this one:
//
//	direct     bounded pipelines, in this process and on one goroutine each
//	prism      pipelines with unbounded sources, in this process, for trying them out
//	flink      any, on a cluster
//	devcluster servers on this machine for the others, no runner
//
// To add one, write a package below this one with a type that is a Runner, call Register in its init, and import it where commands
// are; package runnertest is one whole. What has options that commands are to give is set up there.
//
// Neither sources nor sinks nor transforms know of a runner: what one cannot do is dealt with in its package,
// or said by Limits for whoever builds pipelines.
package runners

import (
	"context"
	"fmt"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
)

// Runner is a place where pipelines run.
type Runner interface {
	// Name is what users call it.
	Name() string
	// Limits are what pipelines have to keep to here.
	Limits() Limits
	// Start starts a pipeline and returns when it runs, or has been taken by what will run it. The context is for
	// the start alone where the job outlives this process; otherwise the job ends with it.
	Start(ctx context.Context, p *beam.Pipeline) (Job, error)
}

// Limits are what pipelines have to keep to on a runner. The zero value is none.
type Limits struct {
	// Bounded says that sources must have an end.
	Bounded bool
	// NoState says that a run leaves no state that another can go on from: savepoints, checkpoints.
	NoState bool
	// Small says that all of a pipeline is in memory: what has an end, and may be large, is for other runners.
	Small bool
	// Readers is how many readers an unbounded source may have at most; 0 for any number.
	Readers int
	// Rest is how long a reader pauses between two polls; 0 for what it chooses.
	Rest time.Duration
}

// Job is a pipeline that was started.
type Job interface {
	// String says where it is to be looked at, for people; empty if nowhere.
	fmt.Stringer
	// Outlives tells whether the job goes on when this process ends.
	Outlives() bool
	// Wait waits until the job has ended and returns why, nil if it has done all. With exhausted set, the job's
	// sources have an end, and it is over when all that they gave is done. Meanwhile follow, if it is not nil,
	// is told how the job is doing.
	Wait(ctx context.Context, exhausted bool, follow func(Status)) error
	// Close gives up what this process has of the job; one that cannot go on without is ended.
	Close(ctx context.Context) error
}

// Status is how a job is doing, in a line for people.
type Status interface{ fmt.Stringer }
