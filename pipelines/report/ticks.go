package report

import (
	"time"

	"gonum.org/v1/plot"
)

// labelled writes the default ticks in another form, without those between.
type labelled struct{ form func(float64) string }

func (l labelled) Ticks(low, high float64) []plot.Tick {
	var ticks []plot.Tick
	for _, tick := range (plot.DefaultTicks{}).Ticks(low, high) {
		if tick.Label != "" {
			ticks = append(ticks, plot.Tick{Value: tick.Value, Label: l.form(tick.Value)})
		}
	}
	return ticks
}

// roundTimes puts so many ticks, or fewer, at round times of the day, or at days.
type roundTimes struct{ most int }

// timeSteps are what a reader of clocks takes for round, in seconds.
var timeSteps = []float64{
	1, 5, 15, 60, 300, 900, 3600, 3 * 3600, 6 * 3600, 12 * 3600,
	86400, 2 * 86400, 7 * 86400, 14 * 86400, 28 * 86400, 91 * 86400, 364 * 86400,
}

func (r roundTimes) Ticks(low, high float64) []plot.Tick {
	step := timeSteps[len(timeSteps)-1]
	for _, s := range timeSteps {
		if (high-low)/s <= float64(r.most-1) {
			step = s
			break
		}
	}
	step = max(step, (high-low)/float64(r.most-1)) // centuries, from a broken clock
	var ticks []plot.Tick
	for t := step * float64(int64(low/step)); t <= high; t += step {
		if t >= low {
			ticks = append(ticks, plot.Tick{Value: t, Label: "labelled by plot.TimeTicks"})
		}
	}
	return ticks
}

// delayTicks labels a logarithmic axis of milliseconds with so many durations, or fewer.
type delayTicks struct{ most int }

var delaySteps = []time.Duration{
	time.Millisecond, 10 * time.Millisecond, 100 * time.Millisecond,
	time.Second, 10 * time.Second, time.Minute, 10 * time.Minute,
	time.Hour, 6 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour, 30 * 24 * time.Hour, 365 * 24 * time.Hour,
}

func (d delayTicks) Ticks(low, high float64) []plot.Tick {
	var ticks []plot.Tick
	for _, step := range delaySteps {
		if ms := float64(step.Milliseconds()); ms >= low && ms <= high {
			ticks = append(ticks, plot.Tick{Value: ms, Label: duration(step)})
		}
	}
	// Every second one, third one and so on, where there is no room for all.
	each := (len(ticks) + d.most - 1) / d.most
	kept := ticks[:0]
	for i := len(ticks) % max(each, 1); i < len(ticks); i += each {
		kept = append(kept, ticks[i])
	}
	return kept
}
