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

// kill kills a part of Flink, which its supervisor starts again, and waits until it answers.
func kill(pidFile string) func(context.Context, *System, *rand.Rand) error {
	return func(ctx context.Context, s *System, _ *rand.Rand) error {
		if err := signal(s.Flink, pidFile, syscall.SIGKILL); err != nil {
			return err
		}
		_, err := s.Flink.Start(ctx)
		return err
	}
}

// one is one of some.
func one[T any](some []T, random *rand.Rand) T { return some[random.IntN(len(some))] }

func killTaskManager(ctx context.Context, s *System, random *rand.Rand) error {
	i, err := s.atWork(ctx, random)
	if err != nil {
		return err
	}
	return kill(taskManagers[i])(ctx, s, random)
}

func killWorker(ctx context.Context, s *System, random *rand.Rand) error {
	i, err := s.atWork(ctx, random)
	if err != nil {
		return err
	}
	return restart(ctx, s.Releases[s.release].Workers[i])
}

func killBroker(ctx context.Context, s *System, _ *rand.Rand) error {
	return errors.Join(killNow(ctx, s.Kafka), s.startBroker(ctx))
}

// takeBrokerAway takes the broker away for three times as long as a partition must be quiet to
// be idle: connections are refused meanwhile.
func takeBrokerAway(ctx context.Context, s *System, _ *rand.Rand) error {
	if err := s.Kafka.Kill(ctx); err != nil {
		return err
	}
	wait(ctx, 3*idleAfter)
	return s.startBroker(ctx)
}

// wait waits, unless the context ends.
func wait(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

func restart(ctx context.Context, s services.Service) error {
	if err := killNow(ctx, s); err != nil {
		return err
	}
	_, err := s.Start(ctx)
	return err
}

// killNow kills a service at once: its script would need a moment.
func killNow(ctx context.Context, s services.Service) error {
	return errors.Join(signal(s, "pid", syscall.SIGKILL), s.Kill(ctx))
}

// stall is how long a stalled process stands still: longer than heartbeats, sessions
// and transactions live, and than it takes a quiet partition to be idle.
const stall = 3 * idleAfter

// stallTaskManager, stallWorker and stallBroker stop a process for a while.
func stallTaskManager(ctx context.Context, s *System, random *rand.Rand) error {
	i, err := s.atWork(ctx, random)
	if err != nil {
		return err
	}
	return stallProcess(ctx, s.Flink, taskManagers[i])
}

func stallWorker(ctx context.Context, s *System, random *rand.Rand) error {
	i, err := s.atWork(ctx, random)
	if err != nil {
		return err
	}
	return stallProcess(ctx, s.Releases[s.release].Workers[i], "pid")
}

func stallBroker(ctx context.Context, s *System, _ *rand.Rand) error {
	return stallProcess(ctx, s.Kafka, "pid")
}

func stallProcess(ctx context.Context, service services.Service, pidFile string) error {
	if err := signal(service, pidFile, syscall.SIGSTOP); err != nil {
		return err
	}
	wait(ctx, stall)
	return signal(service, pidFile, syscall.SIGCONT)
}

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
	status, err := s.await(ctx, "fail a checkpoint", func(s flink.Status) bool { return s.Checkpoints.Failing })
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
