package fileio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go/logging"
)

// s3Store is Amazon S3, and what speaks as it does.
type s3Store struct{}

// s3Env are the variables that say which S3 is meant, by whom.
var s3Env = []string{
	"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ACCESS_KEY_ID",
	"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE",
}

var s3Clients clients[*s3.Client]

// client returns the client for what the variables say now.
func (s3Store) client() (*s3.Client, error) {
	var setting strings.Builder
	for _, name := range s3Env {
		setting.WriteString(os.Getenv(name) + "\x00")
	}
	return s3Clients.get(setting.String(), s3Connect)
}

func s3Connect() (*s3.Client, error) {
	// The client outlives the operation it is made for, and so its context.
	conf, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		return nil, fmt.Errorf("settings for S3: %w", err)
	}
	base := awshttp.NewBuildableClient()
	if built, ok := conf.HTTPClient.(*awshttp.BuildableClient); ok {
		base = built // with AWS_CA_BUNDLE
	}
	connections := base.GetTransport()
	tune(connections)
	c := s3.NewFromConfig(conf, func(o *s3.Options) {
		o.HTTPClient = &http.Client{
			Transport:     transport{connections},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
		// Servers of one's own have one name.
		if o.UsePathStyle = o.BaseEndpoint != nil; o.UsePathStyle && o.Region == "" {
			o.Region = "us-east-1"
		}
		o.Logger = logging.Nop{} // what matters is in errors
		o.DisableLogOutputChecksumValidationSkipped = true
	})
	if c.Options().Region == "" {
		return nil, errors.New("settings for S3: there is no region: set AWS_REGION, or region in the shared config file")
	}
	return c, nil
}

// s3Object is an object while something is done with it.
type s3Object struct {
	*s3.Client
	path        string
	bucket, key *string
	guard       *guard
	ctx         context.Context
}

// object returns what an operation on a path needs; its guard is to be cancelled.
func (s s3Store) object(ctx context.Context, path string, resumes bool) (*s3Object, error) {
	bucket, key, err := objectOf(path)
	if err != nil {
		return nil, err
	}
	c, err := s.client()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	g, ctx := newGuard(ctx, resumes)
	return &s3Object{Client: c, path: path, bucket: &bucket, key: &key, guard: g, ctx: ctx}, nil
}

func (s s3Store) stat(ctx context.Context, path string) (File, error) {
	o, err := s.object(ctx, path, false)
	if err != nil {
		return File{}, err
	}
	defer o.guard.cancel(nil)
	head, err := o.HeadObject(o.ctx, &s3.HeadObjectInput{Bucket: o.bucket, Key: o.key}, o.guard.s3Options)
	if err != nil {
		return File{}, s3Error("stat", path, o.guard.explain(err))
	}
	return s3File(path, head.ContentLength, head.ETag), nil
}

func (s s3Store) remove(ctx context.Context, path string) error { return s.drop(ctx, path, "") }

// drop removes an object that is of a version, if one is given. The service tells of no object that was not there.
func (s s3Store) drop(ctx context.Context, path, version string) error {
	o, err := s.object(ctx, path, false)
	if err != nil {
		return err
	}
	defer o.guard.cancel(nil)
	in := &s3.DeleteObjectInput{Bucket: o.bucket, Key: o.key}
	if version != "" {
		in.IfMatch = s3ETag(version)
	}
	_, err = o.DeleteObject(o.ctx, in, o.guard.s3Options)
	if version != "" && s3Status(err) == http.StatusPreconditionFailed {
		return nil
	}
	return s3Error("remove", path, o.guard.explain(err))
}

// list asks for 1000 names at a time.
func (s s3Store) list(ctx context.Context, root, prefix string, flat bool, visit func(File) bool) error {
	c, err := s.client()
	if err != nil {
		return fmt.Errorf("%s: %w", root, err)
	}
	g, ctx := newGuard(ctx, false)
	defer g.cancel(nil)
	_, bucket, _ := splitCloud(root)
	in := &s3.ListObjectsV2Input{Bucket: &bucket, Prefix: &prefix}
	if !flat {
		in.Delimiter = aws.String("/")
	}
	for pages := s3.NewListObjectsV2Paginator(c, in); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx, g.s3Options)
		if err != nil {
			return s3Error("list", root+prefix, g.explain(err))
		}
		g.progressed()
		for _, object := range page.Contents {
			if !visit(s3File(root+aws.ToString(object.Key), object.Size, object.ETag)) {
				return nil
			}
		}
		for _, folder := range page.CommonPrefixes {
			if !visit(File{Path: root + aws.ToString(folder.Prefix)}) {
				return nil
			}
		}
	}
	return nil
}

func s3File(path string, size *int64, etag *string) File {
	return File{Path: path, ID: path, Size: aws.ToInt64(size), Version: s3Version(etag)}
}

// s3Version is an object's ETag without its quotes.
func s3Version(etag *string) string { return strings.Trim(aws.ToString(etag), `"`) }

func s3ETag(version string) *string { return aws.String(`"` + version + `"`) }

func (s s3Store) open(ctx context.Context, path string, offset int64) (io.ReadCloser, error) {
	o, err := s.object(ctx, path, true)
	if err != nil {
		return nil, err
	}
	var etag *string // of the version that is read
	r := &resumingReader{
		path: path, guard: o.guard, ctx: o.ctx, at: offset, brokeOff: s3BrokeOff, status: s3Status, explain: s3Error,
		begin: func(at int64) (io.ReadCloser, error) {
			in := &s3.GetObjectInput{Bucket: o.bucket, Key: o.key, IfMatch: etag}
			if at > 0 {
				in.Range = aws.String("bytes=" + strconv.FormatInt(at, 10) + "-")
			}
			out, err := o.GetObject(o.ctx, in, o.guard.s3Options)
			if err != nil {
				return nil, err
			}
			etag = out.ETag
			return out.Body, nil
		},
	}
	return r.open()
}

// copyAtOnce is the largest object that the service copies in one request, and copyPart how much of a larger one it
// does; variables for tests.
var copyAtOnce, copyPart int64 = 5 << 30, 1 << 30

func (s s3Store) copy(ctx context.Context, from, to string) error {
	file, err := s.stat(ctx, from)
	if err != nil {
		return err
	}
	fromBucket, fromKey, err := objectOf(from)
	if err != nil {
		return err
	}
	source := aws.String(url.PathEscape(fromBucket) + "/" + strings.ReplaceAll(url.PathEscape(fromKey), "%2F", "/"))
	match := s3ETag(file.Version)
	if file.Size > copyAtOnce {
		return s.copyParts(ctx, file, to, source, match)
	}
	o, err := s.object(ctx, to, false)
	if err != nil {
		return err
	}
	defer o.guard.cancel(nil)
	_, err = o.CopyObject(o.ctx, &s3.CopyObjectInput{Bucket: o.bucket, Key: o.key, CopySource: source, CopySourceIfMatch: match}, o.guard.s3Options)
	return s3Error("move", from, o.guard.explain(err))
}

func (s s3Store) copyParts(ctx context.Context, file File, to string, source, match *string) error {
	o, err := s.object(ctx, to, false)
	if err != nil {
		return err
	}
	defer o.guard.cancel(nil)
	u, err := o.begin()
	if err != nil {
		return err
	}
	for at := int64(0); at < file.Size; at += copyPart {
		number := aws.Int32(int32(len(u.parts) + 1))
		out, err := o.UploadPartCopy(o.ctx, &s3.UploadPartCopyInput{
			Bucket: o.bucket, Key: o.key, UploadId: u.id, PartNumber: number, CopySource: source, CopySourceIfMatch: match,
			CopySourceRange: aws.String(fmt.Sprintf("bytes=%d-%d", at, min(at+copyPart, file.Size)-1)),
		}, o.guard.s3Options)
		if err != nil {
			u.abort()
			return s3Error("move", file.Path, o.guard.explain(err))
		}
		o.guard.progressed()
		u.parts = append(u.parts, types.CompletedPart{PartNumber: number, ETag: out.CopyPartResult.ETag})
	}
	_, err = u.complete(false)
	return err
}
