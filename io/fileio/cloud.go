package fileio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"cloud.google.com/go/storage"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/iterator"
	"google.golang.org/api/option"
	apihttp "google.golang.org/api/transport/http"
)

const gsScheme = "gs://"

// cloud is the store of Google Cloud Storage.
type cloud struct{}

// clients keeps a client for each address, the real one's being empty: a client holds
// its connections and credentials for the life of the process.
var clients struct {
	sync.Mutex
	of map[string]*storage.Client
}

// client returns the client for the address now in STORAGE_EMULATOR_HOST.
func client() (*storage.Client, error) {
	emulator := os.Getenv("STORAGE_EMULATOR_HOST")
	clients.Lock()
	defer clients.Unlock()
	if c := clients.of[emulator]; c != nil {
		return c, nil
	}
	access := option.WithScopes(storage.ScopeReadWrite)
	if emulator != "" {
		access = option.WithoutAuthentication()
	}
	base := http.DefaultTransport.(*http.Transport).Clone()
	// One host serves all requests, and slices run side by side.
	base.MaxIdleConnsPerHost = 64
	// From the last byte of the request. Writing a chunk takes the service seconds.
	base.ResponseHeaderTimeout = time.Minute
	// The client outlives the operation it is made for, and so its context.
	ctx := context.Background()
	authorized, err := apihttp.NewTransport(ctx, base, access)
	if err != nil {
		return nil, fmt.Errorf("credentials for Google Cloud Storage: %w", err)
	}
	c, err := storage.NewClient(ctx, option.WithHTTPClient(&http.Client{Transport: transport{authorized}}))
	if err != nil {
		return nil, fmt.Errorf("client for Google Cloud Storage: %w", err)
	}
	if clients.of == nil {
		clients.of = map[string]*storage.Client{}
	}
	clients.of[emulator] = c
	return c, nil
}

func splitCloud(path string) (bucket, object string) {
	bucket, object, _ = strings.Cut(strings.TrimPrefix(path, gsScheme), "/")
	return bucket, object
}

// object returns the handle of a path, and the guard and context of an operation on it.
func (cloud) object(ctx context.Context, path string, resumes bool) (*storage.ObjectHandle, *guard, context.Context, error) {
	c, err := client()
	if err != nil {
		return nil, nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	bucket, object := splitCloud(path)
	if object == "" || strings.HasSuffix(object, "/") {
		return nil, nil, nil, fmt.Errorf("%s: it is a folder, not an object: %w", path, fs.ErrNotExist)
	}
	g, ctx := newGuard(ctx, resumes)
	return c.Bucket(bucket).Object(object).Retryer(g.options()...), g, ctx, nil
}

func (s cloud) stat(ctx context.Context, path string) (File, error) {
	object, g, ctx, err := s.object(ctx, path, false)
	if err != nil {
		return File{}, err
	}
	defer g.cancel(nil)
	attrs, err := object.Attrs(ctx)
	if err != nil {
		return File{}, cloudError("stat", path, g.explain(err))
	}
	return objectFile(path, attrs), nil
}

func (s cloud) remove(ctx context.Context, path string) error {
	object, g, ctx, err := s.object(ctx, path, false)
	if err != nil {
		return err
	}
	defer g.cancel(nil)
	return cloudError("remove", path, g.explain(object.Delete(ctx)))
}

// open reads objects as they are stored: one that carries `Content-Encoding: gzip` is
// not unpacked on the way, because then no range of it could be read again.
func (s cloud) open(ctx context.Context, path string, offset int64) (io.ReadCloser, error) {
	object, g, ctx, err := s.object(ctx, path, true)
	if err != nil {
		return nil, err
	}
	r, err := object.ReadCompressed(true).NewRangeReader(ctx, offset, -1)
	if err != nil {
		defer g.cancel(nil)
		var answer *googleapi.Error
		if errors.As(err, &answer) && answer.Code == http.StatusRequestedRangeNotSatisfiable {
			return io.NopCloser(strings.NewReader("")), nil // the offset is at the end
		}
		return nil, cloudError("open", path, g.explain(err))
	}
	return &cloudReader{path: path, r: r, guard: g, ctx: ctx, at: offset}, nil
}

// cloudReader reads one version of an object. The client resumes where it broke off
// and asks for the generation that it began with.
type cloudReader struct {
	path  string
	r     *storage.Reader
	guard *guard
	ctx   context.Context
	at    int64
}

func (c *cloudReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.at += int64(n)
	if err == nil || errors.Is(err, io.EOF) {
		return n, err
	}
	if cause := context.Cause(c.ctx); cause != nil {
		err = cause
	}
	err = c.guard.explain(err)
	if errors.Is(err, storage.ErrObjectNotExist) {
		err = fmt.Errorf("it was replaced or removed while it was read: %w", err)
	}
	return n, cloudError("read at byte "+strconv.FormatInt(c.at, 10)+" of", c.path, err)
}

func (c *cloudReader) Close() error {
	c.guard.cancel(nil)
	_ = c.r.Close() // nothing that was read can be lost by it
	return nil
}

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
	return s.list(ctx, g.root, &storage.Query{Prefix: prefix}, func(attrs *storage.ObjectAttrs) bool {
		if names := strings.Split(attrs.Name, "/"); match(g.parts, names) || match(within, names) {
			found.file(objectFile(g.root+attrs.Name, attrs))
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

// list calls visit for the objects and folders of a query until it returns false.
// Objects with a final slash are left out: consoles make them to show empty folders.
func (s cloud) list(ctx context.Context, root string, q *storage.Query, visit func(*storage.ObjectAttrs) bool) error {
	c, err := client()
	if err != nil {
		return fmt.Errorf("%s: %w", root, err)
	}
	if err := q.SetAttrSelection([]string{"Name", "Size", "Generation"}); err != nil {
		return err
	}
	g, ctx := newGuard(ctx, false)
	defer g.cancel(nil)
	bucket, _ := splitCloud(root)
	objects := c.Bucket(bucket).Retryer(g.options()...).Objects(ctx, q)
	for {
		attrs, err := objects.Next()
		if errors.Is(err, iterator.Done) {
			return nil
		}
		if err != nil {
			return cloudError("list", root+q.Prefix, g.explain(err))
		}
		g.progressed()
		if !strings.HasSuffix(attrs.Name, "/") && !visit(attrs) {
			return nil
		}
	}
}

// namesListed bounds the names of one folder: they serve to show what is there.
const namesListed = 1000

func (s cloud) names(ctx context.Context, folder string) ([]string, error) {
	_, prefix := splitCloud(folder)
	var names []string
	err := s.list(ctx, folder, &storage.Query{Prefix: prefix, Delimiter: "/"}, func(attrs *storage.ObjectAttrs) bool {
		names = append(names, strings.TrimPrefix(attrs.Name+attrs.Prefix, prefix)) // one of them is empty
		return len(names) < namesListed
	})
	if err == nil && len(names) == 0 && prefix != "" {
		err = fs.ErrNotExist
	}
	slices.Sort(names)
	return names, err
}

func objectFile(path string, attrs *storage.ObjectAttrs) File {
	return File{Path: path, ID: path, Size: attrs.Size, Version: strconv.FormatInt(attrs.Generation, 10)}
}
