package fileio

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// NotFileError says that a path that was asked for leads to something that is no file, so
// that what is meant by it cannot be read.
type NotFileError struct {
	Path string
	// Is says what it is: "a named pipe", "a link to x, which is not there".
	Is string
}

func (e *NotFileError) Error() string { return e.Path + " is " + e.Is + ", not a file" }

// found takes what a walk comes by.
type found struct {
	file func(File)
	// notFile is called for what matches and is neither a file nor a folder.
	notFile func(*NotFileError)
	// empty is called for a folder that matches like a file, but has no files in it.
	empty func(path string)
}

// walker walks over a pattern's folders. Links are followed wherever they stand.
type walker struct {
	ctx context.Context
	found
}

// folder is one on the way of a walker.
type folder struct {
	path string // as it was come to, with a final slash unless empty
	real string // where it is, links followed
	// linked says that a link led here; above is nil for the first.
	linked bool
	above  *folder
}

// root returns the folder where a walk begins; nil if it is not there.
func root(path string) (*folder, error) {
	resolved, err := realPath(path)
	switch {
	case notThere(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("list %s: %w", path, err)
	}
	abs, err := filepath.Abs(path)
	return &folder{path: path, real: resolved, linked: abs != resolved}, err
}

func realPath(path string) (string, error) {
	if path == "" {
		path = "."
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(abs)
}

// below returns a folder in f; nil if a link leads back to where the walk comes from.
func (f *folder) below(name string, link bool) (*folder, error) {
	b := &folder{path: f.path + name + "/", real: filepath.Join(f.real, name), linked: f.linked || link, above: f}
	if !link {
		return b, nil
	}
	var err error
	if b.real, err = realPath(f.path + name); err != nil {
		return nil, fmt.Errorf("list %s: %w", b.path, err)
	}
	first := f
	for up := f; up != nil; first, up = up, up.above {
		if up.real == b.real {
			return nil, nil
		}
	}
	for up := first.real; up != filepath.Dir(up); up = filepath.Dir(up) {
		if up == b.real {
			return nil, nil
		}
	}
	if b.real == filepath.Dir(b.real) {
		return nil, nil
	}
	return b, nil
}

// visit visits what matches parts below f.
func (w walker) visit(f *folder, parts []string) error {
	if err := w.ctx.Err(); err != nil || f == nil {
		return err
	}
	if name, ok := literal(parts[0]); ok {
		info, err := os.Lstat(f.path + name)
		switch {
		case notThere(err):
			return nil
		case err != nil:
			return fmt.Errorf("list: %w", err)
		}
		return w.entry(f, name, info.Mode(), parts)
	}
	entries, err := readDir(f.path)
	if err != nil {
		if notThere(err) {
			return nil
		}
		return fmt.Errorf("list: %w", err)
	}
	for _, entry := range entries {
		name := entry.Name()
		switch {
		case parts[0] != "**":
			if matchName(parts[0], name) {
				err = w.entry(f, name, entry.Type(), parts)
			}
		case hidden(name):
			if len(parts) > 1 && matchName(parts[1], name) {
				err = w.entry(f, name, entry.Type(), parts[1:])
			}
		default:
			err = w.deep(f, name, entry.Type(), parts)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// deep matches an entry with parts that begin with **.
func (w walker) deep(f *folder, name string, mode fs.FileMode, parts []string) error {
	kind, err := w.kind(f.path+name, mode)
	if err == nil && kind.IsDir() {
		var b *folder
		if b, err = f.below(name, mode&fs.ModeSymlink != 0); err == nil {
			err = w.visit(b, parts)
		}
	}
	switch {
	case err != nil:
		return err
	case len(parts) > 1 && matchName(parts[1], name):
		return w.entry(f, name, mode, parts[1:])
	case len(parts) == 1 && !kind.IsDir():
		return w.entry(f, name, mode, parts)
	}
	return nil
}

// kind is the mode of what a path leads to; irregular if a link leads nowhere.
func (w walker) kind(path string, mode fs.FileMode) (fs.FileMode, error) {
	if mode&fs.ModeSymlink == 0 {
		return mode, nil
	}
	info, err := os.Stat(path)
	switch {
	case err == nil:
		return info.Mode(), nil
	case notThere(err), errors.Is(err, syscall.ELOOP):
		return fs.ModeIrregular, nil
	default:
		return 0, fmt.Errorf("list: %w", err)
	}
}

// entry visits an entry of f that matches parts[0]: the file itself if that is the last
// part, else what is below. A folder that the last part matches stands for the files in it.
func (w walker) entry(f *folder, name string, mode fs.FileMode, parts []string) error {
	path, last := f.path+name, len(parts) == 1
	link := mode&fs.ModeSymlink != 0
	kind, err := w.kind(path, mode)
	switch {
	case err != nil:
		return err
	case link && kind == fs.ModeIrregular:
		w.notFile(&NotFileError{Path: path, Is: deadLink(path)})
	case kind.IsDir():
		b, err := f.below(name, link)
		if err != nil || b == nil {
			return err
		}
		if !last {
			return w.visit(b, parts[1:])
		}
		return w.whole(b)
	case !last: // a file where a folder would have to be
	case kind.IsRegular():
		return w.regular(f, name, link)
	default:
		w.notFile(&NotFileError{Path: path, Is: kindOf(kind)})
	}
	return nil
}

// whole visits all files below a folder.
func (w walker) whole(f *folder) error {
	some := false
	inner := w
	inner.file = func(file File) { some = true; w.file(file) }
	inner.notFile = func(e *NotFileError) { some = true; w.notFile(e) }
	if err := inner.visit(f, []string{"**"}); err != nil {
		return err
	}
	if !some {
		w.empty(f.path)
	}
	return nil
}

func (w walker) regular(f *folder, name string, link bool) error {
	info, err := os.Stat(f.path + name)
	if notThere(err) {
		return nil // removed meanwhile
	}
	if err != nil {
		return fmt.Errorf("list: %w", err)
	}
	file := fileOf(f.path+name, info)
	file.ID, file.linked = filepath.Join(f.real, name), f.linked || link
	if link {
		if file.ID, err = realPath(file.Path); err != nil {
			return fmt.Errorf("list: %w", err)
		}
	}
	w.file(file)
	return nil
}

// deadLink describes a link that leads nowhere.
func deadLink(path string) string {
	to, err := os.Readlink(path)
	if err != nil {
		return "a link that leads nowhere"
	}
	return "a link to " + to + ", which is not there"
}

// kindOf names what is neither a file nor a folder.
func kindOf(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	case mode&fs.ModeDevice != 0:
		return "a device"
	default:
		return "something else"
	}
}
