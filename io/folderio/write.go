package folderio

import (
	"context"
	"fmt"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/graph/mtime"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/graph/window"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"tributary/io/dofn"
)

// Write writes groups of records into a folder, each exactly once, and acknowledges them.
//
// Input: groups, a PCollection<Group> in the global window, whose event times are at one distance from their IDs.
// The parts of a group come in order in one bundle. Anything else is an error.
// Output: written, a PCollection<Written> with the event time of the group's last part, once its file is there; with
// Compact one for each shard and interval, when the watermark has passed its last group.
//
// Delivery: exactly once, as the package says: a file appears whole or not at all, and a replay puts the same bytes
// there. A group without records has no file.
//
// Memory: a block of each open file of a bundle. Cost: for each bundle two small reads, and a move a file; with
// Compact records are written twice, and one GroupByKey has an element a group.
//
// Failure: an error fails the bundle; trying it again is safe. ErrFenced says that another run writes now.
//
// Write panics while the pipeline is built if c is invalid.
func Write(s beam.Scope, c Config, groups beam.PCollection) (written beam.PCollection) {
	if err := c.Validate(); err != nil {
		panic(fmt.Errorf("folderio.Write: %w", err))
	}
	s = s.Scope("folderio.Write")
	written = beam.ParDo(s, &writeFn{Config: c}, groups)
	if c.Compact == 0 {
		return written
	}
	s = s.Scope("Compact")
	byShard := beam.ParDo(s, &intervalFn{Config: c}, written)
	grouped := beam.GroupByKey(s, beam.WindowInto(s, window.NewFixedWindows(time.Duration(c.Step)*time.Millisecond), byShard))
	return beam.WindowInto(s, window.NewGlobalWindows(), beam.ParDo(s, &compactFn{Config: c}, grouped))
}

// NoteProgress notes in the log up to which group all that a job has to write is written: what Recover needs to
// know, and readers that want whole hours.
//
// Input: windows, a PCollection<KV<int64, iterable of int64>>: the IDs of what Write has acknowledged, in windows that
// close when nothing is left before their ends of all that belongs to the job.
//
// Delivery: at least once. A note that is missing or old makes a restart write more again.
func NoteProgress(s beam.Scope, c Config, windows beam.PCollection) {
	beam.ParDo0(s.Scope("folderio.NoteProgress"), &progressFn{Config: c}, windows)
}

// writeFn writes the groups of a bundle.
type writeFn struct {
	Config Config

	bundle *Bundle
	times  []beam.EventTime
}

func (f *writeFn) StartBundle(func(beam.EventTime, Written)) {
	f.bundle, f.times = NewWriter(f.Config).Bundle(), nil
}

func (f *writeFn) ProcessElement(ctx context.Context, at beam.EventTime, g Group, _ func(beam.EventTime, Written)) error {
	whole, err := f.bundle.Add(ctx, g)
	if err != nil {
		return fmt.Errorf("folderio.Write: %w", err)
	}
	if whole {
		f.times = append(f.times, at)
	}
	return nil
}

func (f *writeFn) FinishBundle(ctx context.Context, emit func(beam.EventTime, Written)) error {
	defer f.bundle.Abort(ctx)
	acks, err := f.bundle.Publish(ctx)
	if err != nil {
		return fmt.Errorf("folderio.Write: %w", err)
	}
	for i, ack := range acks {
		emit(f.times[i], ack)
	}
	return nil
}

// Teardown gives up what a bundle that failed has left open.
func (f *writeFn) Teardown() {
	if f.bundle != nil {
		f.bundle.Abort(context.Background())
	}
}

// intervalFn brings what is put together to one key and one time: that of the last group of its interval.
type intervalFn struct{ Config Config }

func (f *intervalFn) ProcessElement(at beam.EventTime, w Written, emit func(beam.EventTime, int64, Written)) {
	_, to := f.Config.interval(w.ID)
	emit(mtime.FromMilliseconds(at.Milliseconds()+to-f.Config.Step-w.ID), int64(w.Shard), w)
}

// compactFn puts the groups of an interval together.
type compactFn struct{ Config Config }

func (f *compactFn) ProcessElement(ctx context.Context, _ int64, groups func(*Written) bool, emit func(Written)) error {
	var all []Written
	for w := (Written{}); groups(&w); {
		all = append(all, w)
	}
	whole, err := NewWriter(f.Config).Compact(ctx, all)
	if err != nil {
		return fmt.Errorf("folderio.Write: %w", err)
	}
	emit(whole)
	return nil
}

// progressFn notes the largest ID of each window, when the window closes.
type progressFn struct {
	Config Config

	// through is the largest ID seen, noted the last one that was written down.
	through, noted int64
}

func (f *progressFn) Setup() { f.through, f.noted = NoID, NoID }

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
		return err
	}
	if err := NewWriter(f.Config).note(ctx, f.through); err != nil {
		return fmt.Errorf("folderio.NoteProgress: %w", err)
	}
	f.noted = f.through
	return nil
}

func init() {
	dofn.Register(
		dofn.Method1x0((*writeFn).StartBundle), dofn.Method4x1((*writeFn).ProcessElement), dofn.Method2x1((*writeFn).FinishBundle), dofn.Method0x0((*writeFn).Teardown),
	)
	dofn.Register(dofn.Method3x0((*intervalFn).ProcessElement))
	dofn.Register(dofn.Method4x1((*compactFn).ProcessElement))
	dofn.Register(dofn.Method0x0((*progressFn).Setup), dofn.Method2x0((*progressFn).ProcessElement), dofn.Method1x1((*progressFn).FinishBundle))
	register.Emitter2[beam.EventTime, Written]()
	register.Emitter3[beam.EventTime, int64, Written]()
	register.Emitter1[Written]()
	register.Iter1[Written]()
}
