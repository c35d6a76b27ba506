package fileio

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
)

// resumingReader reads one version of an object: where a response breaks off it asks for the rest of it.
type resumingReader struct {
	path  string
	guard *guard
	ctx   context.Context
	at    int64
	body  io.ReadCloser
	// begin asks for the object from at on; after the first time only for the version that it gave then.
	begin func(at int64) (io.ReadCloser, error)
	// brokeOff tells whether an error of a body says that it ended before its time, status which answer an error is, if any.
	brokeOff func(error) bool
	status   func(error) int
	explain  func(doing, path string, err error) error
}

// open makes the first request.
func (r *resumingReader) open() (io.ReadCloser, error) {
	body, err := r.begin(r.at)
	if err != nil {
		r.guard.cancel(nil)
		if r.status(err) == http.StatusRequestedRangeNotSatisfiable {
			return io.NopCloser(http.NoBody), nil // the offset is at the end
		}
		return nil, r.explain("open", r.path, r.guard.explain(err))
	}
	r.body = body
	return r, nil
}

// Read goes on after a pause, which the transport makes, until that gives up and ends the context.
func (r *resumingReader) Read(p []byte) (int, error) {
	for {
		n, err := r.body.Read(p)
		r.at += int64(n)
		if err == nil || errors.Is(err, io.EOF) {
			return n, err
		}
		if n > 0 {
			return n, nil // and the error again, or the rest
		}
		cause := context.Cause(r.ctx)
		if cause == nil && r.brokeOff(err) {
			_ = r.body.Close()
			var body io.ReadCloser
			if body, err = r.begin(r.at); err == nil {
				r.body = body
				continue
			}
			if cause = context.Cause(r.ctx); cause == nil && r.status(err) == http.StatusRequestedRangeNotSatisfiable {
				return 0, io.EOF
			}
		}
		if cause != nil {
			err = cause
		}
		err = r.guard.explain(err)
		if status := r.status(err); status == http.StatusPreconditionFailed || status == http.StatusNotFound {
			err = cloudReplaced(err)
		}
		return 0, r.explain("read at byte "+strconv.FormatInt(r.at, 10)+" of", r.path, err)
	}
}

func (r *resumingReader) Close() error {
	r.guard.cancel(nil)
	_ = r.body.Close() // nothing that was read can be lost by it
	return nil
}
