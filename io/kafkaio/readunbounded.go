package kafkaio

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/state"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/timers"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"tributary/io/dofn"
	"tributary/io/kafkaio/source"
	"tributary/io/record"
	"tributary/io/watermark"
)

// byReader gives each reader a key of its own.
func byReader(index int64) (int64, int64) { return index, index }

// gateFn hands on what it gets, and holds the watermark before the end of time for ever. Nothing that has begun with all of its
// input there would do so, and Beam's StatefulDoFnRunner ignores processing-time timers behind the end of time without a word.
type gateFn struct{ Never timers.ProcessingTime }

func newGateFn() *gateFn { return &gateFn{timers.InProcessingTime("never")} }

// beforeEnd is an event time that no record has, before that at which runners give up.
var beforeEnd = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)

func (f *gateFn) ProcessElement(tp timers.Provider, key, reader int64, emit func(int64, int64)) {
	f.Never.Set(tp, time.Now().AddDate(50, 0, 0), timers.WithOutputTimestamp(beforeEnd))
	emit(key, reader)
}

func (f *gateFn) OnTimer(timers.Provider, int64, timers.Context, func(int64, int64)) {}

// pollFn reads the partitions of the reader that is its key, for ever: a timer of processing time calls it, and is set again by
// the call. Positions are one state, the watermark is the timer's output timestamp, which the runner holds.
//
// A splittable DoFn would do the same, but runners for Flink before 2.76 keep a state of its own for each pause, which RocksDB
// never forgets, and ask for whole seconds. Measured with four readers: from the end of a window to a sink 0.06 s here, 1.9 s
// there.
//
// All calls of a subtask's readers may be in one bundle, and a watermark leaves between bundles: see pace. The clocks of a worker and
// of what sets off its timers, which is beside it, must agree.
type pollFn struct {
	Config   source.Config
	Position state.Value[source.Restriction]
	Again    timers.ProcessingTime
}

func newPollFn(c source.Config) *pollFn {
	return &pollFn{Config: c, Position: state.MakeValueState[source.Restriction]("position"), Again: timers.InProcessingTime("again")}
}

// ProcessElement resolves where the reader starts, and notes it.
func (f *pollFn) ProcessElement(ctx context.Context, sp state.Provider, tp timers.Provider, _, index int64,
	_ func(beam.EventTime, record.Batch), _ func(beam.EventTime, record.Rejected),
) error {
	at, err := initial(ctx, &f.Config, index)
	if err != nil {
		return err
	}
	return f.goOn(sp, tp, at, time.Now())
}

// OnTimer polls once.
func (f *pollFn) OnTimer(ctx context.Context, sp state.Provider, tp timers.Provider, index int64, _ timers.Context,
	batches func(beam.EventTime, record.Batch), rejected func(beam.EventTime, record.Rejected),
) error {
	at, there, err := f.Position.Read(sp)
	if err != nil {
		return err
	}
	if !there {
		return fmt.Errorf("reader %d has a timer and no positions: the runner has lost its state", index)
	}
	key := readerKey{f.Config.Job, int(index)}
	r, err := takeReader(ctx, key, f.Config)
	if err != nil {
		return err
	}
	defer readers.Give(key, r)
	beat := cmp.Or(f.Config.Rest, defaultBeat)
	r.pace.begins(time.Now(), beat)
	all := min(f.Config.PollBudget, r.pace.between(beat)*busyShare/100)
	tracker := source.NewTracker(at)
	if _, err := r.poll(ctx, tracker, r.budget(key, all, 0), batches, rejected); err != nil {
		return err
	}
	r.pace.called(r.Stats.Records+r.Stats.Rejected+r.Stats.Tombstones > 0, r.Behind())
	return f.goOn(sp, tp, tracker.GetRestriction().(source.Restriction), r.pace.next(time.Now(), beat))
}

// goOn keeps the positions, and has the reader called again.
func (f *pollFn) goOn(sp state.Provider, tp timers.Provider, at source.Restriction, due time.Time) error {
	f.Again.Set(tp, due, timers.WithOutputTimestamp(watermark.EventTime(at.Watermark).ToTime()))
	return f.Position.Write(sp, at)
}

func init() {
	register.Function1x2(byReader)
	dofn.Register(dofn.Method4x0((*gateFn).ProcessElement), dofn.Method4x0((*gateFn).OnTimer))
	dofn.Register(dofn.Method7x1((*pollFn).ProcessElement), dofn.Method7x1((*pollFn).OnTimer))
	register.Emitter2[int64, int64]()
}
