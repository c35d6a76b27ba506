package main

import "fmt"

// dollarsPerCoreHour is what a core of a general-purpose machine with its memory costs by
// the hour in the large clouds, on demand, rounded.
const dollarsPerCoreHour = 0.05

// cost is what the processor time of a billion events costs.
func (t *Throughput) cost() float64 { return t.CPUPerMillion() * 1000 / 3600 * dollarsPerCoreHour }

// costText is the price of a billion events.
func (r *Report) costText() string {
	ours := r.best(oursName)
	if ours == nil {
		return ""
	}
	out := fmt.Sprintf("A billion events cost (CPU s per million) × 1000 / 3600 × (price of a core hour); at $%.2f that is $%.2f for tributary", dollarsPerCoreHour, ours.cost())
	for _, name := range controlNames {
		if control := r.of(name, ours.Parallelism); control != nil {
			out += fmt.Sprintf(", $%.2f for %s", control.cost(), name)
		}
	}
	return out + "."
}

// What scaleText works out a cluster for.
const (
	scaleEventsPerSecond = 1e6
	scaleWindowSeconds   = 30 * 60
	// scaleLoad is how much of a core is used: the rest is for peaks, and to catch up.
	scaleLoad = 0.5
)

// scaleText is a cluster on paper, worked out from what was measured: nobody has run it.
func (r *Report) scaleText() string {
	ours := r.best(oursName)
	state := r.stateOf(oursName)
	if ours == nil || state == nil {
		return ""
	}
	perView := state.PerView()
	perSecond := float64(ours.Shuffled) / float64(ours.Events) * scaleEventsPerSecond
	// A bucket is a sixth of the window, and closes as a whole.
	open := viewsOf(scaleEventsPerSecond) * (scaleWindowSeconds * 7 / 6)
	return fmt.Sprintf(`On paper, from these figures: a core does %s events/s. A million open views take %.0f MB of state, and a million events move %.0f MB
between tasks. %.0f M events/s with a window of %d minutes keep %.1f G views open: %.0f GB of state, %.0f MB/s between
tasks, and %.0f cores busy, so %.0f cores with half of each to spare.`,
		thousands(1e6/ours.CPUPerMillion()), perView, perSecond/scaleEventsPerSecond,
		scaleEventsPerSecond/1e6, scaleWindowSeconds/60, open/1e9, open*perView/1e9, perSecond/1e6,
		ours.CPUPerMillion()*scaleEventsPerSecond/1e6, ours.CPUPerMillion()*scaleEventsPerSecond/1e6/scaleLoad)
}
