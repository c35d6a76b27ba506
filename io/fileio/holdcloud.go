package fileio

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"strconv"

	"cloud.google.com/go/storage"
	"google.golang.org/api/googleapi"
)

// cloudHold is a lock in a bucket. Its version is the object's generation, and what replaces it
// says which one it replaces.
type cloudHold struct{ path string }

func (c *cloudHold) look(ctx context.Context) ([]byte, string, error) {
	for {
		file, err := Stat(ctx, c.path)
		if err != nil {
			return nil, "", err
		}
		record, err := ReadFile(ctx, c.path)
		if err != nil {
			return nil, "", err
		}
		// Read twice: the record must be of the generation.
		if again, err := Stat(ctx, c.path); err != nil || again.Version == file.Version {
			return record, file.Version, err
		}
	}
}

func (c *cloudHold) put(ctx context.Context, record []byte, version string) (string, error) {
	object, g, opCtx, err := cloud{}.object(ctx, c.path, false)
	if err != nil {
		return "", err
	}
	defer g.cancel(nil)
	w := conditional(object, version).NewWriter(opCtx)
	w.ChunkSize = googleapi.MinUploadChunkSize
	w.ContentType = "application/json"
	_, err = w.Write(record)
	if err = errors.Join(err, w.Close()); err == nil {
		return strconv.FormatInt(w.Attrs().Generation, 10), nil
	}
	if !replaced(err) {
		return "", cloudError("write", c.path, g.explain(err))
	}
	// It may be ours: an answer that was lost, and the request made again.
	if is, now, err := c.look(ctx); err == nil && string(is) == string(record) {
		return now, nil
	}
	return "", errTaken
}

func (c *cloudHold) drop(ctx context.Context, version string) error {
	object, g, opCtx, err := cloud{}.object(ctx, c.path, false)
	if err != nil {
		return err
	}
	defer g.cancel(nil)
	err = conditional(object, version).Delete(opCtx)
	if err == nil || replaced(err) {
		return nil
	}
	if err = cloudError("remove", c.path, g.explain(err)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func (*cloudHold) close() error { return nil }

func (c *cloudHold) dead(h *Holder) bool { return h.gone() }

// conditional bounds what is done with an object to its being of that version.
func conditional(object *storage.ObjectHandle, version string) *storage.ObjectHandle {
	generation, err := strconv.ParseInt(version, 10, 64)
	if err != nil {
		return object.If(storage.Conditions{DoesNotExist: true})
	}
	return object.If(storage.Conditions{GenerationMatch: generation})
}

// replaced tells whether an object was not as a condition wants it.
func replaced(err error) bool {
	var answer *googleapi.Error
	return errors.As(err, &answer) && answer.Code == http.StatusPreconditionFailed
}
