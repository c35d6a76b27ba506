package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"tributary/runners/devcluster/services"
	"tributary/runners/flink"
)

// workerCommand as the first argument makes this program a worker: it has to be the same
// binary that submits.
const workerCommand = "worker"

// servers are all that a benchmark runs on: one broker, and for each side a Flink cluster or a process,
// so that none warms up or fills the other's.
type servers struct {
	// dir holds data and logs, profiles the profiles, if there are any.
	dir, profiles string
	broker        *broker
	kafka         []process

	ours, control, streams, copier side
	// worker and health are the addresses of the worker of ours.
	worker, health string
	stopWorker     func() error
	// leftJoin does the jobs of Kafka Streams.
	leftJoin *program
}

// side is a Flink cluster with what belongs to it, or a process that does without one.
type side struct {
	rest, jobserver string
	processes       []process
}

// sidesOf are those of systems, each once.
func sidesOf(systems []*system) []*side {
	var out []*side
	for _, sys := range systems {
		if !slices.Contains(out, sys.side) {
			out = append(out, sys.side)
		}
	}
	return out
}

// start starts the broker and what some sides need. They end with this process.
func (s *servers) start(ctx context.Context, sides []*side) error {
	address, pid, err := service(ctx, s.dir, "kafka", "kafka", "KAFKA_HEAP=1g")
	if err != nil {
		return err
	}
	if s.kafka, err = inGroup(pid); err != nil {
		return err
	}
	if s.broker, err = openBroker(string(address)); err != nil {
		return err
	}
	for _, side := range sides {
		switch side {
		case &s.ours:
			if err = s.startFlink(ctx, "flink-ours", side); err == nil {
				err = s.startWorker(ctx)
			}
		case &s.control:
			err = s.startFlink(ctx, "flink-control", side)
		case &s.streams:
			err = s.startStreams(ctx)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *servers) startFlink(ctx context.Context, name string, side *side) error {
	address, pid, err := service(ctx, s.dir, "flink", name)
	if err != nil {
		return err
	}
	side.rest, side.jobserver = address.Part("rest"), address.Part("jobserver")
	if side.processes, err = inGroup(pid); err != nil {
		return err
	}
	if len(side.processes) != 3 {
		return fmt.Errorf("%s: 3 processes were expected, got %v", name, side.processes)
	}
	return nil
}

func service(ctx context.Context, dir, name, folder string, env ...string) (services.Address, int, error) {
	s := services.Service{Name: name, Data: filepath.Join(dir, folder), Env: env, Log: os.Stderr, Owned: true}
	address, err := s.Start(ctx)
	if err != nil {
		return "", 0, err
	}
	pid, err := s.PID("pid")
	return address, pid, err
}

// startWorker starts the worker of ours as a process of its own.
func (s *servers) startWorker(ctx context.Context) error {
	log, err := os.Create(filepath.Join(s.dir, "worker.log"))
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, os.Args[0], workerCommand)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Stderr = log
	if s.profiles != "" {
		cmd.Env = append(os.Environ(), profileEnv+"="+filepath.Join(s.profiles, "worker.pprof"))
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the worker: %w", err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return fmt.Errorf("start the worker: %w; see %s", err, log.Name())
	}
	s.worker, s.health, _ = strings.Cut(strings.TrimSpace(line), " ")
	s.ours.processes = append(s.ours.processes, process{"worker", cmd.Process.Pid})
	s.stopWorker = func() error {
		_ = cmd.Process.Kill() // it is gone, or goes
		_ = cmd.Wait()         // killed: that is no failure
		return log.Close()
	}
	return nil
}

// runWorker is this program as a worker: it prints its addresses and serves.
func runWorker(ctx context.Context) error {
	if path := os.Getenv(profileEnv); path != "" {
		go func() {
			if err := profileOnSignal(ctx, path); err != nil {
				fmt.Fprintln(os.Stderr, "profile:", err)
			}
		}()
	}
	return flink.Worker(ctx, flink.WorkerOptions{
		Listen: "127.0.0.1:0", Health: "127.0.0.1:0",
		Ready: func(listen, health string) { fmt.Println(listen, health) },
	})
}

func (s *servers) stop(ctx context.Context) error {
	s.broker.client.Close()
	var err error
	if s.stopWorker != nil {
		err = s.stopWorker()
	}
	if s.leftJoin != nil {
		err = errors.Join(err, s.leftJoin.end())
	}
	for folder, name := range map[string]string{"flink-ours": "flink", "flink-control": "flink", "kafka": "kafka"} {
		if e := (services.Service{Name: name, Data: filepath.Join(s.dir, folder)}).Stop(ctx); e != nil {
			err = errors.Join(err, e)
		}
	}
	return err
}
