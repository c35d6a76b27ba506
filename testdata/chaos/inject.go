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

	"tributary/runners/flink"
	"tributary/testdata/services"
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

func killWorker(ctx context.Context, s *System, _ *rand.Rand) error {
	return restart(ctx, s.Releases[s.release].Worker)
}

func killBroker(ctx context.Context, s *System, _ *rand.Rand) error { return restart(ctx, s.Kafka) }

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
// and transactions live.
const stall = 20 * time.Second

// stallProcess stops a process for a while.
func stallProcess(pidFile string, of func(*System) services.Service) func(context.Context, *System, *rand.Rand) error {
	return func(ctx context.Context, s *System, _ *rand.Rand) error {
		service := of(s)
		if err := signal(service, pidFile, syscall.SIGSTOP); err != nil {
			return err
		}
		select {
		case <-time.After(stall):
		case <-ctx.Done():
		}
		return signal(service, pidFile, syscall.SIGCONT)
	}
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
