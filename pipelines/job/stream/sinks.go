package stream

import (
	"context"
	"fmt"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"tributary/io/kafkaio"
	"tributary/io/kafkaio/commitlog"
	"tributary/io/kafkaio/sink"
	"tributary/pipelines/job"
	"tributary/pipelines/spec"
	"tributary/pipelines/spec/problem"
)

func init() { register.Function2x0(committedOnly) }

// codeFiles is of files where a stream takes topics only.
const codeFiles = "T2013"

// checkSpec refuses a spec that no stream runs, all that is wrong with it at once.
func checkSpec(s *spec.Spec) error {
	var problems problem.List
	for _, in := range s.Inputs() {
		if in.Topic != "" {
			continue
		}
		found := s.Problem(codeFiles, fmt.Sprintf("a stream reads topics, and %s is files", in.Path))
		found.Position = in.At
		found.Hint = "join them with `tributary join`, which reads topics as well, as far as they go now"
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
	Begin(context.Context, sink.Config) (commitlog.Progress, error)
	Recover(context.Context, sink.Config) (commitlog.Progress, error)
	NoteProgress(s beam.Scope, w sink.Config, committed beam.PCollection, sent ...beam.PCollection)
}

// topicCommits is the commit log of a topic.
type topicCommits struct{}

func (topicCommits) ReadProgress(ctx context.Context, w sink.Config) (commitlog.Progress, error) {
	return commitlog.ReadProgress(ctx, w.Cluster, w.CommitLog, w.Job)
}

func (topicCommits) Begin(ctx context.Context, w sink.Config) (commitlog.Progress, error) {
	return sink.Begin(ctx, w)
}

func (topicCommits) Recover(ctx context.Context, w sink.Config) (commitlog.Progress, error) {
	return sink.Recover(ctx, w)
}

func (topicCommits) NoteProgress(s beam.Scope, w sink.Config, committed beam.PCollection, sent ...beam.PCollection) {
	kafkaio.NoteProgress(s, w, committed, sent...)
}

// commitsOf are those of the topic that samples go to, or else of the folder.
func commitsOf(s *spec.Spec) commits {
	if s.Outputs.SamplesTopic() != nil {
		return topicCommits{}
	}
	folder := job.NewSampleFolder(s, s.Outputs.SamplesFolder(), "", false)
	return &folder
}

// writeSamples writes samples to each of their places. It returns what acknowledges them where the commits are,
// those that are too large for a topic, and what else is to be waited for.
func (p *Plan) writeSamples(s beam.Scope, blocks beam.PCollection) (committed, refused beam.PCollection, sent []beam.PCollection) {
	if p.folder != nil {
		committed = p.folder.Write(s.Scope("Folder"), blocks)
	}
	if p.topic == nil {
		return committed, beam.PCollection{}, nil
	}
	if p.folder != nil {
		sent = append(sent, beam.ParDo(s.Scope("Folder"), committedOnly, committed))
	}
	topic := *p.topic
	topic.Config = p.samples
	committed, refused = topic.Write(s, blocks)
	return committed, refused, sent
}

// committedOnly emits nothing: it is there for the watermark of its input.
func committedOnly(commitlog.Committed, func(int64)) {}
