// Package fileio is where bytes are: files on local disks and objects of Google
// Cloud Storage, S3 and Azure Blob Storage, found by patterns, read as streams, and written whole or not at all.
//
// A path is local, gs://bucket/object, s3://bucket/object or az://container/object. Everything works alike on all.
//
// Errors name the path. What is missing answers to errors.Is(err, fs.ErrNotExist),
// what may not be touched to fs.ErrPermission. Faults that heal by themselves (rate
// limits, 5xx, timeouts, dropped connections) are retried with backoff, see Retry;
// a reading that breaks off goes on where it was, in the same version of the file.
//
// With STORAGE_EMULATOR_HOST set, gs:// goes to that address without credentials.
// Credentials, region and endpoint of s3:// are those of the AWS SDK: its environment variables and
// shared files. At an endpoint that is set (AWS_ENDPOINT_URL) buckets are named in the path.
// az:// is of the account that AZURE_STORAGE_CONNECTION_STRING names, or AZURE_STORAGE_ACCOUNT with AZURE_STORAGE_KEY or
// AZURE_STORAGE_SAS_TOKEN.
//
//	fileio.go      List, Find, Open, ReadFile, Create, Remove: on any store
//	list.go        what patterns match; glob.go, walk.go: patterns, folders, links; dated.go: dates of folders
//	nomatch.go     what is there instead of what was asked for
//	local.go       the store of the file system; cloud.go: what all object stores share
//	gs.go          Google Cloud Storage; s3.go, s3create.go, s3error.go: S3; az.go, azcreate.go, azerror.go: Azure
//	create.go      files that appear whole or not at all; createlocal.go, gscreate.go: how, on each store
//	cloudread.go   objects that are read on where an answer broke off; parts.go: objects that are written in parts
//	move.go        files that get another name
//	hold.go        a folder that one run has for itself; holdlocal.go, holdcloud.go, lock_unix.go, lock_other.go
//	writable.go    whether files can be created; removeall.go: folders that go with all that is in them
//	text.go        text, which may be compressed
//	retry.go       which faults are waited out, and for how long; transport.go, clouderror.go: those of object stores
package fileio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
)

// File is a file as it was when it was looked at.
type File struct {
	Path string
	// ID is one for all paths of a file, whatever links lead there.
	ID   string
	Size int64 // bytes, as stored
	// Version changes whenever the content may have changed: the time of modification
	// in ns on local disks, the object's generation on Cloud Storage, its ETag on S3 and Azure.
	Version string

	linked bool // its path leads over a link
}

// store is a place where files are. Paths are the full ones, gs://, s3:// or az:// included.
type store interface {
	// walk tells what matches g, in any order, perhaps repeatedly.
	walk(ctx context.Context, g glob, found found) error
	// names lists the entries of a folder, sorted, folders with a final slash; it may
	// stop after some hundreds. A missing folder gives fs.ErrNotExist.
	names(ctx context.Context, folder string) ([]string, error)
	stat(ctx context.Context, path string) (File, error)
	open(ctx context.Context, path string, offset int64) (io.ReadCloser, error)
	// create begins a file; with onlyNew its commit fails with fs.ErrExist if there is one.
	create(ctx context.Context, path string, onlyNew bool) (sink, error)
	remove(ctx context.Context, path string) error
	// removeAll removes a folder with all that is in it.
	removeAll(ctx context.Context, folder string) error
	// move gives a file another name, in place of one that is there.
	move(ctx context.Context, from, to string) error
	// writable tells what is in the way of creating files in a folder.
	writable(ctx context.Context, folder string) error
}

// storeOf returns where path is.
func storeOf(path string) (store, error) {
	scheme, rest, ok := strings.Cut(path, "://")
	switch {
	case path == "":
		return nil, errors.New("a path is empty")
	case !ok || strings.Contains(scheme, "/"):
		return local{}, nil
	case clouds[scheme] == nil:
		return nil, fmt.Errorf("%s: %s:// is not supported: paths are local, gs://bucket/object, s3://bucket/object or az://container/object", path, scheme)
	}
	if bucket, _, _ := strings.Cut(rest, "/"); bucket == "" || strings.ContainsAny(bucket, "*?[{\\") {
		return nil, fmt.Errorf("%s: a %[3]s is named in full: %[2]s://%[3]s/object", path, scheme, bucketWord(path))
	}
	return cloud{clouds[scheme]}, nil
}

// Open opens a file for reading from its start to its end.
func Open(ctx context.Context, path string) (io.ReadCloser, error) { return OpenAt(ctx, path, 0) }

// OpenAt opens a file for reading from offset, in bytes, to its end. An offset at or
// past the end reads nothing.
func OpenAt(ctx context.Context, path string, offset int64) (io.ReadCloser, error) {
	s, err := storeOf(path)
	if err != nil {
		return nil, err
	}
	if offset < 0 {
		return nil, fmt.Errorf("open %s: offset %d is negative", path, offset)
	}
	return s.open(ctx, path, offset)
}

// ReadFile reads a whole file.
func ReadFile(ctx context.Context, path string) ([]byte, error) {
	r, err := Open(ctx, path)
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(r)
	return content, errors.Join(err, r.Close())
}

// WriteFile writes a whole file: it is there whole, or as it was before.
func WriteFile(ctx context.Context, path string, content []byte) error {
	w, err := Create(ctx, path)
	if err != nil {
		return err
	}
	defer w.Abort()
	if _, err := w.Write(content); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return w.Commit()
}

// Stat looks at one file; a folder is not a file.
func Stat(ctx context.Context, path string) (File, error) {
	s, err := storeOf(path)
	if err != nil {
		return File{}, err
	}
	return s.stat(ctx, path)
}

// Exists says whether there is a file of that path.
func Exists(ctx context.Context, path string) (bool, error) {
	_, err := Stat(ctx, path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// Remove removes a file. It is no error if there is none: after a repeated attempt
// one cannot tell who removed it.
func Remove(ctx context.Context, path string) error {
	s, err := storeOf(path)
	if err != nil {
		return err
	}
	if err := s.remove(ctx, path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
