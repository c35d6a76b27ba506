package fileio

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// unfinished ends the names of files being written, `.<name>.<random>.unfinished`.
const unfinished = ".unfinished"

// localSink writes to a hidden file beside the one it is to become. It holds a lock on
// that file, which the kernel releases when the process dies: so leftovers of the dead
// can be told from files of the living.
type localSink struct {
	path string
	file *os.File
	mode fs.FileMode // what the finished file gets
	made string      // the topmost folder that had to be made, empty if none
	// onlyNew: it takes no other file's place.
	onlyNew bool
}

func (local) create(_ context.Context, path string, onlyNew bool) (sink, error) {
	folder, name := filepath.Split(path)
	if info, err := os.Stat(path); err == nil && info.IsDir() || name == "" {
		return nil, fmt.Errorf("create %s: it is a folder", path)
	}
	if folder == "" {
		folder = "."
	}
	made, err := makeFolder(folder)
	if err != nil {
		return nil, err
	}
	removeLeftovers(folder)
	s := &localSink{path: path, made: made, onlyNew: onlyNew}
	for s.file == nil {
		if err := s.open(filepath.Join(folder, "."+name+"."+rand.Text()[:8]+unfinished)); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// open creates and locks the hidden file. It leaves s.file nil if somebody removed it
// as a leftover in the moment before it was locked.
func (s *localSink) open(path string) error {
	// The kernel applies the umask; the result is what the finished file gets.
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return fmt.Errorf("create %s: %w", s.path, err)
	}
	err = lock(file, true)
	if errors.Is(err, errors.ErrUnsupported) {
		err = nil // then nobody can lock it, and nobody will remove it
	}
	var opened, named fs.FileInfo
	if err == nil {
		opened, err = file.Stat()
	}
	if err == nil {
		if named, err = os.Lstat(path); errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(opened, named) {
			return file.Close()
		}
	}
	if err == nil {
		s.mode = opened.Mode().Perm()
		err = file.Chmod(0o600)
	}
	if err != nil {
		return fmt.Errorf("create %s: %w", s.path, errors.Join(err, file.Close(), os.Remove(path)))
	}
	s.file = file
	return nil
}

func (s *localSink) Write(p []byte) (int, error) { return s.file.Write(p) }

// commit is durable: the file's bytes reach the disk before its name, and its name and
// those of new folders before commit returns.
func (s *localSink) commit() (version string, err error) {
	err = s.file.Chmod(s.mode)
	if err == nil {
		err = s.file.Sync()
	}
	var info fs.FileInfo
	if err == nil {
		info, err = s.file.Stat()
	}
	if err == nil {
		err = s.name()
	}
	if err != nil {
		s.abort()
		return "", fmt.Errorf("commit %s: %w", s.path, err)
	}
	if err := s.file.Close(); err != nil {
		return "", fmt.Errorf("commit %s: %w", s.path, err)
	}
	if err := syncFolders(filepath.Dir(s.path), s.made); err != nil {
		return "", fmt.Errorf("commit %s: %w", s.path, err)
	}
	return fileOf(s.path, info).Version, nil
}

// name gives the hidden file the name it is to have.
func (s *localSink) name() error {
	if !s.onlyNew {
		return os.Rename(s.file.Name(), s.path)
	}
	err := os.Link(s.file.Name(), s.path)
	if err == nil {
		return os.Remove(s.file.Name())
	}
	if _, there := os.Lstat(s.path); there == nil {
		return fmt.Errorf("%s: %w", s.path, fs.ErrExist)
	}
	// A file system without links to files.
	return os.Rename(s.file.Name(), s.path)
}

func (s *localSink) abort() {
	// Removed before it is unlocked, so that nobody else takes it for a leftover. If it
	// cannot be removed now, the next Create does it.
	_ = os.Remove(s.file.Name())
	_ = s.file.Close()
}

// makeFolder makes a folder and returns the topmost one that was not there.
func makeFolder(folder string) (made string, err error) {
	for up := filepath.Clean(folder); ; up = filepath.Dir(up) {
		if _, err := os.Stat(up); !errors.Is(err, fs.ErrNotExist) || up == filepath.Dir(up) {
			break
		}
		made = up
	}
	return made, os.MkdirAll(folder, 0o755)
}

// syncFolders makes the names in a folder durable, and those of the folders that were made for it, from the
// topmost on, which is empty if there were none.
func syncFolders(folder, made string) error {
	for ; ; folder = filepath.Dir(folder) {
		if err := syncFolder(folder); err != nil || made == "" || !strings.HasPrefix(folder+"/", made+"/") {
			return err
		}
	}
}

func syncFolder(folder string) error {
	f, err := os.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// removeLeftovers removes the unfinished files in a folder whose writers are gone. It
// is tidying: what cannot be removed stays, hidden, and hinders nobody.
func removeLeftovers(folder string) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return
	}
	for _, entry := range entries {
		if name := entry.Name(); entry.Type().IsRegular() && strings.HasPrefix(name, ".") && strings.HasSuffix(name, unfinished) {
			removeLeftover(filepath.Join(folder, name))
		}
	}
}

func removeLeftover(path string) {
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return
	}
	defer func() { _ = file.Close() }() // nothing was written
	// By its path: a file that was committed meanwhile no longer has it.
	if lock(file, false) == nil {
		_ = os.Remove(path)
	}
}
