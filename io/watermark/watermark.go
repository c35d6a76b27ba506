// Package watermark has what sources that are split into calls tell their runner of event time.
package watermark

import (
	"sync/atomic"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/graph/mtime"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/sdf"

	"tributary/io/record"
)

// EventTime turns ms into Beam's event time; record.NoTime is the beginning of time.
func EventTime(ms int64) beam.EventTime {
	if ms == record.NoTime {
		return mtime.MinTimestamp
	}
	return mtime.FromMilliseconds(ms)
}

// Estimator holds a watermark in ms. The runner asks for it while it is set. A DoFn registers its type.
type Estimator struct {
	ms atomic.Int64
}

// New returns one that begins with a watermark, record.NoTime for none.
func New(ms int64) *Estimator {
	e := &Estimator{}
	e.ms.Store(ms)
	return e
}

// Millis is the watermark in ms.
func (e *Estimator) Millis() int64 { return e.ms.Load() }

// CurrentWatermark returns the watermark as a time.
func (e *Estimator) CurrentWatermark() time.Time { return EventTime(e.ms.Load()).ToTime() }

// Advance sets the watermark, which never goes back.
func (e *Estimator) Advance(ms int64) { e.ms.Store(max(e.ms.Load(), ms)) }

var _ sdf.WatermarkEstimator = (*Estimator)(nil)
