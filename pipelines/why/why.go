// Package why says what became of the records of one id: of a view, or of an engagement.
//
//	inputs ─► those of the id, by the join's own packer ─► buckets, joined and explained ─┐
//	topics, folders of samples ─► the samples of its views ────────────────────────────────┴─► what happened, in one sentence
//
// Of what is read only what concerns the id is kept. The inputs are read once to find what an engagement names, or under which key a view
// stands, and once more where that is another id.
//
//	why.go       Run; read.go: the records of an id; match.go: which they are
//	records.go   what became of each; samples.go: and what was written of it
//	result.go    what was found, as JSON; text.go: as tables
//	sentence.go  what happened, in one sentence: of a view; engagement.go: of anything else
package why

import (
	"context"
	"errors"
	"fmt"

	"tributary/pipelines/audit"
	"tributary/pipelines/job/batch"
	"tributary/pipelines/spec"
)

// Options are the choices of a look. The zero value is a good one.
type Options struct {
	// Progress is told how far the inputs are read; nil for nobody.
	Progress func(batch.Progress)
}

// Run says what became of the records of an id: of a view, or an engagement's own. Where there are none, Found of the result is false.
//
// The inputs are read as an audit reads them: what a record changed that was judged by the clock of other partitions, since its own had been
// idle, is as if it had not been. Nothing is written.
func Run(ctx context.Context, s *spec.Spec, id string, opt Options) (*Result, error) {
	if err := check(s, id); err != nil {
		return nil, err
	}
	written, err := audit.OpenWritten(ctx, s)
	if err != nil {
		return nil, err
	}
	reading := written.Reading()
	reading.Progress = opt.Progress
	in, err := batch.OpenWhole(ctx, s, reading)
	if err != nil {
		return nil, err
	}
	f, err := find(ctx, in, id)
	if err != nil {
		return nil, err
	}
	r := f.result(s)
	r.Notes = append(r.Notes, written.Notes...)
	if err := f.samples(ctx, written, r); err != nil {
		return nil, err
	}
	r.conclude()
	return r, nil
}

// check refuses what cannot be read again.
func check(s *spec.Spec, id string) error {
	switch {
	case id == "":
		return errors.New("an empty id is none")
	case s.ReadsStdin() || s.WritesStdout():
		return fmt.Errorf("%s reads stdin or writes to stdout: what was read, and what was written, must still be there", s.File)
	case s.ReadsTopics() && (s.Stream.Start.From == spec.StartLatest || s.Stream.Start.From == spec.StartCommitted):
		return fmt.Errorf("%s: stream.start is %s: where the job began cannot be known again; this needs earliest or a time", s.File, s.Stream.Start.From)
	}
	return nil
}
