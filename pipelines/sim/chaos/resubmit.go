package chaos

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"tributary/runners/flink"
)

// killSubmitter kills the one that follows the job, which must not mind, and then another
// one somewhere in its submission: the job may have been submitted by then, or not, or be
// under way and appear beside the one that is submitted then.
func killSubmitter(ctx context.Context, s *System, random *rand.Rand) error {
	s.killFollower()
	savepoint, err := s.stopWithSavepoint(ctx)
	if err != nil {
		return fmt.Errorf("the job after its submitter was killed: %w", err)
	}
	p, err := s.spawnFrom(savepoint)
	if err != nil {
		return err
	}
	select {
	case <-time.After(time.Duration(random.Int64N(int64(6 * time.Second)))):
	case <-p.ended:
	}
	p.kill()
	if adopted, err := s.adopt(ctx, savepoint); adopted || err != nil {
		return err
	}
	refused := s.submit(ctx, savepoint)
	if refused == nil {
		return nil
	}
	// The other one was faster.
	adopted, err := s.adopt(ctx, savepoint)
	if err == nil && !adopted {
		err = refused
	}
	return err
}

// adopt takes the job for the system's that a killed submitter has submitted, if it appears.
func (s *System) adopt(ctx context.Context, savepoint string) (bool, error) {
	id, err := s.runningJob(ctx)
	if id == "" || err != nil {
		return false, err
	}
	s.Log("job %s was submitted by one that was killed", id)
	s.job, s.restored = id, savepoint
	return true, nil
}

// appearsWithin is how long a job may take to appear after its submitter has died.
const appearsWithin = 8 * time.Second

// runningJob returns the job that Flink has, or empty if none appears.
func (s *System) runningJob(ctx context.Context) (string, error) {
	for deadline := time.Now().Add(appearsWithin); ; time.Sleep(200 * time.Millisecond) {
		jobs, err := s.client.Jobs(ctx)
		if err != nil {
			return "", err
		}
		for _, job := range jobs {
			if job.Name == s.Stream.Stream.Name && !job.State.Ended() {
				return job.ID, nil
			}
		}
		if time.Now().After(deadline) {
			return "", nil
		}
	}
}

// cancelRivals cancels jobs that appeared beside the one there should be, as whoever sees them
// would. Until then each fences the other's transactions off, and both go on by turns.
func (s *System) cancelRivals(ctx context.Context) error {
	jobs, err := s.client.Jobs(ctx)
	if err != nil {
		return err
	}
	for _, job := range jobs {
		if job.ID == s.job || job.Name != s.Stream.Stream.Name || job.State.Ended() {
			continue
		}
		s.Log("job %s appeared beside job %s, and is canceled", job.ID, s.job)
		if err := s.client.Cancel(ctx, job.ID); err != nil {
			return err
		}
		if _, err := s.client.Wait(ctx, job.ID, nil); !errors.Is(err, flink.ErrJobCanceled) {
			return fmt.Errorf("cancel job %s: %w", job.ID, err)
		}
	}
	return nil
}

// loseFlink kills all of Flink and takes away what it knows of its jobs. What is left is the
// last checkpoint, from which the job is submitted again.
func loseFlink(ctx context.Context, s *System, _ *rand.Rand) error {
	if err := s.emptyFlink(ctx, "ha", "zookeeper"); err != nil {
		return err
	}
	from, err := s.lastCheckpoint()
	if err != nil {
		return err
	}
	return s.submit(ctx, from)
}

// loseState kills all of Flink and takes everything away, checkpoints and savepoints as well.
// What is left is the log, from which the job begins anew, at another parallelism and over
// another number of shards.
func loseState(ctx context.Context, s *System, random *rand.Rand) error {
	if err := s.emptyFlink(ctx, "ha", "zookeeper", "checkpoints", "savepoints"); err != nil {
		return err
	}
	if err := s.Stream.reshard(1 + random.IntN(9)); err != nil {
		return err
	}
	s.parallelism = 5 - s.parallelism
	return s.submit(ctx, fromLog)
}

// emptyFlink kills all of Flink, empties folders of its data and starts it again.
func (s *System) emptyFlink(ctx context.Context, folders ...string) error {
	if err := s.Flink.Kill(ctx); err != nil {
		return err
	}
	for _, folder := range folders {
		if err := os.RemoveAll(filepath.Join(s.Flink.Data, folder)); err != nil {
			return err
		}
		if err := os.Mkdir(filepath.Join(s.Flink.Data, folder), 0o755); err != nil {
			return err
		}
	}
	if _, err := s.Flink.Start(ctx); err != nil {
		return err
	}
	s.killFollower() // it waits for a job that is gone
	return nil
}

// lastCheckpoint is the newest complete checkpoint of the job, or else what it was started
// from.
func (s *System) lastCheckpoint() (string, error) {
	complete, err := filepath.Glob(filepath.Join(s.Flink.Data, "checkpoints", s.job, "chk-*", "_metadata"))
	if err != nil || len(complete) == 0 {
		return s.restored, err
	}
	number := func(path string) int {
		n, _ := strconv.Atoi(strings.TrimPrefix(filepath.Base(filepath.Dir(path)), "chk-"))
		return n
	}
	newest := slices.MaxFunc(complete, func(a, b string) int { return number(a) - number(b) })
	return "file://" + filepath.Dir(newest), nil
}

// upgrade stops the job with a savepoint and resumes it with another release, at another
// parallelism; from the log where that release must refuse the savepoint.
func upgrade(ctx context.Context, s *System, _ *rand.Rand) error {
	savepoint, err := s.stopWithSavepoint(ctx)
	if err != nil {
		return err
	}
	s.killFollower()
	s.release = (s.release + 1) % len(s.Releases)
	s.parallelism = 5 - s.parallelism // 2 and 3
	if s.OwnState {
		if err := s.submit(ctx, savepoint); err == nil || !strings.Contains(err.Error(), "use --resume log") {
			return fmt.Errorf("state of another release was to be refused: %v", err) //nolint:errorlint // there may be none
		}
		return s.submit(ctx, fromLog)
	}
	return s.submit(ctx, savepoint)
}

// upgradeBesideSchema does so while the registry gets a newer schema of views, of which views are from
// then on: those that wait in the savepoint, and all samples, keep the schema that they have there.
func upgradeBesideSchema(ctx context.Context, s *System, _ *rand.Rand) error {
	savepoint, err := s.stopWithSavepoint(ctx)
	if err != nil {
		return err
	}
	s.killFollower()
	if err := s.Stream.schemas.grow("views"); err != nil {
		return err
	}
	s.release = (s.release + 1) % len(s.Releases)
	if err := s.submit(ctx, savepoint); err != nil {
		return err
	}
	if said := tail(s.submitter.said); !strings.Contains(said, "views keep the schema that the state has") {
		return fmt.Errorf("the newer schema of views was not told of: %s", said)
	}
	return nil
}

// stopWithSavepoint stops the job. While its tasks start after a restart it has to be asked again.
func (s *System) stopWithSavepoint(ctx context.Context) (string, error) {
	for deadline := time.Now().Add(recoverWithin); ; time.Sleep(time.Second) {
		path, err := s.client.StopWithSavepoint(ctx, s.job, "")
		if err == nil {
			_, err = s.client.Wait(ctx, s.job, nil)
			return path, err
		}
		if errors.Is(err, flink.ErrNoJob) || time.Now().After(deadline) {
			return "", err
		}
	}
}
