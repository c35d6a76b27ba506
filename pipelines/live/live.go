// Package live tells what a stream is like now: one picture, the State, of what its topics, its commit logs, its accounts and Flink say.
//
// Whoever shows a stream shows a State: `tributary metrics` exports it to Prometheus, `tributary top` prints it, and a page gets it as JSON. So
// their numbers are equal. It is bounded by the spec but for its partitions, which Bounded bounds; causes are in words.
//
//	live.go          the sources
//	state.go         what a State says; bounded.go: the worst of it
//	figures.go       what became of every event; rates.go: how fast that changes
//	partitions.go    how far partitions are read; ends.go: how far they go, and up to where that is stable
//	cause.go         why a partition is where it is
//	commits.go       what is committed; stages.go: how far each stage is
//	distribution.go  of delays
//	notes.go         what is worth a look
//	text.go          as text
package live

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"tributary/io/kafkaio/cluster"
	"tributary/pipelines/job"
	"tributary/pipelines/job/stream"
	"tributary/pipelines/spec"
	"tributary/runners/flink"
)

// Options are the choices of a Watch.
type Options struct {
	// Flink is the address of Flink's REST interface, empty for none; Job names the job there, the stream's name if it is empty.
	Flink, Job string
	// Within bounds the reading of a source; 0 for a minute, which is longer than a broker takes to restart.
	Within time.Duration
	// Now is the clock; nil for time.Now.
	Now func() time.Time
}

// readWithin bounds the reading of a source where nothing else is said.
const readWithin = time.Minute

// held is how long accounts wait for an open transaction. The State says that they are held instead.
const held = 2 * time.Second

// Watch takes pictures of a stream. It only reads, as no consumer of a group, and keeps what it has counted from one to the next. It is for one
// goroutine.
type Watch struct {
	spec *spec.Spec
	opt  Options
	// commits are of the stages with a commit log of their own.
	commits []*commitsOf
	past    []totals
	open    map[cluster.Partition]opened
}

// New returns the watch of a spec, which has a topic of accounts.
func New(s *spec.Spec, opt Options) (*Watch, error) {
	if s.Outputs.Topics.Accounts == "" {
		return nil, fmt.Errorf("%s has no topic of accounts: `tributary join` reports on what it joins", s.File)
	}
	if opt.Within <= 0 {
		opt.Within = readWithin
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Job == "" {
		opt.Job = s.Stream.Name
	}
	w := &Watch{spec: s, opt: opt, open: map[cluster.Partition]opened{}}
	last := job.SampleConfig(s)
	for stage := range max(1, len(s.Stages)) {
		if c := job.StageConfig(last, s, stage); c.Topic != "" && s.Stream.Delivery != spec.AtLeastOnce {
			w.commits = append(w.commits, newCommits(s, stage, c))
		}
	}
	return w, nil
}

// errUnread says that a source needs another one.
var errUnread = errors.New("the accounts could not be read")

// Gather takes a picture. What cannot be read is left out of it, and its Sources say so; it ends with the context.
func (w *Watch) Gather(ctx context.Context) *State {
	s := &State{Format: Format, Stream: w.spec.Stream.Name, At: w.opt.Now(), started: time.Now()}
	var (
		seen *stream.Seen
		logs *logs
		all  sync.WaitGroup
		read = make([]Source, 4)
	)
	all.Go(func() {
		read[0] = w.source(ctx, Accounts, func(ctx context.Context) (err error) {
			seen, err = stream.Look(ctx, w.spec, held)
			return err
		})
		read[1] = w.source(ctx, Partitions, func(ctx context.Context) error {
			if seen == nil {
				return errUnread
			}
			return w.partitions(ctx, seen.Read, s)
		})
	})
	all.Go(func() {
		read[2] = w.source(ctx, Commits, func(ctx context.Context) (err error) {
			logs, err = w.committed(ctx)
			return err
		})
	})
	if w.opt.Flink != "" {
		all.Go(func() {
			read[3] = w.source(ctx, Flink, func(ctx context.Context) error { return w.flink(ctx, s) })
		})
	}
	all.Wait()
	s.Sources = slices.DeleteFunc(read, func(of Source) bool { return of.Name == "" })
	if seen != nil {
		s.tell(seen)
	}
	w.stages(s, logs)
	w.rate(s)
	s.note(w.spec.File)
	return s
}

// source reads a source, in no more than so much time.
func (w *Watch) source(ctx context.Context, name string, read func(context.Context) error) Source {
	began := time.Now()
	bounded, cancel := context.WithTimeout(ctx, w.opt.Within)
	defer cancel()
	err := read(bounded)
	of := Source{Name: name, OK: err == nil, Seconds: time.Since(began).Seconds(), Err: err}
	if err != nil {
		of.Error = shorten(cluster.OneLine(err))
	}
	return of
}

// flink tells how the job on Flink is, and its checkpoints.
func (w *Watch) flink(ctx context.Context, s *State) error {
	client, err := flink.NewClient(w.opt.Flink)
	if err != nil {
		return err
	}
	found, err := client.Find(ctx, w.opt.Job)
	if err != nil {
		return err
	}
	status, err := client.Status(ctx, found.ID)
	if err != nil {
		return err
	}
	if status.Failure != nil {
		status.Failure.Cause = shorten(status.Failure.Cause)
	}
	status.Checkpoints.LastFailed = shorten(status.Checkpoints.LastFailed)
	s.Flink = &status
	return nil
}

// mostText bounds what comes from elsewhere.
const mostText = 500

func shorten(text string) string {
	runes := []rune(text)
	if len(runes) <= mostText {
		return text
	}
	return string(runes[:mostText]) + " ..."
}
