package batch

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"tributary/io/kafkaio/commitlog"
	"tributary/io/kafkaio/sink"
	"tributary/pipelines/job"
	"tributary/pipelines/spec"
	"tributary/pipelines/spec/problem"
	"tributary/transforms/account"
	"tributary/transforms/attribution/rules"
)

// Samples of files may go to a topic: by the same sink as those of a stream, a group for each shard's
// share of a bucket, each exactly once. Accounts stay in a folder, and say which intervals are
// finished; the commit log says the same of groups, so that an interval that is joined again writes
// nothing twice.

// topicSink is the topic that samples of a plan go to.
type topicSink struct {
	job.SampleTopic
	// stages are their names; the one that there is without has none, nor the last where the topic takes no other: it has all
	// samples of the views, and nothing that takes back.
	stages []string
	// commits are what is in the topic, by stage.
	commits []committedGroups
}

// committedGroups are the records of the groups that are in the topic, by the start of their bucket; older
// ones than truncatedBefore are forgotten.
type committedGroups struct {
	records         map[int64]int64
	truncatedBefore int64
}

// last is the config of the last stage.
func (t *topicSink) last() sink.Config { return t.Configs[len(t.Configs)-1] }

// checkAccounts refuses a spec without a folder of accounts.
func checkAccounts(s *spec.Spec) error {
	if s.Outputs.Accounts != "" {
		return nil
	}
	found := s.Problem("T2012", "a join that ends keeps the accounts of what is finished in a folder, and this spec names none", "outputs")
	found.Hint = "add `accounts: out/accounts` to outputs, or run it as a stream with `tributary run`"
	return problem.List{found}
}

// planTopic finds out about the topic of samples; nothing if they go to files.
func (p *plan) planTopic(ctx context.Context) error {
	if p.spec.Outputs.SamplesTopic() == nil {
		return nil
	}
	topic, err := job.NewSampleTopic(ctx, p.spec, p.sampleSchema, p.params.TextViews())
	if err != nil {
		return err
	}
	p.topic = &topicSink{SampleTopic: topic}
	last := job.SampleConfig(p.spec)
	last.State = map[string]string{"shards": strconv.Itoa(p.spec.Shards)}
	for stage := range p.params.StageCount() {
		of := p.params.OfStage(stage)
		config := job.StageConfig(last, p.spec, stage)
		config.Meaning = of.Meaning()
		p.topic.Configs = append(p.topic.Configs, config)
		name := ""
		if len(p.params.Stages) > 0 && p.spec.Outputs.SamplesTopic().Stages != spec.FinalStage {
			name = p.params.Stages[stage].Name
		}
		p.topic.stages = append(p.topic.stages, name)
	}
	return nil
}

// marked tells whether what a stage does not give is needed all the same, see rules.Params.
func (p *plan) marked() bool {
	return len(p.params.Stages) > 0 && p.topic != nil && !p.topic.AtLeastOnce
}

// checkCuts refuses bounds that cut a bucket: its group would be of a part of it.
func (p *plan) checkCuts(opt Options) error {
	if p.topic == nil {
		return nil
	}
	bucket := p.spec.Bucket
	for name, t := range map[string]time.Time{"--from": opt.From, "--to": opt.To} {
		if !t.IsZero() && msOf(t)%bucket.Milliseconds() != 0 {
			return fmt.Errorf("%s %s: samples go to a topic by whole buckets, so it must be a multiple of %s, like %s",
				name, t.Format(time.RFC3339), spec.FormatDuration(bucket), timeOf(msOf(t)/bucket.Milliseconds()*bucket.Milliseconds()).Format(time.RFC3339))
		}
	}
	if opt.Interval%bucket != 0 {
		return fmt.Errorf("--interval %s: samples go to a topic by whole buckets, so it must be a multiple of %s", spec.FormatDuration(opt.Interval), spec.FormatDuration(bucket))
	}
	return nil
}

// readCommits reads what is in the topic.
func (t *topicSink) readCommits(ctx context.Context) error {
	if t == nil || t.AtLeastOnce {
		return nil
	}
	t.commits = make([]committedGroups, len(t.Configs))
	for stage := range t.Configs {
		config := &t.Configs[stage]
		if config.CommitLog == "" {
			continue
		}
		shards, err := commitlog.ReadAll(ctx, config.Cluster, config.CommitLog)
		if err != nil {
			return err
		}
		c := &t.commits[stage]
		c.records = map[int64]int64{}
		for _, commits := range shards {
			c.truncatedBefore = max(c.truncatedBefore, commits.TruncatedBefore)
			for _, g := range commits.Groups {
				c.records[g.ID] += g.Records
			}
		}
	}
	return nil
}

// holds tells whether all samples are in the topic that the accounts of an interval tell of. Those of a stage may be more:
// a group that was corrected has all of its views.
func (t *topicSink) holds(s interval, l *account.Sheet) bool {
	if t == nil || t.AtLeastOnce {
		return true
	}
	for stage := range t.commits {
		c := &t.commits[stage]
		if c.records == nil || s.from < c.truncatedBefore {
			continue
		}
		samples := samplesGiven(l, t.stages[stage])
		for id, records := range c.records {
			if s.from <= id && id < s.to {
				samples -= records
			}
		}
		if samples > 0 || samples < 0 && t.stages[stage] == "" {
			return false
		}
	}
	return true
}

// claim makes this run the one that writes: of a new job, or of one that goes on with what means the same.
func (p *plan) claim(ctx context.Context, all []interval) error {
	if p.topic == nil || p.topic.AtLeastOnce {
		return nil
	}
	for stage := range p.topic.Configs {
		w := &p.topic.Configs[stage]
		if w.Topic == "" {
			continue
		}
		buckets := (all[len(all)-1].to - all[0].from) / w.Step
		w.Keep = max(sink.DefaultKeep, int(buckets)+1)
		progress, err := claimTopic(ctx, w)
		if err != nil {
			return err
		}
		w.Earlier, w.FencingEpoch = progress.Earlier, progress.FencingEpoch
		if stage == len(p.topic.Configs)-1 {
			p.params.Earlier = job.Layouts(progress.Earlier)
		} else {
			p.params.Stages[stage].Earlier = job.Layouts(progress.Earlier)
		}
	}
	return nil
}

func claimTopic(ctx context.Context, w *sink.Config) (commitlog.Progress, error) {
	progress, err := sink.Begin(ctx, *w)
	if !errors.Is(err, sink.ErrBegun) {
		return progress, err
	}
	before, err := commitlog.ReadProgress(ctx, w.Cluster, w.CommitLog, w.Job)
	if err != nil {
		return before, err
	}
	if _, told := rules.Meaning(before.Meaning).Differences(w.Meaning); len(told) > 0 {
		return before, fmt.Errorf("job %s has written samples that mean something else; begin another one, with a stream.name and topics of its own. What is not the same:\n  %s", w.Job, strings.Join(told, "\n  "))
	}
	return sink.Recover(ctx, *w)
}
