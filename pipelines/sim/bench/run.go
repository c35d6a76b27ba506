package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"
)

// options are the choices of a run.
type options struct {
	events, controlEvents int64
	parallelisms          []int
	warmup                int64
	state                 bool
	delayFor              time.Duration
	rate, density         float64
	stages                bool
	only                  []string
	data                  string
	json                  bool
	plot, from, profile   string
}

// The log: a million views an hour, and a window of ten minutes.
const (
	logDensity     = 1e6 / 3600 // views a second
	logWindow      = 10 * time.Minute
	logBucket      = logWindow / 6 // what a spec has by default
	logCheckpoints = 10 * time.Second
)

var logStart = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// run starts the servers, measures, and stops them.
func run(ctx context.Context, o options) (*Report, error) {
	s := &servers{profiles: o.profile}
	chosen, err := choose(s.systems(o.stages), o.only)
	if err != nil {
		return nil, err
	}
	if s.dir = o.data; s.dir == "" {
		if s.dir, err = os.MkdirTemp("", "benchstream-"); err != nil {
			return nil, err
		}
	}
	tell("servers in %s", s.dir)
	if err := s.start(ctx, sidesOf(chosen)); err != nil {
		return nil, err
	}
	report, err := (&bench{servers: s, options: o, chosen: chosen, report: newReport()}).run(ctx)
	if err = errors.Join(err, s.stop(context.WithoutCancel(ctx))); err != nil {
		return report, err
	}
	if o.data == "" {
		err = os.RemoveAll(s.dir)
	}
	return report, err
}

// bench is a run under way.
type bench struct {
	*servers
	options
	chosen []*system
	report *Report
	// log holds the events, small the first of them alone, closed too: it gets what closes their windows from who reads it.
	log, small, closed topicPair
	// all, first and few are what joins of all events, of the control's part of them, and of
	// those to warm up with must give.
	all, first, few truth
}

func (b *bench) run(ctx context.Context) (*Report, error) {
	for _, step := range []func(context.Context) error{b.idle, b.publish, b.warmUp, b.throughputs, b.states, b.delays} {
		if err := step(ctx); err != nil {
			return b.report, err
		}
	}
	return b.report, nil
}

// each calls do for every system that was asked for.
func (b *bench) each(do func(int, *system) error) error {
	for i, sys := range b.chosen {
		if err := do(i, sys); err != nil {
			return fmt.Errorf("%s: %w", sys.name, err)
		}
	}
	return nil
}

// idle measures what the servers of ours take with no job.
func (b *bench) idle(ctx context.Context) error {
	processes := b.ours.processes
	if len(processes) == 0 {
		return nil
	}
	before, err := cpu(processes)
	if err != nil {
		return err
	}
	if err := pause(ctx, idleFor); err != nil {
		return err
	}
	after, err := cpu(processes)
	b.report.IdleCluster = after.since(before).total().Seconds() / idleFor.Seconds()
	return err
}

func (b *bench) publish(ctx context.Context) error {
	b.log, b.small = topicPair{"views", "engagements"}, topicPair{"small-views", "small-engagements"}
	tell("publishing %d events", b.events)
	b.controlEvents = min(b.controlEvents, b.events)
	truths, err := b.broker.publish(ctx, b.log, newTraffic(logStart, b.density, logWindow), b.controlEvents, b.events)
	if err != nil {
		return err
	}
	b.first, b.all = truths[0], truths[1]
	if err := b.broker.closeLog(ctx, b.log, b.all.last+(logWindow+logBucket+outOfOrderness).Milliseconds()); err != nil {
		return err
	}
	truths, err = b.broker.publish(ctx, b.small, newTraffic(logStart, b.density, logWindow), b.warmup, b.controlEvents)
	if err != nil {
		return err
	}
	b.few = truths[0]
	b.closed = topicPair{"closed-views", "closed-engagements"}
	if slices.ContainsFunc(b.chosen, func(sys *system) bool { return sys.reads == readClosed }) {
		_, err = b.broker.publish(ctx, b.closed, newTraffic(logStart, b.density, logWindow), b.controlEvents)
	}
	return err
}

// job is what a system is asked to do with its part of the log.
func (b *bench) job(kind string, i int, sys *system, parallelism int) job {
	j := job{
		name: fmt.Sprintf("samples-%s-%d-%d", kind, i, parallelism), from: b.log, window: logWindow, bucket: logBucket, stages: sys.stages,
		parallelism: parallelism, checkpoints: logCheckpoints,
	}
	switch sys.reads {
	case readAll:
		j.until = &b.all
	case readFirst:
		j.until = &b.first
	case readClosed:
		j.from, j.until = b.closed, &b.first
	}
	return j
}

// warmUp has each side compile what it runs: jobs in production run for months.
func (b *bench) warmUp(ctx context.Context) error {
	if b.warmup == 0 {
		return nil
	}
	return b.each(func(i int, sys *system) error {
		if sys.side == &b.copier || sys.shortBuckets {
			return nil // nothing of it is compiled as it runs, or another has had it compiled
		}
		tell("warming up %s", sys.name)
		j := b.job("warm", i, sys, 2)
		if sys.reads == readFirst {
			j.until = &b.few
		}
		_, err := b.throughput(ctx, sys, j)
		return err
	})
}

func (b *bench) throughputs(ctx context.Context) error {
	for _, parallelism := range b.parallelisms {
		err := b.each(func(i int, sys *system) error {
			if sys.shortBuckets {
				return nil
			}
			tell("throughput of %s at parallelism %d", sys.name, parallelism)
			j := b.job("log", i, sys, parallelism)
			var t *Throughput
			measure := func() (err error) {
				t, err = b.throughput(ctx, sys, j)
				return err
			}
			var err error
			if b.options.profile != "" && sys.side == &b.ours {
				err = b.servers.profile(ctx, b.profiles, measure)
			} else {
				err = measure()
			}
			if err != nil {
				return err
			}
			tell("  %.0f events/s, %.1f CPU seconds per million events", t.EventsPerSecond(), t.CPUPerMillion())
			b.report.Throughput = append(b.report.Throughput, t)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// states looks at what is kept for open windows.
func (b *bench) states(ctx context.Context) error {
	if !b.options.state {
		return nil
	}
	return b.each(func(i int, sys *system) error {
		if !sys.hasState {
			return nil
		}
		tell("state of %s", sys.name)
		j := b.job("state", i, sys, 2)
		j.from, j.until, j.checkpoints = b.small, nil, stateCheckpoints
		size, err := b.servers.state(ctx, sys, j, b.first, b.density)
		if err != nil {
			return err
		}
		tell("  %.0f bytes for each of %d open views, idle %.3f", size.PerView(), size.OpenViews, size.IdleCPU)
		b.report.State = append(b.report.State, size)
		return nil
	})
}

// delays gives each system a quarter of what it has managed.
func (b *bench) delays(ctx context.Context) error {
	if b.delayFor == 0 {
		return nil
	}
	return b.each(func(i int, sys *system) error {
		if !sys.hasDelay {
			return nil
		}
		rate, parallelism := b.rate, 2
		best := b.report.best(sys.name)
		if sys.shortBuckets {
			best = b.report.best(oursName)
		}
		if rate == 0 && best != nil {
			rate, parallelism = best.EventsPerSecond()/4, best.Parallelism
		}
		if rate == 0 {
			return errors.New("a delay needs a rate, or a throughput to take a quarter of")
		}
		tell("delay of %s at %.0f events/s", sys.name, rate)
		j := b.job("live", i, sys, parallelism)
		j.from, j.until = topicPair{fmt.Sprintf("live-views-%d", i), fmt.Sprintf("live-engagements-%d", i)}, nil
		j.window, j.bucket, j.stages, j.checkpoints = liveWindow, liveBucket, sys.liveStages, liveCheckpoints
		if sys.shortBuckets {
			j.bucket = liveShortBucket
		}
		delays, err := b.delay(ctx, sys, j, rate, b.delayFor)
		for _, d := range delays {
			tell("  %+v", *d)
		}
		b.report.Delay = append(b.report.Delay, delays...)
		return err
	})
}

func tell(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
