package stream

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"tributary/io/format/avro"
	"tributary/io/kafkaio/cluster"
	"tributary/io/kafkaio/commitlog"
	"tributary/io/kafkaio/sink"
	"tributary/io/kafkaio/source"
	"tributary/io/record"
	"tributary/pipelines/job"
	"tributary/transforms/attribution/rules"
)

// Resume is what a run begins from.
type Resume int

// Ways to begin.
const (
	// Fresh begins where the spec says that reading starts.
	Fresh Resume = iota
	// FromLog begins again from time index and commit log, without any state of the run before. What of the
	// spec decides samples may be another: what a shard has written of a bucket stays, and all
	// else is of the new meaning. Shards may be more or fewer; the bucket length and the field of
	// the view's id may not change.
	FromLog
	// FromState goes on with the state of the run before, a savepoint's or a checkpoint's. Nothing
	// may have changed that gives it meaning; views keep the schema that they have in it.
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
	// Files are how many files are read again, from their beginnings.
	Files int
	// Earlier are the numbers of shards of buckets that an earlier run may have begun.
	Earlier []commitlog.Layout
	// Changed is what means something else now, and Kept how many groups of samples (of a shard's
	// part of a bucket) of later buckets stay as they are, because they are written.
	Changed []string
	Kept    int
}

// String tells it in one line.
func (r *Resumed) String() string {
	text := fmt.Sprintf("no bucket is known to be complete: %d partitions are read again from where the job began", r.Partitions)
	if !r.Since.IsZero() {
		text = fmt.Sprintf("samples of views before %s are complete; %d partitions are read from their marks before event time %s",
			r.Since.Format(time.RFC3339), r.Partitions, r.From.Format(time.RFC3339))
	}
	if r.Files > 0 {
		text += fmt.Sprintf("; %d files are read again", r.Files)
	}
	for _, l := range r.Earlier {
		text += fmt.Sprintf("; %d shards before %s", l.Shards, time.UnixMilli(l.Until).UTC().Format(time.RFC3339))
	}
	if len(r.Changed) > 0 {
		text += "; another meaning counts for what is not written yet (" + strings.Join(r.Changed, "; ") + ")"
	}
	if r.Kept > 0 {
		text += fmt.Sprintf("; %d parts of later buckets stay as they were written", r.Kept)
	}
	return text
}

// Resumed tells where the run begins; nil for one that is not from the log.
func (p *Plan) Resumed() *Resumed { return p.resumed }

// progress is what the job has come to. Nothing is changed yet: the run before may still be at work.
func (p *Plan) progress(ctx context.Context, how Resume) (commitlog.Progress, error) {
	if p.atLeastOnce() {
		if how == FromLog {
			return commitlog.Progress{}, errors.New("resume from the log: delivery is at_least_once, so no commit log says what was written: resume from a savepoint, or start anew and take the samples again")
		}
		return commitlog.Progress{}, nil
	}
	if how == Fresh {
		return commitlog.Progress{}, nil
	}
	progress, err := p.commits.ReadProgress(ctx, p.samples)
	if err != nil {
		return progress, fmt.Errorf("resume: %w", err)
	}
	return progress, nil
}

// fits refuses a run that cannot go on from there.
func (p *Plan) fits(progress commitlog.Progress, how Resume) error {
	switch {
	case p.atLeastOnce():
		return nil
	case how == FromState:
		return p.fitsState(progress)
	case how == FromLog:
		if err := p.fitsLog(progress); err != nil {
			return err
		}
		return p.fitsBoth(progress)
	}
	return nil
}

// fitsState refuses state in which records mean something else than to this run. Views keep the
// schema that they have in it: another one in the registry is no reason to begin anew.
func (p *Plan) fitsState(progress commitlog.Progress) error {
	if progress.Meaning == nil {
		return errors.New("resume: the commit log does not say what the state means, as one of an earlier release: use --resume log")
	}
	was := rules.Meaning(progress.Meaning)
	if kept := was[rules.MeaningViewSchema]; len(p.views.Given) == 0 && kept != "" && kept != p.params.ViewSchema && p.params.ViewSchema != "" {
		if err := p.keepViewSchema(kept); err != nil {
			return err
		}
	}
	_, told := was.Differences(p.meaning())
	_, more := rules.Meaning(progress.State).Differences(p.samples.State)
	if told = append(told, more...); len(told) > 0 {
		return fmt.Errorf("resume: the state is of a job with another meaning, and cannot be gone on from: use --resume log. What is not the same:\n  %s", strings.Join(told, "\n  "))
	}
	return nil
}

// keepViewSchema makes the schema that views have in state theirs.
func (p *Plan) keepViewSchema(text string) error {
	schema, err := avro.ParseSchema(text)
	if err == nil {
		schema, err = job.ViewSchema([]*avro.Schema{schema}, p.views.Written)
	}
	if err != nil {
		return fmt.Errorf("resume: the schema that views have in the state does not read those of now: use --resume log: %w", err)
	}
	p.params.ViewSchema, p.keptSchema = schema.String(), true
	p.samples.Meaning = p.meaning()
	return nil
}

// KeptSchema tells whether samples keep the schema of views that the state has, though the
// registry has a newer one.
func (p *Plan) KeptSchema() bool { return p.keptSchema }

// fitsLog refuses what would spread views over shards otherwise than the groups in the commit log.
func (p *Plan) fitsLog(progress commitlog.Progress) error {
	if progress.Meaning == nil {
		return nil
	}
	if err := p.sameStages(progress.Meaning); err != nil {
		return err
	}
	names, told := rules.Meaning(progress.Meaning).Differences(p.meaning())
	if i := slices.Index(names, rules.MeaningViewID); i >= 0 {
		return fmt.Errorf("resume from the log: %s: views are spread over shards by it, and some of those that are written would be written again: begin another job, with a name and topics of its own", told[i])
	}
	p.changed = told
	return nil
}

// claim makes this run the one that writes, and the job's progress its own.
func (p *Plan) claim(ctx context.Context, how Resume, progress commitlog.Progress) error {
	switch {
	case p.atLeastOnce():
		return nil
	case how == FromState:
		p.takeUp(progress)
		return p.claimEarly(ctx, how)
	case how == Fresh:
		err := p.begin(ctx)
		if errors.Is(err, sink.ErrBegun) {
			err = fmt.Errorf("%w\nto go on with it, use --resume log, last or the path of a savepoint; to begin anew, give the job another stream.name and topics of its own", err)
		}
		return err
	default:
		return p.resumeFromLog(ctx)
	}
}

// begin makes this run the first of the job. Early stages write long before the last one: of a job that any of them has begun,
// nobody is fenced off.
func (p *Plan) begin(ctx context.Context) error {
	if err := p.commits.NotBegun(ctx, p.samples); err != nil {
		return err
	}
	for _, e := range p.early {
		if err := e.commits.NotBegun(ctx, e.samples); err != nil {
			return fmt.Errorf("stage %s: %w", p.params.Stages[e.stage].Name, err)
		}
	}
	if err := p.claimEarly(ctx, Fresh); err != nil {
		return err
	}
	progress, err := p.commits.Begin(ctx, p.samples)
	if err != nil {
		return err
	}
	p.takeUp(progress)
	return nil
}

// resumeFromLog takes the job over, and reads from where its commits leave off.
func (p *Plan) resumeFromLog(ctx context.Context) error {
	// Before the job is taken over: should they not be readable, it goes on.
	accounts, _, err := readAccounts(ctx, p.spec, cluster.Forever)
	if err != nil {
		return fmt.Errorf("resume from the log: %w", err)
	}
	progress, err := p.commits.Recover(ctx, p.samples)
	if err != nil {
		return fmt.Errorf("resume from the log: %w", err)
	}
	p.takeUp(progress)
	if err := p.claimEarly(ctx, FromLog); err != nil {
		return fmt.Errorf("resume from the log: %w", err)
	}
	before := int64(record.NoTime)
	p.resumed = &Resumed{Earlier: progress.Earlier, Changed: p.changed, Kept: len(progress.Kept)}
	if p.files != nil {
		p.resumed.Files = p.files.Count()
	}
	if progress.CommittedBefore != math.MinInt64 {
		before = progress.CommittedBefore - p.params.Lookback()
		p.resumed.Since, p.resumed.From = time.UnixMilli(progress.CommittedBefore).UTC(), time.UnixMilli(before).UTC()
	}
	if p.reading.Start, err = p.reading.StartFromLog(ctx, before, accounts.cuts()); err != nil {
		return p.cannotResume(err)
	}
	if clock := p.decidedBy(); clock != record.NoTime { // early stages have decided long before the last one has
		p.reading.Start.Decided = accounts.decided(clock)
	}
	p.resumed.Partitions = len(p.reading.Start.Offsets)
	return nil
}

// takeUp brings the join and the sink to where the job is.
func (p *Plan) takeUp(progress commitlog.Progress) {
	if progress.CommittedBefore != math.MinInt64 {
		p.params.Since = progress.CommittedBefore
	}
	p.samples.Earlier, p.samples.FencingEpoch = progress.Earlier, progress.FencingEpoch
	p.params.Earlier, p.params.Kept = job.Layouts(progress.Earlier), parts(progress.Kept)
}

// cannotResume adds what can be done about a log that is too short.
func (p *Plan) cannotResume(err error) error {
	err = fmt.Errorf("resume from the log: %w", err)
	if !errors.Is(err, source.ErrTruncated) {
		return err
	}
	from := "all buckets"
	if since := p.resumed.Since; !since.IsZero() {
		from = "the buckets from " + since.Format(time.RFC3339) + " on"
	}
	return fmt.Errorf("%w\n%s cannot be joined from what is left: with `on_offset_out_of_range: skip` in stream they are joined from it all the same, and what is missing is counted; "+
		"to be able to resume, topics must keep what the longest window needs (tributary topics %s)", err, from, p.spec.File)
}
