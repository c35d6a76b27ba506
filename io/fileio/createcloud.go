package fileio

import (
	"context"
	"fmt"
	"io/fs"

	"cloud.google.com/go/storage"
)

// chunkSize is how much of an object is held in memory to be sent again after a fault.
// Smaller objects go in one request, larger ones in chunks of it; 8 MiB keeps tens of
// writers small, and a round trip for each costs little.
const chunkSize = 8 << 20

// cloudSink uploads one object.
type cloudSink struct {
	path  string
	w     *storage.Writer
	ctx   context.Context
	guard *guard
}

func (s cloud) create(ctx context.Context, path string, onlyNew bool) (sink, error) {
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
	w.ContentType = "application/octet-stream" // or else the client looks at the first bytes
	return &cloudSink{path: path, w: w, ctx: ctx, guard: g}, nil
}

func (s *cloudSink) Write(p []byte) (int, error) {
	n, err := s.w.Write(p)
	return n, cloudError("write", s.path, s.guard.explain(err))
}

func (s *cloudSink) commit() (version string, err error) {
	defer s.guard.cancel(nil)
	if err := s.w.Close(); err != nil {
		if replaced(err) {
			return "", fmt.Errorf("write %s: %w", s.path, &kindError{fs.ErrExist, err})
		}
		return "", cloudError("write", s.path, s.guard.explain(err))
	}
	return objectFile(s.path, s.w.Attrs()).Version, nil
}

// abort leaves at most a begun upload, which nobody sees and the service forgets.
func (s *cloudSink) abort() {
	s.guard.cancel(nil)
	_ = s.w.Close() // it reports the cancelling
}
