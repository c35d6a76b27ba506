package prism

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/timers"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	"github.com/stretchr/testify/require"

	"tributary/io/dofn"
)

func init() {
	dofn.Register(dofn.Method3x0((*laterFn).ProcessElement), dofn.Method4x0((*laterFn).OnTimer))
	register.Function1x1(breakdown)
}

// laterFn has a timer in an hour, until which nothing happens.
type laterFn struct{ Timer timers.ProcessingTime }

func (f *laterFn) ProcessElement(tp timers.Provider, _, _ int) {
	f.Timer.Set(tp, time.Now().Add(time.Hour))
}

func (f *laterFn) OnTimer(context.Context, timers.Provider, int, timers.Context) {}

func breakdown([]byte) error {
	time.Sleep(10 * time.Millisecond)
	return errors.New("broken on purpose")
}

// TestFailureEndsRun: a run ends when a bundle fails, though others wait for a timer: Prism sleeps through one failure in a hundred, and
// through more on a busy machine.
func TestFailureEndsRun(t *testing.T) {
	endsWithin = 100 * time.Millisecond
	t.Cleanup(func() { endsWithin = 5 * time.Second })
	for range 40 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		p, s := beam.NewPipelineWithRoot()
		beam.ParDo0(s, &laterFn{Timer: timers.InProcessingTime("later")}, beam.ParDo(s, keyed, beam.CreateList(s, []int{1, 2, 3})))
		beam.ParDo0(s, breakdown, beam.Impulse(s))
		require.ErrorContains(t, Run(ctx, p), "broken on purpose")
		cancel()
	}
}
