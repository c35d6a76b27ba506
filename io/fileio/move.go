package fileio

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Move gives a file another name on the same store, in place of one that has it, at once: whoever looks sees
// the one or the other, whole. If there is no file under the old name any more it is fs.ErrNotExist, and
// nothing is done: who removes a file before it is moved can rely on that.
//
// On object stores it is a copy within the service, and then a removal: for a moment both are there, and after
// an end between the two both stay.
func Move(ctx context.Context, from, to string) error {
	s, err := storeOf(from)
	if err != nil {
		return err
	}
	other, err := storeOf(to)
	if err != nil {
		return err
	}
	if s != other {
		return fmt.Errorf("move %s to %s: they are on different stores", from, to)
	}
	if err := context.Cause(ctx); err != nil {
		return fmt.Errorf("move %s: %w", from, err)
	}
	return s.move(ctx, from, to)
}

// move is durable when it returns.
func (local) move(_ context.Context, from, to string) error {
	folder := filepath.Dir(to)
	made, err := makeFolder(folder)
	if err != nil {
		return err
	}
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return syncFolders(folder, made)
}

func (s cloud) move(ctx context.Context, from, to string) error {
	if err := s.copy(ctx, from, to); err != nil {
		return err
	}
	if err := s.remove(ctx, from); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
