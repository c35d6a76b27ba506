package fileio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
)

// local is the store of the file system.
type local struct{}

// walk goes down only where the pattern may match: `dt=2026-01-*/*.avro` never looks
// into the folders of other months.
func (local) walk(ctx context.Context, g glob, found found) error {
	names, parts := g.fixed()
	if len(parts) == 0 { // the last name may be a folder's
		names, parts = names[:len(names)-1], g.parts[len(names)-1:]
	}
	path := g.root
	for _, name := range names {
		path += name + "/"
	}
	f, err := root(path)
	if err != nil || f == nil {
		return err
	}
	return walker{ctx: ctx, found: found}.visit(f, parts)
}

func (local) names(_ context.Context, folder string) ([]string, error) {
	entries, err := readDir(folder)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(entries))
	for i, entry := range entries {
		names[i] = entry.Name()
		if info, err := os.Stat(folder + entry.Name()); err == nil && info.IsDir() {
			names[i] += "/"
		}
	}
	return names, nil
}

func (local) stat(_ context.Context, path string) (File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return File{}, err
	}
	if info.IsDir() {
		return File{}, fmt.Errorf("stat %s: it is a folder: %w", path, fs.ErrNotExist)
	}
	file := fileOf(path, info)
	file.ID, err = realPath(path)
	return file, err
}

func (local) open(_ context.Context, path string, offset int64) (io.ReadCloser, error) {
	// Before it is opened: a named pipe would wait for a writer, perhaps for ever.
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, fmt.Errorf("open %s: it is a folder", path)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("open: %w", &NotFileError{Path: path, Is: kindOf(info.Mode())})
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if offset > 0 {
		_, err = f.Seek(offset, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func (local) remove(_ context.Context, path string) error { return os.Remove(path) }

func fileOf(path string, info fs.FileInfo) File {
	return File{Path: path, Size: info.Size(), Version: strconv.FormatInt(info.ModTime().UnixNano(), 10)}
}

func readDir(folder string) ([]os.DirEntry, error) {
	if folder == "" {
		folder = "."
	}
	return os.ReadDir(folder)
}

// notThere also holds where a file stands in the place of a folder.
func notThere(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || isNotDir(err)
}
