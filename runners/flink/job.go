package flink

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Job is a pipeline that was submitted to Flink.
type Job struct {
	ID      string // Beam's, at the job server
	FlinkID string // Flink's: what a Client and Flink's user interface know it by
	Name    string

	client *Client
	pool   *pool // runs the Go code, if that is in this process
}

// Client manages the job's cluster.
func (j *Job) Client() *Client { return j.client }

// URL is the job's page in Flink's user interface.
func (j *Job) URL() string { return j.client.URL(j.FlinkID) }

// Status tells how the job is doing.
func (j *Job) Status(ctx context.Context) (Status, error) { return j.client.Status(ctx, j.FlinkID) }

// Wait waits until the job has ended; see Client.Wait.
func (j *Job) Wait(ctx context.Context, follow func(Status)) (Status, error) {
	return j.client.Wait(ctx, j.FlinkID, follow)
}

// Cancel ends the job without a savepoint.
func (j *Job) Cancel(ctx context.Context) error { return j.client.Cancel(ctx, j.FlinkID) }

// StopWithSavepoint ends the job with a savepoint and returns its path.
func (j *Job) StopWithSavepoint(ctx context.Context, dir string) (string, error) {
	return j.client.StopWithSavepoint(ctx, j.FlinkID, dir)
}

// Close ends the workers of a job whose Go code runs in this process: such a job must have
// ended before. For other jobs it does nothing.
func (j *Job) Close() error {
	if j.pool == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return j.pool.stop(ctx)
}

// Errors that Wait returns.
var (
	ErrJobFailed   = errors.New("the job failed")
	ErrJobCanceled = errors.New("the job was canceled")
)

// followEvery is how often Wait looks.
const followEvery = time.Second

// patience is for how long Wait takes a cluster that does not answer for one that restarts.
const patience = time.Minute

// Wait waits until a job has ended and returns its last status, with ErrJobFailed and the
// cause, or ErrJobCanceled, unless it finished. Meanwhile it tells follow, if that is not nil, how the
// job is doing, about once a second. A cluster that does not answer is asked again for a
// minute. A job that the cluster no longer knows is ErrNoJob: its JobManager was restarted
// without high availability.
func (c *Client) Wait(ctx context.Context, jobID string, follow func(Status)) (Status, error) {
	var last Status
	answered := time.Now()
	for {
		s, err := c.Status(ctx, jobID)
		switch {
		case err == nil:
			last, answered = s, time.Now()
			if follow != nil {
				follow(s)
			}
			if s.State.Ended() {
				return s, s.err()
			}
		case ctx.Err() != nil:
			return last, fmt.Errorf("wait for job %s, last seen %s: %w", jobID, orUnseen(last.State), ctx.Err())
		case errors.Is(err, ErrNoJob), time.Since(answered) > patience:
			return last, fmt.Errorf("wait for job %s, last seen %s: %w", jobID, orUnseen(last.State), err)
		}
		if err := wait(ctx, followEvery); err != nil {
			return last, fmt.Errorf("wait for job %s, last seen %s: %w", jobID, orUnseen(last.State), err)
		}
	}
}

func orUnseen(s State) State {
	if s == "" {
		return "never"
	}
	return s
}

// err is what an ended job's state means to one who waited for it.
func (s Status) err() error {
	if s.State == Finished {
		return nil
	}
	if s.State == Canceled {
		return fmt.Errorf("job %s (%s): %w", s.ID, s.Name, ErrJobCanceled)
	}
	reason := "no reason given"
	if s.Failure != nil {
		reason = s.Failure.Cause
	}
	return fmt.Errorf("job %s (%s), %s: %w: %s", s.ID, s.Name, s.State, ErrJobFailed, reason)
}

// options are the pipeline options that a job was submitted with, as Beam's runner tells them
// to Flink. There are none while Flink is still setting the job up.
func (c *Client) options(ctx context.Context, jobID string) (map[string]string, error) {
	var config struct {
		Execution struct {
			User map[string]string `json:"user-config"`
		} `json:"execution-config"`
	}
	return config.Execution.User, c.get(ctx, jobPath(jobID)+"/config", &config)
}
