package stream

import (
	"context"
	"fmt"
	"math"
	"slices"

	"tributary/io/kafkaio/commitlog"
	"tributary/io/kafkaio/sink"
	"tributary/io/record"
	"tributary/pipelines/job"
	"tributary/pipelines/spec"
	"tributary/transforms/attribution/rules"
)

// earlyStage is a stage before the last: what it gives has commits of its own. The last one is the job.
type earlyStage struct {
	stage   int
	samples sink.Config
	folder  *job.SampleFolder // nil for none
	commits commits
}

// newEarly returns the stages of a spec before the last, as far as an output takes them; last says how that is written.
func newEarly(s *spec.Spec, last sink.Config) (all []*earlyStage) {
	for stage := range max(0, len(s.Stages)-1) {
		e := &earlyStage{stage: stage, samples: job.StageConfig(last, s, stage)}
		if o := s.Outputs.SamplesFolder(); o != nil {
			e.folder = job.NewSampleFolder(s, o, stage)
		}
		if e.commits = commitsOf(e.samples, e.folder); e.samples.Topic != "" || e.folder != nil {
			all = append(all, e)
		}
	}
	return all
}

// planEarly says what a run that goes on has to know of the stages of this one.
func (p *Plan) planEarly() {
	for _, e := range p.early {
		e.samples.Meaning, e.samples.State = p.meaningOf(e.stage), p.samples.State
	}
}

// claimEarly makes this run the one that writes the early stages, and their progress its own. One that goes on has claimed the last stage already.
func (p *Plan) claimEarly(ctx context.Context, how Resume) error {
	for _, e := range p.early {
		progress, err := e.claim(ctx, how)
		if err != nil {
			return fmt.Errorf("stage %s: %w", p.params.Stages[e.stage].Name, err)
		}
		e.samples.Earlier, e.samples.FencingEpoch = progress.Earlier, progress.FencingEpoch
		s := &p.params.Stages[e.stage]
		s.Earlier, s.Kept = job.Layouts(progress.Earlier), parts(progress.Kept)
		for _, c := range progress.Corrected {
			if c.ID < p.params.Since { // all that follows from it is written
				continue
			}
			s.Corrected = append(s.Corrected, rules.Corrected{Part: rules.Part{Bucket: c.ID, Shard: int64(c.Shard)}, Times: int64(c.Version) - 1})
		}
		if progress.CommittedBefore != math.MinInt64 {
			s.Since = progress.CommittedBefore
		}
		// Where the last stage is complete, all are.
		s.Since = max(s.Since, p.params.Since)
	}
	return nil
}

func (e *earlyStage) claim(ctx context.Context, how Resume) (commitlog.Progress, error) {
	switch how {
	case FromState:
		return e.commits.ReadProgress(ctx, e.samples)
	case Fresh:
		return e.commits.Begin(ctx, e.samples)
	default:
		return e.commits.Recover(ctx, e.samples)
	}
}

// parts are groups that are kept, as the join has them.
func parts(kept []commitlog.Part) (all []rules.Part) {
	for _, k := range kept {
		all = append(all, rules.Part{Bucket: k.ID, Shard: int64(k.Shard)})
	}
	return all
}

// sameStages refuses to go on with other stages than the samples that are written are of: a version of a view would come
// behind a higher one.
func (p *Plan) sameStages(was rules.Meaning) error {
	names, told := was.Differences(p.meaning())
	if i := slices.Index(names, rules.MeaningStages); i >= 0 {
		return fmt.Errorf("resume from the log: %s: versions of views that are written would come behind later ones: begin another job, with a name and topics of its own", told[i])
	}
	return nil
}

// decidedBy is the largest event time that partitions had come to when what is complete was.
func (p *Plan) decidedBy() int64 {
	clock := int64(record.NoTime)
	for stage := range p.params.StageCount() {
		of := p.params.OfStage(stage)
		if of.Since != 0 {
			clock = max(clock, of.Since+of.LongestWindow()-1+of.OutOfOrderness)
		}
	}
	return clock
}
