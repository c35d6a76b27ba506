package fileio

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// quick retries without waiting long, and gives up early.
func quick(t *testing.T, bound time.Duration) context.Context {
	return WithRetry(t.Context(), Retry{Bound: bound, First: time.Millisecond, Stall: 50 * time.Millisecond})
}

type faultFunc = func(kind string, n int, w http.ResponseWriter, r *http.Request) bool

// failing makes the first requests of each kind fail: with a status, or 0 for a reset.
func failing(requests int, statuses ...int) faultFunc {
	return func(_ string, n int, w http.ResponseWriter, _ *http.Request) bool {
		if n > requests {
			return false
		}
		if status := statuses[(n-1)%len(statuses)]; status != 0 {
			answer(w, status, "not now")
		} else {
			reset(w)
		}
		return true
	}
}

// everyOperation does all there is to do in a folder.
func everyOperation(t *testing.T, ctx context.Context, folder string, big []byte) {
	t.Helper()
	for _, content := range [][]byte{[]byte("small"), big} { // in one request, and in chunks
		w, err := Create(ctx, folder+"/b")
		require.NoError(t, err)
		_, err = w.Write(content)
		require.NoError(t, err)
		require.NoError(t, w.Commit())
		got, err := ReadFile(ctx, folder+"/b")
		require.NoError(t, err)
		require.True(t, bytes.Equal(content, got))
	}
	files, err := List(ctx, folder+"/*")
	require.NoError(t, err)
	require.Len(t, files, 1)
	_, err = Stat(ctx, folder+"/b")
	require.NoError(t, err)
	require.NoError(t, Remove(ctx, folder+"/b"))
}

func TestHealing(t *testing.T) {
	big := bytes.Repeat([]byte("0123456789"), chunkSize/10+1)
	for name, fault := range map[string]faultFunc{
		"rate limit":          failing(3, 429),
		"server errors":       failing(4, 500, 502, 503, 504),
		"request timeout":     failing(1, 408),
		"connection resets":   failing(2, 0),
		"a bit of everything": failing(5, 0, 429, 503),
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeCloud(t)
			f.fault = fault
			everyOperation(t, quick(t, time.Minute), "gs://bucket/a", big)
		})
	}
}

// operations are one of each kind, in a bucket.
func operations(t *testing.T, ctx context.Context, bucket string) map[string]func() error {
	return map[string]func() error{
		"open":   func() error { _, err := Open(ctx, bucket+"/x"); return err },
		"stat":   func() error { _, err := Stat(ctx, bucket+"/x"); return err },
		"list":   func() error { _, err := List(ctx, bucket+"/*"); return err },
		"remove": func() error { return Remove(ctx, bucket+"/x") },
		"write": func() error {
			w, err := Create(ctx, bucket+"/x")
			require.NoError(t, err)
			_, err = w.Write([]byte("x"))
			require.NoError(t, err)
			return w.Commit()
		},
		"write much": func() error {
			w, err := Create(ctx, bucket+"/x")
			require.NoError(t, err)
			_, err = w.Write(make([]byte, 2*chunkSize))
			return errors.Join(err, w.Commit())
		},
	}
}

func TestNeverHealing(t *testing.T) {
	for name, c := range map[string]struct {
		fault faultFunc
		want  string
	}{
		"rate limit":   {failing(1e9, 429), "429"},
		"server error": {failing(1e9, 503), "503"},
		"reset":        {failing(1e9, 0), "connection reset|EOF|closed network connection"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeCloud(t)
			f.fault = c.fault
			ctx := quick(t, 60*time.Millisecond)
			for doing, do := range operations(t, ctx, "gs://bucket") {
				begin := time.Now()
				err := do()
				require.ErrorContains(t, err, "gs://bucket/", doing)
				require.ErrorContains(t, err, "gave up after", doing)
				require.Regexp(t, c.want, err.Error(), doing)
				require.NotErrorIs(t, err, fs.ErrNotExist, doing)
				require.GreaterOrEqual(t, time.Since(begin), 60*time.Millisecond, doing)
				require.Less(t, time.Since(begin), 20*time.Second, doing)
			}
		})
	}
}

// What cannot heal is told at once.
func TestHopeless(t *testing.T) {
	for _, c := range []struct {
		status     int
		kind       error
		want, path string
	}{
		{404, fs.ErrNotExist, "open gs://bucket/x: ", "gs://bucket/x"},
		{404, fs.ErrNotExist, "gs://no-bucket/x: ", "gs://no-bucket/x"},
		{403, fs.ErrPermission, "open gs://bucket/x: the credentials in use have no access to bucket bucket: ", "gs://bucket/x"},
		{401, fs.ErrPermission, "open gs://bucket/x: the credentials in use have no access to bucket bucket: ", "gs://bucket/x"},
		{400, nil, "open gs://bucket/x: ", "gs://bucket/x"},
	} {
		f := newFakeCloud(t)
		f.fault = failing(1e9, c.status)
		ctx := t.Context() // with the waits as they are by default
		_, err := Open(ctx, c.path)
		require.ErrorContains(t, err, c.want)
		if c.kind != nil {
			require.ErrorIs(t, err, c.kind)
		}
		require.Equal(t, 1, f.count("get"))
		_, err = Stat(ctx, c.path)
		require.Error(t, err)
		require.Equal(t, 1, f.count("stat"))
		w, err := Create(ctx, c.path)
		require.NoError(t, err)
		require.ErrorContains(t, w.Commit(), c.path)
		require.Equal(t, 1, f.count("insert"))
	}
	newFakeCloud(t)
	_, err := List(t.Context(), "gs://no-bucket/*")
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorContains(t, err, "list gs://no-bucket/: there is no bucket no-bucket")
}

func TestBadPaths(t *testing.T) {
	for path, want := range map[string]string{
		"":                          "a path is empty",
		"hdfs://b/x":                "hdfs://b/x: hdfs:// is not supported: paths are local, gs://bucket/object, s3://bucket/object or az://container/object",
		"az://c*/x":                 "az://c*/x: a container is named in full: az://container/object",
		"gs://":                     "gs://: a bucket is named in full: gs://bucket/object",
		"gs://b*/x":                 "gs://b*/x: a bucket is named in full: gs://bucket/object",
		"[a":                        "pattern [a: brackets or braces are not closed",
		"{a,b":                      "pattern {a,b: brackets or braces are not closed",
		strings.Repeat("{a,b}", 13): "pattern " + strings.Repeat("{a,b}", 13) + ": its braces make more than 4096 patterns",
	} {
		_, err := List(t.Context(), path)
		require.EqualError(t, err, want)
	}
	for _, do := range []func(string) error{
		func(p string) error { _, err := Open(t.Context(), p); return err },
		func(p string) error { _, err := Stat(t.Context(), p); return err },
		func(p string) error { _, err := Create(t.Context(), p); return err },
		func(p string) error { return Remove(t.Context(), p) },
	} {
		require.ErrorContains(t, do("hdfs://b/x"), "not supported")
		require.ErrorContains(t, do(""), "empty")
	}
	newFakeCloud(t)
	_, err := Open(t.Context(), "gs://bucket/folder/")
	require.ErrorContains(t, err, "it is a folder")
	_, err = Open(t.Context(), "gs://bucket")
	require.ErrorContains(t, err, "it is a folder")
}

// A reading that breaks off goes on where it was.
func TestResume(t *testing.T) {
	f := newFakeCloud(t)
	content := bytes.Repeat([]byte("0123456789"), 1000)
	f.put("x", content)
	f.fault = func(_ string, n int, w http.ResponseWriter, r *http.Request) bool {
		switch {
		case n <= 3:
			return f.cut(w, r, 2500)
		case n == 4:
			answer(w, 503, "not now")
			return true
		default:
			return false
		}
	}
	r, err := OpenAt(quick(t, time.Minute), "gs://bucket/x", 1000)
	require.NoError(t, err)
	got, err := io.ReadAll(r)
	require.NoError(t, err)
	require.NoError(t, r.Close())
	require.True(t, bytes.Equal(content[1000:], got))
	require.Equal(t, []string{"bytes=1000-@", "bytes=3500-@1001", "bytes=6000-@1001", "bytes=8500-@1001", "bytes=8500-@1001"}, f.ranges)
}

// Two versions must never be mixed.
func TestResumeAfterReplacement(t *testing.T) {
	f := newFakeCloud(t)
	f.put("x", bytes.Repeat([]byte("a"), 10_000))
	f.fault = func(_ string, n int, w http.ResponseWriter, r *http.Request) bool {
		if n > 1 {
			return false
		}
		f.cut(w, r, 5000)
		f.put("x", bytes.Repeat([]byte("b"), 10_000))
		return true
	}
	got, err := ReadFile(quick(t, time.Minute), "gs://bucket/x")
	require.ErrorContains(t, err, "read at byte 5000 of gs://bucket/x: it was replaced or removed while it was read")
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.Equal(t, bytes.Repeat([]byte("a"), 5000), got)
}

// A body that breaks off before its first byte, again and again, ends in an error,
// and is not asked for at full speed.
func TestNeverResuming(t *testing.T) {
	f := newFakeCloud(t)
	f.put("x", make([]byte, 10_000))
	f.fault = func(_ string, n int, w http.ResponseWriter, r *http.Request) bool {
		if n == 1 {
			return f.cut(w, r, 4000)
		}
		return f.cut(w, r, 0)
	}
	ctx := WithRetry(t.Context(), Retry{Bound: 200 * time.Millisecond, First: 20 * time.Millisecond})
	got, err := ReadFile(ctx, "gs://bucket/x")
	require.Len(t, got, 4000)
	require.ErrorContains(t, err, "read at byte 4000 of gs://bucket/x: gave up after")
	require.Regexp(t, "unexpected EOF|connection reset", err.Error())
	require.Less(t, f.count("get"), 30)
}

// A response that brings nothing for long is taken for dead.
func TestStall(t *testing.T) {
	f := newFakeCloud(t)
	content := bytes.Repeat([]byte("0123456789"), 1000)
	f.put("x", content)
	f.fault = func(_ string, n int, w http.ResponseWriter, r *http.Request) bool {
		if n > 2 {
			return false
		}
		w.Header().Set("X-Goog-Generation", "1001")
		w.Header().Set("Content-Length", "10000")
		if n == 1 {
			_, _ = w.Write(content[:3000])
		} else {
			w.Header().Set("Content-Range", "bytes 3000-9999/10000")
			w.Header().Set("Content-Length", "7000")
			w.WriteHeader(http.StatusPartialContent)
		}
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		return true
	}
	got, err := ReadFile(quick(t, time.Minute), "gs://bucket/x")
	require.NoError(t, err)
	require.True(t, bytes.Equal(content, got))
	require.Equal(t, 3, f.count("get"))
}

// Cancelling ends the waiting.
func TestCancelWhileRetrying(t *testing.T) {
	f := newFakeCloud(t)
	ctx, cancel := context.WithCancel(WithRetry(t.Context(), Retry{First: time.Hour}))
	f.fault = func(_ string, _ int, w http.ResponseWriter, _ *http.Request) bool {
		answer(w, 503, "not now")
		cancel()
		return true
	}
	_, err := Open(ctx, "gs://bucket/x")
	require.ErrorIs(t, err, context.Canceled)

	f.put("x", make([]byte, 100))
	ctx, cancel = context.WithCancel(WithRetry(t.Context(), Retry{First: time.Hour}))
	f.fault = func(_ string, _ int, w http.ResponseWriter, r *http.Request) bool {
		f.cut(w, r, 0)
		time.AfterFunc(20*time.Millisecond, cancel)
		return true
	}
	_, err = ReadFile(ctx, "gs://bucket/x")
	require.ErrorIs(t, err, context.Canceled)
}
