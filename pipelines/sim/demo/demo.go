// Package demo shows a join of topics at work: traffic whose truth is known is sent to a
// broker while the join runs, samples are counted as they arrive, and in the end all that is
// in the topics is held against the truth. Then it shows what there is where nobody knows the truth:
// an audit of the samples, and what became of one view.
//
//	generate -> files, truth -> publish -> topics -> stream -> topics -> watch -> audit, why -> report
//	                                                    |
//	                                                    page
//
// It runs in this process alone, on a broker that is part of it, or on real servers.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"tributary/io/kafkaio/source"
	"tributary/pipelines/job"
	"tributary/pipelines/job/stream"
	"tributary/pipelines/job/topics"
	"tributary/pipelines/serving"
	"tributary/pipelines/sim/replay"
	"tributary/pipelines/spec"
	"tributary/pipelines/ui"
)

// Options are the choices of a demonstration.
type Options struct {
	// Views is how many distinct views there are; Seed is where all about them comes from.
	Views int64
	Seed  uint64
	// Sending is how long sending all of them takes; 0 for as fast as the broker takes them.
	Sending time.Duration
	// Port is that of the broker in this process; 0 for any free one.
	Port int
	// Real runs it on Kafka and Flink, which are started if they do not run, and stay. Cluster
	// is their folder.
	Real    bool
	Cluster string
	// Keep, if set, is the folder in which the made input, its truth and the spec are left;
	// topics on Kafka are left with them.
	Keep string
	// Log is told what goes on: a line now and then, or, on a Terminal, one that changes.
	Log      io.Writer
	Terminal bool
}

// Default returns the Options of a quarter of a minute.
func Default() Options { return Options{Views: 20_000, Seed: 1, Sending: 8 * time.Second} }

const (
	// mostHere is as many views as Prism, which keeps all in memory, takes in good time.
	mostHere = 300_000
	mostReal = 10_000_000
)

// Validate reports everything that is wrong with o at once.
func (o *Options) Validate() error {
	var errs []error
	most := int64(mostHere)
	if o.Real {
		most = mostReal
	}
	if o.Views < 1 || o.Views > most {
		errs = append(errs, fmt.Errorf("views: must be 1 to %d (in this process to %d), got %d", mostReal, mostHere, o.Views))
	}
	if o.Sending < 0 || o.Sending > time.Hour {
		errs = append(errs, fmt.Errorf("for: must be 0 to 1h, got %s", o.Sending))
	}
	if o.Port < 0 || o.Port > 65535 {
		errs = append(errs, fmt.Errorf("port: must be 0 to 65535, got %d", o.Port))
	}
	if o.Real && o.Port != 0 {
		errs = append(errs, errors.New("port: that of the broker in this process; real Kafka has its own"))
	}
	return errors.Join(errs...)
}

// Run shows a join from the first record to the last. An error says that it could not be
// shown to the end; that the outcome is wrong is in the Report. The context ends it early,
// with nothing left behind.
func Run(ctx context.Context, opt Options) (_ *Report, err error) {
	if err := opt.Validate(); err != nil {
		return nil, err
	}
	dir := opt.Keep
	if dir == "" {
		if dir, err = os.MkdirTemp("", "tributary-demo-"); err != nil {
			return nil, fmt.Errorf("folder of the made input: %w", err)
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	t, err := makeTraffic(ctx, opt, dir)
	if err != nil {
		return nil, err
	}
	where, err := choose(ctx, opt)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, where.close()) }()
	return show(ctx, opt, t, where)
}

// show runs the join with all that goes on beside it.
func show(ctx context.Context, opt Options, t *traffic, on place) (_ *Report, err error) {
	s, err := t.spec(ctx, on)
	if err != nil {
		return nil, err
	}
	cluster := job.Kafka(&s.Clusters[0])
	states, err := topics.Create(ctx, s, topics.CreateOptions{Inputs: true, Partitions: partitions, Replicas: 1})
	if err != nil {
		return nil, err
	}
	if opt.Keep == "" {
		defer func() { err = errors.Join(err, on.forget(cluster, states)) }()
	}
	for _, state := range states {
		if state.Err != "" {
			return nil, fmt.Errorf("topic %s: %s", state.Name, state.Err)
		}
	}
	// All that will be sent is known, and so is where the join has seen all of it.
	stop := source.Stop{At: source.StopAtOffsets, Offsets: t.ends(s.Clusters[0].Name)}
	plan, err := stream.New(ctx, s, on.options(stop))
	if err != nil {
		return nil, err
	}
	w, err := newWatch(ctx, cluster, s, plan.SampleSchema(), t.truth)
	if err != nil {
		return nil, err
	}
	defer w.close()

	began := time.Now()
	scr := &screen{w: opt.Log, terminal: opt.Terminal, began: began}
	speed := t.speed(opt.Sending)
	scr.line("%s", t.introduction(on, speed))
	closed, err := showPage(ctx, s, scr)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, closed()) }()
	group, joining := errgroup.WithContext(ctx)
	reading := make(chan struct{})
	group.Go(func() error {
		if err := on.run(joining, plan.Pipeline(), func() { close(reading) }); err != nil {
			return err
		}
		return w.finish(joining)
	})
	group.Go(func() error {
		select {
		case <-reading:
		case <-joining.Done():
			return joining.Err()
		}
		return replay.Run(joining, cluster, replay.Options{Speed: speed}, t.views, t.engagements)
	})
	group.Go(func() error { return w.follow(joining) })
	group.Go(func() error { return scr.follow(joining, t, w) })
	err = group.Wait()
	scr.clear()
	now := t.now(w)
	if errors.Is(err, context.Canceled) {
		return nil, fmt.Errorf("stopped with %s: %w", now, err)
	}
	if err != nil {
		return nil, err
	}
	r := newReport(opt, on, t, w.tally, time.Since(began))
	return r, r.look(ctx, s, w.tally, t.truth)
}

// showPage serves a page about the stream, on any free port, until it is closed.
func showPage(ctx context.Context, s *spec.Spec, scr *screen) (closed func() error, err error) {
	page, err := ui.New(s, ui.Options{Every: time.Second})
	if err != nil {
		return nil, err
	}
	open, cancel := context.WithCancel(ctx)
	ready, ended := make(chan string, 1), make(chan error, 1)
	go func() {
		ended <- page.Serve(open, serving.Options{Listen: "127.0.0.1:0", Ready: func(at string) { ready <- at }})
	}()
	select {
	case at := <-ready:
		scr.line("while it runs, a page shows it: %s", at)
	case err := <-ended:
		cancel()
		return nil, err
	}
	return func() error {
		cancel()
		return <-ended
	}, nil
}
