package fileio

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// Retry bounds how transient faults of object stores are waited out. The bound is on
// time without progress: a reading that gets further starts anew.
type Retry struct {
	Bound time.Duration // give up after so long; default 2 minutes
	First time.Duration // about the first wait, which then doubles; default 250 ms
	// Stall is how long a response may bring nothing before it is taken for dead;
	// default 1 minute.
	Stall time.Duration
}

type retryKey struct{}

// WithRetry returns a context under which this package retries as r says.
func WithRetry(ctx context.Context, r Retry) context.Context {
	return context.WithValue(ctx, retryKey{}, r)
}

func retryOf(ctx context.Context) Retry {
	r, _ := ctx.Value(retryKey{}).(Retry)
	if r.Bound <= 0 {
		r.Bound = 2 * time.Minute
	}
	if r.First <= 0 {
		r.First = 250 * time.Millisecond
	}
	if r.Stall <= 0 {
		r.Stall = time.Minute
	}
	return r
}

// longest is the longest wait between two attempts.
func (r Retry) longest() time.Duration { return max(r.First, min(r.Bound/4, 20*time.Second)) }

// guard watches over the attempts of one operation. The service's client decides when
// to try again and waits by itself; the guard tells it when to give up. It also slows
// down what the client repeats without a pause: resuming a reading that breaks off.
type guard struct {
	retry  Retry
	cancel context.CancelCauseFunc
	pause  *backoff.ExponentialBackOff
	// resumes says that the operation is a reading, which goes on where it broke off:
	// then bytes that come are progress.
	resumes bool

	mu       sync.Mutex
	since    time.Time // of the first failure without progress; zero if there was none
	failures int
	gaveUp   bool
}

type guardKey struct{}

// newGuard returns a guard, and the context that the operation's requests must carry.
// The caller ends the operation by calling cancel.
func newGuard(ctx context.Context, resumes bool) (*guard, context.Context) {
	r := retryOf(ctx)
	ctx, cancel := context.WithCancelCause(ctx)
	pause := &backoff.ExponentialBackOff{
		InitialInterval:     r.First,
		RandomizationFactor: backoff.DefaultRandomizationFactor,
		Multiplier:          2,
		MaxInterval:         r.longest(),
	}
	pause.Reset()
	g := &guard{retry: r, cancel: cancel, pause: pause, resumes: resumes}
	return g, context.WithValue(ctx, guardKey{}, g)
}

// failed notes a failure and says whether to try again.
func (g *guard) failed() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.failures++; g.failures == 1 {
		g.since = time.Now()
	}
	g.gaveUp = time.Since(g.since) >= g.retry.Bound
	return !g.gaveUp
}

// progressed notes that bytes have come or gone.
func (g *guard) progressed() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.failures > 0 {
		g.failures = 0
		g.pause.Reset()
	}
}

// brokeOff is called when a response breaks off. It waits before the client resumes,
// or ends the operation.
func (g *guard) brokeOff(ctx context.Context, err error) {
	if !g.failed() {
		g.cancel(err)
		return
	}
	g.mu.Lock()
	wait := g.pause.NextBackOff()
	g.mu.Unlock()
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// explain adds to the error of an operation how long it was tried.
func (g *guard) explain(err error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err == nil || !g.gaveUp {
		return err
	}
	return fmt.Errorf("gave up after %d attempts in %s without progress: %w", g.failures, g.retry.Bound, err)
}
