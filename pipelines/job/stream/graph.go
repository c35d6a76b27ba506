package stream

import (
	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"tributary/io/kafkaio"
	"tributary/pipelines/job"
	"tributary/transforms/attribution"
)

// Pipeline builds the join. The names of its steps are part of what a savepoint is found
// by: they stay as they are.
func (p *Plan) Pipeline() *beam.Pipeline {
	pipeline, root := beam.NewPipelineWithRoot()
	batches, unreadable := p.read(root)
	joined := attribution.Join(root, p.params, batches)

	committed, refused, sent := p.writeSamples(root.Scope("Samples"), joined.Samples)
	rejected := job.RejectedTopics{Config: p.samples, Topics: p.spec.Outputs.Topics, Roles: p.roles, Partitions: p.partitions(), Schemas: p.params.Schemas}
	s := root.Scope("Rejected")
	sent = append(sent, rejected.Write(s, beam.Flatten(s, unreadable, joined.Rejected), refused)...)
	// The scope keeps its name: the runner finds the state of a savepoint by the names of operators.
	sent = append(sent, p.writeAccounts(root.Scope("Ledger"), unreadable, joined))
	p.noteProgress(root, committed, sent)
	p.keepBooks(root.Scope("Books"), committed, sent...)
	return pipeline
}

// read reads topics, and the files beside them if there are some.
func (p *Plan) read(s beam.Scope) (batches, unreadable beam.PCollection) {
	batches, unreadable = kafkaio.Read(s, p.reading)
	if p.files == nil {
		return batches, unreadable
	}
	feed := p.feed
	feed.Params, feed.Topics = p.params, p.reading
	ofFiles, lost := p.files.Read(s, feed)
	return beam.Flatten(s.Scope("Inputs"), batches, ofFiles), beam.Flatten(s.Scope("Unreadable"), unreadable, lost)
}
