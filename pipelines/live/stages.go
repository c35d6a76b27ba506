package live

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"tributary/pipelines/audit"
)

// logs are what the commit logs say.
type logs struct {
	of        map[string]*CommitLog // by stage
	completes []audit.Complete
}

// committed reads what is committed of each stage. With an error it has what could be read.
func (w *Watch) committed(ctx context.Context) (*logs, error) {
	out := &logs{of: map[string]*CommitLog{}}
	var errs []error
	for _, c := range w.commits {
		oldest, err := c.read(ctx)
		if err != nil {
			errs = append(errs, fmt.Errorf("commit log %s: %w", c.config.CommitLog, err))
			continue
		}
		out.of[c.stage] = c.now(w.opt.Now(), oldest)
	}
	completes, err := audit.Completes(ctx, w.spec)
	out.completes = completes
	return out, errors.Join(append(errs, err)...)
}

// stages tell what is committed of each, and how far that is behind the watermark.
func (w *Watch) stages(s *State, read *logs) {
	s.TransactionTimeout = w.spec.Stream.TransactionTimeout.Seconds()
	s.Stages = []Stage{}
	for i := range max(1, len(w.spec.Stages)) {
		name := stageName(w.spec, i)
		stage := Stage{Stage: name, Sinks: []Sink{}, Commits: read.of[name]}
		for j := range read.completes {
			if of := &read.completes[j]; cmp.Or(of.Stage, LastStage) == name {
				stage.Sinks = append(stage.Sinks, s.sink(of, w.spec.OutOfOrderness))
			}
		}
		s.Stages = append(s.Stages, stage)
	}
}

// sink tells how far a sink has a stage.
func (s *State) sink(of *audit.Complete, outOfOrderness time.Duration) Sink {
	out := Sink{Sink: "topic", Name: of.Topic, Bucket: of.Bucket.Seconds()}
	if of.Topic == "" {
		out.Sink, out.Name = "folder", of.Folder
	}
	if of.Before.IsZero() {
		return out
	}
	before, closes := of.Before.UTC(), of.Before.Add(of.Bucket+of.Lag).UTC()
	out.Complete, out.Closes = &before, &closes
	if s.newest > 0 {
		open := int64(0)
		if to := time.UnixMilli(s.newest); !to.Before(before) {
			open = int64(to.Sub(before)/of.Bucket) + 1
		}
		out.Open = &open
	}
	if s.Watermark != nil {
		overdue := max(0, s.Watermark.Add(outOfOrderness).Sub(closes).Seconds())
		out.Overdue = &overdue
	}
	return out
}
