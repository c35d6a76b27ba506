package stream

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"tributary/io/kafkaio/cluster"
	"tributary/io/kafkaio/sink"
	"tributary/io/kafkaio/source"
	"tributary/io/record"
	"tributary/pipelines/job"
	"tributary/transforms/attribution/rules"
)

// End is how far a run that ends decides. A log that goes on can change what is beyond its own
// watermark, so nothing of that is written: the run that goes on from there decides it. Only a run
// that drains writes it, says how much of its windows was seen, and whoever goes on all the
// same corrects it, as the next version.
type End struct {
	// Drained says that all was decided.
	Drained bool
	// Through is the event time up to which views are decided for good; zero if none are.
	Through time.Time
	// Holder is the partition that is least far, nil if all are idle, and Idle are those that hold
	// nothing back.
	Holder *cluster.Partition
	Idle   []cluster.Partition
}

// String tells it in one line.
func (e *End) String() string {
	through := "no views are decided yet"
	if !e.Through.IsZero() {
		through = "views before " + e.Through.Format(time.RFC3339) + " are decided"
	}
	if e.Holder != nil {
		through += fmt.Sprintf(", by partition %s, which is least far", e.Holder)
	}
	if len(e.Idle) > 0 {
		names := make([]string, len(e.Idle))
		for i, p := range e.Idle {
			names[i] = p.String()
		}
		const some = 8
		if more := len(names) - some; more > 0 {
			names = append(names[:some], fmt.Sprintf("%d more", more))
		}
		through += "; idle are " + strings.Join(names, ", ")
	}
	if e.Drained {
		return through + "; the samples of later ones say how much of their windows was seen, and are corrected if the job goes on"
	}
	return through + "; later ones are left to the run that goes on with --resume log, or decided now with --drain"
}

// End tells how far a run that ends decides; nil for one that goes on.
func (p *Plan) End() *End { return p.end }

// planEnd bounds what a run that ends decides by how far the log has come there.
func (p *Plan) planEnd(ctx context.Context, opt Options) error {
	if p.reading.Stop.At == source.StopNever {
		if opt.Drain {
			return errors.New("to drain takes a run that ends: say until when")
		}
		return nil
	}
	if opt.Resume == FromState {
		return errors.New("a run that goes on from a savepoint or checkpoint reads as far as the one before was to: to end elsewhere, resume from the log")
	}
	extent, err := p.reading.Extent(ctx, opt.Drain)
	if err != nil {
		return err
	}
	if extent.Ahead && !opt.Drain {
		return errors.New("the topics do not hold yet what is to be read, so it is not known what it decides")
	}
	until, err := endStage(ctx, &p.params, extent.Watermark, opt.Drain, &p.samples, p.folder)
	if err != nil {
		return err
	}
	p.end = &End{Drained: opt.Drain, Holder: extent.Holder, Idle: extent.Idle}
	if until > 0 {
		p.end.Through = time.UnixMilli(until).UTC()
	}
	for _, e := range p.early {
		of := p.params.OfStage(e.stage)
		until, err := endStage(ctx, &of, extent.Watermark, opt.Drain, &e.samples, e.folder)
		if err != nil {
			return err
		}
		if !opt.Drain {
			p.params.Stages[e.stage].Until = until
		}
	}
	if !opt.Drain {
		p.params.Until = until
		return nil
	}
	if p.files != nil {
		extent.Clocks = append(extent.Clocks, p.files.Clocks...)
	}
	p.params.LogEnd = rules.NoLogEnd
	if last := p.params.EndOf(extent.Clocks...); last != record.NoTime && !extent.Ahead {
		p.params.LogEnd = last
	}
	return nil
}

// endStage returns the start of the first bucket of a stage, of these parameters, that is left to a later run: or that a later run may
// write again, if this one drains, which it says where the stage is written.
func endStage(ctx context.Context, of *rules.Params, watermark int64, drain bool, w *sink.Config, folder *job.SampleFolder) (until int64, err error) {
	until = of.ClosedBy(watermark)
	switch {
	case drain:
		if w.ProvisionalFrom = until; folder != nil {
			err = folder.MarkProvisional(ctx, until)
		}
	case folder != nil:
		until = folder.ClosedBy(until)
	}
	return until, err
}
