package prism

import (
	"context"
	"errors"
	"fmt"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/util/hooks"
	fnpb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/fnexecution_v1"
)

// Prism (2.77.0) drops what a failed bundle held, and lets the watermark go on without it until the
// job has ended: what is put together from then on is not whole, and must not be committed. So the
// contexts of all bundles of a run have an error as soon as one of them fails, before Prism learns of
// it, and sinks begin to write nothing in a bundle whose context has one.
//
// They are not done, though: what is under way comes to its end. Beam opens the stream of data of all
// bundles with the context of the first, and its worker waits for itself for ever if that stream ends
// while a bundle does (DataChannelManager.closeInstruction).

// ErrAborted is the error of the contexts of bundles of a run that is aborted.
var ErrAborted = errors.New("the run is aborted")

// abortHook is the name under which the worker of a run has abort's hooks. Beam ships the names of
// hooks with every job; in another process the context knows of no run, and the hooks do nothing.
const abortHook = "tributary:prism:abort"

// run is what the bundles of a run share. It travels in the context that the run was started with,
// from which its worker, in this process, derives those of bundles.
type run struct {
	aborted context.Context
	abort   context.CancelCauseFunc
}

type runKey struct{}

// newRun returns a run, and the context to start it with: to cancel that, or to abort the run, is for
// whoever has started it.
func newRun(ctx context.Context) (*run, context.Context) {
	r := &run{}
	r.aborted, r.abort = context.WithCancelCause(context.Background())
	return r, context.WithValue(context.WithoutCancel(ctx), runKey{}, r)
}

// bundleContext is the context of a bundle, with an error once its run is aborted.
type bundleContext struct {
	context.Context
	run *run
}

// Err is why the run is aborted, or else that of the context.
func (c bundleContext) Err() error {
	if why := context.Cause(c.run.aborted); why != nil {
		return why
	}
	return c.Context.Err()
}

// beginBundle makes the context of a bundle one that has an error once its run is aborted.
func beginBundle(ctx context.Context, req *fnpb.InstructionRequest) (context.Context, error) {
	r, ok := ctx.Value(runKey{}).(*run)
	if !ok || req.GetProcessBundle() == nil {
		return ctx, nil
	}
	return bundleContext{ctx, r}, nil
}

// endBundle aborts the run of a bundle that has failed.
func endBundle(ctx context.Context, req *fnpb.InstructionRequest, resp *fnpb.InstructionResponse) error {
	r, ok := ctx.Value(runKey{}).(*run)
	if failure := resp.GetError(); ok && req.GetProcessBundle() != nil && failure != "" {
		r.abort(fmt.Errorf("%w: a bundle failed: %s", ErrAborted, failure))
	}
	return nil
}

func init() {
	hooks.RegisterHook(abortHook, func([]string) hooks.Hook {
		return hooks.Hook{Req: beginBundle, Resp: endBundle}
	})
	if err := hooks.EnableHook(abortHook); err != nil {
		panic(fmt.Sprintf("runners/prism: %v", err))
	}
}
