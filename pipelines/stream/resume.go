package stream

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"tributary/io/event"
	"tributary/io/kafkaio"
	"tributary/pipelines/spec"
	"tributary/transforms/attribution"
)

// Resume is what a run begins from.
type Resume int

// Ways to begin.
const (
	// Fresh begins where the spec says that reading starts.
	Fresh Resume = iota
	// FromLog begins anew from marks and ledger, without any state of the run before. What
	// of the spec decides samples may be another: it counts from the first bucket that is
	// not complete. Shards may be more or fewer, the bucket length may not change.
	FromLog
	// FromState goes on with the state of the run before, a savepoint's or a checkpoint's.
	FromState
)

// Resumed is where a run from the log begins.
type Resumed struct {
	// Since: all samples of earlier views are written. Zero if none are known to be.
	Since time.Time
	// From is the event time from which on all records are read again, and some before them.
	From time.Time
	// Partitions are how many are read from a mark or where the run before began; the rest
	// are read from their first record.
	Partitions int
	// Earlier are the numbers of shards of buckets that an earlier run may have begun.
	Earlier []kafkaio.Layout
}

// String tells it in one line.
func (r *Resumed) String() string {
	if r.Since.IsZero() {
		return fmt.Sprintf("no bucket is known to be complete: %d partitions are read again from where the job began", r.Partitions)
	}
	text := fmt.Sprintf("samples of views before %s are complete; %d partitions are read from their marks before event time %s",
		r.Since.Format(time.RFC3339), r.Partitions, r.From.Format(time.RFC3339))
	for _, l := range r.Earlier {
		text += fmt.Sprintf("; %d shards before %s", l.Shards, time.UnixMilli(l.Until).UTC().Format(time.RFC3339))
	}
	return text
}

// Resumed tells where the run begins; nil for one that is not from the log.
func (p *Plan) Resumed() *Resumed { return p.resumed }

// resume plans a run that is not the first one.
func (p *Plan) resume(ctx context.Context, how Resume) error {
	if p.spec.Stream.Delivery == spec.AtLeastOnce {
		if how == FromLog {
			return errors.New("resume from the log: delivery is at_least_once, so no ledger tells what was written: resume from a savepoint, or start anew and take the samples again")
		}
		return nil
	}
	if how == FromState {
		// A run from the log may not have come past the buckets that it has parts of.
		progress, err := kafkaio.ReadProgress(ctx, p.samples)
		if err != nil {
			return fmt.Errorf("resume: %w", err)
		}
		p.takeUp(progress)
		return nil
	}
	// Before the job is taken over: should they not be readable, it goes on.
	accounts, err := readAccounts(ctx, p.spec)
	if err != nil {
		return fmt.Errorf("resume from the log: %w", err)
	}
	progress, err := kafkaio.TakeOver(ctx, p.samples)
	if err != nil {
		return fmt.Errorf("resume from the log: %w", err)
	}
	p.takeUp(progress)
	before := int64(event.NoTime)
	p.resumed = &Resumed{Earlier: progress.Earlier}
	if progress.Settled != math.MinInt64 {
		before = progress.Settled - p.params.LooksBack()
		p.resumed.Since, p.resumed.From = time.UnixMilli(progress.Settled).UTC(), time.UnixMilli(before).UTC()
	}
	if p.reading.Start, err = p.reading.StartFromLog(ctx, before, accounts.cuts()); err != nil {
		return p.cannotResume(err)
	}
	p.resumed.Partitions = len(p.reading.Start.Offsets)
	return nil
}

// takeUp brings the join and the sink to where the job is.
func (p *Plan) takeUp(progress kafkaio.Progress) {
	if progress.Settled != math.MinInt64 {
		p.params.Since = progress.Settled
	}
	p.samples.Earlier, p.samples.Generation = progress.Earlier, progress.Generation
	p.params.Earlier = nil
	for _, l := range progress.Earlier {
		p.params.Earlier = append(p.params.Earlier, attribution.Layout{Until: l.Until, Shards: int(l.Shards)})
	}
}

// cannotResume adds what can be done about a log that is too short.
func (p *Plan) cannotResume(err error) error {
	err = fmt.Errorf("resume from the log: %w", err)
	if !errors.Is(err, kafkaio.ErrTruncated) {
		return err
	}
	from := "all buckets"
	if since := p.resumed.Since; !since.IsZero() {
		from = "the buckets from " + since.Format(time.RFC3339) + " on"
	}
	return fmt.Errorf("%w\n%s cannot be joined from what is left: with `on_truncation: skip` in stream they are joined from it all the same, and what is missing is counted; "+
		"to be able to resume, topics must keep what the longest window needs (tributary topics %s)", err, from, p.spec.File)
}
