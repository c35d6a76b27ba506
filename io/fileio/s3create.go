package fileio

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io/fs"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// s3Sink writes what is smaller than a part in one request, and larger objects in parts, which nobody sees until
// the upload is completed.
type s3Sink struct {
	*s3Object
	partWriter

	onlyNew bool
	upload  *s3Upload // nil before the first part
}

func (s s3Store) create(ctx context.Context, path string, onlyNew bool) (sink, error) {
	o, err := s.object(ctx, path, false)
	if err != nil {
		return nil, err
	}
	sink := &s3Sink{s3Object: o, onlyNew: onlyNew}
	// Twice as large every 1000 parts: the 10,000 that an object may have are more than the 5 TiB that it may have.
	sink.partWriter = partWriter{doubling: 1000, send: sink.sendPart}
	return sink, nil
}

func (s *s3Sink) sendPart(part []byte) (err error) {
	if s.upload == nil {
		if s.upload, err = s.begin(); err != nil {
			return err
		}
	}
	number := aws.Int32(int32(len(s.upload.parts) + 1))
	out, err := s.UploadPart(s.ctx, &s3.UploadPartInput{
		Bucket: s.bucket, Key: s.key, UploadId: s.upload.id, PartNumber: number, Body: bytes.NewReader(part),
	}, s.guard.s3Options)
	if err != nil {
		return s3Error("write", s.path, s.guard.explain(err))
	}
	s.guard.progressed()
	s.upload.parts = append(s.upload.parts, types.CompletedPart{PartNumber: number, ETag: out.ETag})
	return nil
}

func (s *s3Sink) commit() (version string, err error) {
	defer s.guard.cancel(nil)
	if s.upload == nil {
		in := &s3.PutObjectInput{ContentType: aws.String(objectType)}
		if s.onlyNew {
			in.IfNoneMatch = aws.String("*")
		}
		if version, err = s.put(in, s.held); err != nil {
			return "", s.failed(err, s.onlyNew)
		}
		return version, nil
	}
	if len(s.held) > 0 {
		if err := s.flush(); err != nil {
			s.upload.abort()
			return "", err
		}
	}
	return s.upload.complete(s.onlyNew)
}

func (s *s3Sink) abort() {
	s.guard.cancel(nil)
	if s.upload != nil {
		s.upload.abort()
	}
}

// put writes the object in one request.
func (o *s3Object) put(in *s3.PutObjectInput, content []byte) (version string, err error) {
	in.Bucket, in.Key, in.Body = o.bucket, o.key, bytes.NewReader(content)
	out, err := o.PutObject(o.ctx, in, o.guard.s3Options)
	if err != nil {
		return "", err
	}
	return s3Version(out.ETag), nil
}

// failed explains why an object did not come to be.
func (o *s3Object) failed(err error, onlyNew bool) error {
	if onlyNew && s3Status(err) == http.StatusPreconditionFailed {
		return fmt.Errorf("write %s: %w", o.path, &kindError{fs.ErrExist, err})
	}
	return s3Error("write", o.path, o.guard.explain(err))
}

// s3Upload is an object that comes in parts.
type s3Upload struct {
	*s3Object
	id    *string
	mark  string // by which the object is known as this upload's
	parts []types.CompletedPart
}

const s3Mark = "tributary-write"

func (o *s3Object) begin() (*s3Upload, error) {
	u := &s3Upload{s3Object: o, mark: rand.Text()}
	out, err := o.CreateMultipartUpload(o.ctx, &s3.CreateMultipartUploadInput{
		Bucket: o.bucket, Key: o.key, ContentType: aws.String(objectType), Metadata: map[string]string{s3Mark: u.mark},
	}, o.guard.s3Options)
	if err != nil {
		return nil, s3Error("write", o.path, o.guard.explain(err))
	}
	u.id = out.UploadId
	return u, nil
}

// complete makes the object of the parts, at once.
func (u *s3Upload) complete(onlyNew bool) (version string, err error) {
	in := &s3.CompleteMultipartUploadInput{
		Bucket: u.bucket, Key: u.key, UploadId: u.id, MultipartUpload: &types.CompletedMultipartUpload{Parts: u.parts},
	}
	if onlyNew {
		in.IfNoneMatch = aws.String("*")
	}
	out, err := u.CompleteMultipartUpload(u.ctx, in, u.guard.s3Options)
	if err == nil {
		return s3Version(out.ETag), nil
	}
	// It may have come to be: an answer that was lost, and the request made again.
	if status := s3Status(err); status == http.StatusNotFound || status == http.StatusPreconditionFailed {
		head, headErr := u.HeadObject(u.ctx, &s3.HeadObjectInput{Bucket: u.bucket, Key: u.key}, u.guard.s3Options)
		if headErr == nil && head.Metadata[s3Mark] == u.mark {
			return s3Version(head.ETag), nil
		}
	}
	u.abort()
	return "", u.failed(err, onlyNew)
}

// abortWithin bounds the giving up of an upload, after whatever made it necessary.
const abortWithin = 10 * time.Second

// abort gives the parts up. Those of a process that is killed stay until a rule of the bucket removes them; nobody
// sees them.
func (u *s3Upload) abort() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(u.ctx), abortWithin)
	defer cancel()
	_, _ = u.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: u.bucket, Key: u.key, UploadId: u.id})
}

// replace goes by the object's ETag.
func (s s3Store) replace(ctx context.Context, path string, record []byte, version string) (string, error) {
	o, err := s.object(ctx, path, false)
	if err != nil {
		return "", err
	}
	defer o.guard.cancel(nil)
	in := &s3.PutObjectInput{ContentType: aws.String("application/json")}
	if version == "" {
		in.IfNoneMatch = aws.String("*")
	} else {
		in.IfMatch = s3ETag(version)
	}
	now, err := o.put(in, record)
	if err == nil {
		return now, nil
	}
	if code := s3Code(err); s3Status(err) == http.StatusPreconditionFailed || version != "" && code == "NoSuchKey" {
		return "", errTaken // another's, or removed
	}
	return "", s3Error("write", path, o.guard.explain(err))
}
