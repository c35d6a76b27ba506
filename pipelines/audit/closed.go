package audit

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"tributary/io/folderio"
	"tributary/io/kafkaio/commitlog"
	topicsink "tributary/io/kafkaio/sink"
	"tributary/pipelines/job"
	"tributary/pipelines/spec"
)

// sinksOf finds the sinks of a spec, and what of them is complete; finished are the accounts of a join of files. It is read before the inputs
// are: what a complete bucket came of is there then.
func sinksOf(ctx context.Context, s *spec.Spec, opt Options) (all []*sink, finished *sheets, err error) {
	for _, o := range s.Outputs.SampleSinks() {
		if o.Format == tfRecord {
			return nil, nil, fmt.Errorf("samples in %s are TFRecord, which is written but not read here: they cannot be audited", o.Path)
		}
	}
	if all, finished, err = allSinks(ctx, s); err != nil {
		return nil, nil, err
	}
	some := false
	for _, k := range all {
		for i := range k.stages {
			one := &k.stages[i]
			if (k.atLeastOnce || opt.Passed) && one.closed == math.MinInt64 {
				if opt.To.IsZero() {
					return nil, nil, fmt.Errorf("%s: with delivery: %s nothing says which buckets are complete; give --to, a time that the job has passed", k.name(), spec.AtLeastOnce)
				}
				one.closed = floor(opt.To.UnixMilli(), one.step)
			}
			one.from, one.to = bounds(opt, one.step, one.closed)
			one.cut = !opt.To.IsZero() && floor(opt.To.UnixMilli(), one.step) > one.closed
			some = some || one.from < one.to
		}
	}
	if !some {
		return nil, nil, nothingClosed(all, opt)
	}
	setDue(all, opt)
	return all, finished, nil
}

// tfRecord is the format of samples that are written and not read here.
const tfRecord = "tfrecord"

// allSinks finds the sinks of a spec, with how far each of their stages is complete.
func allSinks(ctx context.Context, s *spec.Spec) (all []*sink, finished *sheets, err error) {
	if finished, err = readSheets(ctx, s); err != nil {
		return nil, nil, err
	}
	params, _ := job.Of(s)
	for _, o := range s.Outputs.SampleSinks() {
		k := &sink{output: o, wholeViews: params.Shape.Whole(), atLeastOnce: s.Stream.Delivery == spec.AtLeastOnce && o.Topic != ""}
		for i := range max(1, len(s.Stages)) {
			one := stage{number: i, closed: math.MinInt64, lag: s.LongestWindow() + s.OutOfOrderness}
			if len(s.Stages) > 0 {
				one.name = s.Stages[i].Name()
				one.early = i < len(s.Stages)-1 || s.Stages[i].Emit != spec.EmitAll
				one.lag = s.Stages[i].After + s.Stages[i].OutOfOrderness
			}
			taken, err := k.close(ctx, s, &one, finished)
			if err != nil {
				return nil, nil, fmt.Errorf("%s: %w", k.name(), err)
			}
			if taken {
				k.stages = append(k.stages, one)
			}
		}
		all = append(all, k)
	}
	return all, finished, nil
}

// Complete is how far a sink has a stage of a job.
type Complete struct {
	// Topic or Folder names the sink; Stage is empty without stages.
	Topic, Folder, Stage string
	// Before: all buckets that start before it are there; zero if that is not known of any.
	Before time.Time
	// Lag is how long after the end of a bucket it closes, in event time; Bucket is how long it is, or what is put together in one file.
	Lag, Bucket time.Duration
}

// Completes returns how far each sink has each stage, as an audit takes it.
func Completes(ctx context.Context, s *spec.Spec) (out []Complete, err error) {
	sinks, _, err := allSinks(ctx, s)
	for _, k := range sinks {
		for _, of := range k.stages {
			one := Complete{Topic: k.output.Topic, Folder: k.output.Path, Stage: of.name, Lag: of.lag, Bucket: time.Duration(of.step) * time.Millisecond}
			if of.folder != nil {
				one.Bucket = max(one.Bucket, time.Duration(of.folder.Config.Compact)*time.Millisecond)
			}
			if at := timeOf(of.closed); at != nil {
				one.Before = *at
			}
			out = append(out, one)
		}
	}
	return out, err
}

// nothingClosed says what was asked for, and up to when each sink is complete.
func nothingClosed(all []*sink, opt Options) error {
	asked := ""
	if !opt.From.IsZero() {
		asked += " from " + opt.From.UTC().Format(time.RFC3339)
	}
	if !opt.To.IsZero() {
		asked += " to " + opt.To.UTC().Format(time.RFC3339)
	}
	var told []string
	for _, k := range all {
		for _, of := range k.stages {
			text := k.nameOf(&of) + ": nothing is known to be complete"
			if of.closed != math.MinInt64 {
				text = k.nameOf(&of) + ": complete before " + momentOf(of.closed)
			}
			told = append(told, text)
		}
	}
	return fmt.Errorf("%w: nothing to audit%s (%s)", ErrNothingClosed, asked, strings.Join(told, "; "))
}

// setDue says of the stages of which nothing is complete in the range before when all must be, since others are that are complete at the same
// time, or later: by a bucket less, as they are not so at once.
func setDue(all []*sink, opt Options) {
	come, joined := int64(math.MinInt64), int64(math.MinInt64) // how far event time has come
	for _, k := range all {
		for _, of := range k.stages {
			if of.closed != math.MinInt64 {
				come = max(come, of.closed+of.lag.Milliseconds())
			}
			if of.from < of.to {
				joined = max(joined, of.to)
			}
		}
	}
	for _, k := range all {
		for i := range k.stages {
			of := &k.stages[i]
			if of.due = math.MinInt64; of.from < of.to || k.atLeastOnce {
				continue
			}
			slack := of.step
			if of.folder != nil {
				slack += of.folder.Config.Compact
			}
			of.due = min(floor(come-of.lag.Milliseconds(), of.step)-slack, joined)
			if !opt.To.IsZero() {
				of.due = min(of.due, floor(opt.To.UnixMilli(), of.step))
			}
		}
	}
}

// bounds are those of the whole buckets in the range that is asked for, before what is closed.
func bounds(opt Options, step, closed int64) (from, to int64) {
	from, to = math.MinInt64, closed
	if !opt.From.IsZero() {
		from = -floor(-opt.From.UnixMilli(), step)
	}
	if !opt.To.IsZero() {
		to = min(to, opt.To.UnixMilli())
	}
	if to != math.MinInt64 {
		to = floor(to, step)
	}
	return from, to
}

// floor is the last multiple of step that is not after ms.
func floor(ms, step int64) int64 { return ms - ((ms%step)+step)%step }

// close tells whether a sink takes a stage, and finds before what time all of its buckets are complete, by its own log or the accounts of a
// join of files, and what else its log says.
func (k *sink) close(ctx context.Context, s *spec.Spec, of *stage, finished *sheets) (taken bool, err error) {
	if !k.topic() {
		if of.folder = job.NewSampleFolder(s, &k.output, of.number); of.folder == nil {
			return false, nil
		}
		of.step = of.folder.Config.Step
		p, err := folderio.ReadProgress(ctx, of.folder.Config)
		if err != nil {
			return false, err
		}
		of.closed, of.streamed = p.CommittedBefore, p.FencingEpoch > 0
		of.written = written{p.Step, p.Meaning, p.State}
	} else {
		config := job.StageConfig(job.SampleConfig(s), s, of.number)
		if config.Topic == "" {
			return false, nil
		}
		of.step = config.Step
		if !k.atLeastOnce {
			if err := of.readLog(ctx, &config); err != nil {
				return false, err
			}
		}
	}
	if of.closed == math.MinInt64 && (k.topic() || !of.streamed) && len(finished.intervals) > 0 {
		of.closed, of.intervals = finished.closed(), finished.intervals
	}
	return true, nil
}

// readLog reads the commit log of a topic.
func (s *stage) readLog(ctx context.Context, config *topicsink.Config) error {
	logs, err := commitlog.ReadStable(ctx, config.Cluster, config.CommitLog, config.Job)
	if err != nil {
		return err
	}
	s.groups, s.logs = groupsOf(logs), logs
	if h := headerOf(logs); h != nil {
		s.streamed, s.written = true, written{h.Step, h.Meaning, h.State}
	}
	for _, l := range logs {
		if l.Completes {
			s.closed = max(s.closed, l.Through+config.Step)
		}
		if l.Header != nil {
			s.closed = max(s.closed, l.Header.CommittedBefore)
		}
	}
	return nil
}

// timeOf is an event time in ms; nil for none.
func timeOf(ms int64) *time.Time {
	if ms == math.MinInt64 {
		return nil
	}
	t := time.UnixMilli(ms).UTC()
	return &t
}
