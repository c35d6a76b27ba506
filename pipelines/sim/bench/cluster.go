package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"tributary/runners/devcluster/services"
	"tributary/runners/flink"
)

// workerCommand as the first argument makes this program a worker: it has to be the same
// binary that submits.
const workerCommand = "worker"

// servers are all that a benchmark runs on: one broker, and a Flink cluster for each side,
// so that neither warms up or fills the other's processes.
type servers struct {
	// dir holds data and logs, profiles the profiles, if there are any.
	dir, profiles string
	broker        *broker
	kafka         []process

	ours, control side
	// worker and health are the addresses of the worker of ours.
	worker, health string
	stopWorker     func() error
}

// side is a Flink cluster with what belongs to it.
type side struct {
	rest, jobserver string
	processes       []process
}

// start starts all servers. They end with this process.
func start(ctx context.Context, dir, profiles string) (*servers, error) {
	s := &servers{dir: dir, profiles: profiles}
	address, pid, err := service(ctx, dir, "kafka", "kafka", "KAFKA_HEAP=1g")
	if err != nil {
		return nil, err
	}
	if s.kafka, err = inGroup(pid); err != nil {
		return nil, err
	}
	if s.broker, err = openBroker(string(address)); err != nil {
		return nil, err
	}
	for name, side := range map[string]*side{"flink-ours": &s.ours, "flink-control": &s.control} {
		address, pid, err := service(ctx, dir, "flink", name)
		if err != nil {
			return nil, err
		}
		side.rest, side.jobserver = address.Part("rest"), address.Part("jobserver")
		if side.processes, err = inGroup(pid); err != nil {
			return nil, err
		}
		if len(side.processes) != 3 {
			return nil, fmt.Errorf("%s: 3 processes were expected, got %v", name, side.processes)
		}
	}
	return s, s.startWorker(ctx)
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
	err := s.stopWorker()
	for folder, name := range map[string]string{"flink-ours": "flink", "flink-control": "flink", "kafka": "kafka"} {
		if e := (services.Service{Name: name, Data: filepath.Join(s.dir, folder)}).Stop(ctx); e != nil {
			err = e
		}
	}
	return err
}
