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
		if now.Stage != "join" {
			unit = countsBytes
		}
		p.meter.begin(describe(now), unit, now.Total)
	}
	p.last = now
	p.meter.describe(describe(now))
	p.meter.at(now.Done)
}

func describe(now batch.Progress) string {
	switch now.Stage {
	case "stdin":
		return "reading stdin"
	case "scan":
		return "scanning inputs"
	}
	return fmt.Sprintf("joining, interval %d of %d", min(now.Intervals+1, now.IntervalsTotal), now.IntervalsTotal)
}

// finish takes the bar away.
func (p *progress) finish() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.meter.end()
}

// intervals says how many intervals are finished.
func (p *progress) intervals() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.last.IntervalsTotal == 0 {
		return "before any interval was finished"
	}
	return fmt.Sprintf("with %d of %d intervals finished", p.last.Intervals, p.last.IntervalsTotal)
}
