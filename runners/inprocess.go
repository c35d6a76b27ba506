package runners

import "context"

// InProcess is a job that run is, in this process: it ends when run returns, and run's context ends with ctx and
// when the job is closed.
func InProcess(ctx context.Context, run func(context.Context) error) Job {
	ctx, cancel := context.WithCancel(ctx)
	j := &inProcess{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(j.done)
		j.err = run(ctx)
	}()
	return j
}

type inProcess struct {
	cancel context.CancelFunc
	done   chan struct{}
	err    error // once done
}

func (j *inProcess) String() string { return "" }

func (j *inProcess) Outlives() bool { return false }

// Wait needs not be told of exhausted sources: the pipeline ends with them.
func (j *inProcess) Wait(ctx context.Context, _ bool, _ func(Status)) error {
	select {
	case <-j.done:
		return j.err
	case <-ctx.Done():
		j.cancel()
		<-j.done
		return ctx.Err()
	}
}

func (j *inProcess) Close(context.Context) error {
	j.cancel()
	<-j.done
	return nil
}
