package fileio

import (
	"context"
	"errors"
	"fmt"
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
	err  error // why nothing more can be done
}

// sink is what a store writes to.
type sink interface {
	Write(p []byte) (int, error)
	// commit makes the file visible. If it fails, the file is as before, or (after a
	// fault of the network in the last moment) whole.
	commit() error
	abort()
}

var errEnded = errors.New("the writing has ended")

// Create begins to write a file, making the folders it lacks. Cancelling ctx ends the
// writing, and then Commit fails.
//
// Locally the bytes go to a hidden file in the same folder, which Commit renames once
// it is on the disk. What killed writers left there is removed by the next Create in
// that folder. On Cloud Storage an object comes to be when its upload is completed.
func Create(ctx context.Context, path string) (*Writer, error) {
	s, err := storeOf(path)
	if err != nil {
		return nil, err
	}
	sink, err := s.create(ctx, path)
	if err != nil {
		return nil, err
	}
	return &Writer{ctx: ctx, path: path, sink: sink}, nil
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
	w.err = err
	return n, err
}

// Size returns how many bytes have been written.
func (w *Writer) Size() int64 { return w.size }

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
	return w.sink.commit()
}

// Abort undoes the writing, unless it has ended.
func (w *Writer) Abort() {
	if !errors.Is(w.err, errEnded) {
		w.err = errEnded
		w.sink.abort()
	}
}
