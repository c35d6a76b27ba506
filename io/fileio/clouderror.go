package fileio

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"

	"cloud.google.com/go/storage"
	"google.golang.org/api/googleapi"
)

// cloudError says in words what a request for path came to. The answers that users
// can do something about also get an error of package fs to branch on.
func cloudError(doing, path string, err error) error {
	if err == nil {
		return nil
	}
	bucket, _ := splitCloud(path)
	var answer *googleapi.Error
	code := 0
	if errors.As(err, &answer) {
		code = answer.Code
	}
	switch {
	case errors.Is(err, storage.ErrBucketNotExist), code == http.StatusNotFound && strings.Contains(answer.Message+answer.Body, "bucket"):
		return fmt.Errorf("%s %s: there is no bucket %s: %w", doing, path, bucket, &kindError{fs.ErrNotExist, err})
	case errors.Is(err, storage.ErrObjectNotExist), code == http.StatusNotFound:
		return fmt.Errorf("%s %s: %w", doing, path, &kindError{fs.ErrNotExist, err})
	case code == http.StatusForbidden, code == http.StatusUnauthorized:
		return fmt.Errorf("%s %s: the credentials in use have no access to bucket %s: %w", doing, path, bucket, &kindError{fs.ErrPermission, err})
	default:
		return fmt.Errorf("%s %s: %w", doing, path, err)
	}
}

// kindError reads as err and also answers to errors.Is(_, kind).
type kindError struct{ kind, err error }

func (e *kindError) Error() string   { return strings.TrimSpace(e.err.Error()) }
func (e *kindError) Unwrap() []error { return []error{e.kind, e.err} }
