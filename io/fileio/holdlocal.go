package fileio

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// localHold is a lock in a local folder: a file that its holder keeps open and locked. The
// kernel unlocks it when the holder dies. Where it cannot, on some network file systems, and
// where the lock may be of this host alone, the holder's signs of life count.
type localHold struct {
	path string
	file *os.File // of the holder
	made string   // the topmost folder that had to be made
}

// lockFile is a variable for tests of file systems without locks.
var lockFile = lock

// look takes the content itself for the version.
func (l *localHold) look(context.Context) ([]byte, string, error) {
	content, err := os.ReadFile(l.path)
	if notThere(err) {
		return nil, "", fs.ErrNotExist
	}
	if err == nil && len(content) == 0 {
		content = []byte("\n") // it is being written, or its writer died just then
	}
	return content, string(content), err
}

func (l *localHold) put(ctx context.Context, record []byte, version string) (string, error) {
	if l.file != nil {
		return string(record), l.write(ctx, record, version)
	}
	if err := l.open(version == ""); err != nil {
		return "", err
	}
	if err := l.write(ctx, record, version); err != nil {
		err = errors.Join(err, l.file.Close())
		l.file = nil
		return "", err
	}
	return string(record), nil
}

// open opens the lock file, or makes it if none should be there, and locks it. Where files
// cannot be locked, two that follow one dead holder may both believe for a moment that they
// have it: the first sign of life tells one of them.
func (l *localHold) open(anew bool) error {
	made, err := makeFolder(filepath.Dir(l.path))
	if err != nil {
		return err
	}
	if l.made == "" {
		l.made = made
	}
	// What is put here later takes the folders for durable.
	for folder := filepath.Dir(l.path); below(folder, made); folder = filepath.Dir(folder) {
		if err := syncFolder(filepath.Dir(folder)); err != nil {
			return err
		}
	}
	how := os.O_RDWR
	if anew {
		how |= os.O_CREATE | os.O_EXCL
	}
	file, err := os.OpenFile(l.path, how, 0o644)
	if errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrNotExist) {
		return errTaken
	}
	if err != nil {
		return err
	}
	if err := lockFile(file, false); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		if anew { // somebody looks at it
			err = os.Remove(l.path)
		} else {
			err = nil
		}
		return errors.Join(errTaken, err, file.Close())
	}
	l.file = file
	return nil
}

func (l *localHold) write(ctx context.Context, record []byte, version string) error {
	opened, err := l.file.Stat()
	if err != nil {
		return err
	}
	// By its path: whoever gives a lock up removes it.
	if named, err := os.Stat(l.path); err != nil || !os.SameFile(opened, named) {
		return errTaken
	}
	if opened.Size() > 0 || version != "" {
		if _, is, err := l.look(ctx); err != nil || is != version {
			return errors.Join(errTaken, err)
		}
	}
	if _, err := l.file.WriteAt(record, 0); err != nil {
		return err
	}
	return l.file.Truncate(int64(len(record)))
}

// locked tells whether somebody has the file locked.
func (l *localHold) locked() bool {
	file, err := os.OpenFile(l.path, os.O_RDWR, 0)
	if err != nil {
		return false
	}
	defer func() { _ = file.Close() }() // nothing was written
	err = lockFile(file, false)
	return err != nil && !errors.Is(err, errors.ErrUnsupported)
}

// dead: a process of this machine is gone if its file is not locked, and where files cannot be
// locked if there is no such process.
func (l *localHold) dead(h *Holder) bool {
	file, err := os.OpenFile(l.path, os.O_RDWR, 0)
	if err != nil {
		return false
	}
	defer func() { _ = file.Close() }() // nothing was written
	switch err := lockFile(file, false); {
	case errors.Is(err, errors.ErrUnsupported):
		return h.gone()
	case err != nil:
		return false
	}
	return h.Machine == machine()
}

// drop removes the lock while it is locked, so that nobody takes it as it goes, and the folders
// that were made for it if they are empty.
func (l *localHold) drop(ctx context.Context, version string) error {
	err := l.write(ctx, []byte(version), version)
	if err == nil {
		err = os.Remove(l.path)
	}
	err = errors.Join(err, l.close())
	folder := filepath.Dir(l.path)
	for below(folder, l.made) && os.Remove(folder) == nil { // nothing is in it
		folder = filepath.Dir(folder)
	}
	return err
}

// below tells whether a folder is the one that was made, or in it.
func below(folder, made string) bool {
	return made != "" && strings.HasPrefix(folder+"/", made+"/")
}

func (l *localHold) close() error {
	err := l.file.Close()
	l.file = nil
	return err
}

// machine is the same for processes that see one another: of one start of a kernel, and in one
// space of process ids. It is empty where that cannot be told.
func machine() string {
	boot, err := readLine("/proc/sys/kernel/random/boot_id")
	if err != nil {
		host, _ := os.Hostname() // Take has failed if there is none
		return host
	}
	space, _ := os.Readlink("/proc/self/ns/pid") // empty where there are no such spaces
	return boot + " " + space
}

func readLine(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }() // only read
	content, err := io.ReadAll(io.LimitReader(file, 1<<10))
	return strings.TrimSpace(string(content)), err
}

// gone tells whether the holder was a process of this machine, and is no more.
func (h *Holder) gone() bool { return h.Machine == machine() && h.PID > 0 && !running(h.PID) }
