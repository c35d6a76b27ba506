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

// begun is the last beginning of the job, once all its tasks run.
func (s *System) begun(ctx context.Context) (beginning, error) {
	status, err := s.await(ctx, func(flink.Status) bool { return true })
	return beginningOf(status), err
}

// awaitRestart waits until the tasks have begun anew, and all of them run.
func (s *System) awaitRestart(ctx context.Context, before beginning) error {
	_, err := s.await(ctx, func(now flink.Status) bool { return beginningOf(now) != before })
	return err
}

// await waits until all tasks run and the job's status is as wanted. A JobManager that does not
// answer is waited for.
func (s *System) await(ctx context.Context, wanted func(flink.Status) bool) (flink.Status, error) {
	for deadline := time.Now().Add(recoverWithin); ; {
		status, err := s.client.Status(ctx, s.job)
		if err == nil && status.State == flink.Running && status.TasksRunning == status.Tasks && wanted(status) {
			return status, nil
		}
		if time.Now().After(deadline) {
			return status, errors.Join(fmt.Errorf("the job does not run, or did not restart, within %s: %s", recoverWithin, status), err)
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
			return status, ctx.Err()
		}
	}
}
