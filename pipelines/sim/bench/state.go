package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// StateSize is what a job keeps for the views whose windows are open.
type StateSize struct {
	System string `json:"system"`
	// OpenViews are those whose window the watermark has not passed.
	OpenViews int64 `json:"open_views"`
	// State is the full size of a checkpoint.
	State int64 `json:"state_bytes"`
	// IdleCPU is the processor time of each second in which there is nothing to do.
	IdleCPU float64 `json:"idle_cpu_seconds_per_second"`
}

// PerView is the state of one open view in bytes.
func (s *StateSize) PerView() float64 { return float64(s.State) / float64(s.OpenViews) }

const (
	stateCheckpoints = 5 * time.Second
	// settledFor is how long a job must have written nothing: longer than readers rest and
	// transactions take.
	settledFor = 8 * time.Second
	idleFor    = 5 * time.Second
)

// state runs a job to the end of a log that may go on, and looks at what it then keeps.
func (s *servers) state(ctx context.Context, sys *system, j job, want truth, density float64) (*StateSize, error) {
	j.heap = sys.heap
	r, err := sys.submit(ctx, j)
	if err != nil {
		return nil, err
	}
	size, err := s.settle(ctx, sys, j, r, want, density)
	return size, errors.Join(err, r.stop(ctx))
}

func (s *servers) settle(ctx context.Context, sys *system, j job, r running, want truth, density float64) (*StateSize, error) {
	if err := r.waitRunning(ctx); err != nil {
		return nil, err
	}
	closing := time.UnixMilli(want.last).Add(-outOfOrderness - j.window)
	if closing.Before(logStart.Add(j.bucket)) {
		return nil, fmt.Errorf("%s: %d events are too few: no window closes in them", j.name, want.events())
	}
	closed := int64(closing.Sub(logStart).Seconds() * density)
	surely := closed - int64(j.bucket.Seconds()*density) // the last bucket may be open
	var seen int64
	since := time.Now()
	for seen < surely || time.Since(since) < settledFor {
		if err := pause(ctx, pollEvery); err != nil {
			return nil, err
		}
		n, err := s.broker.readable(ctx, j.name)
		if err != nil {
			return nil, err
		}
		if n > seen {
			seen, since = n, time.Now()
		}
		if time.Since(since) > stalledFor {
			return nil, fmt.Errorf("%s: nothing has come for %s, after %d of %d samples", j.name, stalledFor, seen, surely)
		}
	}
	settled := time.Now()
	before, err := cpu(sys.side.processes)
	if err != nil {
		return nil, err
	}
	if err := pause(ctx, idleFor); err != nil {
		return nil, err
	}
	after, err := cpu(sys.side.processes)
	if err != nil {
		return nil, err
	}
	size := &StateSize{System: sys.name, OpenViews: want.views - closed, IdleCPU: after.since(before).total().Seconds() / idleFor.Seconds()}
	for {
		c, err := r.checkpoints(ctx)
		if err != nil {
			return nil, err
		}
		if c.begun.After(settled) {
			size.State = c.State
			return size, nil
		}
		if time.Since(settled) > stalledFor {
			return nil, fmt.Errorf("%s: no checkpoint for %s", j.name, stalledFor)
		}
		if err := pause(ctx, time.Second); err != nil {
			return nil, err
		}
	}
}
