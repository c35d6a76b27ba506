package fileio

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
)

// RemoveAll removes a folder with all that is in it, hidden and unfinished files as well. One that is not there is
// fine.
func RemoveAll(ctx context.Context, folder string) error {
	s, err := storeOf(folder)
	if err != nil {
		return err
	}
	return s.removeAll(ctx, folder)
}

func (local) removeAll(_ context.Context, folder string) error { return os.RemoveAll(folder) }

func (s cloud) removeAll(ctx context.Context, folder string) error {
	folder = strings.TrimSuffix(folder, "/") + "/"
	for {
		names, err := s.names(ctx, folder)
		if len(names) == 0 || err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			return err
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
