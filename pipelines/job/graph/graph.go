// Package graph is the join as a pipeline: what is read, joined and written. There is one for all joins, of files and of topics,
// with an end or without.
//
//	sources ──► batches ───► attribution.Join ──► samples ──► steps ──► places of samples ─┐
//	   │                          │                             │                          ├─ acknowledged ─┐
//	   ├──────► unreadable ───────┴──► rejected ────────────────┼──► places of rejected ───┘                ▼
//	   └──────► accounts ─────────┴──► accounts ────────────────┴──────────────────────────────────► accounts, last
//
// Whether it ends is its sources' word, and nobody else's: a pipeline ends if all of them do. A place that writes when all
// is there, such as the file of an interval, says that it needs an end, and is refused where there is none; one that writes
// bucket by bucket serves both. So neither source nor sink knows of the other, nor of whether there is an end, and what
// is chosen for a run stands in one value. Packages batch and stream choose, plan and run; they build nothing else.
//
// A source or a sink is a type with one or two methods, in the package that plans it, or in package job if several do:
//
//	               with an end or without               with an end
//	sources        kafkaio.Read (stream), files (batch) pieces (batch)
//	samples        job.SampleFolder, job.SampleTopic    files of intervals (batch)
//	rejected       job.RejectedTopics                   files of intervals (batch)
//	accounts       a topic, books, progress (stream)    a file of an interval (batch)
//
// A join may have stages (rules.Stage), and then samples, steps and places of samples are there once for each, the last as above. A stage is
// joined when what the one before it gave of the same views is written: versions of a view come in order.
//
// A transform does not declare its own keys: transforms do not import pipelines, and check has rules between keys of several
// sections, whose values have types in package spec. Its section is a file there, which is as much one place as its package is.
//
// The names of scopes stay as they are: runners find the state of a savepoint by them.
package graph

import (
	"fmt"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"tributary/transforms/attribution"
	"tributary/transforms/attribution/rules"
)

// Graph is a pipeline that is yet to be built.
type Graph struct {
	Params rules.Params
	// How says how the runner brings together what the join needs.
	How      attribution.How
	Sources  []Source
	Steps    []Step
	Samples  []SampleSink
	Rejected []RejectedSink
	Accounts AccountSink
}

// Source is where records come from.
type Source interface {
	// Bounded tells whether it has an end.
	Bounded() bool
	Read(s beam.Scope) Read
}

// Read is what comes of a source.
type Read struct {
	// Batches is a PCollection<record.Batch> of records in the order of their partitions.
	Batches beam.PCollection
	// Unreadable is a PCollection<record.Rejected> of what cannot be told apart as records.
	Unreadable beam.PCollection
	// Accounts is a PCollection<account.Sheet> of what the source accounts for itself; not valid if that is nothing, and
	// whoever writes accounts counts what is unreadable.
	Accounts beam.PCollection
}

// Place is somewhere that a pipeline writes to.
type Place interface {
	// NeedsEnd tells whether it writes when all is there, and so takes sources with an end.
	NeedsEnd() bool
}

// Step changes samples on their way from the join to where they are written, each after the one before.
type Step interface {
	// Place: a step whose accounts have no origin (account.Origin) needs an end. A stream counts those once that a restart
	// writes again, and knows them by that.
	Place
	// Apply takes a PCollection<sample.Block> and gives another, and a PCollection<account.Sheet> of what became of the samples,
	// not valid if that is nothing.
	Apply(s beam.Scope, samples beam.PCollection) (changed, accounts beam.PCollection)
}

// SampleSink takes samples.
type SampleSink interface {
	Place
	// WriteSamples writes the samples of a stage, a PCollection<sample.Block>. The zero Written says that the sink takes none of
	// that stage; it takes those of the last.
	WriteSamples(s beam.Scope, stage int, samples beam.PCollection) Written
}

// Written is what comes of writing.
type Written struct {
	// Acknowledged has something for what is written, once it is: whoever waits for it waits for that. It is a PCollection
	// of the sink's own type.
	Acknowledged beam.PCollection
	// Refused is a PCollection<sink.Refused> of samples that are too large; not valid from a sink that takes all.
	Refused beam.PCollection
	// Corrected is a PCollection<sample.Correction> of what was written again with other content; not valid from a sink in which
	// the order of stages makes no difference.
	Corrected beam.PCollection
}

// RejectedSink takes what is in no sample: late records, dead letters and orphans.
type RejectedSink interface {
	Place
	// WriteRejected writes a PCollection<record.Rejected>, and samples that a sink has refused, a PCollection<sink.Refused>,
	// if that is valid. What is acknowledged is of its own types.
	WriteRejected(s beam.Scope, rejected, refused beam.PCollection) (acknowledged []beam.PCollection)
}

// AccountSink takes the accounts, and notes how far the work has come. It comes last: where its output says so, all else is
// there.
type AccountSink interface {
	Place
	WriteAccounts(s beam.Scope, a ToAccount)
}

// ToAccount is what there is to account for.
type ToAccount struct {
	// Read is that of all sources, Joined a PCollection<account.Sheet> of the join and of steps.
	Read   Read
	Joined beam.PCollection
	// Samples are what the sinks of samples have written, those that take a stage in their order, by stage: the last are those of the
	// whole join. Rejected is what the sinks of rejected records have acknowledged.
	Samples  [][]Written
	Rejected []beam.PCollection
}

// Bounded tells whether the graph has an end: whether all its sources have.
func (g *Graph) Bounded() bool {
	for _, source := range g.Sources {
		if !source.Bounded() {
			return false
		}
	}
	return true
}

// Build builds the pipeline.
//
// It panics if something waits for an end that there is not.
func (g *Graph) Build() *beam.Pipeline {
	places := []Place{g.Accounts}
	for _, step := range g.Steps {
		places = append(places, step)
	}
	for _, sink := range g.Samples {
		places = append(places, sink)
	}
	for _, sink := range g.Rejected {
		places = append(places, sink)
	}
	for _, place := range places {
		if place.NeedsEnd() && !g.Bounded() {
			panic(fmt.Errorf("graph.Build: %T waits for an end, and a source has none", place))
		}
	}
	pipeline, root := beam.NewPipelineWithRoot()
	read := g.read(root)
	packed := attribution.Pack(root, g.Params, read.Batches, g.How)
	var joined attribution.Result
	var before beam.PCollection
	var counted, refused []beam.PCollection
	account := ToAccount{Read: read}
	for stage := range g.Params.StageCount() {
		s := root
		if stage < g.Params.StageCount()-1 {
			s = root.Scope("Stage " + g.Params.Stages[stage].Name)
		}
		joined = packed.Join(stage, before)
		samples := joined.Samples
		counted = append(counted, joined.Accounts)
		for _, step := range g.Steps {
			var accounts beam.PCollection
			samples, accounts = step.Apply(s, samples)
			counted = append(counted, accounts)
		}
		written := g.write(s.Scope("Samples"), stage, samples)
		account.Samples = append(account.Samples, written)
		var corrected []beam.PCollection
		for _, w := range written {
			refused, corrected = append(refused, w.Refused), append(corrected, w.Corrected)
		}
		before = together(s, "Corrected", corrected)
	}
	account.Joined = together(root, "Steps", counted)
	s := root.Scope("Rejected")
	rejected, tooLarge := beam.Flatten(s, read.Unreadable, joined.Rejected), together(s, "Refused", refused)
	for _, sink := range g.Rejected {
		account.Rejected = append(account.Rejected, sink.WriteRejected(s, rejected, tooLarge)...)
	}
	g.Accounts.WriteAccounts(root, account)
	return pipeline
}

// write has the sinks write the samples of a stage.
func (g *Graph) write(s beam.Scope, stage int, samples beam.PCollection) (all []Written) {
	for _, sink := range g.Samples {
		if w := sink.WriteSamples(s, stage, samples); w.Acknowledged.IsValid() {
			all = append(all, w)
		}
	}
	return all
}

// read reads all sources.
func (g *Graph) read(s beam.Scope) (all Read) {
	var batches, unreadable, accounts []beam.PCollection
	for _, source := range g.Sources {
		read := source.Read(s)
		batches, unreadable, accounts = append(batches, read.Batches), append(unreadable, read.Unreadable), append(accounts, read.Accounts)
	}
	return Read{together(s, "Inputs", batches), together(s, "Unreadable", unreadable), together(s, "Counted", accounts)}
}

// together is all that is valid of several PCollections, not valid itself if nothing is.
func together(s beam.Scope, name string, several []beam.PCollection) beam.PCollection {
	var valid []beam.PCollection
	for _, c := range several {
		if c.IsValid() {
			valid = append(valid, c)
		}
	}
	switch len(valid) {
	case 0:
		return beam.PCollection{}
	case 1:
		return valid[0]
	}
	return beam.Flatten(s.Scope(name), valid...)
}
