package folderio

import (
	"context"
	"errors"
	"io"
	"strings"

	"tributary/io/fileio"
)

// steps are what is asked of the store while groups are written, one by one.
type steps struct {
	// around does a step; tests have one fail, or the process end there.
	around func(do func() error) error
}

func (s steps) do(step func() error) error {
	if s.around == nil {
		return step()
	}
	return s.around(step)
}

func (s steps) create(ctx context.Context, path string) (w *fileio.Writer, err error) {
	err = s.do(func() (err error) {
		w, err = fileio.Create(ctx, path)
		return err
	})
	if err != nil && w != nil {
		w.Abort()
	}
	return w, err
}

func (s steps) commit(w *fileio.Writer) error { return s.do(w.Commit) }

func (s steps) move(ctx context.Context, from, to string) error {
	return s.do(func() error { return fileio.Move(ctx, from, to) })
}

func (s steps) remove(ctx context.Context, path string) error {
	return s.do(func() error { return fileio.Remove(ctx, path) })
}

func (s steps) exists(ctx context.Context, path string) (there bool, err error) {
	err = s.do(func() (err error) {
		there, err = fileio.Exists(ctx, path)
		return err
	})
	return there, err
}

func (s steps) readFile(ctx context.Context, path string) (content []byte, err error) {
	err = s.do(func() (err error) {
		content, err = fileio.ReadFile(ctx, path)
		return err
	})
	return content, err
}

func (s steps) writeFile(ctx context.Context, path string, content []byte) error {
	return s.do(func() error { return fileio.WriteFile(ctx, path, content) })
}

func (s steps) open(ctx context.Context, path string) (r io.ReadCloser, err error) {
	err = s.do(func() (err error) {
		r, err = fileio.Open(ctx, path)
		return err
	})
	return r, err
}

// list lists what matches a pattern in a folder, which may be nothing.
func (s steps) list(ctx context.Context, folder, pattern string) (files []fileio.File, err error) {
	err = s.do(func() (err error) {
		files, err = fileio.List(ctx, fileio.Escape(strings.TrimSuffix(folder, "/"))+"/"+pattern)
		return err
	})
	if none := (*fileio.NoMatchError)(nil); errors.As(err, &none) {
		return nil, nil
	}
	return files, err
}
