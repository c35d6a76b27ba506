// Package tap shows what a stream writes while it writes it: samples, changes of samples, late records, dead letters and orphans.
//
// It reads committed records only, in no group, and writes nothing. Memory is that of a fetch and of labelsKept samples' labels.
//
//	tap.go     a Tap: what is shown, and of which topics
//	follow.go  the topics, followed
//	entry.go   what is told of a record
//	labels.go  the labels of samples that were seen before
//	show.go    how many are shown, and what is left out
//	text.go    an entry as a line of text
package tap

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"tributary/pipelines/audit"
	"tributary/pipelines/job/batch"
	"tributary/pipelines/spec"
)

// What is what a record is.
type What string

// What there is to see.
const (
	Sample What = "sample"
	Change What = "change"
	Late   What = "late"
	Dead   What = "dead"
	Orphan What = "orphan"
)

// All is all there is to see.
func All() []What { return []What{Sample, Change, Late, Dead, Orphan} }

// Options are the choices of a Tap.
type Options struct {
	// What is shown; empty for all that has a topic.
	What []What
	// IDs are those of the views to show; of a late or dead record any field may be it. Empty for all.
	IDs []string
	// Kind is the kind of late and dead records, and the label of samples; empty for all.
	Kind string
	// Rate is how many lines a second are shown; 0 for all.
	Rate int
	// Count ends the Tap after so many; 0 for never.
	Count int64
	// Since is when the first record was written that is shown; zero for those that come from now on.
	Since         time.Time
	FromBeginning bool
	// Mask shows ids, times, labels and reasons only.
	Mask bool
	JSON bool
}

// source is a topic that is followed.
type source struct {
	topic, cluster string
	// output is that of samples; nil for rejected records.
	output *spec.Output
	values *audit.SampleValues
}

// Tap shows a stream once.
type Tap struct {
	spec    *spec.Spec
	opt     Options
	sources []*source
	labels  *labels
}

// New returns the Tap of a spec. The error says what there is not to see.
func New(s *spec.Spec, opt Options) (*Tap, error) {
	t := &Tap{spec: s, opt: opt, labels: newLabels()}
	rejected := map[What]string{Late: s.Outputs.Topics.Late, Dead: s.Outputs.Topics.DeadLetters, Orphan: s.Outputs.Topics.Orphans}
	var samples []spec.Output
	for _, out := range s.Outputs.SampleSinks() {
		if out.Topic != "" {
			samples = append(samples, out)
		}
	}
	has := func(w What) bool {
		if w == Sample || w == Change {
			return len(samples) > 0
		}
		return rejected[w] != ""
	}
	there := slices.DeleteFunc(All(), func(w What) bool { return !has(w) })
	if len(there) == 0 {
		return nil, fmt.Errorf("%s writes to no topic: there is nothing to tap (`tributary show FILE` shows files)", s.File)
	}
	if kinds := s.Kinds(); opt.Kind != "" && !slices.Contains(kinds, opt.Kind) {
		return nil, fmt.Errorf("%s has no kind %q: its kinds are %s", s.File, opt.Kind, strings.Join(kinds, ", "))
	}
	var errs []error
	for _, w := range opt.What {
		if !has(w) {
			errs = append(errs, fmt.Errorf("%s has no topic of %s", s.File, nameOf[w]))
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	if len(t.opt.What) == 0 {
		t.opt.What = there
	}
	if t.shows(Sample) || t.shows(Change) {
		for i := range samples {
			t.sources = append(t.sources, &source{topic: samples[i].Topic, cluster: samples[i].Cluster, output: &samples[i]})
		}
	}
	for _, w := range []What{Late, Dead, Orphan} {
		known := slices.ContainsFunc(t.sources, func(of *source) bool { return of.topic == rejected[w] && of.cluster == s.OutputCluster() })
		if t.shows(w) && !known {
			t.sources = append(t.sources, &source{topic: rejected[w], cluster: s.OutputCluster()})
		}
	}
	return t, nil
}

// nameOf is what the records of a topic are called.
var nameOf = map[What]string{Sample: "samples", Change: "samples", Late: "late records", Dead: "dead letters", Orphan: "orphans"}

func (t *Tap) shows(w What) bool { return slices.Contains(t.opt.What, w) }

// Run shows what is written until the context ends, which is no error, or so many are shown. Entries go to out, and to say a line at
// the end: how many were shown and left out.
func (t *Tap) Run(ctx context.Context, out, say io.Writer) error {
	show := newShow(out, t.opt)
	err := t.run(ctx, show)
	if ctx.Err() != nil {
		err = nil
	}
	return errors.Join(err, show.end(say))
}

func (t *Tap) run(ctx context.Context, show *show) error {
	for _, of := range t.sources {
		if of.output == nil {
			continue
		}
		schema := ""
		if of.output.Format != spec.JSON && !of.output.Registry {
			var err error
			if schema, err = batch.SampleSchema(ctx, t.spec, nil); err != nil {
				return err
			}
		}
		var err error
		if of.values, err = audit.NewSampleValues(ctx, t.spec, *of.output, schema); err != nil {
			return err
		}
	}
	return t.follow(ctx, show)
}
