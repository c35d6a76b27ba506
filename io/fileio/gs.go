package fileio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"

	"cloud.google.com/go/storage"
	"github.com/googleapis/gax-go/v2"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/iterator"
	"google.golang.org/api/option"
	apihttp "google.golang.org/api/transport/http"
)

// gs is Google Cloud Storage.
type gs struct{}

var gsClients clients[*storage.Client]

// client returns the client for the address now in STORAGE_EMULATOR_HOST, the real one's being empty.
func (gs) client() (*storage.Client, error) {
	emulator := os.Getenv("STORAGE_EMULATOR_HOST")
	return gsClients.get(emulator, func() (*storage.Client, error) { return gsConnect(emulator) })
}

func gsConnect(emulator string) (*storage.Client, error) {
	access := option.WithScopes(storage.ScopeReadWrite)
	if emulator != "" {
		access = option.WithoutAuthentication()
	}
	base := http.DefaultTransport.(*http.Transport).Clone()
	tune(base)
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
	return c, nil
}

// object returns the handle of a path, and the guard and context of an operation on it.
func (s gs) object(ctx context.Context, path string, resumes bool) (*storage.ObjectHandle, *guard, context.Context, error) {
	c, err := s.client()
	if err != nil {
		return nil, nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	bucket, object, err := objectOf(path)
	if err != nil {
		return nil, nil, nil, err
	}
	g, ctx := newGuard(ctx, resumes)
	return c.Bucket(bucket).Object(object).Retryer(g.gsOptions()...), g, ctx, nil
}

// gsOptions tell the storage client to retry everything this package does: reading,
// listing and removing may be repeated, and so may writing a whole object.
func (g *guard) gsOptions() []storage.RetryOption {
	return []storage.RetryOption{
		storage.WithPolicy(storage.RetryAlways),
		storage.WithBackoff(gax.Backoff{Initial: g.retry.First, Max: g.retry.longest(), Multiplier: 2}),
		storage.WithErrorFunc(func(err error) bool { return storage.ShouldRetry(err) && g.failed() }),
	}
}

func (s gs) stat(ctx context.Context, path string) (File, error) {
	object, g, ctx, err := s.object(ctx, path, false)
	if err != nil {
		return File{}, err
	}
	defer g.cancel(nil)
	attrs, err := object.Attrs(ctx)
	if err != nil {
		return File{}, s.explain("stat", path, g.explain(err))
	}
	return gsFile(path, attrs), nil
}

func (s gs) remove(ctx context.Context, path string) error {
	object, g, ctx, err := s.object(ctx, path, false)
	if err != nil {
		return err
	}
	defer g.cancel(nil)
	return s.explain("remove", path, g.explain(object.Delete(ctx)))
}

// open reads objects as they are stored: one that carries `Content-Encoding: gzip` is
// not unpacked on the way, because then no range of it could be read again.
func (s gs) open(ctx context.Context, path string, offset int64) (io.ReadCloser, error) {
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
		return nil, s.explain("open", path, g.explain(err))
	}
	return &gsReader{path: path, r: r, guard: g, ctx: ctx, at: offset}, nil
}

// gsReader reads one version of an object. The client resumes where it broke off
// and asks for the generation that it began with.
type gsReader struct {
	path  string
	r     *storage.Reader
	guard *guard
	ctx   context.Context
	at    int64
}

func (r *gsReader) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	r.at += int64(n)
	if err == nil || errors.Is(err, io.EOF) {
		return n, err
	}
	if cause := context.Cause(r.ctx); cause != nil {
		err = cause
	}
	err = r.guard.explain(err)
	if errors.Is(err, storage.ErrObjectNotExist) {
		err = cloudReplaced(err)
	}
	return n, gs{}.explain("read at byte "+strconv.FormatInt(r.at, 10)+" of", r.path, err)
}

func (r *gsReader) Close() error {
	r.guard.cancel(nil)
	_ = r.r.Close() // nothing that was read can be lost by it
	return nil
}

func (s gs) list(ctx context.Context, root, prefix string, flat bool, visit func(File) bool) error {
	c, err := s.client()
	if err != nil {
		return fmt.Errorf("%s: %w", root, err)
	}
	q := &storage.Query{Prefix: prefix}
	if !flat {
		q.Delimiter = "/"
	}
	if err := q.SetAttrSelection([]string{"Name", "Size", "Generation"}); err != nil {
		return err
	}
	g, ctx := newGuard(ctx, false)
	defer g.cancel(nil)
	_, bucket, _ := splitCloud(root)
	objects := c.Bucket(bucket).Retryer(g.gsOptions()...).Objects(ctx, q)
	for {
		attrs, err := objects.Next()
		if errors.Is(err, iterator.Done) {
			return nil
		}
		if err != nil {
			return s.explain("list", root+prefix, g.explain(err))
		}
		g.progressed()
		if !visit(gsFile(root+attrs.Prefix+attrs.Name, attrs)) { // one of them is empty
			return nil
		}
	}
}

func (s gs) copy(ctx context.Context, from, to string) error {
	source, g, opCtx, err := s.object(ctx, from, false)
	if err != nil {
		return err
	}
	defer g.cancel(nil)
	target, other, _, err := s.object(ctx, to, false)
	if err != nil {
		return err
	}
	defer other.cancel(nil)
	_, err = target.Retryer(g.gsOptions()...).CopierFrom(source).Run(opCtx)
	return s.explain("move", from, g.explain(err))
}

// replace goes by the object's generation.
func (s gs) replace(ctx context.Context, path string, record []byte, version string) (string, error) {
	object, g, ctx, err := s.object(ctx, path, false)
	if err != nil {
		return "", err
	}
	defer g.cancel(nil)
	w := conditional(object, version).NewWriter(ctx)
	w.ChunkSize = googleapi.MinUploadChunkSize
	w.ContentType = "application/json"
	_, err = w.Write(record)
	if err = errors.Join(err, w.Close()); err == nil {
		return strconv.FormatInt(w.Attrs().Generation, 10), nil
	}
	if replaced(err) {
		return "", errTaken
	}
	return "", s.explain("write", path, g.explain(err))
}

func (s gs) drop(ctx context.Context, path, version string) error {
	object, g, ctx, err := s.object(ctx, path, false)
	if err != nil {
		return err
	}
	defer g.cancel(nil)
	err = conditional(object, version).Delete(ctx)
	if replaced(err) {
		return nil
	}
	return s.explain("remove", path, g.explain(err))
}

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

func gsFile(path string, attrs *storage.ObjectAttrs) File {
	return File{Path: path, ID: path, Size: attrs.Size, Version: strconv.FormatInt(attrs.Generation, 10)}
}

func (gs) explain(doing, path string, err error) error {
	var answer *googleapi.Error
	code := 0
	if errors.As(err, &answer) {
		code = answer.Code
	}
	switch {
	case errors.Is(err, storage.ErrBucketNotExist), code == http.StatusNotFound && strings.Contains(answer.Message+answer.Body, "bucket"):
		return cloudError(doing, path, err, noBucket)
	case errors.Is(err, storage.ErrObjectNotExist), code == http.StatusNotFound:
		return cloudError(doing, path, err, noObject)
	case code == http.StatusForbidden, code == http.StatusUnauthorized:
		return cloudError(doing, path, err, noAccess)
	}
	return cloudError(doing, path, err, otherFault)
}
