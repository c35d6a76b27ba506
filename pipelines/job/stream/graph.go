package stream

import (
	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"tributary/io/kafkaio"
	"tributary/io/kafkaio/sink"
	"tributary/pipelines/spec"
	"tributary/transforms/attribution"
)

// Pipeline builds the join. The names of its steps are part of what a savepoint is found
// by: they stay as they are.
func (p *Plan) Pipeline() *beam.Pipeline {
	pipeline, root := beam.NewPipelineWithRoot()
	batches, unreadable := kafkaio.Read(root, p.reading)
	joined := attribution.Join(root, p.params, batches)

	committed, refused := p.writeSamples(root.Scope("Samples"), joined.Samples)
	sent := p.writeRejected(root.Scope("Rejected"), unreadable, joined.Rejected, refused)
	sent = append(sent, p.writeAccounts(root.Scope("Ledger"), unreadable, joined))
	if p.spec.Stream.Delivery == spec.ExactlyOnce {
		kafkaio.NoteProgress(root, p.samples, committed, sent...)
	}
	p.keepBooks(root.Scope("Books"), committed, sent...)
	return pipeline
}

// writeSamples returns what acknowledges the samples, and those that are too large for their
// topic.
func (p *Plan) writeSamples(s beam.Scope, blocks beam.PCollection) (written, refused beam.PCollection) {
	format := groupFn{
		JSON: p.spec.Outputs.Samples.Format == spec.JSON, Schema: p.sampleSchema, JSONViews: p.params.ViewSchema == "", Frame: p.frame,
	}
	if p.spec.Stream.Delivery == spec.AtLeastOnce {
		refused, written = kafkaio.WriteAtLeastOnce(s, p.samples, beam.ParDo(s, &messageFn{Format: format}, blocks))
		return written, refused
	}
	return kafkaio.Write(s, p.samples, beam.ParDo(s, &format, blocks))
}

// writeRejected returns what acknowledges them, for each topic.
func (p *Plan) writeRejected(s beam.Scope, unreadable, rejected, refused beam.PCollection) (sent []beam.PCollection) {
	all := beam.Flatten(s, unreadable, rejected)
	late, dead, orphans := beam.ParDo3(s, &describeFn{Roles: p.roles, Partitions: p.reading.Ranked(), Schemas: p.params.Schemas}, all)
	dead = beam.Flatten(s, dead, beam.ParDo(s.Scope("Refused"), &refusedFn{}, refused))
	for _, to := range []struct {
		topic    string
		messages beam.PCollection
	}{
		{p.spec.Outputs.Topics.Late, late},
		{p.spec.Outputs.Topics.DeadLetters, dead},
		{p.spec.Outputs.Topics.Orphans, orphans},
	} {
		if to.topic == "" {
			continue
		}
		w := sink.Config{Cluster: p.samples.Cluster, Topic: to.topic, Compression: p.samples.Compression, Cut: true}
		_, written := kafkaio.WriteAtLeastOnce(s.Scope(to.topic), w, to.messages)
		sent = append(sent, written)
	}
	return sent
}
