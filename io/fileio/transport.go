package fileio

import (
	"context"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// transport puts the bodies of responses under the guard that the request carries.
// What breaks off would be resumed at once, for ever, and wait without end
// for a body that stalls; here both end.
type transport struct{ base http.RoundTripper }

func (t transport) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.base.RoundTrip(req)
	g, _ := req.Context().Value(guardKey{}).(*guard)
	if err != nil || g == nil || resp.StatusCode >= http.StatusMultipleChoices {
		return resp, err
	}
	b := &guardedBody{ReadCloser: resp.Body, ctx: req.Context(), guard: g}
	// Closing the body ends a Read that hangs in it.
	b.stall = time.AfterFunc(g.retry.Stall, func() {
		b.stalled.Store(true)
		_ = b.ReadCloser.Close() // the Read it ends reports what happened
	})
	b.stall.Stop()
	resp.Body = b
	return resp, nil
}

type guardedBody struct {
	io.ReadCloser
	ctx     context.Context
	guard   *guard
	stall   *time.Timer
	stalled atomic.Bool
	ended   bool
}

func (b *guardedBody) Read(p []byte) (int, error) {
	if !b.ended {
		b.stall.Reset(b.guard.retry.Stall)
	}
	n, err := b.ReadCloser.Read(p)
	// Between two Reads the reader is busy, not the server.
	b.stall.Stop()
	if n > 0 && b.guard.resumes {
		b.guard.progressed()
	}
	if err == nil || b.ended {
		return n, err
	}
	b.ended = true
	if err == io.EOF || b.ctx.Err() != nil {
		return n, err
	}
	if b.stalled.Load() {
		err = errStalled
	}
	if b.guard.resumes {
		b.guard.brokeOff(b.ctx, err)
	}
	return n, err
}

func (b *guardedBody) Close() error {
	b.ended = true
	b.stall.Stop()
	return b.ReadCloser.Close()
}

var errStalled error = stalledError{}

// stalledError is a timeout to the storage client, which tries again.
type stalledError struct{}

func (stalledError) Error() string   { return "the response stalled" }
func (stalledError) Temporary() bool { return true }
func (stalledError) Timeout() bool   { return true }
