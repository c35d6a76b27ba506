package chaos

import (
	"context"
	"errors"
	"fmt"

	"tributary/runners/devcluster/services"
	"tributary/runners/flink"
)

// System is a join that runs on real servers: what faults happen to.
type System struct {
	Kafka, Flink    services.Service
	REST, JobServer string
	Stream          *Stream
	Publisher       *Publisher
	// Releases are versions of the command. The first one runs the job at first.
	Releases []*Release
	// OwnState says that a release cannot go on from the state of another.
	OwnState bool
	// Dir takes what the submitters say.
	Dir string
	Log func(format string, args ...any)

	client      *flink.Client
	release     int
	parallelism int
	job         string // Flink's id
	restored    string // what the job was started from, if anything
	submissions int
	changes     int // of the spec
	submitter   *submitter
}

// Start submits the job.
func (s *System) Start(ctx context.Context) (err error) {
	if s.client, err = flink.NewClient(s.REST); err != nil {
		return err
	}
	return s.submit(ctx, "")
}

// Stop ends the job, and its submitter with it.
func (s *System) Stop(ctx context.Context) error {
	if err := s.client.Cancel(ctx, s.job); err != nil {
		return err
	}
	if _, err := s.client.Wait(ctx, s.job, nil); !errors.Is(err, flink.ErrJobCanceled) {
		return fmt.Errorf("cancel job %s: %w", s.job, err)
	}
	return nil
}

// RunToEnd runs a job up to the end of the topics as they are, with more flags.
func (s *System) RunToEnd(ctx context.Context, more ...string) (err error) {
	if s.submitter, err = s.spawn(append(more, "--until", "end")...); err != nil {
		return err
	}
	select {
	case <-s.submitter.ended:
	case <-ctx.Done():
		return ctx.Err()
	}
	if s.submitter.err != nil {
		return fmt.Errorf("run to the end: %w: %s", s.submitter.err, tail(s.submitter.said))
	}
	return nil
}

// Close kills what the system has started by itself, the workers and the submitter.
func (s *System) Close(ctx context.Context) error {
	s.killFollower()
	var failed error
	for _, r := range s.Releases {
		for _, w := range r.Workers {
			if err := w.Stop(ctx); err != nil {
				failed = err
			}
		}
	}
	return failed
}
