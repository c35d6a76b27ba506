// Package advise says what another window, out-of-orderness, bucket, stage, or number of shards or readers would give, cost and lose, by the
// records that a spec reads.
//
//	inputs ─► the packer of the join, none late ─► events of ids ─► what-ifs ─► rows, advice
//	                                                    └─► delays ─► shares
//
// The inputs are read once. Of each event the times are kept by which it is judged: its own, and the one that its partition had come to. What a
// join with any windows and any out-of-orderness makes of it follows from these, record by record, as the accounts of that join count it: it
// is computed and not estimated, unless there are more events than fit, of which then those of a part of the ids are kept, by a hash.
//
//	advise.go    Run; result.go: what it gives
//	events.go    what is read, and kept of it
//	whatif.go    what a join with other times makes of it
//	delays.go    how long after their views engagements come; figure.go: numbers and shares with their bounds
//	rows.go      what is tried, and what of that is told; cost.go: what it costs
//	choose.go    what is advised, and the line of the spec to change
//	text.go      the result as tables; plot.go: a curve
package advise

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"tributary/io/record"
	"tributary/pipelines/job/batch"
	"tributary/pipelines/spec"
)

// Options are the choices of an advice. The zero value is a good one.
type Options struct {
	// Catch is the share of the engagements, of those that come within the horizon, that a window is to catch; 0 for DefaultCatch.
	Catch float64
	// Late is the share of views and engagements that may be late; 0 for DefaultLate.
	Late float64
	// Events is how many events are kept at most; 0 for DefaultEvents.
	Events int
	// Progress is told how far the inputs are read; nil for nobody.
	Progress func(batch.Progress)
}

// Defaults of Options.
const (
	DefaultCatch = 0.99
	DefaultLate  = 0.001
)

// Run reads the inputs of a spec, topics up to where they end now, and says what other times would make of them. It writes nothing.
//
// What was late only since its partition had been idle is as if it had not been idle. A late view that samples cannot take the shape of is
// a dead letter here.
func Run(ctx context.Context, s *spec.Spec, opt Options) (*Result, error) {
	if err := check(s, opt); err != nil {
		return nil, err
	}
	opt.Catch, opt.Late, opt.Events = cmp.Or(opt.Catch, DefaultCatch), cmp.Or(opt.Late, DefaultLate), cmp.Or(opt.Events, DefaultEvents)
	in, err := batch.OpenWhole(ctx, s, batch.WholeOptions{Progress: opt.Progress})
	if err != nil {
		return nil, err
	}
	l, err := read(ctx, in, opt.Events)
	if err != nil {
		return nil, err
	}
	if l.views == 0 || l.first == record.NoTime {
		return nil, errors.New("the inputs hold no view that could be a sample: there is nothing to tell of windows")
	}
	a := &advisor{log: l, spec: s, opt: opt, rates: l.rates(s)}
	return a.advise(ctx)
}

// check refuses what cannot be told.
func check(s *spec.Spec, opt Options) error {
	switch {
	case s.ReadsStdin():
		return fmt.Errorf("%s reads stdin: what is advised by must be read as often as one likes", s.File)
	case s.ReadsTopics() && (s.Stream.Start.From == spec.StartLatest || s.Stream.Start.From == spec.StartCommitted):
		return fmt.Errorf("%s: stream.start is %s: where the job began cannot be known again; this needs earliest or a time", s.File, s.Stream.Start.From)
	case opt.Catch < 0 || opt.Catch > 1:
		return fmt.Errorf("catch: must be above 0 and at most 1, got %v", opt.Catch)
	case opt.Late < 0 || opt.Late >= 1:
		return fmt.Errorf("late: must be 0 or more and below 1, got %v", opt.Late)
	}
	for i := range s.Engagements {
		if e := &s.Engagements[i]; e.After != "" {
			return fmt.Errorf("%s: engagements.%s counts after %s: what it counts for depends on the windows of both, which this cannot tell yet", s.File, e.Kind, e.After)
		}
	}
	return nil
}

// advisor makes advice of what was read.
type advisor struct {
	*log
	spec  *spec.Spec
	opt   Options
	rates rates

	horizon int64
	delays  *delays
	// bucket is the one that is advised, 0 for none.
	bucket time.Duration
}

// advise makes all rows, and chooses of them.
func (a *advisor) advise(ctx context.Context) (*Result, error) {
	r := &Result{Format: Format, Spec: a.spec.File, Notes: []string{}}
	r.Read = Read{
		Views: a.views, Engagements: a.engagements, Dead: a.dead, Filtered: a.filtered, Kept: a.kept, EventsKept: int64(len(a.events)),
		From: time.UnixMilli(a.first).UTC(), To: time.UnixMilli(a.end).UTC(),
	}
	a.horizon = a.horizonOf()
	r.HorizonMs = a.horizon
	a.delays = newDelays(a.log, ladderMs(windowLadder, a.windows()...), a.horizon)
	a.groups(a.delays.take)
	var jobs []*trial
	try := func(t *trial) *trial {
		jobs = append(jobs, t)
		return t
	}
	now := try(a.trial(a.windows(), a.disorder()))
	windows := a.tryWindows(try)
	disorders := a.tryDisorders(try)
	stages := a.tryStages(try)
	if err := a.run(ctx, jobs); err != nil {
		return nil, err
	}
	r.Now = Change{Outcome: now.outcome(a.log), Cost: a.rates.of(a.spec)}
	r.Kinds = a.windowRows(windows)
	r.Inputs, r.Disorder = a.inputs, a.disorderRows(disorders)
	r.Stages = a.stageRows(stages, now)
	r.Buckets, r.Shards, r.Readers = a.rates.buckets(a.spec), a.rates.shards(a.spec), a.rates.readers(a.spec, len(a.partitions))
	if err := a.choose(ctx, r); err != nil {
		return nil, err
	}
	a.note(r)
	return r, nil
}

// windows are those of the spec by kind, in ms; disorder its out-of-orderness.
func (a *advisor) windows() (all []int64) {
	for i := range a.base.Kinds {
		all = append(all, a.base.Kinds[i].Window)
	}
	return all
}

func (a *advisor) disorder() int64 { return a.base.OutOfOrderness }

// trial is a join with other times, and how many of all events it has late.
type trial struct {
	*whatIf
	late ratio
}

func (a *advisor) trial(windows []int64, disorder int64) *trial {
	return &trial{whatIf: newWhatIf(a.log, windows, disorder, a.with(windows, disorder).MaxFutureSkew().Milliseconds(), a.horizon)}
}

// with is the spec with other times.
func (a *advisor) with(windows []int64, disorder int64) *spec.Spec {
	var all []time.Duration
	for _, window := range windows {
		all = append(all, ms(window))
	}
	return a.spec.WithTimes(all, ms(disorder))
}

// withBucket is that with the bucket that is advised.
func (a *advisor) withBucket(windows []int64, disorder int64) *spec.Spec {
	s := a.with(windows, disorder)
	if a.bucket > 0 {
		return s.WithBucket(a.bucket)
	}
	return s
}

// run has all of them judge all events, a name after the other: they are in memory once.
func (a *advisor) run(ctx context.Context, all []*trial) error {
	n := 0
	a.groups(func(group []event) {
		if n++; n%1024 == 0 && ctx.Err() != nil {
			return
		}
		for _, t := range all {
			before := t.lateSum()
			t.judge(group)
			t.late.add(t.lateSum()-before, float64(len(group)))
		}
	})
	return ctx.Err()
}

// lateSum is what was late so far.
func (w *whatIf) lateSum() float64 {
	sum := w.lateViews.sum
	for i := range w.kinds {
		sum += w.kinds[i].late.sum
	}
	return sum
}

// note says what is to be known of the figures.
func (a *advisor) note(r *Result) {
	say := func(format string, args ...any) { r.Notes = append(r.Notes, fmt.Sprintf(format, args...)) }
	horizon := spec.FormatDuration(ms(a.horizon))
	say("Shares are of the engagements that come within %s of a view which is older than that at the end of the data: of such views all is there, and none is cut. What comes later still, and what names a view before the data, says nothing here.", horizon)
	say("The bounds of shares are 95 %% Wilson score intervals, of the number divided by the design effect of engagements that share a view.")
	if a.kept < 1 {
		say("Kept were the events of 1 in %.0f ids, by a hash: numbers are estimates, with 95 %% bounds of the Horvitz-Thompson estimator.", 1/a.kept)
	} else {
		say("Numbers are those of all records that were read: a join of them with that line has them in its accounts.")
	}
	longest := slices.Max(a.windows())
	if longest > a.horizon {
		say("The data are too short for the window of %s: a share of it can be told from twice as much on.", spec.FormatDuration(ms(longest)))
	}
	if !slices.ContainsFunc(a.inputs, func(in InputDisorder) bool { return in.Ordered }) {
		say("No input has an order (order: file): nothing is ever late, and nothing can be told of out_of_orderness.")
	}
	if a.spec.ReadsTopics() {
		say("A record that is further ahead of the time of its writing than stream.max_future_skew is a dead letter, whatever is tried here.")
	}
	if a.base.Keyed() {
		say("Engagements name a key of views: how many are caught is told, and not which views have a label.")
	}
}

func ms(n int64) time.Duration { return time.Duration(n) * time.Millisecond }
