package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"tributary/runners/flink"
)

// running is a job that runs.
type running interface {
	// waitRunning waits until all tasks of the job run.
	waitRunning(context.Context) error
	// checkpoints are all that it has completed, or what stands for them.
	checkpoints(context.Context) (checkpoints, error)
	// shuffled is how many bytes its tasks have sent to each other.
	shuffled(context.Context) (int64, error)
	// stop ends it.
	stop(context.Context) error
}

// flinkJob is a job on a Flink cluster.
type flinkJob struct {
	id     string
	client *flink.Client
	rest   string
	// stopped, if not nil, is called at its end.
	stopped func()
}

// startWithin is how long a job may take until all its tasks run.
const startWithin = 2 * time.Minute

func (r *flinkJob) waitRunning(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	for {
		s, err := r.client.Status(ctx, r.id)
		switch {
		case err != nil:
			return err
		case s.State.Ended():
			return fmt.Errorf("job %s is %s", r.id, s)
		case s.State == flink.Running && s.Tasks > 0 && s.TasksRunning == s.Tasks:
			return nil
		}
		if err := pause(ctx, 200*time.Millisecond); err != nil {
			return fmt.Errorf("wait for the tasks of job %s: %w", r.id, err)
		}
	}
}

// stop ends a job, if it has not ended by itself.
func (r *flinkJob) stop(ctx context.Context) error {
	if r.stopped != nil {
		defer r.stopped()
	}
	s, err := r.client.Status(ctx, r.id)
	if err != nil {
		return err
	}
	if !s.State.Ended() {
		if err := r.client.Cancel(ctx, r.id); err != nil {
			// It may just have ended.
			if s, statusErr := r.client.Status(ctx, r.id); statusErr != nil || !s.State.Ended() {
				return errors.Join(err, statusErr)
			}
		}
	}
	_, err = r.client.Wait(ctx, r.id, nil)
	if errors.Is(err, flink.ErrJobCanceled) {
		return nil
	}
	return err
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// checkpoints are all that a job has completed; of a job without, Uploaded is what it wrote to be able to recover.
type checkpoints struct {
	// Count and Uploaded are of all; Uploaded is what was written for them.
	Count    int   `json:"count"`
	Uploaded int64 `json:"uploaded_bytes"`
	// State is the full size of the last one.
	State int64 `json:"state_bytes"`
	// begun is when the last one was begun.
	begun time.Time
}

func (r *flinkJob) checkpoints(ctx context.Context) (checkpoints, error) {
	var answer struct {
		Counts struct {
			Completed int `json:"completed"`
		} `json:"counts"`
		Summary struct {
			Uploaded struct {
				Mean int64 `json:"avg"`
			} `json:"checkpointed_size"`
		} `json:"summary"`
		Latest struct {
			Completed *struct {
				Begun int64 `json:"trigger_timestamp"`
				State int64 `json:"state_size"`
			} `json:"completed"`
		} `json:"latest"`
	}
	if err := r.get(ctx, "/checkpoints", &answer); err != nil {
		return checkpoints{}, err
	}
	c := checkpoints{Count: answer.Counts.Completed, Uploaded: int64(answer.Counts.Completed) * answer.Summary.Uploaded.Mean}
	if last := answer.Latest.Completed; last != nil {
		c.State, c.begun = last.State, time.UnixMilli(last.Begun)
	}
	return c, nil
}

// fetching is how long a JobManager may take to fetch metrics once it was asked for them.
const fetching = 2 * time.Second

func (r *flinkJob) shuffled(ctx context.Context) (int64, error) {
	// The first answer is of the last time somebody asked.
	if err := errors.Join(r.get(ctx, "", &struct{}{}), pause(ctx, fetching)); err != nil {
		return 0, err
	}
	var answer struct {
		Vertices []struct {
			Metrics struct {
				Written int64 `json:"write-bytes"`
			} `json:"metrics"`
		} `json:"vertices"`
	}
	err := r.get(ctx, "", &answer)
	sum := int64(0)
	for _, v := range answer.Vertices {
		sum += v.Metrics.Written
	}
	return sum, err
}

// get asks Flink about the job.
func (r *flinkJob) get(ctx context.Context, path string, answer any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://%s/jobs/%s%s", r.rest, r.id, path), nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("job %s%s: %w", r.id, path, err)
	}
	defer response.Body.Close() //nolint:errcheck // only read
	if err := json.NewDecoder(response.Body).Decode(answer); err != nil {
		return fmt.Errorf("job %s%s: %w", r.id, path, err)
	}
	return nil
}
