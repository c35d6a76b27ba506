package main

import (
	"fmt"
	"io"
	"sync"

	"tributary/pipelines/job/batch"
)

// progress shows how far a join is.
type progress struct {
	mu    sync.Mutex
	last  batch.Progress
	meter *meter
}

func newProgress(w io.Writer) *progress { return &progress{meter: newMeter(w)} }

// tell takes how far the run is.
func (p *progress) tell(now batch.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now.Stage != p.last.Stage {
		unit := countsEvents
		if now.Stage == "scan" {
			unit = countsBytes
		}
		p.meter.begin(describe(now), unit, now.Total)
	}
	p.last = now
	p.meter.describe(describe(now))
	p.meter.at(now.Done)
}

func describe(now batch.Progress) string {
	if now.Stage == "scan" {
		return "scanning inputs"
	}
	return fmt.Sprintf("joining, slice %d of %d", min(now.Slices+1, now.SlicesTotal), now.SlicesTotal)
}

// finish takes the bar away.
func (p *progress) finish() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.meter.end()
}

// slices says how many slices are finished.
func (p *progress) slices() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.last.SlicesTotal == 0 {
		return "before any slice was finished"
	}
	return fmt.Sprintf("with %d of %d slices finished", p.last.Slices, p.last.SlicesTotal)
}
