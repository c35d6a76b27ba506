package kafkaio

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/sdf"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"tributary/io/dofn"
	"tributary/io/kafkaio/source"
	"tributary/io/record"
	"tributary/io/watermark"
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
// Splitting: into Config.Readers readers at the start and never again. Memory: 16 MiB
// fetched ahead for each reader and broker, and an open batch for each partition.
//
// Failure: a position that is no longer in the log, a topic that is gone or not allowed, or
// a cluster that does not answer at the start fails the bundle; one that stops answering
// later, or a registry, is waited for, with a log line. Nothing is skipped unless
// OnTruncation says so, and then it is counted (kafkaio/truncated).
//
// Read panics while the pipeline is built if r is invalid.
func Read(s beam.Scope, r source.Config) (batches, rejected beam.PCollection) {
	if err := r.Validate(); err != nil {
		panic(fmt.Errorf("kafkaio.Read: %w", err))
	}
	s = s.Scope("kafkaio.Read")
	r = r.Normal()
	indexes := make([]int64, r.Readers)
	for i := range indexes {
		indexes[i] = int64(i)
	}
	return beam.ParDo2(s, &readFn{Config: r}, beam.CreateList(s, indexes))
}

var (
	countRecords   = beam.NewCounter("kafkaio", "records")
	countRejected  = beam.NewCounter("kafkaio", "rejected")
	countTruncated = beam.NewCounter("kafkaio", "truncated")
	countAfterIdle = beam.NewCounter("kafkaio", "after_idle")
)

// readFn reads the partitions of the reader whose index is the element.
type readFn struct {
	Config source.Config
}

// CreateInitialRestriction resolves where the reader starts and stops, and notes the start.
func (f *readFn) CreateInitialRestriction(ctx context.Context, index int64) (source.Restriction, error) {
	r, err := f.Config.Initial(ctx, int(index))
	if err == nil {
		err = f.Config.NoteBegin(ctx, r)
	}
	return r, err
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
	r, err := readers.Take(ctx, key, func() (*source.Reader, error) { return source.NewReader(ctx, f.Config, int(index)) })
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
	beside := readers.Count(func(k readerKey) bool { return k.job == f.Config.Job })
	deadline := r.Now().Add(share(f.Config.PollBudget, beside, runtime.GOMAXPROCS(0)))
	reached, err := r.Poll(ctx, rt.GetRestriction().(source.Restriction), deadline, source.Output{
		Claim: func(c source.Claim) bool { return rt.TryClaim(c) },
		Batch: func(at int64, b record.Batch) {
			r.Stats.Records += int64(b.Count)
			if b.AfterIdle {
				r.Stats.AfterIdle += int64(b.Count)
			}
			batches(watermark.EventTime(at), b)
		},
		Reject: func(at int64, rejection record.Rejected) {
			r.Stats.Rejected++
			rejected(watermark.EventTime(at), rejection)
		},
	})
	countStats(ctx, r.Stats)
	if errors.Is(err, source.ErrHandedOver) {
		return sdf.StopProcessing(), nil
	}
	if err != nil {
		return nil, err
	}
	we.Advance(reached)
	r.Note(ctx, rt.GetRestriction().(source.Restriction))
	if rt.IsDone() {
		return sdf.StopProcessing(), nil
	}
	return sdf.ResumeProcessingIn(f.Config.RestFrom(r.Now())), nil
}

func countStats(ctx context.Context, s source.Stats) {
	countRecords.Inc(ctx, s.Records)
	countRejected.Inc(ctx, s.Rejected)
	countTruncated.Inc(ctx, s.Truncated)
	countAfterIdle.Inc(ctx, s.AfterIdle)
}

func init() {
	beam.RegisterType(reflect.TypeFor[readFn]())
	beam.RegisterType(reflect.TypeFor[watermark.Estimator]())
	dofn.Element(record.EncodeBatch, record.DecodeBatch)
	dofn.Element(record.EncodeRejected, record.DecodeRejected)
	dofn.Register(dofn.Method6x2((*readFn).ProcessElement))
	register.Emitter2[beam.EventTime, record.Batch]()
	register.Emitter2[beam.EventTime, record.Rejected]()
}
