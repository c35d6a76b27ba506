// Package prism runs pipelines with unbounded sources in this process, on Beam's Prism
// runner: for tests, demonstrations and small streams.
//
// Prism keeps everything in memory, takes no checkpoints and is not meant for production:
// what a restart must not lose has to be in the pipeline's own sinks.
//
// Its faults are dealt with here, so that neither pipelines nor sources nor sinks know of them: see
// abort.go, and Readers.
package prism

import (
	"context"
	"fmt"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners/prism"
)

// Readers is how many readers a source on Prism may have. Prism (2.77.0, PersistBundle) takes the
// watermark of the reader that paused last for that of all readers: with two, what the slower
// one brings is dropped before the next GroupByKey, without a word. Measured: three readers that
// were not paced lost samples in most runs of 120,000 views, one reader in none.
const Readers = 1

// endsWithin is how long Prism may take to end once a bundle has failed: mostly it does so at once. But it (2.77.0, Bundles) may sleep
// through that for ever, where elements wait for a timer: it is woken just before it is told, and not again. A variable for tests.
var endsWithin = 5 * time.Second

// Run runs a pipeline until it ends or ctx does, in which case the error is the context's.
// Prism goes on in the background then, until the process ends, but its sinks begin to write nothing
// more, as they do once a bundle has failed.
func Run(ctx context.Context, p *beam.Pipeline) error {
	r, started := newRun(ctx)
	started, cancel := context.WithCancel(started)
	done := make(chan error, 1)
	go func() {
		defer cancel()
		_, err := prism.Execute(started, p)
		done <- err
	}()
	err, ended := error(nil), false
	select {
	case err = <-done:
		ended = true
	case <-ctx.Done():
	case <-r.aborted.Done(): // a bundle has failed
		select {
		case err = <-done:
			ended = true
		case <-ctx.Done():
		case <-time.After(endsWithin):
			err = fmt.Errorf("prism runner: %w", context.Cause(r.aborted))
		}
	}
	switch {
	case ended && err == nil:
		r.abort(ErrAborted)
		return nil
	case ctx.Err() != nil:
		err = ctx.Err()
	case ended:
		err = fmt.Errorf("prism runner: %w", err)
	}
	// First the bundles, which must not commit what Prism puts together while it ends.
	r.abort(err)
	cancel()
	return err
}
