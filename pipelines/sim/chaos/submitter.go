package chaos

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// submitter is a running `tributary run`, which follows the job that it has submitted.
type submitter struct {
	cmd   *exec.Cmd
	said  string // the file with what it says
	ended chan struct{}
	err   error
}

// submitWithin is how long the job server and Flink may take for a submission.
const submitWithin = 90 * time.Second

// fromLog is what a job is resumed from without any state.
const fromLog = "log"

// submit submits the job from a savepoint or checkpoint, from the log, or from nothing, and
// leaves its submitter waiting for the job's end.
func (s *System) submit(ctx context.Context, from string) error {
	p, err := s.spawnFrom(from)
	if err != nil {
		return err
	}
	s.submitter = p
	deadline := time.Now().Add(submitWithin)
	for time.Now().Before(deadline) {
		if id := p.submitted(); id != "" {
			s.job, s.restored = id, from
			s.Log("job %s at parallelism %d, worker %s, from %q", id, s.parallelism, s.Releases[s.release].Address, from)
			return nil
		}
		select {
		case <-p.ended:
			return fmt.Errorf("submit: %w: %s", p.err, tail(p.said))
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
	return fmt.Errorf("submit: no job after %s: %s", submitWithin, tail(p.said))
}

// spawnFrom starts a submitter that resumes from somewhere, or from nothing, and follows the
// job.
func (s *System) spawnFrom(from string) (*submitter, error) {
	if from == "" {
		return s.spawn("--wait")
	}
	return s.spawn("--wait", "--resume", from)
}

// spawn starts a submitter.
func (s *System) spawn(more ...string) (*submitter, error) {
	s.submissions++
	release := s.Releases[s.release]
	args := append([]string{
		"run", s.Stream.File, "--flink", s.REST, "--jobserver", s.JobServer, "--worker", release.Address,
		"--parallelism", strconv.Itoa(s.parallelism), "--checkpoint-interval", "2s",
	}, more...)
	p := &submitter{
		cmd: exec.Command(release.Binary, args...), said: filepath.Join(s.Dir, fmt.Sprintf("submitter-%d.log", s.submissions)), ended: make(chan struct{}),
	}
	said, err := os.Create(p.said)
	if err != nil {
		return nil, err
	}
	defer said.Close() //nolint:errcheck // the process has it
	p.cmd.Stdout, p.cmd.Stderr = said, said
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

// submitted is the job that the submitter has told of, or empty.
func (p *submitter) submitted() string {
	said, err := os.ReadFile(p.said)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(said)) {
		if rest, ok := strings.CutPrefix(line, "job "); ok {
			id, _, _ := strings.Cut(rest, ":")
			return id
		}
	}
	return ""
}

// kill kills the submitter, if it is still there.
func (p *submitter) kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.ended
}

// killFollower kills the submitter that follows the job, if there is one.
func (s *System) killFollower() {
	if s.submitter != nil {
		s.submitter.kill()
		s.submitter = nil
	}
}

// tail is the end of a file.
func tail(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	const most = 3000
	return string(text[max(0, len(text)-most):])
}
