package kafkaio

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/graph/mtime"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/sdf"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"tributary/io/dofn"
	"tributary/io/record"
)

// Read reads topics as batches of raw records.
//
// Output: batches, a PCollection<record.Batch>, each a run of records of one partition in
// the order of its log, up to 500 of them or 256 KiB (a larger record is a batch of its
// own), of one chapter of the log (record.Chapter), once for each input of the topic; rejected, a
// PCollection<record.Rejected>: records without a value, of format RegistryAvro those whose frame or schema cannot be read, and
// those whose event time is more than MaxAhead ahead of when they were written. Whether a
// record is sound beyond that is for whoever decodes it.
//
// Timing: a batch has the event time of its partition's watermark before it, which is
// (clock before it) - OutOfOrderness, see record.Clock. A reader's watermark is the smallest
// of its partitions'. One that nothing was read from holds it back; with IdleAfter set, one
// at the end of its log stops to after that time, and what it brings later begins with
// the clock raised to what the watermark demands, and AfterIdle set. A cluster that does
// not answer makes nothing idle, and what is idle hold again. A reader all of whose
// partitions are idle follows the clock, less IdleAfter and OutOfOrderness.
//
// Partitions added to a topic are read from their start. The watermark moves only as far as
// was read when it was last known that there are none, and then waits for them; what
// they bring that is behind it begins with AfterIdle set, too.
//
// Delivery: positions are in the runner's state and nowhere else, so each record is in the
// output as often as the runner promises. Only committed records are read. A restart from
// any state gives the same records with the same largest event times before them, cut into
// batches elsewhere perhaps.
//
// Splitting: into Reading.Readers readers at the start and never again. Memory: 16 MiB
// fetched ahead for each reader and broker, and an open batch for each partition.
//
// Failure: a position that is no longer in the log, a topic that is gone or not allowed, or
// a cluster that does not answer at the start fails the bundle; one that stops answering
// later, or a registry, is waited for, with a log line. Nothing is skipped unless
// OnTruncation says so, and then it is counted (kafkaio/truncated).
//
// Read panics while the pipeline is built if r is invalid.
func Read(s beam.Scope, r Reading) (batches, rejected beam.PCollection) {
	if err := r.Validate(); err != nil {
		panic(fmt.Errorf("kafkaio.Read: %w", err))
	}
	s = s.Scope("kafkaio.Read")
	r = r.normal()
	indexes := make([]int64, r.Readers)
	for i := range indexes {
		indexes[i] = int64(i)
	}
	return beam.ParDo2(s, &readFn{Reading: r}, beam.CreateList(s, indexes))
}

var (
	countRecords   = beam.NewCounter("kafkaio", "records")
	countRejected  = beam.NewCounter("kafkaio", "rejected")
	countTruncated = beam.NewCounter("kafkaio", "truncated")
	countAfterIdle = beam.NewCounter("kafkaio", "after_idle")
)

// readFn reads the partitions of the reader whose index is the element.
type readFn struct {
	Reading Reading
}

// CreateInitialRestriction resolves where the reader starts and stops, and notes the start.
func (f *readFn) CreateInitialRestriction(ctx context.Context, index int64) (restriction, error) {
	r, err := f.Reading.initial(ctx, int(index))
	if err == nil {
		err = f.Reading.noteBegin(ctx, r)
	}
	return r, err
}

// SplitRestriction leaves partitions with their reader.
func (f *readFn) SplitRestriction(_ int64, r restriction) []restriction { return []restriction{r} }

// RestrictionSize counts partitions; how much they hold is not known.
func (f *readFn) RestrictionSize(_ int64, r restriction) float64 {
	return float64(max(1, len(r.Partitions)))
}

// CreateTracker begins to track r.
func (f *readFn) CreateTracker(r restriction) *sdf.LockRTracker {
	return sdf.NewLockRTracker(newTracker(r))
}

// InitialWatermarkEstimatorState is the watermark of r.
func (f *readFn) InitialWatermarkEstimatorState(_ beam.EventTime, r restriction, _ int64) int64 {
	return r.Watermark
}

// CreateWatermarkEstimator begins with a watermark, in ms.
func (f *readFn) CreateWatermarkEstimator(ms int64) *watermarkEstimator {
	e := &watermarkEstimator{}
	e.ms.Store(ms)
	return e
}

// WatermarkEstimatorState returns the watermark, in ms.
func (f *readFn) WatermarkEstimatorState(e *watermarkEstimator) int64 { return e.ms.Load() }

// ProcessElement reads one slice.
func (f *readFn) ProcessElement(ctx context.Context, we *watermarkEstimator, rt *sdf.LockRTracker, index int64,
	batches func(beam.EventTime, record.Batch), rejected func(beam.EventTime, record.Rejected),
) (sdf.ProcessContinuation, error) {
	key := readerKey{f.Reading.Job, int(index)}
	r, err := readers.Take(ctx, key, func() (*reader, error) { return newReader(ctx, f.Reading, int(index)) })
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
	r.stats = stats{}
	beside := readers.Count(func(k readerKey) bool { return k.job == f.Reading.Job })
	deadline := r.now().Add(share(f.Reading.SliceTime, beside, runtime.GOMAXPROCS(0)))
	watermark, err := r.slice(ctx, rt.GetRestriction().(restriction), deadline, output{
		claim: func(c claim) bool { return rt.TryClaim(c) },
		batch: func(at int64, b record.Batch) {
			r.stats.records += int64(b.Count)
			if b.AfterIdle {
				r.stats.afterIdle += int64(b.Count)
			}
			batches(eventTime(at), b)
		},
		reject: func(at int64, rejection record.Rejected) {
			r.stats.rejected++
			rejected(eventTime(at), rejection)
		},
	})
	r.stats.count(ctx)
	if errors.Is(err, errHandedOver) {
		return sdf.StopProcessing(), nil
	}
	if err != nil {
		return nil, err
	}
	we.advance(watermark)
	r.note(ctx, rt.GetRestriction().(restriction))
	if rt.IsDone() {
		return sdf.StopProcessing(), nil
	}
	return sdf.ResumeProcessingIn(f.Reading.rest(r.now())), nil
}

func (s *stats) count(ctx context.Context) {
	countRecords.Inc(ctx, s.records)
	countRejected.Inc(ctx, s.rejected)
	countTruncated.Inc(ctx, s.truncated)
	countAfterIdle.Inc(ctx, s.afterIdle)
}

// rest is how long to rest from now on: to the next even second that is at least a second
// away, in whole seconds, which is all that runners read.
func (r *Reading) rest(now time.Time) time.Duration {
	if r.Rest > 0 {
		return r.Rest
	}
	return time.Duration(2-now.Unix()%2) * time.Second
}

// eventTime turns ms into Beam's event time.
func eventTime(ms int64) beam.EventTime {
	if ms == record.NoTime {
		return mtime.MinTimestamp
	}
	return mtime.FromMilliseconds(ms)
}

// watermarkEstimator holds the watermark in ms. The runner asks for it while it is set.
type watermarkEstimator struct {
	ms atomic.Int64
}

// CurrentWatermark returns the watermark as a time.
func (e *watermarkEstimator) CurrentWatermark() time.Time { return eventTime(e.ms.Load()).ToTime() }

// advance sets the watermark, which never goes back.
func (e *watermarkEstimator) advance(ms int64) { e.ms.Store(max(e.ms.Load(), ms)) }

var _ sdf.WatermarkEstimator = (*watermarkEstimator)(nil)

func init() {
	beam.RegisterType(reflect.TypeFor[readFn]())
	beam.RegisterType(reflect.TypeFor[watermarkEstimator]())
	dofn.Register(dofn.Method6x2((*readFn).ProcessElement))
	register.Emitter2[beam.EventTime, record.Batch]()
	register.Emitter2[beam.EventTime, record.Rejected]()
}
