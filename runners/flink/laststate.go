package flink

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Errors about what a job follows.
var (
	// ErrStillRuns: LastState, EnsureEnded and Submit want the job of the name to have ended.
	ErrStillRuns = errors.New("the job still runs")
	ErrNoState   = errors.New("there is no savepoint or checkpoint to resume from")
)

// SavedState is the state of a job that has ended, a savepoint's or a retained checkpoint's.
type SavedState struct {
	JobID     string    `json:"job"`
	Path      string    `json:"path"`
	Savepoint bool      `json:"savepoint"`
	Taken     time.Time `json:"taken"`
}

// String tells it in one line.
func (s SavedState) String() string {
	what := "checkpoint"
	if s.Savepoint {
		what = "savepoint"
	}
	return fmt.Sprintf("%s %s of job %s, taken at %s", what, s.Path, s.JobID, s.Taken.Format(time.RFC3339))
}

// EnsureEnded returns ErrStillRuns if a job of that name has not ended.
func (c *Client) EnsureEnded(ctx context.Context, name string) error {
	_, err := c.ended(ctx, name)
	return err
}

// LastState returns the newest state that is left of the jobs of that name, as far as the
// cluster remembers them: one whose JobManager was restarted remembers none. A job that took
// no checkpoint of its own has left the state that it was resumed from.
func (c *Client) LastState(ctx context.Context, name string) (SavedState, error) {
	jobs, err := c.ended(ctx, name)
	if err != nil {
		return SavedState{}, err
	}
	for _, job := range jobs {
		s, err := c.lastState(ctx, job.ID)
		if err != nil {
			return SavedState{}, fmt.Errorf("state of job %s: %w", job.ID, err)
		}
		if s.Path != "" {
			return s, nil
		}
	}
	return SavedState{}, fmt.Errorf("job %q: %w on %s, which remembers %d jobs of the name; give a path, or resume from the log", name, ErrNoState, c.base, len(jobs))
}

// ended returns the jobs of that name, the latest first, or ErrStillRuns.
func (c *Client) ended(ctx context.Context, name string) ([]JobSummary, error) {
	jobs, err := c.List(ctx)
	if err != nil {
		return nil, err
	}
	var found []JobSummary
	for _, job := range jobs {
		if job.Name != name {
			continue
		}
		if !job.State.Ended() {
			return nil, fmt.Errorf("job %q: %w: %s is %s, and two would fence off each other's writers: end it (tributary job stop %s), or give this one another stream.name",
				name, ErrStillRuns, job.ID, job.State, job.ID)
		}
		found = append(found, job)
	}
	return found, nil
}

// lastState returns the newest state of one job; without a path if it has left none.
func (c *Client) lastState(ctx context.Context, jobID string) (SavedState, error) {
	type saved struct {
		Path      string `json:"external_path"`
		Taken     Millis `json:"trigger_timestamp"`
		Discarded bool   `json:"discarded"`
		// RestoredAt is what one has instead of Taken that the job was resumed from.
		RestoredAt  Millis `json:"restore_timestamp"`
		IsSavepoint bool   `json:"is_savepoint"`
	}
	var answer struct {
		Latest struct {
			Completed, Savepoint, Restored *saved
		}
	}
	err := c.get(ctx, jobPath(jobID)+"/checkpoints", &answer)
	if errors.Is(err, errNoCheckpoints) {
		return SavedState{}, nil
	}
	newest := SavedState{JobID: jobID}
	for _, s := range []*saved{answer.Latest.Completed, answer.Latest.Savepoint} {
		if s != nil && !s.Discarded && s.Path != "" && s.Taken.Time().After(newest.Taken) {
			newest.Path, newest.Savepoint, newest.Taken = s.Path, s.IsSavepoint, s.Taken.Time()
		}
	}
	if s := answer.Latest.Restored; s != nil && newest.Path == "" {
		newest.Path, newest.Savepoint, newest.Taken = s.Path, s.IsSavepoint, s.RestoredAt.Time()
	}
	return newest, err
}
