package cluster

import (
	"context"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/log"
)

// waitingEvery is how often somebody who waits is told for what: clients try again and again
// without a word.
const waitingEvery = 10 * time.Second

// LogWaiting logs what is waited for, and for how long already, until the returned function is
// called.
func LogWaiting(ctx context.Context, format string, args ...any) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	began := time.Now()
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(waitingEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				log.Warnf(ctx, format+", for %s now", append(args[:len(args):len(args)], time.Since(began).Round(time.Second))...)
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}
