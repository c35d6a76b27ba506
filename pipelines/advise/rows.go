package advise

import (
	"slices"
	"strconv"
	"time"

	"tributary/pipelines/spec"
)

// windowLadder are the windows that are tried.
var windowLadder = []time.Duration{
	time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 3 * time.Minute, 5 * time.Minute, 10 * time.Minute,
	15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, day, 2 * day, 3 * day, 7 * day, 14 * day,
	30 * day, 60 * day, 90 * day,
}

// disorderLadder are the out-of-ordernesses that are tried.
var disorderLadder = []time.Duration{
	0, time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 20 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute,
	15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 6 * time.Hour, 12 * time.Hour, day,
}

const day = 24 * time.Hour

// ladderMs is a ladder in ms, with further steps.
func ladderMs(ladder []time.Duration, more ...int64) (all []int64) {
	for _, step := range ladder {
		all = append(all, step.Milliseconds())
	}
	all = append(all, more...)
	slices.Sort(all)
	return slices.Compact(all)
}

// horizonOf is the longest step of the ladder that half of the time of the data is older than at their end; of data of less than two of the
// shortest ones it is that half.
func (a *advisor) horizonOf() int64 {
	half := max(1, (a.end-a.first)/2)
	longest := min(half, windowLadder[0].Milliseconds())
	for _, step := range windowLadder {
		if step.Milliseconds() <= half {
			longest = step.Milliseconds()
		}
	}
	return longest
}

// kindTrials are those of the windows of a kind, by the steps of the delays.
type kindTrials struct {
	steps  []int // positions in delays.windows
	trials []*trial
}

// tryWindows tries, of each kind, the windows between that which catches next to nothing and the first that catches all.
func (a *advisor) tryWindows(try func(*trial) *trial) (all []kindTrials) {
	least := a.leastLongest()
	for kind, now := range a.windows() {
		var of kindTrials
		ratios := a.delays.kinds[kind].ratios
		done := false
		for i, window := range a.delays.windows {
			r := &ratios[i]
			if window != now {
				if done || window > a.horizon || !onLadder(windowLadder, window) {
					continue
				}
				if next := i+1 < len(ratios); next && (ratios[i+1].part <= 0.05*r.whole || ratios[i+1].part == r.part && r.part < r.whole) {
					continue
				}
				done = r.whole > 0 && r.part >= r.whole
			}
			windows := a.windows()
			windows[kind] = window
			if slices.Max(windows) < least {
				continue
			}
			of.steps, of.trials = append(of.steps, i), append(of.trials, try(a.trial(windows, a.disorder())))
		}
		all = append(all, of)
	}
	return all
}

func onLadder(ladder []time.Duration, step int64) bool { return slices.Contains(ladder, ms(step)) }

// leastLongest is what the longest window must be at least: stages that the spec names are not after it.
func (a *advisor) leastLongest() (least int64) {
	for i, stage := range a.spec.Stages {
		if a.spec.IsSet("stages", strconv.Itoa(i)) {
			least = stage.After.Milliseconds() + 1
			if stage.After == a.spec.LongestWindow() {
				least--
			}
		}
	}
	return least
}

func (a *advisor) windowRows(all []kindTrials) (out []KindRows) {
	for kind, of := range all {
		rows := KindRows{Delays: a.delays.result(kind, a.base.Kinds[kind].Name), Windows: []WindowRow{}}
		for n, t := range of.trials {
			window := a.delays.windows[of.steps[n]]
			row := WindowRow{WindowMs: window, Now: window == a.windows()[kind], Change: a.change(t)}
			if window <= a.horizon {
				row.Share = a.delays.kinds[kind].ratios[of.steps[n]].share()
			}
			rows.Windows = append(rows.Windows, row)
		}
		out = append(out, rows)
	}
	return out
}

// change is what a trial has found, and what it costs.
func (a *advisor) change(t *trial) Change {
	var windows []int64
	for i := range t.p.Kinds {
		windows = append(windows, t.p.Kinds[i].Window)
	}
	return Change{t.outcome(a.log), a.rates.of(a.withBucket(windows, t.p.OutOfOrderness))}
}

// tryDisorders tries all of the ladder, if anything can be late.
func (a *advisor) tryDisorders(try func(*trial) *trial) (all []*trial) {
	if !slices.ContainsFunc(a.inputs, func(in InputDisorder) bool { return in.Ordered }) {
		return nil
	}
	for _, disorder := range ladderMs(disorderLadder, a.disorder()) {
		all = append(all, try(a.trial(a.windows(), disorder)))
	}
	return all
}

// disorderRows are those up to the first of which nothing is late, and the one there is.
func (a *advisor) disorderRows(all []*trial) []DisorderRow {
	rows, done := []DisorderRow{}, false
	for _, t := range all {
		disorder := t.p.OutOfOrderness
		if now := disorder == a.disorder(); !done || now {
			rows = append(rows, DisorderRow{OutOfOrdernessMs: disorder, Now: now, Late: t.late.share(), Change: a.change(t)})
		}
		done = done || t.lateSum() == 0
	}
	return rows
}

// stageTrial is a first stage.
type stageTrial struct {
	after int64
	cost  spec.StageCost
	*trial
}

// tryStages tries stages of the ladder that are shorter than the longest window.
func (a *advisor) tryStages(try func(*trial) *trial) (all []stageTrial) {
	if a.base.Keyed() {
		return nil
	}
	for _, after := range windowLadder {
		costs := a.spec.StagedCosts(after)
		if costs == nil || after <= a.spec.ClockSkew { // which is refused
			continue
		}
		windows := a.windows()
		for i := range windows {
			windows[i] = min(windows[i], after.Milliseconds())
		}
		t := a.trial(windows, costs[0].OutOfOrdernessMs)
		t.p.MaxFutureSkew = a.base.MaxFutureSkew // there is one clock for all stages
		all = append(all, stageTrial{after.Milliseconds(), costs[0], try(t)})
	}
	return all
}

func (a *advisor) stageRows(all []stageTrial, now *trial) (rows []StageRow) {
	for _, t := range all {
		figure := func(n tally) Figure { return n.figure(a.kept) }
		rows = append(rows, StageRow{
			AfterMs: t.after, OutOfOrdernessMs: t.cost.OutOfOrdernessMs, BucketMs: t.cost.BucketMs, Cost: a.rates.cost(t.cost),
			Samples: figure(t.samples), LateViews: figure(t.lateViews), Positives: figure(t.positives), Final: figure(now.positives),
		})
	}
	return rows
}
