package chaos

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tributary/runners/flink"
)

// beginning tells one start of the job's tasks from another: the job's in its JobManager, and
// how often that has gone back to a checkpoint since.
type beginning struct {
	started  time.Time
	restored int
}

func beginningOf(s flink.Status) beginning { return beginning{s.Started, s.Checkpoints.Restored} }

// begun is the last beginning of the job, once all its tasks run, and it has a checkpoint: one that begins anew without goes back to none, and
// cannot be told.
func (s *System) begun(ctx context.Context) (beginning, error) {
	status, err := s.await(ctx, "run and have a checkpoint", func(now flink.Status) bool { return running(now) && now.Checkpoints.Completed > 0 })
	return beginningOf(status), err
}

// missedAfter is how long a job that goes on as it was is waited for: a process that was killed may have run nothing of it, though it said so.
const missedAfter = time.Minute

// awaitRestart waits until the tasks have begun anew, and all of them run; or for a minute in which the job makes checkpoints as before: it was
// missed then, which is told. Whether samples come is asked for behind it.
func (s *System) awaitRestart(ctx context.Context, before beginning) error {
	struck, checkpoints := time.Now(), -1
	_, err := s.await(ctx, "restart", func(now flink.Status) bool {
		switch {
		case !running(now):
			struck, checkpoints = time.Now(), -1
			return false
		case beginningOf(now) != before:
			return true
		case checkpoints < 0:
			checkpoints = now.Checkpoints.Completed
		}
		missed := time.Since(struck) > missedAfter && now.Checkpoints.Completed > checkpoints
		if missed {
			s.Log("the job went on as it was: nothing of it ran in what was killed")
		}
		return missed
	})
	return err
}

func running(s flink.Status) bool { return s.State == flink.Running && s.TasksRunning == s.Tasks }

// await waits until the job's status is as wanted, for which what says a word. A JobManager that
// does not answer is waited for.
func (s *System) await(ctx context.Context, what string, wanted func(flink.Status) bool) (flink.Status, error) {
	for deadline := time.Now().Add(recoverWithin); ; {
		status, err := s.client.Status(ctx, s.job)
		if err == nil && wanted(status) {
			return status, nil
		}
		if time.Now().After(deadline) {
			return status, errors.Join(fmt.Errorf("the job did not %s within %s: %s", what, recoverWithin, status), err)
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
			return status, ctx.Err()
		}
	}
}
