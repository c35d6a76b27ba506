package fileio

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"
)

// RemoveAll removes a folder with all that is in it, hidden and unfinished files as well. One that is not there is
// fine. What others still write into it is removed as well, if they end within two seconds.
// Objects whose names end in a slash have no path here: they stay, which is an error.
func RemoveAll(ctx context.Context, folder string) error {
	s, err := storeOf(folder)
	if err != nil {
		return err
	}
	return s.removeAll(ctx, folder)
}

// endWithin is how long others may still write into a folder that is removed; a variable for tests.
var endWithin = 2 * time.Second

// removeAll begins anew where the folder got another file meanwhile: workers whose job was given up end a little later.
func (local) removeAll(ctx context.Context, folder string) error {
	for deadline := time.Now().Add(endWithin); ; {
		err := os.RemoveAll(folder)
		if !errors.Is(err, syscall.ENOTEMPTY) || time.Now().After(deadline) {
			return err
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			return err
		}
	}
}

func (s cloud) removeAll(ctx context.Context, folder string) error {
	folder = strings.TrimSuffix(folder, "/") + "/"
	var before []string
	var since time.Time // when the names were the same again
	for {
		names, err := s.names(ctx, folder)
		if len(names) == 0 || err != nil {
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			if store, ok := s.objectStore.(folderStore); ok {
				return store.removeFolder(ctx, folder)
			}
			return nil
		}
		switch {
		case !slices.Equal(names, before):
			before, since = names, time.Time{}
		case since.IsZero():
			since = time.Now()
		case time.Since(since) > endWithin:
			return fmt.Errorf("remove %s: %s is still there: others write into it, or it is an object of that name", folder, names[0])
		}
		for _, name := range names { // not all of them, if there are many
			if strings.HasSuffix(name, "/") {
				err = s.removeAll(ctx, folder+name)
			} else {
				err = Remove(ctx, folder+name)
			}
			if err != nil {
				return err
			}
		}
	}
}
