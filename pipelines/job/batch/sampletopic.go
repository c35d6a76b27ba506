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
	"tributary/transforms/attribution/rules"
)

// Samples of files may go to a topic: by the same sink as those of a stream, a group for each shard's
// share of a bucket, each exactly once. Accounts stay in a folder, and say which intervals are
// finished; the commit log says the same of groups, so that an interval that is joined again writes
// nothing twice.

// topicSink is the topic that samples of a plan go to.
type topicSink struct {
	job.SampleTopic
	// committed are the records of the groups that are in the topic, by the start of their bucket; older
	// ones than truncatedBefore are forgotten.
	committed       map[int64]int64
	truncatedBefore int64
}

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
	topic, err := job.NewSampleTopic(ctx, p.spec, p.sampleSchema, p.params.ViewSchema == "")
	if err != nil {
		return err
	}
	topic.Config = job.SampleConfig(p.spec)
	topic.Config.Meaning = p.params.Meaning()
	topic.Config.State = map[string]string{"shards": strconv.Itoa(p.spec.Shards)}
	p.topic = &topicSink{SampleTopic: topic}
	return nil
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
	shards, err := commitlog.ReadAll(ctx, t.Config.Cluster, t.Config.CommitLog)
	if err != nil {
		return err
	}
	t.committed = map[int64]int64{}
	for _, commits := range shards {
		t.truncatedBefore = max(t.truncatedBefore, commits.TruncatedBefore)
		for _, g := range commits.Groups {
			t.committed[g.ID] += g.Records
		}
	}
	return nil
}

// holds tells whether all samples are in the topic that the accounts of an interval tell of.
func (t *topicSink) holds(s interval, samples int64) bool {
	if t == nil || t.AtLeastOnce || s.from < t.truncatedBefore {
		return true
	}
	for id, records := range t.committed {
		if s.from <= id && id < s.to {
			samples -= records
		}
	}
	return samples == 0
}

// claim makes this run the one that writes: of a new job, or of one that goes on with what means the same.
func (p *plan) claim(ctx context.Context, all []interval) error {
	if p.topic == nil || p.topic.AtLeastOnce {
		return nil
	}
	w := &p.topic.Config
	buckets := (all[len(all)-1].to - all[0].from) / w.Step
	w.Keep = max(sink.DefaultKeep, int(buckets)+1)
	progress, err := sink.Begin(ctx, *w)
	if errors.Is(err, sink.ErrBegun) {
		before, readErr := commitlog.ReadProgress(ctx, w.Cluster, w.CommitLog, w.Job)
		if readErr != nil {
			return readErr
		}
		if _, told := rules.Meaning(before.Meaning).Differences(w.Meaning); len(told) > 0 {
			return fmt.Errorf("job %s has written samples that mean something else; begin another one, with a stream.name and topics of its own. What is not the same:\n  %s", w.Job, strings.Join(told, "\n  "))
		}
		progress, err = sink.Recover(ctx, *w)
	}
	if err != nil {
		return err
	}
	w.Earlier, w.FencingEpoch = progress.Earlier, progress.FencingEpoch
	p.params.Earlier = job.Layouts(progress.Earlier)
	return nil
}
