package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// programProcess is the name of the one process of a side that has no cluster.
const programProcess = "program"

// program is a process that says line by line what it does, and may be told what to do the same way.
type program struct {
	process
	in    io.WriteCloser
	lines chan string // closed at its end
	cmd   *exec.Cmd
	log   *os.File
}

// startProgram starts a program that writes its log to a file of that name.
func startProgram(cmd *exec.Cmd, dir, name string) (*program, error) {
	log, err := os.Create(filepath.Join(dir, name+".log"))
	if err != nil {
		return nil, err
	}
	cmd.Stderr = log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p := &program{process: process{programProcess, cmd.Process.Pid}, in: in, lines: make(chan string, 1), cmd: cmd, log: log}
	go func() {
		defer close(p.lines)
		for scanner := bufio.NewScanner(out); scanner.Scan(); {
			p.lines <- scanner.Text()
		}
	}()
	return p, nil
}

// tell tells the program a line.
func (p *program) tell(line string) error {
	if _, err := io.WriteString(p.in, line+"\n"); err != nil {
		return fmt.Errorf("tell %q: %w; see %s", line, err, p.log.Name())
	}
	return nil
}

// expect waits for a line.
func (p *program) expect(ctx context.Context, want string, within time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	select {
	case got, ok := <-p.lines:
		if !ok || got != want {
			return fmt.Errorf("%q was expected, got %q; see %s", want, got, p.log.Name())
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for %q: %w; see %s", want, ctx.Err(), p.log.Name())
	}
}

// end closes what the program reads, upon which it ends, and waits for that.
func (p *program) end() error {
	err := p.in.Close()
	for range p.lines { // its pipe may be closed only once all of it is read
	}
	return errors.Join(err, p.cmd.Wait(), p.log.Close())
}
