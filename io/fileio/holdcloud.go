package fileio

import (
	"context"
	"errors"
	"io/fs"
)

// cloudHold is a lock in a bucket. Its version is the object's, and what replaces it
// says which one it replaces.
type cloudHold struct {
	store objectStore
	path  string
}

// looks is how often a lock is read that cannot be read: some servers give one version's checksum with the bytes
// of the next.
const looks = 8

func (c *cloudHold) look(ctx context.Context) ([]byte, string, error) {
	for attempt := 1; ; attempt++ {
		file, err := Stat(ctx, c.path)
		if err != nil {
			return nil, "", err
		}
		record, readErr := ReadFile(ctx, c.path)
		// Looked at twice: the record, or why there is none, must be of the version.
		again, err := Stat(ctx, c.path)
		if err = errors.Join(readErr, err); err == nil && again.Version != file.Version {
			continue
		}
		if err == nil || attempt == looks || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || ctx.Err() != nil {
			return record, file.Version, err
		}
	}
}

func (c *cloudHold) put(ctx context.Context, record []byte, version string) (string, error) {
	now, err := c.store.replace(ctx, c.path, record, version)
	if !errors.Is(err, errTaken) {
		return now, err
	}
	// It may be ours: an answer that was lost, and the request made again.
	if is, now, err := c.look(ctx); err == nil && string(is) == string(record) {
		return now, nil
	}
	return "", errTaken
}

func (c *cloudHold) drop(ctx context.Context, version string) error {
	if err := c.store.drop(ctx, c.path, version); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (*cloudHold) close() error { return nil }

func (c *cloudHold) dead(h *Holder) bool { return h.gone() }
