package fileio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// objectStore is a service that keeps objects in buckets. Paths are the full ones, its
// scheme included. What is missing gives fs.ErrNotExist, what may not be touched fs.ErrPermission.
type objectStore interface {
	stat(ctx context.Context, path string) (File, error)
	open(ctx context.Context, path string, offset int64) (io.ReadCloser, error)
	create(ctx context.Context, path string, onlyNew bool) (sink, error)
	remove(ctx context.Context, path string) error
	// list calls visit for the objects of the bucket root that begin with prefix, until it
	// returns false; unless flat, for those that have no slash after it, and for the folders there,
	// whose paths end in a slash, perhaps repeatedly.
	list(ctx context.Context, root, prefix string, flat bool, visit func(File) bool) error
	// copy makes an object another one's content, in place of one that is there.
	copy(ctx context.Context, from, to string) error
	// replace writes a small object if it is still of that version, empty if it is not there;
	// else it returns errTaken.
	replace(ctx context.Context, path string, record []byte, version string) (string, error)
	// drop removes an object, if it is still of that version.
	drop(ctx context.Context, path, version string) error
}

// folderStore is an object store that may have folders, which stay when they are empty.
type folderStore interface {
	// removeFolder removes a folder that is empty, if it is there. Its path ends in a slash.
	removeFolder(ctx context.Context, folder string) error
}

// cloud is the store of an object store.
type cloud struct{ objectStore }

// clouds are the object stores by scheme.
var clouds = map[string]objectStore{"az": azStore{}, "gs": gs{}, "s3": s3Store{}}

// splitCloud cuts a path of an object store, root being "gs://bucket/"; of others, root is empty.
func splitCloud(path string) (root, bucket, object string) {
	scheme, rest, ok := strings.Cut(path, "://")
	if !ok || clouds[scheme] == nil {
		return "", "", ""
	}
	bucket, object, _ = strings.Cut(rest, "/")
	return scheme + "://" + bucket + "/", bucket, object
}

func objectOf(path string) (bucket, object string, err error) {
	_, bucket, object = splitCloud(path)
	if object == "" || strings.HasSuffix(object, "/") {
		return "", "", fmt.Errorf("%s: it is a folder, not an object: %w", path, fs.ErrNotExist)
	}
	return bucket, object, nil
}

// objectType is what objects are said to hold.
const objectType = "application/octet-stream"

// clients keeps a client for each setting of the environment: a client holds its connections and credentials
// for the life of the process.
type clients[C any] struct {
	mu sync.Mutex
	of map[string]C
}

// get returns the client of a setting, and makes it if there is none.
func (c *clients[C]) get(setting string, connect func() (C, error)) (client C, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if client, ok := c.of[setting]; ok {
		return client, nil
	}
	if client, err = connect(); err != nil {
		return client, err
	}
	if c.of == nil {
		c.of = map[string]C{}
	}
	c.of[setting] = client
	return client, nil
}

// tune sets what all object stores want of connections.
func tune(base *http.Transport) {
	// One host serves all requests, and slices run side by side.
	base.MaxIdleConnsPerHost = 64
	// From the last byte of the request. Writing a chunk takes the service seconds.
	base.ResponseHeaderTimeout = answerWithin
}

// answerWithin is how long a service may take to begin its answer; a variable for tests.
var answerWithin = time.Minute

func (s cloud) walk(ctx context.Context, g glob, found found) error {
	names, parts := g.fixed()
	prefix := strings.Join(names, "/")
	if len(parts) == 0 {
		file, err := s.stat(ctx, g.root+prefix)
		if err == nil {
			found.file(file)
			return nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		parts = []string{"**"}
		g.parts = append(slices.Clone(g.parts), "**")
	}
	if prefix != "" {
		prefix += "/"
	}
	prefix += literalPrefix(parts[0])
	// A folder that the last part matches stands for the files in it, as on a disk.
	within := append(slices.Clone(g.parts), "**")
	return s.list(ctx, g.root, prefix, true, func(file File) bool {
		// Objects with a final slash are left out: consoles make them to show empty folders.
		names := strings.Split(strings.TrimPrefix(file.Path, g.root), "/")
		if !strings.HasSuffix(file.Path, "/") && (match(g.parts, names) || match(within, names)) {
			found.file(file)
		}
		return true
	})
}

// literalPrefix returns what every name that matches part begins with.
func literalPrefix(part string) string {
	if i := strings.IndexAny(part, `*?[\`); i >= 0 {
		return part[:i]
	}
	return part
}

// namesListed bounds the names of one folder: they serve to show what is there.
const namesListed = 1000

func (s cloud) names(ctx context.Context, folder string) ([]string, error) {
	root, _, prefix := splitCloud(folder)
	var names []string
	err := s.list(ctx, root, prefix, false, func(file File) bool {
		if name := strings.TrimPrefix(file.Path, root+prefix); name != "" { // the folder's own
			names = append(names, name)
		}
		return len(names) < namesListed
	})
	if err == nil && len(names) == 0 && prefix != "" {
		err = fs.ErrNotExist
	}
	slices.Sort(names)
	return slices.Compact(names), err
}
