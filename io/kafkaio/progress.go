package kafkaio

import (
	"context"
	"fmt"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/graph/window"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"tributary/io/dofn"
	"tributary/io/kafkaio/commitlog"
	"tributary/io/kafkaio/sink"
)

// NoteProgress notes in the commit log up to which group all that a job has to write is written:
// what Recover needs to know, and what the groups in the commit log do not tell, because a shard
// may have none, and runners may write them in any order.
//
// Input: committed, the PCollection<Committed> of Write with the same w, whose IDs ascend
// with event time in steps of w.Step; sent, what WriteAtLeastOnce returned for each topic that
// belongs to the job. The watermark of them all says that nothing is left before it.
//
// Delivery: at least once. A note that is missing or old makes a restart read more.
//
// Cost: one GroupByKey with an element a group, all on one key, and a record a group.
func NoteProgress(s beam.Scope, w sink.Config, committed beam.PCollection, sent ...beam.PCollection) {
	if err := w.Validate(); err != nil {
		panic(fmt.Errorf("kafkaio.NoteProgress: %w", err))
	}
	if w.Step < 1 {
		panic(fmt.Errorf("kafkaio.NoteProgress: step: must be positive, got %d", w.Step))
	}
	s = s.Scope("kafkaio.NoteProgress")
	beam.ParDo0(s, &progressFn{Config: sink.Config{Cluster: w.Cluster, Topic: w.CommitLog, ProvisionalFrom: w.ProvisionalFrom}, Job: w.Job}, ByWindow(s, w.Step, committed, sent...))
}

// ByWindow brings the IDs of committed groups together, in windows of step (ms) that close when nothing is left
// before their ends, of sent neither.
//
// Output: a PCollection<KV<int64, iterable of int64>> with the key 0.
func ByWindow(s beam.Scope, step int64, committed beam.PCollection, sent ...beam.PCollection) beam.PCollection {
	all := []beam.PCollection{beam.ParDo(s, keyCommitted, committed)}
	for _, c := range sent {
		all = append(all, beam.ParDo(s, holdSent, c))
	}
	return beam.GroupByKey(s, beam.WindowInto(s, window.NewFixedWindows(time.Duration(step)*time.Millisecond), beam.Flatten(s, all...)))
}

// keyCommitted brings the IDs of groups together under one key.
func keyCommitted(c commitlog.Committed, emit func(int64, int64)) { emit(0, c.ID) }

// holdSent emits nothing: it is there for the watermark of its input.
func holdSent(int64, func(int64, int64)) {}

// progressFn notes the largest ID of each window, when the window closes.
type progressFn struct {
	// Config is of the commit log topic.
	Config sink.Config
	Job    string

	// through is the largest ID seen, noted the last one that was written down.
	through, noted int64
}

func (f *progressFn) Setup() { f.through, f.noted = commitlog.NoID, commitlog.NoID }

func (f *progressFn) ProcessElement(_ int64, ids func(*int64) bool) {
	var id int64
	for ids(&id) {
		if from := f.Config.ProvisionalFrom; from == 0 || id < from {
			f.through = max(f.through, id)
		}
	}
}

func (f *progressFn) FinishBundle(ctx context.Context) error {
	if f.through <= f.noted {
		return nil
	}
	if err := context.Cause(ctx); err != nil {
		return fmt.Errorf("kafkaio.NoteProgress: %w", err)
	}
	if err := sink.NoteComplete(ctx, f.Config, f.Job, f.through); err != nil {
		return fmt.Errorf("kafkaio.NoteProgress: %w", err)
	}
	f.noted = f.through
	return nil
}

func init() {
	register.Function2x0(keyCommitted)
	register.Function2x0(holdSent)
	dofn.Register(
		dofn.Method0x0((*progressFn).Setup),
		dofn.Method2x0((*progressFn).ProcessElement),
		dofn.Method1x1((*progressFn).FinishBundle),
	)
	register.Emitter2[int64, int64]()
	register.Iter1[int64]()
}
