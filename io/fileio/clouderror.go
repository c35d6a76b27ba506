package fileio

import (
	"fmt"
	"io/fs"
	"strings"
)

// fault is what users can do something about.
type fault int

const (
	otherFault fault = iota
	noObject
	noBucket
	noAccess
)

// cloudError says in words what a request for path came to. The answers that users
// can do something about also get an error of package fs to branch on.
func cloudError(doing, path string, err error, is fault) error {
	if err == nil {
		return nil
	}
	_, bucket, _ := splitCloud(path)
	bucket = bucketWord(path) + " " + bucket
	switch is {
	case noBucket:
		return fmt.Errorf("%s %s: there is no %s: %w", doing, path, bucket, &kindError{fs.ErrNotExist, err})
	case noObject:
		return fmt.Errorf("%s %s: %w", doing, path, &kindError{fs.ErrNotExist, err})
	case noAccess:
		return fmt.Errorf("%s %s: the credentials in use have no access to %s: %w", doing, path, bucket, &kindError{fs.ErrPermission, err})
	default:
		return fmt.Errorf("%s %s: %w", doing, path, err)
	}
}

// bucketWord is what the service of a path calls buckets.
func bucketWord(path string) string {
	if strings.HasPrefix(path, "az://") {
		return "container"
	}
	return "bucket"
}

// kindError reads as err and also answers to errors.Is(_, kind).
type kindError struct{ kind, err error }

func (e *kindError) Error() string   { return strings.TrimSpace(e.err.Error()) }
func (e *kindError) Unwrap() []error { return []error{e.kind, e.err} }

func cloudReplaced(err error) error {
	return &kindError{fs.ErrNotExist, fmt.Errorf("it was replaced or removed while it was read: %w", err)}
}
