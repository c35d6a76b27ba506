package main

import (
	"context"
	"fmt"
	"time"
)

// Throughput is what one job did with a log that was there already.
type Throughput struct {
	System      string  `json:"system"`
	Parallelism int     `json:"parallelism"`
	Events      int64   `json:"events"`
	Seconds     float64 `json:"seconds"`
	// CPU is the processor time of each process in seconds, that of the broker apart.
	CPU       map[string]float64 `json:"cpu_seconds"`
	BrokerCPU float64            `json:"broker_cpu_seconds"`
	// Peak is the largest resident memory of each process.
	Peak        map[string]int64 `json:"peak_bytes"`
	Checkpoints checkpoints      `json:"checkpoints"`
	// Shuffled is what went from one task to another.
	Shuffled int64 `json:"shuffled_bytes"`
}

// EventsPerSecond is the rate by the clock.
func (t *Throughput) EventsPerSecond() float64 { return float64(t.Events) / t.Seconds }

// CPUSeconds is the processor time of all processes of the side.
func (t *Throughput) CPUSeconds() float64 {
	sum := 0.0
	for _, s := range t.CPU {
		sum += s
	}
	return sum
}

// CPUPerMillion is the processor time for a million events.
func (t *Throughput) CPUPerMillion() float64 { return t.CPUSeconds() / float64(t.Events) * 1e6 }

const (
	pollEvery = 100 * time.Millisecond
	// quietFor is how long nothing may come once enough is there; what came last was the end.
	quietFor = 2 * time.Second
	// quietOfStages is so with stages, whose corrections make it look like enough before the last of them has come.
	quietOfStages = 20 * time.Second
	// stalledFor is how long nothing may come before a run is given up.
	stalledFor = 90 * time.Second
)

// throughput runs a job from the first event to the last, and checks what it wrote.
//
// The clock starts when all tasks run, so that making the job counts for neither side, and
// stops when the last sample is readable.
func (s *servers) throughput(ctx context.Context, sys *system, j job) (*Throughput, error) {
	j.heap = sys.heap
	r, err := sys.submit(ctx, j)
	if err != nil {
		return nil, err
	}
	t, err := s.follow(ctx, sys, j, r)
	if stopErr := r.stop(ctx); err == nil {
		err = stopErr
	}
	if err == nil {
		err = s.broker.verify(ctx, j.name, sys.decode, sys.want(*j.until))
	}
	if err == nil {
		err = s.broker.remove(ctx, j.name)
	}
	return t, err
}

func (s *servers) follow(ctx context.Context, sys *system, j job, r running) (*Throughput, error) {
	if err := r.waitRunning(ctx); err != nil {
		return nil, err
	}
	if err := forgetPeaks(sys.side.processes); err != nil {
		return nil, err
	}
	begun := time.Now()
	before, err := cpu(sys.side.processes)
	if err != nil {
		return nil, err
	}
	brokerBefore, err := cpu(s.kafka)
	if err != nil {
		return nil, err
	}
	// What was used up to the moment at which the last sample came.
	ended, used, brokerUsed, seen := begun, before, brokerBefore, int64(0)
	want := sys.want(*j.until).records
	for {
		if err := pause(ctx, pollEvery); err != nil {
			return nil, err
		}
		now := time.Now()
		n, err := s.broker.readable(ctx, j.name)
		if err != nil {
			return nil, err
		}
		if n > seen {
			seen, ended = n, now
			if used, err = cpu(sys.side.processes); err != nil {
				return nil, err
			}
			if brokerUsed, err = cpu(s.kafka); err != nil {
				return nil, err
			}
		}
		quiet := now.Sub(ended)
		enough := quietFor
		if len(j.stages) > 0 {
			enough = quietOfStages
		}
		if seen >= want && quiet > enough {
			break
		}
		if quiet > stalledFor {
			return nil, fmt.Errorf("%s: nothing has come for %s, after %d of %d records", j.name, quiet.Round(time.Second), seen, want)
		}
	}
	t := &Throughput{
		System: sys.name, Parallelism: j.parallelism, Events: j.until.events(), Seconds: ended.Sub(begun).Seconds(),
		CPU: map[string]float64{}, BrokerCPU: brokerUsed.since(brokerBefore).total().Seconds(),
	}
	for name, d := range used.since(before) {
		t.CPU[name] = d.Seconds()
	}
	if t.Peak, err = peaks(sys.side.processes); err != nil {
		return nil, err
	}
	if t.Checkpoints, err = r.checkpoints(ctx); err != nil {
		return nil, err
	}
	t.Shuffled, err = r.shuffled(ctx)
	return t, err
}
