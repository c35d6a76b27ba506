package batch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/sdf"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/io/rtrackers/offsetrange"

	"tributary/io/dofn"
	"tributary/io/fileio"
	"tributary/io/kafkaio/source"
	"tributary/io/record"
	"tributary/io/watermark"
	"tributary/transforms/account"
	"tributary/transforms/attribution/decode"
)

func init() {
	beam.RegisterType(reflect.TypeFor[feedFn]())
	beam.RegisterType(reflect.TypeFor[feedPart]())
	beam.RegisterType(reflect.TypeFor[watermark.Estimator]())
	dofn.Register(dofn.Method0x1((*feedFn).Setup), dofn.Method6x2((*feedFn).ProcessElement))
}

// defaultFeedBudget is that of readers of topics.
const defaultFeedBudget = 2 * time.Second

// feedPart is the part of one reader in the plan of that hash, which a runner's state is of.
type feedPart struct{ Reader, Pieces, Plan int64 }

// feedFn reads the pieces of a reader, in order, and pauses now and then: a runner takes checkpoints only between its calls.
type feedFn struct {
	Read   readFn
	Pieces []byte // encodeFeed
	Plan   int64
	Budget time.Duration
	Rest   time.Duration

	readers  [][]feedPiece
	scanners map[splitKey]*decode.Scanner
}

func (f *feedFn) Setup() (err error) {
	f.scanners = map[splitKey]*decode.Scanner{}
	if f.readers, err = decodeFeed(f.Pieces); err != nil {
		return fmt.Errorf("pieces of files: %w", err)
	}
	return nil
}

// CreateInitialRestriction is all pieces of the reader.
func (f *feedFn) CreateInitialRestriction(p feedPart) offsetrange.Restriction {
	return offsetrange.Restriction{Start: 0, End: p.Pieces}
}

// SplitRestriction leaves the pieces with their reader, which reads them in order.
func (f *feedFn) SplitRestriction(_ feedPart, r offsetrange.Restriction) []offsetrange.Restriction {
	return []offsetrange.Restriction{r}
}

// RestrictionSize counts pieces.
func (f *feedFn) RestrictionSize(_ feedPart, r offsetrange.Restriction) float64 { return r.Size() }

// CreateTracker begins to track r.
func (f *feedFn) CreateTracker(r offsetrange.Restriction) *sdf.LockRTracker {
	return sdf.NewLockRTracker(&wholeTracker{offsetrange.NewTracker(r)})
}

// InitialWatermarkEstimatorState is none.
func (f *feedFn) InitialWatermarkEstimatorState(beam.EventTime, offsetrange.Restriction, feedPart) int64 {
	return record.NoTime
}

// CreateWatermarkEstimator begins with a watermark, in ms.
func (f *feedFn) CreateWatermarkEstimator(ms int64) *watermark.Estimator { return watermark.New(ms) }

// WatermarkEstimatorState returns the watermark, in ms.
func (f *feedFn) WatermarkEstimatorState(e *watermark.Estimator) int64 { return e.Millis() }

// ProcessElement reads for as long as the budget says.
func (f *feedFn) ProcessElement(ctx context.Context, we *watermark.Estimator, rt *sdf.LockRTracker, part feedPart,
	batches func(beam.EventTime, record.Batch), rejected func(beam.EventTime, record.Rejected),
) (sdf.ProcessContinuation, error) {
	if part.Plan != f.Plan {
		return nil, errors.New("the state is of a reading of files that were others, or were planned otherwise: begin again from the log")
	}
	pieces := f.readers[part.Reader]
	until := time.Now().Add(cmp.Or(f.Budget, defaultFeedBudget))
	for i := rt.GetRestriction().(offsetrange.Restriction).Start; ; i++ {
		if !rt.TryClaim(i) {
			return sdf.StopProcessing(), nil
		}
		if err := f.piece(ctx, &pieces[i].Piece, we.Millis(), batches, rejected); err != nil {
			return nil, err
		}
		if i+1 == int64(len(pieces)) || pieces[i+1].Watermark == math.MaxInt64 {
			continue // the end says that nothing is held any more
		}
		we.Advance(pieces[i+1].Watermark)
		if !time.Now().Before(until) {
			return sdf.ResumeProcessingIn((&source.Config{Rest: f.Rest}).RestFrom(time.Now())), nil
		}
	}
}

// piece reads one, if the file is still what it was; now is the reader's watermark.
func (f *feedFn) piece(ctx context.Context, p *piece, now int64, batches func(beam.EventTime, record.Batch), rejected func(beam.EventTime, record.Rejected)) error {
	is, err := fileio.Stat(ctx, p.File.Path)
	if err != nil {
		return err
	}
	if was := &p.File; is.Size != was.Size || is.Version != was.Version {
		return fmt.Errorf("%s has changed since the run began: it had %d bytes, version %s, and has %d, version %s", was.Path, was.Size, was.Version, is.Size, is.Version)
	}
	var failed error
	err = f.Read.ProcessElement(ctx, *p, func(b record.Batch) {
		if failed == nil {
			failed = f.chapters(b, func(b record.Batch) {
				batches(watermark.EventTime(max(now, watermarkAt(&f.Read.P, int(b.Input), b.Clock()))), b)
			})
		}
	}, func(r record.Rejected) {
		rejected(watermark.EventTime(now), r)
	}, func(account.Sheet) {}) // what is rejected is accounted for elsewhere
	return errors.Join(err, failed)
}

// wholeTracker is split only in two: all that was claimed, and all the rest.
type wholeTracker struct{ *offsetrange.Tracker }

// TrySplit hands over all the rest, which is what a checkpoint asks for (fraction 0).
func (t *wholeTracker) TrySplit(fraction float64) (primary, residual any, err error) {
	if fraction > 0 {
		return t.GetRestriction(), nil, nil
	}
	return t.Tracker.TrySplit(fraction)
}
