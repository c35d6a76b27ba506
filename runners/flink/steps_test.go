package flink

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/graph/mtime"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/graph/window"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/sdf"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/io/rtrackers/offsetrange"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"tributary/io/dofn"
)

func init() {
	dofn.Register(dofn.Method4x1((*countFn).ProcessElement))
	dofn.Register(dofn.Method2x0((*sameFn).ProcessElement))
	dofn.Register(dofn.Method2x0((*keyFn).ProcessElement))
	dofn.Register(dofn.Method3x1((*sinkFn).ProcessElement))
	dofn.Register(dofn.Method2x1((*refuseFn).ProcessElement))
	register.Emitter1[int64]()
	register.Emitter2[beam.EventTime, int64]()
	register.Emitter2[int64, int64]()
	register.Iter1[int64]()
}

const (
	// keys of counted numbers: n belongs to key n mod keys.
	keys = 4
	// Event time passes 10 ms from one number to the next, so a window of a second has 100.
	step      = 10 * time.Millisecond
	perWindow = int64(time.Second / step)
	// perCall keeps event time at about the speed of the clock, a call every two seconds.
	perCall = 2 * perWindow
)

// epoch is the event time of number 0.
var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// countFn counts from 0 on for ever, with the event time and watermark of each number. Its
// position is the restriction, so that a checkpoint holds it.
type countFn struct{}

func (*countFn) CreateInitialRestriction(int64) offsetrange.Restriction {
	return offsetrange.Restriction{Start: 0, End: 1 << 40}
}

func (*countFn) SplitRestriction(_ int64, r offsetrange.Restriction) []offsetrange.Restriction {
	return []offsetrange.Restriction{r}
}

func (*countFn) RestrictionSize(int64, offsetrange.Restriction) float64 { return 1 }

func (*countFn) CreateTracker(r offsetrange.Restriction) *sdf.LockRTracker {
	return sdf.NewLockRTracker(offsetrange.NewTracker(r))
}

func (*countFn) InitialWatermarkEstimatorState(beam.EventTime, offsetrange.Restriction, int64) int64 {
	return epoch.UnixMilli()
}

func (*countFn) CreateWatermarkEstimator(ms int64) *sdf.ManualWatermarkEstimator {
	return &sdf.ManualWatermarkEstimator{State: time.UnixMilli(ms)}
}

func (*countFn) WatermarkEstimatorState(e *sdf.ManualWatermarkEstimator) int64 {
	return e.State.UnixMilli()
}

func (*countFn) ProcessElement(we *sdf.ManualWatermarkEstimator, rt *sdf.LockRTracker, _ int64, emit func(beam.EventTime, int64)) sdf.ProcessContinuation {
	start := rt.GetRestriction().(offsetrange.Restriction).Start
	for n := start; n < start+perCall; n++ {
		if !rt.TryClaim(n) {
			return sdf.StopProcessing()
		}
		at := epoch.Add(time.Duration(n) * step)
		emit(mtime.FromTime(at), n)
		we.UpdateWatermark(at)
	}
	// Into the next even second: the runner reads whole seconds.
	return sdf.ResumeProcessingIn(time.Duration(2-time.Now().Unix()%2) * time.Second)
}

// sameFn is a step that changes nothing but the pipeline.
type sameFn struct{}

func (*sameFn) ProcessElement(n int64, emit func(int64)) { emit(n) }

type keyFn struct{}

func (*keyFn) ProcessElement(n int64, emit func(int64, int64)) { emit(n%keys, n) }

// sinkFn appends a line for each group to the file: its window's end in seconds from epoch,
// its key, and its sorted numbers.
type sinkFn struct{ File string }

func (f *sinkFn) ProcessElement(w beam.Window, key int64, values func(*int64) bool) error {
	var numbers []int64
	for n := int64(0); values(&n); {
		numbers = append(numbers, n)
	}
	slices.Sort(numbers)
	file, err := os.OpenFile(f.File, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	line := fmt.Sprintln((w.MaxTimestamp().Milliseconds()+1-epoch.UnixMilli())/1000, key, strings.Trim(fmt.Sprint(numbers), "[]"))
	_, err = file.WriteString(line) // one write, so that lines of two processes do not mix
	return errors.Join(err, file.Close())
}

// refuseFn fails.
type refuseFn struct{}

func (*refuseFn) ProcessElement(n int64, _ func(int64)) error {
	return fmt.Errorf("number %d is not wanted here", n)
}

// counted builds: count for ever, group by key and second, write. With extra there is one
// more step before the grouping.
func counted(file string, extra bool) *beam.Pipeline {
	p, s := beam.NewPipelineWithRoot()
	numbers := beam.ParDo(s.Scope("count"), &countFn{}, beam.Create(s, int64(0)))
	if extra {
		numbers = beam.ParDo(s.Scope("same"), &sameFn{}, numbers)
	}
	write(s, file, numbers)
	return p
}

// bounded builds: n numbers, all at one event time, grouped by key and written.
func bounded(file string, n int64) *beam.Pipeline {
	p, s := beam.NewPipelineWithRoot()
	var values []any
	for i := range n {
		values = append(values, i)
	}
	write(s, file, beam.Create(s, values...))
	return p
}

func write(s beam.Scope, file string, numbers beam.PCollection) {
	keyed := beam.ParDo(s.Scope("key"), &keyFn{}, numbers)
	windowed := beam.WindowInto(s.Scope("window"), window.NewFixedWindows(time.Second), keyed)
	beam.ParDo0(s.Scope("sink"), &sinkFn{File: file}, beam.GroupByKey(s.Scope("group"), windowed))
}

// failing builds a pipeline whose only step fails.
func failing() *beam.Pipeline {
	p, s := beam.NewPipelineWithRoot()
	beam.ParDo(s.Scope("refuse"), &refuseFn{}, beam.Create(s, int64(7)))
	return p
}
