package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// options are the choices of a run.
type options struct {
	events, controlEvents int64
	parallelisms          []int
	warmup                int64
	state                 bool
	delayFor              time.Duration
	rate                  float64
	data, only            string
	json                  bool
	plot, from, profile   string
}

// The log: a million views an hour, and a window of ten minutes.
const (
	logViewsPerSecond = 1e6 / 3600
	logWindow         = 10 * time.Minute
	logBucket         = logWindow / 6 // what a spec has by default
	logCheckpoints    = 10 * time.Second
)

var logStart = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// system is one of what is compared.
type system struct {
	name   string
	side   *side
	submit func(context.Context, job) (*running, error)
	decode decoder
	// heap keeps state on the JVM's heap, not in RocksDB.
	heap bool
}

const (
	oursName    = "tributary"
	rocksDBName = "Flink SQL, RocksDB"
	heapName    = "Flink SQL, heap"
)

// systems are what is compared, in the order of their turns.
func (s *servers) systems() []*system {
	return []*system{
		{name: oursName, side: &s.ours, submit: s.submitOurs, decode: decodeOurs},
		{name: rocksDBName, side: &s.control, submit: s.submitControl, decode: decodeControl},
		{name: heapName, side: &s.control, submit: s.submitControl, decode: decodeControl, heap: true},
	}
}

// run starts the servers, measures, and stops them.
func run(ctx context.Context, o options) (*Report, error) {
	dir := o.data
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", "benchstream-"); err != nil {
			return nil, err
		}
	}
	tell("servers in %s", dir)
	s, err := start(ctx, dir, o.profile)
	if err != nil {
		return nil, err
	}
	report, err := (&bench{servers: s, options: o, report: newReport()}).run(ctx)
	if err = errors.Join(err, s.stop(context.WithoutCancel(ctx))); err != nil {
		return report, err
	}
	if o.data == "" {
		err = os.RemoveAll(dir)
	}
	return report, err
}

// bench is a run under way.
type bench struct {
	*servers
	options
	report *Report
	// log holds the events, small the first of them alone.
	log, small topicPair
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
	for i, sys := range b.systems() {
		if !strings.Contains(sys.name, b.only) {
			continue
		}
		if err := do(i, sys); err != nil {
			return fmt.Errorf("%s: %w", sys.name, err)
		}
	}
	return nil
}

// idle measures what the servers take with no job.
func (b *bench) idle(ctx context.Context) error {
	processes := b.ours.processes
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
	truths, err := b.broker.publish(ctx, b.log, newTraffic(logStart, logViewsPerSecond, logWindow), b.controlEvents, b.events)
	if err != nil {
		return err
	}
	b.first, b.all = truths[0], truths[1]
	if err := b.broker.closeLog(ctx, b.log, b.all.last+(logWindow+logBucket+outOfOrderness).Milliseconds()); err != nil {
		return err
	}
	truths, err = b.broker.publish(ctx, b.small, newTraffic(logStart, logViewsPerSecond, logWindow), b.warmup, b.controlEvents)
	if err != nil {
		return err
	}
	b.few = truths[0]
	return nil
}

func (b *bench) job(kind string, system, parallelism int) job {
	return job{
		name: fmt.Sprintf("samples-%s-%d-%d", kind, system, parallelism), from: b.log, window: logWindow, bucket: logBucket,
		parallelism: parallelism, checkpoints: logCheckpoints,
	}
}

// warmUp has each side compile what it runs: jobs in production run for months.
func (b *bench) warmUp(ctx context.Context) error {
	if b.warmup == 0 {
		return nil
	}
	return b.each(func(i int, sys *system) error {
		tell("warming up %s", sys.name)
		j := b.job("warm", i, 2)
		if j.until = &b.few; sys.side == &b.ours {
			j.until = &b.all
		}
		_, err := b.throughput(ctx, sys, j)
		return err
	})
}

func (b *bench) throughputs(ctx context.Context) error {
	for _, parallelism := range b.parallelisms {
		err := b.each(func(i int, sys *system) error {
			tell("throughput of %s at parallelism %d", sys.name, parallelism)
			j := b.job("log", i, parallelism)
			if j.until = &b.first; sys.side == &b.ours {
				j.until = &b.all
			}
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

// states looks at RocksDB alone: what is on the heap has no size of its own.
func (b *bench) states(ctx context.Context) error {
	if !b.options.state {
		return nil
	}
	return b.each(func(i int, sys *system) error {
		if sys.heap {
			return nil
		}
		tell("state of %s", sys.name)
		j := b.job("state", i, 2)
		j.from, j.checkpoints = b.small, stateCheckpoints
		size, err := b.servers.state(ctx, sys, j, b.first, logStart)
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
		if sys.heap {
			return nil
		}
		rate, parallelism := b.rate, 2
		if best := b.report.best(sys.name); rate == 0 && best != nil {
			rate, parallelism = best.EventsPerSecond()/4, best.Parallelism
		}
		if rate == 0 {
			return errors.New("a delay needs a rate, or a throughput to take a quarter of")
		}
		tell("delay of %s at %.0f events/s", sys.name, rate)
		j := b.job("live", i, parallelism)
		j.from = topicPair{fmt.Sprintf("live-views-%d", i), fmt.Sprintf("live-engagements-%d", i)}
		j.window, j.bucket, j.checkpoints = liveWindow, liveBucket, liveCheckpoints
		d, err := b.delay(ctx, sys, j, rate, b.delayFor)
		if err != nil {
			return err
		}
		tell("  %+v", *d)
		b.report.Delay = append(b.report.Delay, d)
		return nil
	})
}

func tell(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
