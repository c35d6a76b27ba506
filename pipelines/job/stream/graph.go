package stream

import (
	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"tributary/io/kafkaio"
	"tributary/io/kafkaio/sink"
	"tributary/io/kafkaio/source"
	"tributary/pipelines/job"
	"tributary/pipelines/job/graph"
)

// Pipeline builds the join.
func (p *Plan) Pipeline() *beam.Pipeline {
	g := graph.Graph{
		Params:  p.params,
		Sources: []graph.Source{topicSource{p.reading}},
		Rejected: []graph.RejectedSink{&job.RejectedTopics{
			Config: p.samples, Topics: p.spec.Outputs.Topics, Roles: p.roles, Partitions: p.partitions(), Schemas: p.params.Schemas,
		}},
		Accounts: accountSink{p},
	}
	if p.files != nil {
		feed := p.feed
		feed.Params, feed.Topics = p.params, p.reading
		g.Sources = append(g.Sources, p.files.Source(feed))
	}
	// The folder first: see accountSink.
	if p.folder != nil {
		folders := make(job.SampleFolders, p.params.StageCount())
		for _, e := range p.early {
			folders[e.stage] = e.folder
		}
		folders[len(folders)-1] = p.folder
		g.Samples = append(g.Samples, folders)
	}
	if p.topic != nil {
		topic := *p.topic
		topic.Configs = make([]sink.Config, p.params.StageCount())
		for _, e := range p.early {
			topic.Configs[e.stage] = e.samples
		}
		topic.Configs[len(topic.Configs)-1] = p.samples
		g.Samples = append(g.Samples, &topic)
	}
	return g.Build()
}

// topicSource reads topics. They have an end if they are read up to one.
type topicSource struct{ reading source.Config }

func (t topicSource) Bounded() bool { return t.reading.Stop.At != source.StopNever }

func (t topicSource) Read(s beam.Scope) (r graph.Read) {
	r.Batches, r.Unreadable = kafkaio.Read(s, t.reading)
	return r
}

// accountSink writes accounts to a topic as they come, notes how far the job has come, and puts accounts together.
type accountSink struct{ plan *Plan }

func (accountSink) NeedsEnd() bool { return false }

// WriteAccounts takes the first of the sinks of samples for the one that says how far they are written: the folder, where
// it takes longest, if there is one.
func (a accountSink) WriteAccounts(s beam.Scope, all graph.ToAccount) {
	p := a.plan
	final := len(all.Samples) - 1
	committed, sent := p.acknowledged(s, all.Samples[final])
	sent = append(sent, all.Rejected...)
	// The scope keeps its name: the runner finds the state of a savepoint by the names of operators.
	accounts := p.writeAccounts(s.Scope("Ledger"), all)
	sent = append(sent, accounts)
	for _, e := range p.early {
		s := s.Scope("Stage " + p.params.Stages[e.stage].Name)
		committed, beside := p.acknowledged(s, all.Samples[e.stage])
		p.noteProgress(s, e.samples, e.folder, committed, append(beside, accounts))
		if e.folder != nil { // where the last stage is complete, all are; in a topic it comes behind them anyway
			sent = append(sent, beam.ParDo(s.Scope("Written"), committedOnly, committed))
		}
	}
	p.noteProgress(s, p.samples, p.folder, committed, sent)
	p.keepBooks(s.Scope("Books"), committed, sent...)
}

// acknowledged is what the first of the sinks has committed, and what the others say.
func (p *Plan) acknowledged(s beam.Scope, written []graph.Written) (committed beam.PCollection, sent []beam.PCollection) {
	for _, other := range written[1:] {
		if p.atLeastOnce() {
			sent = append(sent, other.Acknowledged)
		} else {
			sent = append(sent, beam.ParDo(s.Scope("Beside"), committedOnly, other.Acknowledged))
		}
	}
	return written[0].Acknowledged, sent
}
