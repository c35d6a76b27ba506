package flink

import (
	"context"
	"errors"
	"fmt"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"tributary/runners"
)

func init() { runners.Register(Runner{}) }

// Runner runs pipelines on Flink as its Options say.
type Runner struct {
	Options Options
}

// Name implements runners.Runner.
func (Runner) Name() string { return "flink" }

// Limits implements runners.Runner.
func (Runner) Limits() runners.Limits { return runners.Limits{} }

// Start implements runners.Runner, see Submit.
func (r Runner) Start(ctx context.Context, p *beam.Pipeline) (runners.Job, error) {
	submitted, err := Submit(ctx, p, r.Options)
	if err != nil {
		return nil, err
	}
	return &runningJob{Job: submitted, outlives: r.Options.Worker != "" && !r.Options.Tied}, nil
}

// runningJob is a Job as all runners have them.
type runningJob struct {
	*Job
	outlives bool
}

func (j *runningJob) String() string { return fmt.Sprintf("job %s: %s", j.FlinkID, j.URL()) }

// Outlives tells whether the job's code runs in workers beside the TaskManagers, and it is not tied.
func (j *runningJob) Outlives() bool { return j.outlives }

func (j *runningJob) Wait(ctx context.Context, exhausted bool, follow func(runners.Status)) (err error) {
	each := func(s Status) {
		if follow != nil {
			follow(s)
		}
	}
	if exhausted {
		_, err = j.WaitExhausted(ctx, each)
	} else {
		_, err = j.Job.Wait(ctx, each)
	}
	return err
}

// Close ends a job whose code is in this process, without which it would fail for ever, and one that is tied.
func (j *runningJob) Close(ctx context.Context) (err error) {
	if !j.Outlives() {
		if status, statusErr := j.Status(ctx); statusErr == nil && !status.State.Ended() {
			err = j.Cancel(ctx)
		}
	}
	return errors.Join(err, j.Job.Close())
}

var _ runners.Runner = Runner{}
