package stream

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"tributary/io/folderio"
	"tributary/io/kafkaio"
	"tributary/io/kafkaio/commitlog"
	"tributary/io/kafkaio/sink"
	"tributary/pipelines/job"
	"tributary/pipelines/job/batch"
	"tributary/pipelines/spec"
)

func init() { register.Function2x0(committedOnly) }

// codeFiles is of files where a stream takes topics only.
const codeFiles = "T2013"

// checkSpec refuses a spec that no stream runs, all that is wrong with it at once.
func checkSpec(s *spec.Spec) error {
	problems := batch.NoPipes(s, false, false)
	if !s.ReadsTopics() {
		found := s.Problem(codeFiles, "a stream reads topics, beside which there may be files, and all inputs of this spec are files", "views")
		found.Hint = "join them with `tributary join`"
		problems = append(problems, found)
	}
	for _, out := range []struct{ key, folder, topic string }{
		{"late", s.Outputs.Late, s.Outputs.Topics.Late},
		{"dead_letters", s.Outputs.DeadLetters, s.Outputs.Topics.DeadLetters},
		{"orphans", s.Outputs.Orphans, s.Outputs.Topics.Orphans},
		{"accounts", s.Outputs.Accounts, s.Outputs.Topics.Accounts},
	} {
		if out.folder == "" || out.topic != "" {
			continue
		}
		found := s.Problem(codeFiles, fmt.Sprintf("a stream writes %s to a topic, and this is the folder %s", out.key, out.folder), "outputs", out.key)
		found.Hint = fmt.Sprintf("name a topic, like `%s: {topic: %s.%s}`", out.key, s.Stream.Name, out.key)
		problems = append(problems, found)
	}
	if len(problems) == 0 {
		return nil
	}
	problems.Sort()
	return problems
}

// commits is what says how far a job has come, and whose it is.
type commits interface {
	ReadProgress(context.Context, sink.Config) (commitlog.Progress, error)
	// NotBegun is sink.ErrBegun for a job that has begun, as Begin would find, and changes nothing.
	NotBegun(context.Context, sink.Config) error
	Begin(context.Context, sink.Config) (commitlog.Progress, error)
	Recover(context.Context, sink.Config) (commitlog.Progress, error)
}

// topicCommits is the commit log of a topic.
type topicCommits struct{}

func (topicCommits) ReadProgress(ctx context.Context, w sink.Config) (commitlog.Progress, error) {
	return commitlog.ReadProgress(ctx, w.Cluster, w.CommitLog, w.Job)
}

func (topicCommits) NotBegun(ctx context.Context, w sink.Config) error { return sink.NotBegun(ctx, w) }

func (topicCommits) Begin(ctx context.Context, w sink.Config) (commitlog.Progress, error) {
	return sink.Begin(ctx, w)
}

func (topicCommits) Recover(ctx context.Context, w sink.Config) (commitlog.Progress, error) {
	return sink.Recover(ctx, w)
}

// planSinks finds the folder of the samples, if there is one. The commits are those of the topic that samples go to, or
// else of the folder.
func (p *Plan) planSinks() {
	if o := p.spec.Outputs.SamplesFolder(); o != nil {
		p.folder = job.NewSampleFolder(p.spec, o, len(p.spec.Stages)-1)
	}
	p.commits = commitsOf(p.samples, p.folder)
	p.early = newEarly(p.spec, p.samples)
}

// commitsOf are those of a topic of samples, or of a folder if they go to none.
func commitsOf(w sink.Config, folder *job.SampleFolder) commits {
	if w.Topic == "" && folder != nil {
		return folder
	}
	return topicCommits{}
}

// atLeastOnce tells whether samples go to a topic that may have them more than once, and no commits say how far the
// job has come.
func (p *Plan) atLeastOnce() bool {
	return p.spec.Stream.Delivery == spec.AtLeastOnce && p.spec.Outputs.SamplesTopic() != nil
}

// compact is how much event time the files of samples are of; 0 if they are of buckets.
func (p *Plan) compact() time.Duration {
	if o := p.spec.Outputs.SamplesFolder(); o != nil {
		return o.Compact
	}
	return 0
}

// claimFolder makes this run the one that writes to a folder beside a topic, whose commits say the rest: up to which bucket all
// is written that the run does not write (since).
func (p *Plan) claimFolder(ctx context.Context, folder *job.SampleFolder, w sink.Config, since int64, how Resume) (err error) {
	if folder == nil {
		return nil
	}
	beside := w.Topic != ""
	switch {
	case how == FromState:
		err = folder.TakeUp(ctx)
	case !beside:
	case how == Fresh:
		_, err = folder.Begin(ctx, w)
	default:
		complete := int64(folderio.NoID)
		if since != 0 {
			complete = since
		}
		_, err = folder.RecoverBeside(ctx, w, complete)
	}
	if err != nil {
		return fmt.Errorf("the folder of samples %s: %w", folder.Config.Path, err)
	}
	return nil
}

// fitsBoth refuses what a topic and a folder of samples do not come out of alike: the topic keeps what it has of
// buckets that are not complete, and the folder may not have that yet.
func (p *Plan) fitsBoth(progress commitlog.Progress) error {
	if p.folder == nil || p.spec.Outputs.SamplesTopic() == nil || len(p.changed) == 0 && len(progress.Kept) == 0 {
		return nil
	}
	return fmt.Errorf("resume from the log: samples go to a folder and a topic, and cannot change their meaning while they do: begin another job, with a name and places of its own (%s)", strings.Join(p.changed, "; "))
}

// noteProgress notes how far a stage has come wherever that is kept.
func (p *Plan) noteProgress(s beam.Scope, w sink.Config, folder *job.SampleFolder, committed beam.PCollection, sent []beam.PCollection) {
	if w.Topic != "" && !p.atLeastOnce() {
		kafkaio.NoteProgress(s, w, committed, sent...)
	}
	if folder != nil {
		folder.NoteProgress(s.Scope("Folder"), committed, sent...)
	}
}

// committedOnly emits nothing: it is there for the watermark of its input.
func committedOnly(commitlog.Committed, func(int64)) {}
