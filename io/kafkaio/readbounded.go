package kafkaio

import (
	"context"
	"errors"
	"reflect"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/sdf"

	"tributary/io/dofn"
	"tributary/io/kafkaio/source"
	"tributary/io/record"
	"tributary/io/watermark"
)

// readFn reads the partitions of the reader whose index is the element, up to where reading stops: a splittable DoFn, which a
// runner calls again and again until it is done.
type readFn struct {
	Config source.Config
}

// CreateInitialRestriction resolves where the reader starts and stops, and notes the start.
func (f *readFn) CreateInitialRestriction(ctx context.Context, index int64) (source.Restriction, error) {
	return initial(ctx, &f.Config, index)
}

// SplitRestriction leaves partitions with their reader.
func (f *readFn) SplitRestriction(_ int64, r source.Restriction) []source.Restriction {
	return []source.Restriction{r}
}

// RestrictionSize counts partitions; how much they hold is not known.
func (f *readFn) RestrictionSize(_ int64, r source.Restriction) float64 {
	return float64(max(1, len(r.Partitions)))
}

// CreateTracker begins to track r.
func (f *readFn) CreateTracker(r source.Restriction) *sdf.LockRTracker {
	return sdf.NewLockRTracker(source.NewTracker(r))
}

// InitialWatermarkEstimatorState is the watermark of r.
func (f *readFn) InitialWatermarkEstimatorState(_ beam.EventTime, r source.Restriction, _ int64) int64 {
	return r.Watermark
}

// CreateWatermarkEstimator begins with a watermark, in ms.
func (f *readFn) CreateWatermarkEstimator(ms int64) *watermark.Estimator { return watermark.New(ms) }

// WatermarkEstimatorState returns the watermark, in ms.
func (f *readFn) WatermarkEstimatorState(e *watermark.Estimator) int64 { return e.Millis() }

// ProcessElement polls once.
func (f *readFn) ProcessElement(ctx context.Context, we *watermark.Estimator, rt *sdf.LockRTracker, index int64,
	batches func(beam.EventTime, record.Batch), rejected func(beam.EventTime, record.Rejected),
) (sdf.ProcessContinuation, error) {
	key := readerKey{f.Config.Job, int(index)}
	r, err := takeReader(ctx, key, f.Config)
	if err != nil {
		return nil, err
	}
	defer func() {
		if rt.IsDone() { // it has read all there was
			readers.Discard(key, r)
		} else {
			readers.Give(key, r)
		}
	}()
	reached, err := r.poll(ctx, rt, r.budget(key, f.Config.PollBudget, shortestPoll), batches, rejected)
	if errors.Is(err, source.ErrHandedOver) {
		return sdf.StopProcessing(), nil
	}
	if err != nil {
		return nil, err
	}
	we.Advance(reached)
	if rt.IsDone() {
		return sdf.StopProcessing(), nil
	}
	return sdf.ResumeProcessingIn(f.Config.RestFrom(r.Now())), nil
}

// shortestPoll is the least that a call reads which pauses for a second: below that it costs more than it reads.
const shortestPoll = 200 * time.Millisecond

func init() {
	beam.RegisterType(reflect.TypeFor[readFn]())
	beam.RegisterType(reflect.TypeFor[watermark.Estimator]())
	dofn.Register(dofn.Method6x2((*readFn).ProcessElement))
}
