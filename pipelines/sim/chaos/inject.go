package chaos

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"tributary/runners/devcluster/services"
	"tributary/runners/flink"
)

// kill kills one of some parts of Flink, which its supervisor starts again, and waits until it
// answers.
func kill(pidFiles ...string) func(context.Context, *System, *rand.Rand) error {
	return func(ctx context.Context, s *System, random *rand.Rand) error {
		if err := signal(s.Flink, one(pidFiles, random), syscall.SIGKILL); err != nil {
			return err
		}
		_, err := s.Flink.Start(ctx)
		return err
	}
}

// one is one of some.
func one[T any](some []T, random *rand.Rand) T { return some[random.IntN(len(some))] }

func killWorker(ctx context.Context, s *System, random *rand.Rand) error {
	return restart(ctx, one(s.Releases[s.release].Workers[:], random))
}

func killBroker(ctx context.Context, s *System, _ *rand.Rand) error { return restart(ctx, s.Kafka) }

// takeBrokerAway takes the broker away for three times as long as a partition must be quiet to
// be idle: connections are refused meanwhile.
func takeBrokerAway(ctx context.Context, s *System, _ *rand.Rand) error {
	if err := s.Kafka.Kill(ctx); err != nil {
		return err
	}
	wait(ctx, 3*idleAfter)
	_, err := s.Kafka.Start(ctx)
	return err
}

// wait waits, unless the context ends.
func wait(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

func restart(ctx context.Context, s services.Service) error {
	// The service's script would need a moment before it kills.
	if err := signal(s, "pid", syscall.SIGKILL); err != nil {
		return err
	}
	if err := s.Kill(ctx); err != nil {
		return err
	}
	_, err := s.Start(ctx)
	return err
}

// stall is how long a stalled process stands still: longer than heartbeats, sessions
// and transactions live, and than it takes a quiet partition to be idle.
const stall = 3 * idleAfter

// stallProcess stops a process for a while.
func stallProcess(of func(*System, *rand.Rand) (services.Service, string)) func(context.Context, *System, *rand.Rand) error {
	return func(ctx context.Context, s *System, random *rand.Rand) error {
		service, pidFile := of(s, random)
		if err := signal(service, pidFile, syscall.SIGSTOP); err != nil {
			return err
		}
		wait(ctx, stall)
		return signal(service, pidFile, syscall.SIGCONT)
	}
}

func taskManager(s *System, random *rand.Rand) (services.Service, string) {
	return s.Flink, one(taskManagers, random)
}

func worker(s *System, random *rand.Rand) (services.Service, string) {
	return one(s.Releases[s.release].Workers[:], random), "pid"
}

func broker(s *System, _ *rand.Rand) (services.Service, string) { return s.Kafka, "pid" }

// loseStorage takes the place of checkpoints away until one has failed for it, as on a disk
// that is full for a while.
func loseStorage(ctx context.Context, s *System, _ *rand.Rand) error {
	place := filepath.Join(s.Flink.Data, "checkpoints")
	away := place + ".away"
	if err := os.Rename(place, away); err != nil {
		return err
	}
	if err := os.WriteFile(place, nil, 0o600); err != nil { // where a folder should be made
		return err
	}
	status, err := s.await(ctx, func(s flink.Status) bool { return s.Checkpoints.Failing })
	if err == nil {
		s.Log("checkpoints fail, because: %s", status.Checkpoints.LastFailed)
	}
	return errors.Join(err, os.Remove(place), os.Rename(away, place))
}

// signal sends a signal to a process that a service keeps the pid of.
func signal(s services.Service, file string, sig syscall.Signal) error {
	pid, err := s.PID(file)
	if err != nil {
		return err
	}
	if err := syscall.Kill(pid, sig); err != nil {
		return fmt.Errorf("%s to %s of %s: %w", sig, file, s.Name, err)
	}
	return nil
}
