package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime/pprof"
	"strconv"
	"syscall"
	"time"
)

// profileEnv names the file that the worker writes its profile to. SIGUSR1 begins it, and
// another one ends it.
const profileEnv = "BENCHSTREAM_PROFILE"

// profileOnSignal serves the worker's profile, until the context ends.
func profileOnSignal(ctx context.Context, path string) error {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR1)
	for {
		select {
		case <-signals:
		case <-ctx.Done():
			return nil
		}
		file, err := os.Create(path) //nolint:gosec // it is asked for
		if err != nil {
			return err
		}
		if err := pprof.StartCPUProfile(file); err != nil {
			return err
		}
		select {
		case <-signals:
		case <-ctx.Done():
		}
		pprof.StopCPUProfile()
		if err := file.Close(); err != nil {
			return err
		}
	}
}

// profile records where the processor time of our side goes while do runs, in files of dir:
// worker.pprof, for `go tool pprof -top`, and taskmanager.jfr, for the JDK's jfr.
func (s *servers) profile(ctx context.Context, dir string, do func() error) error {
	recording, err := filepath.Abs(filepath.Join(dir, "taskmanager.jfr"))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	pids := map[string]int{}
	for _, p := range s.ours.processes {
		pids[p.name] = p.pid
	}
	jcmd := func(args ...string) error {
		out, err := exec.CommandContext(ctx, "jcmd", append([]string{strconv.Itoa(pids["taskmanager"])}, args...)...).CombinedOutput() //nolint:gosec // the JDK's
		if err != nil {
			return fmt.Errorf("profile the TaskManager: %w: %s", err, out)
		}
		return nil
	}
	if err := jcmd("JFR.start", "name=bench", "settings=profile"); err != nil {
		return err
	}
	if err := syscall.Kill(pids["worker"], syscall.SIGUSR1); err != nil {
		return fmt.Errorf("profile the worker: %w", err)
	}
	failed := do()
	stopped := jcmd("JFR.stop", "name=bench", "filename="+recording)
	err = syscall.Kill(pids["worker"], syscall.SIGUSR1)
	return errors.Join(failed, stopped, err, pause(ctx, time.Second)) // until the file is written
}
