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
func (local) walk(ctx context.Context, g glob, visit func(File)) error {
	names, parts := g.fixed()
	path := g.root
	for i, name := range names {
		path += name
		if i < len(names)-1 || len(parts) > 0 {
			path += "/"
		}
	}
	w := walker{ctx: ctx, visit: visit}
	if len(parts) > 0 {
		return w.folder(path, parts)
	}
	info, err := os.Stat(path)
	switch {
	case notThere(err):
		return nil
	case err != nil:
		return fmt.Errorf("list: %w", err)
	case info.IsDir():
		return w.folder(path+"/", []string{"**"})
	}
	visit(fileOf(path, info))
	return nil
}

type walker struct {
	ctx   context.Context
	visit func(File)
}

// folder visits what matches parts below path, which ends with a slash unless empty.
func (w walker) folder(path string, parts []string) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	if name, ok := literal(parts[0]); ok {
		return w.entry(path+name, nil, parts)
	}
	entries, err := readDir(path)
	if err != nil {
		if notThere(err) {
			return nil
		}
		return fmt.Errorf("list: %w", err)
	}
	for _, entry := range entries {
		name := entry.Name()
		if parts[0] != "**" {
			if matchName(parts[0], name) {
				err = w.entry(path+name, entry, parts)
			}
		} else {
			err = w.below(path, entry, parts)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// below matches an entry with parts that begin with **.
func (w walker) below(path string, entry os.DirEntry, parts []string) error {
	name := entry.Name()
	if entry.IsDir() && !hidden(name) { // not for symbolic links: they may lead back up
		if err := w.folder(path+name+"/", parts); err != nil {
			return err
		}
	}
	switch {
	case len(parts) == 1 && !hidden(name):
		return w.entry(path+name, entry, parts)
	case len(parts) > 1 && matchName(parts[1], name):
		return w.entry(path+name, entry, parts[1:])
	}
	return nil
}

// entry visits path, which matches parts[0]: the file itself if that is the last part,
// else what is below. The entry is nil if it was not read from its folder.
func (w walker) entry(path string, entry os.DirEntry, parts []string) error {
	last := len(parts) == 1
	if entry != nil && entry.IsDir() && last {
		return nil
	}
	if !last {
		if entry == nil || entry.IsDir() || entry.Type()&fs.ModeSymlink != 0 {
			return w.folder(path+"/", parts[1:])
		}
		return nil
	}
	info, err := os.Stat(path)
	switch {
	case notThere(err): // removed meanwhile, or a link to nowhere
		return nil
	case err != nil:
		return fmt.Errorf("list: %w", err)
	case info.Mode().IsRegular():
		w.visit(fileOf(path, info))
	}
	return nil
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
	return fileOf(path, info), nil
}

func (local) open(_ context.Context, path string, offset int64) (io.ReadCloser, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = fmt.Errorf("open %s: it is a folder", path)
	}
	if err == nil && offset > 0 {
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
