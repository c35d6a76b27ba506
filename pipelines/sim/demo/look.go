package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"tributary/pipelines/audit"
	"tributary/pipelines/job/batch"
	"tributary/pipelines/sim/generate"
	"tributary/pipelines/spec"
	"tributary/pipelines/why"
)

// look holds the samples against a join of the same records done again, and looks up what became of one view, by what the commands
// audit and why do. Neither knows the truth.
//
// The join was begun before there were records, and drained: its commit log leaves all buckets to a job that goes on. Those are audited
// that no later record could change, by the watermark of the records that are there now.
func (r *Report) look(ctx context.Context, s *spec.Spec, a *tally, t *truth) error {
	in, err := batch.OpenWhole(ctx, s, batch.WholeOptions{})
	if err != nil {
		return err
	}
	closed := in.Params.ClosedBy(in.Watermark)
	r.Audit, err = audit.Run(ctx, s, audit.Options{To: time.UnixMilli(closed), Passed: true})
	if err != nil {
		return fmt.Errorf("audit of the samples: %w", err)
	}
	id := t.telling(a, closed)
	if id == "" {
		return nil
	}
	if r.Why, err = why.Run(ctx, s, id, why.Options{}); err != nil {
		return fmt.Errorf("what became of view %s: %w", id, err)
	}
	return nil
}

// telling is the view, of those before a time that have a sample, with engagements of the most kinds, the first of them by id; empty if
// there is none.
func (t *truth) telling(a *tally, before int64) (best string) {
	for _, id := range slices.Sorted(maps.Keys(a.samples)) {
		if t.samples[id].ViewTime >= before {
			continue
		}
		if best == "" || kindsOf(t.samples[id]) > kindsOf(t.samples[best]) {
			best = id
		}
	}
	return best
}

func kindsOf(s generate.TrueSample) (n int) {
	for _, label := range s.Labels {
		if label.DelayMs != nil {
			n++
		}
	}
	return n
}

// looked writes what look has found.
func (r *Report) looked(w io.Writer) error {
	const columns = 80
	_, err := fmt.Fprintf(w, "audit: what no later record can change, joined again in batch and compared sample by sample\n\n")
	errs := []error{err, r.Audit.Text(w, columns)}
	if r.Why != nil {
		_, err := fmt.Fprintf(w, "\nwhy %s: what became of one view\n\n", r.Why.ID)
		errs = append(errs, err, r.Why.Text(w))
	}
	return errors.Join(errs...)
}
