package fileio

import (
	"bytes"
	"io/fs"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"tributary/io/fileio/fileiotest"
)

// startS3Front starts a server and a front of it. Kinds of requests are their methods, with what is asked of an object: POST uploads.
func startS3Front(t *testing.T) *front {
	fileiotest.StartS3(t)
	f, address := newFront(t, os.Getenv("AWS_ENDPOINT_URL"), "uploads", "uploadId", "list-type")
	fileiotest.SetS3(t, address)
	return f
}

// slowDown answers as S3 does to too many requests.
func slowDown(w http.ResponseWriter) {
	w.WriteHeader(http.StatusServiceUnavailable)
	_, _ = w.Write([]byte(`<?xml version="1.0"?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>`))
}

func TestS3Healing(t *testing.T) {
	f := startS3Front(t)
	big := bytes.Repeat([]byte("0123456789"), 2*chunkSize/10+1)
	for name, fault := range map[string]faultFunc{
		"slow down": func(_ string, n int, w http.ResponseWriter, _ *http.Request) bool {
			if n <= 3 {
				slowDown(w)
			}
			return n <= 3
		},
		"server errors":     failing(4, 500, 502, 503, 429),
		"connection resets": failing(2, 0),
		"answers that break off": func(kind string, n int, w http.ResponseWriter, r *http.Request) bool {
			// Of an upload whose name is lost nobody knows.
			return kind != "POST uploads" && n <= 2 && f.cutAnswer(w, r, 100, func() {})
		},
	} {
		t.Run(name, func(t *testing.T) {
			f.inject(fault)
			ctx := quick(t, time.Minute)
			everyOperation(t, ctx, "s3://bucket/a", big)
			require.Greater(t, f.requests["POST uploadId"], 1)
			f.inject(nil)
			requireNoUploads(t)
		})
	}
}

func TestS3NeverHealing(t *testing.T) {
	f := startS3Front(t)
	for want, fault := range map[string]faultFunc{
		"SlowDown": func(_ string, _ int, w http.ResponseWriter, _ *http.Request) bool {
			slowDown(w)
			return true
		},
		"connection reset|EOF|closed network connection": failing(1e9, 0),
	} {
		f.inject(fault)
		ctx := quick(t, 60*time.Millisecond)
		for doing, do := range operations(t, ctx, "s3://bucket") {
			err := do()
			require.ErrorContains(t, err, "s3://bucket/", doing)
			require.ErrorContains(t, err, "gave up after", doing)
			if doing != "stat" { // its answer has no body that says more
				require.Regexp(t, want, err.Error(), doing)
			}
			require.NotErrorIs(t, err, fs.ErrNotExist, doing)
		}
	}
}

// TestS3Replaced: two versions are never mixed.
func TestS3Replaced(t *testing.T) {
	f := startS3Front(t)
	ctx := quick(t, time.Minute)
	require.NoError(t, WriteFile(ctx, "s3://bucket/x", bytes.Repeat([]byte("a"), 10_000)))
	f.inject(func(kind string, n int, w http.ResponseWriter, r *http.Request) bool {
		if kind != "GET" || n > 1 {
			return false
		}
		return f.cutAnswer(w, r, 5000, func() {
			assert.NoError(t, WriteFile(ctx, "s3://bucket/x", bytes.Repeat([]byte("b"), 10_000)))
		})
	})
	got, err := ReadFile(ctx, "s3://bucket/x")
	require.ErrorContains(t, err, "read at byte 5000 of s3://bucket/x: it was replaced or removed while it was read")
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.Equal(t, bytes.Repeat([]byte("a"), 5000), got)
}

// TestS3Upload: what comes in parts is there when it is whole, replaces nothing that it may not, and leaves nothing.
func TestS3Upload(t *testing.T) {
	f := startS3Front(t)
	ctx := quick(t, time.Second)
	big := make([]byte, 2*chunkSize+7)

	f.inject(func(kind string, n int, w http.ResponseWriter, r *http.Request) bool {
		if kind != "POST uploadId" || n > 1 {
			return false
		}
		f.Handler.ServeHTTP(discard{}, r) // it is done, and the answer is lost
		slowDown(w)
		return true
	})
	require.NoError(t, WriteFile(ctx, "s3://bucket/x", big))
	is, err := Stat(ctx, "s3://bucket/x")
	require.NoError(t, err)
	require.Equal(t, int64(len(big)), is.Size)

	f.inject(nil)
	require.NoError(t, WriteNew(ctx, "s3://bucket/x", big), "the same is there")
	big[0]++
	require.ErrorIs(t, WriteNew(ctx, "s3://bucket/x", big), fs.ErrExist)
	requireNoUploads(t)

	f.inject(func(kind string, _ int, w http.ResponseWriter, _ *http.Request) bool {
		if kind == "PUT uploadId" && f.requests[kind]%2 == 0 {
			w.WriteHeader(http.StatusForbidden)
			return true
		}
		return false
	})
	err = WriteFile(ctx, "s3://bucket/x", big)
	require.ErrorIs(t, err, fs.ErrPermission)
	require.ErrorContains(t, err, "the credentials in use have no access to bucket bucket")
	f.inject(nil)
	requireNoUploads(t)
	same, err := Stat(ctx, "s3://bucket/x")
	require.NoError(t, err)
	require.Equal(t, is, same)

	_, err = List(ctx, "s3://no-bucket/*")
	require.ErrorContains(t, err, "list s3://no-bucket/: there is no bucket no-bucket")
	require.ErrorIs(t, err, fs.ErrNotExist)
}

// TestS3MoveInParts moves what is too large for one request.
func TestS3MoveInParts(t *testing.T) {
	fileiotest.StartS3(t)
	once, part := copyAtOnce, copyPart
	t.Cleanup(func() { copyAtOnce, copyPart = once, part })
	copyAtOnce, copyPart = 6<<20, 5<<20
	content := bytes.Repeat([]byte("0123456789abcde"), 1<<20)
	require.NoError(t, WriteFile(t.Context(), "s3://bucket/a b", content))
	require.NoError(t, Move(t.Context(), "s3://bucket/a b", "s3://bucket/c"))
	got, err := ReadFile(t.Context(), "s3://bucket/c")
	require.NoError(t, err)
	require.True(t, bytes.Equal(content, got))
	requireNoUploads(t)
}

// TestS3NoRegion is told.
func TestS3NoRegion(t *testing.T) {
	fileiotest.SetS3(t, "")
	t.Setenv("AWS_REGION", "")
	_, err := Open(t.Context(), "s3://bucket/x")
	require.ErrorContains(t, err, "there is no region: set AWS_REGION")
}

func requireNoUploads(t *testing.T) {
	t.Helper()
	c, err := s3Store{}.client()
	require.NoError(t, err)
	out, err := c.ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: aws.String("bucket")})
	require.NoError(t, err)
	require.Empty(t, out.Uploads)
}
