package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

// startStreams starts the process that does the jobs of Kafka Streams, one after another.
func (s *servers) startStreams(ctx context.Context) (err error) {
	dir, err := filepath.Abs(s.dir)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, filepath.Join(controlDir, "streams.sh"), "start", filepath.Join(dir, "streams")) //nolint:gosec // of this repository
	if s.leftJoin, err = startProgram(cmd, s.dir, "streams"); err != nil {
		return err
	}
	s.streams.processes = []process{s.leftJoin.process}
	return s.leftJoin.expect(ctx, "ready", startWithin)
}

// streamsLine tells the program what the job is.
func streamsLine(brokers string, j job) string {
	return fmt.Sprintf("start brokers=%s name=%s views=%s engagements=%s samples=%s window_ms=%d grace_ms=%d threads=%d",
		brokers, j.name, j.from.views, j.from.engagements, j.name, j.window.Milliseconds(), outOfOrderness.Milliseconds(), j.parallelism)
}

// streamsJob is a job of Kafka Streams.
type streamsJob struct {
	*program
	broker *broker
	name   string
	// stopClosing ends what closes the windows.
	stopClosing func() error
}

// submitStreams starts the job. It goes on for ever.
func (s *servers) submitStreams(ctx context.Context, j job) (*streamsJob, error) {
	if err := s.broker.create(ctx, j.name); err != nil {
		return nil, err
	}
	r := &streamsJob{program: s.leftJoin, broker: s.broker, name: j.name, stopClosing: func() error { return nil }}
	if err := r.tell(streamsLine(s.broker.address, j)); err != nil {
		return nil, err
	}
	if j.until != nil {
		r.closeWindows(ctx, j)
	}
	return r, nil
}

// closeEvery is how often closeWindows sends something.
const closeEvery = 500 * time.Millisecond

// closeWindows goes on sending views of a time at which all windows of the log have closed. One view is not enough: Kafka Streams looks
// for views without engagements when it reads a record, and once a second at most.
func (r *streamsJob) closeWindows(ctx context.Context, j job) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	r.stopClosing = func() error {
		cancel()
		return <-done
	}
	ms := j.until.last + (j.window + outOfOrderness).Milliseconds() + 1
	traffic := newTraffic(time.UnixMilli(ms), 1, j.window)
	go func() {
		sending := context.WithoutCancel(ctx)
		for {
			p := &publisher{b: r.broker, to: j.from}
			for partition := range int32(partitions) {
				e := traffic.view(ms)
				e.partition = partition
				p.send(sending, e)
			}
			if err := p.flush(sending); err != nil {
				done <- err
				return
			}
			if pause(ctx, closeEvery) != nil {
				done <- nil
				return
			}
		}
	}()
}

func (r *streamsJob) waitRunning(ctx context.Context) error {
	return r.expect(ctx, "running", startWithin)
}

// checkpoints are the changes of state that were written to topics, from which it recovers.
func (r *streamsJob) checkpoints(ctx context.Context) (checkpoints, error) {
	size, err := r.internal(ctx, "-changelog")
	return checkpoints{Uploaded: size}, err
}

// shuffled is what went through topics in between, if there are any.
func (r *streamsJob) shuffled(ctx context.Context) (int64, error) {
	return r.internal(ctx, "-repartition")
}

// internal is the size of the topics that the job has made for itself whose names end in that.
func (r *streamsJob) internal(ctx context.Context, suffix string) (int64, error) {
	dirs, err := r.broker.admin.DescribeAllLogDirs(ctx, nil)
	size := int64(0)
	dirs.Each(func(dir kadm.DescribedLogDir) {
		err = errors.Join(err, dir.Err)
		dir.Topics.Each(func(p kadm.DescribedLogDirPartition) {
			if strings.HasPrefix(p.Topic, r.name+"-") && strings.HasSuffix(p.Topic, suffix) {
				size += p.Size
			}
		})
	})
	if err != nil {
		return 0, fmt.Errorf("topics of %s: %w", r.name, err)
	}
	return size, nil
}

// stop ends the job, and removes its state and its topics but that of the samples.
func (r *streamsJob) stop(ctx context.Context) error {
	err := errors.Join(r.stopClosing(), r.tell("stop"))
	if err == nil {
		err = r.expect(ctx, "stopped", startWithin)
	}
	topics, listErr := r.broker.admin.ListTopics(ctx)
	err = errors.Join(err, listErr)
	for _, topic := range topics.Names() {
		if strings.HasPrefix(topic, r.name+"-") {
			err = errors.Join(err, r.broker.remove(ctx, topic))
		}
	}
	return err
}
