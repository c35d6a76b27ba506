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
	System          string  `json:"system"`
	EventsPerSecond float64 `json:"events_per_second"`
	Samples         int     `json:"samples"`
	// AfterWindow counts from the moment at which the view's window has closed by the log's
	// own watermark, AfterBucket from that of the bucket of the view.
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
	liveCheckpoints = 10 * time.Second
	// liveWarmup is for how long delays do not count yet: virtual machines compile meanwhile
	// what a log that is read at once did not need.
	liveWarmup = 45 * time.Second
)

// delay sends events stamped with the time at a steady rate for a while, and measures when
// the samples of those that nobody engaged with are readable: they are the ones that have to
// wait for their window.
func (s *servers) delay(ctx context.Context, sys *system, j job, eventsPerSecond float64, length time.Duration) (*Delay, error) {
	if err := s.broker.create(ctx, j.from.views, j.from.engagements); err != nil {
		return nil, err
	}
	j.heap = sys.heap
	r, err := sys.submit(ctx, j)
	if err != nil {
		return nil, err
	}
	d := &Delay{System: sys.name, EventsPerSecond: eventsPerSecond}
	if err = r.waitRunning(ctx); err == nil {
		err = s.live(ctx, sys, j, d, length)
	}
	return d, errors.Join(err, r.stop(ctx))
}

func (s *servers) live(ctx context.Context, sys *system, j job, d *Delay, length time.Duration) error {
	begun := time.Now().Add(time.Second)
	end := begun.Add(length)
	counted := begun.Add(j.window + outOfOrderness + liveWarmup)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		return s.broker.publishLive(ctx, j.from, newTraffic(begun, viewsOf(d.EventsPerSecond), j.window), end)
	})
	var window, bucket []time.Duration
	group.Go(func() error {
		return s.broker.follow(ctx, j.name, sys.decode, func(at time.Time, ms int64, positive bool) {
			closes := time.UnixMilli(ms).Add(j.window + outOfOrderness)
			if !positive && closes.After(counted) && closes.Before(end) {
				window = append(window, at.Sub(closes))
				bucketEnd := time.UnixMilli(ms).Truncate(j.bucket).Add(j.bucket + j.window + outOfOrderness)
				bucket = append(bucket, max(0, at.Sub(bucketEnd)))
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
		return fmt.Errorf("%s: %w", j.name, err)
	}
	if len(window) == 0 {
		return fmt.Errorf("%s: no sample came in %s", j.name, length)
	}
	d.CPUPerSecond = after.since(before).total().Seconds() / length.Seconds()
	d.Samples, d.AfterWindow, d.AfterBucket = len(window), quantiles(window), quantiles(bucket)
	return nil
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
