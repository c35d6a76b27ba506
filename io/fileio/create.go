package fileio

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/zeebo/xxh3"
)

// Writer writes a file that appears whole or not at all: only Commit makes it visible
// under its path, in place of an older one. A Writer that is not committed leaves
// nothing that List returns, however the process ends. Call Abort, which does nothing
// after a Commit, when done. A Writer is for one goroutine.
type Writer struct {
	ctx  context.Context
	path string
	sink sink
	size int64
	hash *xxh3.Hasher
	err  error // why nothing more can be done

	version string // of the committed file
}

// sink is what a store writes to.
type sink interface {
	Write(p []byte) (int, error)
	// commit makes the file visible and returns its version. If it fails, the file is as
	// before, or (after a fault of the network in the last moment) whole.
	commit() (version string, err error)
	abort()
}

var errEnded = errors.New("the writing has ended")

// Create begins to write a file, making the folders it lacks. Cancelling ctx ends the
// writing, and then Commit fails.
//
// Locally the bytes go to a hidden file in the same folder, which Commit renames once
// it is on the disk. What killed writers left there is removed by the next Create in
// that folder. On object stores an object comes to be when its upload is completed.
func Create(ctx context.Context, path string) (*Writer, error) { return create(ctx, path, false) }

func create(ctx context.Context, path string, onlyNew bool) (*Writer, error) {
	s, err := storeOf(path)
	if err != nil {
		return nil, err
	}
	sink, err := s.create(ctx, path, onlyNew)
	if err != nil {
		return nil, err
	}
	return &Writer{ctx: ctx, path: path, sink: sink, hash: xxh3.New()}, nil
}

// WriteNew writes a whole file that is not there yet. If there is one, and of another content, it
// returns an error that is fs.ErrExist, whoever was first.
func WriteNew(ctx context.Context, path string, content []byte) error {
	w, err := create(ctx, path, true)
	if err != nil {
		return err
	}
	defer w.Abort()
	if _, err := w.Write(content); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	err = w.Commit()
	if errors.Is(err, fs.ErrExist) {
		// It may be this one: an answer that was lost, and the request made again.
		if there, readErr := ReadFile(ctx, path); readErr == nil && bytes.Equal(there, content) {
			return nil
		}
	}
	return err
}

// Write appends to the file. After an error nothing more can be written.
func (w *Writer) Write(p []byte) (int, error) {
	if w.err == nil {
		w.err = w.ctx.Err()
	}
	if w.err != nil {
		return 0, fmt.Errorf("write %s: %w", w.path, w.err)
	}
	n, err := w.sink.Write(p)
	w.size += int64(n)
	_, _ = w.hash.Write(p[:n]) // never fails
	w.err = err
	return n, err
}

// Size returns how many bytes have been written.
func (w *Writer) Size() int64 { return w.size }

// Hash returns a hash (xxh3) of what has been written.
func (w *Writer) Hash() uint64 { return w.hash.Sum64() }

// Version returns the Version of the file (see File) that was committed.
func (w *Writer) Version() string { return w.version }

// Path returns the path under which the file will appear.
func (w *Writer) Path() string { return w.path }

// Err returns what ended the writing before its time; nil if nothing did.
func (w *Writer) Err() error {
	if errors.Is(w.err, errEnded) {
		return nil
	}
	return w.err
}

// Commit makes the file visible and ends the writing. If any write failed, it undoes
// them and returns that error.
func (w *Writer) Commit() error {
	if errors.Is(w.err, errEnded) {
		return fmt.Errorf("commit %s: %w", w.path, w.err)
	}
	if w.err == nil {
		w.err = w.ctx.Err()
	}
	if err := w.err; err != nil {
		w.Abort()
		return fmt.Errorf("commit %s: %w", w.path, err)
	}
	w.err = errEnded
	version, err := w.sink.commit()
	w.version = version
	return err
}

// Abort undoes the writing, unless it has ended.
func (w *Writer) Abort() {
	if !errors.Is(w.err, errEnded) {
		w.err = errEnded
		w.sink.abort()
	}
}
