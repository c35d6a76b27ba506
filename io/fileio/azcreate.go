package fileio

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io/fs"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
)

// azSink writes what is smaller than a block in one request, and larger objects in blocks, which nobody sees until
// their list is committed. What is not committed the service forgets after a week.
type azSink struct {
	*azObject
	partWriter

	onlyNew bool
	upload  *azUpload
}

func (s azStore) create(ctx context.Context, path string, onlyNew bool) (sink, error) {
	o, err := s.object(ctx, path, false)
	if err != nil {
		return nil, err
	}
	sink := &azSink{azObject: o, onlyNew: onlyNew, upload: newAzUpload(o)}
	// Twice as large every 8000 blocks: the 50,000 that an object may have are 5 TiB.
	sink.partWriter = partWriter{doubling: 8000, send: sink.upload.stage}
	return sink, nil
}

func (s *azSink) commit() (version string, err error) {
	defer s.guard.cancel(nil)
	if s.sent == 0 {
		in := &blockblob.UploadOptions{HTTPHeaders: azHeaders(objectType)}
		if s.onlyNew {
			in.AccessConditions = azIfNew()
		}
		if version, err = s.put(in, s.held); err != nil {
			return "", s.failed(err, s.onlyNew)
		}
		return version, nil
	}
	if len(s.held) > 0 {
		if err := s.flush(); err != nil {
			return "", err
		}
	}
	return s.upload.commit(s.onlyNew)
}

func (s *azSink) abort() { s.guard.cancel(nil) }

func azHeaders(contentType string) *blob.HTTPHeaders {
	return &blob.HTTPHeaders{BlobContentType: &contentType}
}

// put writes the object in one request, with a checksum that the service holds the bytes against.
func (o *azObject) put(in *blockblob.UploadOptions, content []byte) (version string, err error) {
	in.TransactionalValidation = blob.TransferValidationTypeComputeCRC64()
	out, err := o.Upload(o.ctx, streaming.NopCloser(bytes.NewReader(content)), in)
	if err != nil {
		return "", err
	}
	return azVersion(out.ETag), nil
}

// failed explains why an object did not come to be.
func (o *azObject) failed(err error, onlyNew bool) error {
	if onlyNew && azNotMet(err) {
		return fmt.Errorf("write %s: %w", o.path, &kindError{fs.ErrExist, azLine(err)})
	}
	if bloberror.HasCode(err, bloberror.InvalidBlockList) {
		err = fmt.Errorf("another writer has written it meanwhile: %w", err)
	}
	return azError("write", o.path, o.guard.explain(err))
}

// azUpload is an object that comes in blocks. Other writers of it may have some, too, and whoever commits drops those of all others:
// names of blocks are an upload's own, and of one length, as the service wants it.
type azUpload struct {
	*azObject
	mark   string // by which the object is known as this upload's
	blocks []string
}

// azMark is the name of the mark in an object's metadata.
const azMark = "tributarywrite"

func newAzUpload(o *azObject) *azUpload { return &azUpload{azObject: o, mark: rand.Text()} }

// next names the next block.
func (u *azUpload) next() string {
	name := base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32([]byte(u.mark), uint32(len(u.blocks))))
	u.blocks = append(u.blocks, name)
	return name
}

// stage sends a block, with a checksum.
func (u *azUpload) stage(block []byte) error {
	_, err := u.StageBlock(u.ctx, u.next(), streaming.NopCloser(bytes.NewReader(block)), &blockblob.StageBlockOptions{
		TransactionalValidation: blob.TransferValidationTypeComputeCRC64(),
	})
	if err != nil {
		return azError("write", u.path, u.guard.explain(err))
	}
	u.guard.progressed()
	return nil
}

// commit makes the object of the blocks, at once.
func (u *azUpload) commit(onlyNew bool) (version string, err error) {
	in := &blockblob.CommitBlockListOptions{HTTPHeaders: azHeaders(objectType), Metadata: map[string]*string{azMark: &u.mark}}
	if onlyNew {
		in.AccessConditions = azIfNew()
	}
	out, err := u.CommitBlockList(u.ctx, u.blocks, in)
	if err == nil {
		return azVersion(out.ETag), nil
	}
	// It may have come to be: an answer that was lost, and the request made again.
	if azNotMet(err) || bloberror.HasCode(err, bloberror.InvalidBlockList) {
		if is, headErr := u.GetProperties(u.ctx, nil); headErr == nil && azNoted(is.Metadata, azMark) == u.mark {
			return azVersion(is.ETag), nil
		}
	}
	return "", u.failed(err, onlyNew)
}

// replace goes by the object's ETag.
func (s azStore) replace(ctx context.Context, path string, record []byte, version string) (string, error) {
	o, err := s.object(ctx, path, false)
	if err != nil {
		return "", err
	}
	defer o.guard.cancel(nil)
	in := &blockblob.UploadOptions{HTTPHeaders: azHeaders("application/json")}
	if in.AccessConditions = azIfNew(); version != "" {
		in.AccessConditions = azIfMatch(version)
	}
	now, err := o.put(in, record)
	if err == nil {
		return now, nil
	}
	if azNotMet(err) || version != "" && bloberror.HasCode(err, bloberror.BlobNotFound) {
		return "", errTaken // another's, or removed
	}
	return "", azError("write", path, o.guard.explain(err))
}
