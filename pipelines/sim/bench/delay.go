package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
)

// Delay is how long after its time a sample was readable, at a steady rate.
type Delay struct {
	System string `json:"system"`
	// Stage is the one that the samples are of, if there are any.
	Stage           string  `json:"stage,omitempty"`
	EventsPerSecond float64 `json:"events_per_second"`
	Samples         int     `json:"samples"`
	// AfterView counts from the time of the view, AfterWindow from the moment at which the view's window,
	// or its stage, has closed by the log's own watermark, AfterBucket from that of the bucket of the view.
	AfterView   Quantiles `json:"after_view_seconds"`
	AfterWindow Quantiles `json:"after_window_seconds"`
	AfterBucket Quantiles `json:"after_bucket_seconds"`
	// CPUPerSecond is the processor time of the side, and of the broker, for each second.
	CPUPerSecond float64 `json:"cpu_seconds_per_second"`
}

// Quantiles of a delay, in seconds.
type Quantiles struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

func quantiles(delays []time.Duration) Quantiles {
	slices.Sort(delays)
	at := func(q float64) float64 { return delays[int(q*float64(len(delays)-1))].Seconds() }
	return Quantiles{P50: at(0.5), P99: at(0.99), Max: at(1)}
}

// The live stream: a short window, so that a run of minutes sees many close.
const (
	liveWindow      = 30 * time.Second
	liveBucket      = liveWindow / 6 // what a spec has by default
	liveShortBucket = 2 * time.Second
	liveCheckpoints = 10 * time.Second
	// liveWarmup is for how long delays do not count yet: virtual machines compile meanwhile
	// what a log that is read at once did not need.
	liveWarmup = 45 * time.Second
)

// delay sends events stamped with the time at a steady rate for a while, and measures when
// the samples of those that nobody engaged with are readable: they are the ones that have to
// wait for their window. Of a join in stages all samples wait for theirs, and each stage has a delay.
func (s *servers) delay(ctx context.Context, sys *system, j job, eventsPerSecond float64, length time.Duration) ([]*Delay, error) {
	if err := s.broker.create(ctx, j.from.views, j.from.engagements); err != nil {
		return nil, err
	}
	j.heap = sys.heap
	r, err := sys.submit(ctx, j)
	if err != nil {
		return nil, err
	}
	var out []*Delay
	if err = r.waitRunning(ctx); err == nil {
		out, err = s.live(ctx, sys, j, eventsPerSecond, length)
	}
	return out, errors.Join(err, r.stop(ctx))
}

// waits are the delays of the samples of a stage, or of a join without stages.
type waits struct {
	stage
	name      string // empty without stages
	positives bool   // count, too

	afterView, afterWindow, afterBucket []time.Duration
}

func (w *waits) ofStage() string {
	if w.name == "" {
		return ""
	}
	return " of the stage of " + w.name
}

func waitsOf(j job) []*waits {
	if len(j.stages) == 0 {
		return []*waits{{stage: stage{j.window, outOfOrderness, j.bucket}}}
	}
	var out []*waits
	for _, s := range j.stages {
		out = append(out, &waits{stage: s, name: s.name(), positives: true})
	}
	return out
}

// add counts a sample that was readable at a time, if its stage closed between others.
func (w *waits) add(at time.Time, h head, from, to time.Time) {
	view := time.UnixMilli(h.ms)
	closes := view.Add(w.after + w.outOfOrderness)
	if h.stage != w.name || h.positive && !w.positives || !closes.After(from) || !closes.Before(to) {
		return
	}
	w.afterView = append(w.afterView, at.Sub(view))
	w.afterWindow = append(w.afterWindow, at.Sub(closes))
	bucketEnd := view.Truncate(w.bucket).Add(w.bucket + w.after + w.outOfOrderness)
	w.afterBucket = append(w.afterBucket, max(0, at.Sub(bucketEnd)))
}

func (s *servers) live(ctx context.Context, sys *system, j job, eventsPerSecond float64, length time.Duration) ([]*Delay, error) {
	begun := time.Now().Add(time.Second)
	end := begun.Add(length)
	counted := begun.Add(j.window + outOfOrderness + liveWarmup)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		return s.broker.publishLive(ctx, j.from, newTraffic(begun, viewsOf(eventsPerSecond), j.window), end)
	})
	all := waitsOf(j)
	group.Go(func() error {
		return s.broker.follow(ctx, j.name, sys.decode, func(at time.Time, h head) {
			for _, w := range all {
				w.add(at, h, counted, end)
			}
		})
	})
	before, err := cpu(sys.side.processes)
	if err == nil {
		err = pause(ctx, time.Until(end))
	}
	after, cpuErr := cpu(sys.side.processes)
	cancel()
	if err = errors.Join(group.Wait(), err, cpuErr); err != nil {
		return nil, fmt.Errorf("%s: %w", j.name, err)
	}
	var out []*Delay
	for _, w := range all {
		if len(w.afterView) == 0 {
			return nil, fmt.Errorf("%s: no sample came in %s%s", j.name, length, w.ofStage())
		}
		out = append(out, &Delay{
			System: sys.name, Stage: w.name, EventsPerSecond: eventsPerSecond, Samples: len(w.afterView),
			AfterView: quantiles(w.afterView), AfterWindow: quantiles(w.afterWindow), AfterBucket: quantiles(w.afterBucket),
			CPUPerSecond: after.since(before).total().Seconds() / length.Seconds(),
		})
	}
	return out, nil
}

// publishLive sends each event at its time, until end.
func (b *broker) publishLive(ctx context.Context, to topicPair, t *traffic, end time.Time) error {
	p := &publisher{b: b, to: to}
	// What has been begun is sent: only the waiting ends early.
	sending := context.WithoutCancel(ctx)
	for {
		e := t.next()
		at := time.UnixMilli(e.ms)
		if at.After(end) {
			return p.flush(sending)
		}
		// Sleeping for each event would be late for most of them.
		if ahead := time.Until(at); ahead > 5*time.Millisecond {
			if err := pause(ctx, ahead); err != nil {
				return nil //nolint:nilerr // nobody measures any more
			}
		}
		p.send(sending, e)
	}
}
