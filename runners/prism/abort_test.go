package prism

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	fnpb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/fnexecution_v1"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/testing/passert"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/testing/ptest"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/transforms/stats"
	"github.com/stretchr/testify/require"

	"tributary/io/dofn"
)

func TestMain(m *testing.M) { ptest.Main(m) }

func init() {
	dofn.Register(dofn.Method2x1((*failFn).ProcessElement))
	dofn.Register(dofn.Method2x1((*waitFn).ProcessElement))
	register.Function1x2(keyed)
	register.Function2x2(together)
}

func keyed(n int) (key, one int) { return n % 3, 1 }

func together(_, sum int) (key, same int) { return 0, sum }

// meeting is where the bundles of a test meet, and what one of them saw.
type meeting struct {
	waits chan struct{}
	cause chan error
}

// meetings are those of the tests of this process, by name.
var meetings sync.Map

func newMeeting(t *testing.T) *meeting {
	m := &meeting{waits: make(chan struct{}), cause: make(chan error, 1)}
	meetings.Store(t.Name(), m)
	return m
}

func meetingOf(name string) *meeting {
	m, _ := meetings.Load(name)
	return m.(*meeting)
}

// waitFn waits until the context of its bundle has an error, and then still does not fail.
type waitFn struct{ Test string }

func (f *waitFn) ProcessElement(ctx context.Context, _ []byte) error {
	m := meetingOf(f.Test)
	close(m.waits)
	for range 3000 {
		if ctx.Err() != nil {
			break
		}
		time.Sleep(10 * time.Millisecond) // nothing tells when
	}
	m.cause <- ctx.Err()
	return nil //nolint:nilerr // it is for another bundle to fail
}

// failFn fails once the other one waits.
type failFn struct{ Test string }

func (f *failFn) ProcessElement(_ context.Context, _ []byte) error {
	<-meetingOf(f.Test).waits
	return errors.New("broken on purpose")
}

// TestFirstFailureEndsAllBundles: while one bundle is at work another fails, and the first one
// learns of it.
func TestFirstFailureEndsAllBundles(t *testing.T) {
	m := newMeeting(t)
	p, s := beam.NewPipelineWithRoot()
	beam.ParDo0(s, &waitFn{Test: t.Name()}, beam.Impulse(s))
	beam.ParDo0(s, &failFn{Test: t.Name()}, beam.Impulse(s))
	require.ErrorContains(t, Run(t.Context(), p), "broken on purpose")
	cause := <-m.cause
	require.ErrorIs(t, cause, ErrAborted)
	require.ErrorContains(t, cause, "broken on purpose")
}

// TestManyBundles: what a bundle opens serves the bundles after it.
func TestManyBundles(t *testing.T) {
	p, s := beam.NewPipelineWithRoot()
	ones := beam.ParDo(s, keyed, beam.CreateList(s, []int{1, 2, 3, 4, 5, 6, 7}))
	again := beam.ParDo(s, together, stats.SumPerKey(s, ones))
	passert.Equals(s, beam.DropKey(s, stats.SumPerKey(s, again)), 7)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	require.NoError(t, Run(ctx, p))
}

// TestUnderWay: what a bundle has begun by its context goes on when the run is aborted.
func TestUnderWay(t *testing.T) {
	type key struct{}
	r, ctx := newRun(context.WithValue(t.Context(), key{}, "value"))
	ctx, err := beginBundle(ctx, bundleRequest)
	require.NoError(t, err)
	require.NoError(t, ctx.Err())
	stream, cancel := context.WithTimeout(ctx, time.Hour)
	defer cancel()
	require.Equal(t, "value", stream.Value(key{}))
	r.abort(ErrAborted)
	require.ErrorIs(t, ctx.Err(), ErrAborted)
	require.ErrorIs(t, context.Cause(ctx), ErrAborted)
	require.NoError(t, stream.Err())
}

// TestCancelEndsBundles: whoever cancels a run ends its bundles, and no other's.
func TestCancelEndsBundles(t *testing.T) {
	m := newMeeting(t)
	ctx, cancel := context.WithCancel(t.Context())
	p, s := beam.NewPipelineWithRoot()
	beam.ParDo0(s, &waitFn{Test: t.Name()}, beam.Impulse(s))
	go func() {
		<-m.waits
		cancel()
	}()
	require.ErrorIs(t, Run(ctx, p), context.Canceled)
	require.ErrorIs(t, <-m.cause, context.Canceled)
}

var (
	bundleRequest  = &fnpb.InstructionRequest{Request: &fnpb.InstructionRequest_ProcessBundle{ProcessBundle: &fnpb.ProcessBundleRequest{}}}
	failedResponse = &fnpb.InstructionResponse{Error: "broken on purpose"}
)

// TestLateBundle: a bundle that begins when its run is aborted begins with a context that has an error.
func TestLateBundle(t *testing.T) {
	r, ctx := newRun(t.Context())
	ctx, err := beginBundle(ctx, bundleRequest)
	require.NoError(t, err)
	require.NoError(t, ctx.Err())
	require.NoError(t, endBundle(ctx, bundleRequest, failedResponse))
	require.ErrorIs(t, context.Cause(ctx), ErrAborted)
	late, err := beginBundle(context.WithValue(t.Context(), runKey{}, r), bundleRequest)
	require.NoError(t, err)
	require.ErrorIs(t, context.Cause(late), ErrAborted)
	other, err := beginBundle(t.Context(), bundleRequest)
	require.NoError(t, err)
	require.NoError(t, endBundle(other, bundleRequest, failedResponse), "of another runner")
	require.NoError(t, other.Err())
}
