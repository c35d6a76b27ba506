package fileio

import (
	"context"
	"fmt"
	"io/fs"

	"cloud.google.com/go/storage"
)

// gsSink uploads one object.
type gsSink struct {
	path  string
	w     *storage.Writer
	ctx   context.Context
	guard *guard
}

func (s gs) create(ctx context.Context, path string, onlyNew bool) (sink, error) {
	object, g, ctx, err := s.object(ctx, path, false)
	if err != nil {
		return nil, err
	}
	if onlyNew {
		object = conditional(object, "")
	}
	w := object.NewWriter(ctx)
	w.ChunkSize = chunkSize
	w.ChunkRetryDeadline = g.retry.Bound
	w.ProgressFunc = func(int64) { g.progressed() }
	w.ContentType = objectType // or else the client looks at the first bytes
	return &gsSink{path: path, w: w, ctx: ctx, guard: g}, nil
}

func (s *gsSink) Write(p []byte) (int, error) {
	n, err := s.w.Write(p)
	return n, gs{}.explain("write", s.path, s.guard.explain(err))
}

func (s *gsSink) commit() (version string, err error) {
	defer s.guard.cancel(nil)
	if err := s.w.Close(); err != nil {
		if replaced(err) {
			return "", fmt.Errorf("write %s: %w", s.path, &kindError{fs.ErrExist, err})
		}
		return "", gs{}.explain("write", s.path, s.guard.explain(err))
	}
	return gsFile(s.path, s.w.Attrs()).Version, nil
}

// abort leaves at most a begun upload, which nobody sees and the service forgets.
func (s *gsSink) abort() {
	s.guard.cancel(nil)
	_ = s.w.Close() // it reports the cancelling
}
