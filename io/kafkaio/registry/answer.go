package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/cenkalti/backoff/v5"
	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/sr"

	"tributary/io/kafkaio/cluster"
)

// fetch asks the registry once. What another attempt soon would not change is a permanent
// error, an *UnusableError.
func (s *fetcher) fetch(ctx context.Context, id ID) (*Schema, error) {
	if id.Number < 0 {
		return nil, unusable("schema id %s: no id is negative", id)
	}
	var found sr.Schema
	err := s.client.ask(ctx, func(c *sr.Client) (err error) {
		if id.GUID != uuid.Nil {
			found, err = byGUIDOf(ctx, c, id.GUID)
		} else {
			found, err = c.SchemaByID(ctx, int(id.Number))
		}
		if err == nil && found.Schema == "" {
			err = errNoSchema
		}
		return err
	})
	if err != nil {
		return nil, judge(id, err)
	}
	return s.client.complete(ctx, fmt.Sprintf("schema id %s", id), found)
}

// byGUIDOf asks for the schema with a GUID. Registries of older releases do not know the question, which is not waited for: one
// that says of itself, at that address and now, which types it has, is there.
func byGUIDOf(ctx context.Context, c *sr.Client, guid uuid.UUID) (sr.Schema, error) {
	found, err := c.SchemaByGUID(ctx, guid.String())
	var answer *sr.ResponseError
	if errors.As(err, &answer) && answer.StatusCode == http.StatusNotFound && !itself(err) {
		if types, asked := c.SupportedTypes(ctx); asked == nil && len(types) > 0 {
			return sr.Schema{}, errNoGUIDs
		}
	}
	return found.Schema, err
}

var (
	errNoSchema = errors.New("an answer without a schema, which no registry gives")
	errNoGUIDs  = errors.New("it knows no schemas by GUIDs")
)

// unknownType is how package sr says that a schema is of a type that it has no name for.
const unknownType = "unknown schema type "

// typeIn is the type that a registry has said of a schema and package sr has no name for; empty for none.
func typeIn(err error) string {
	_, kind, _ := strings.Cut(err.Error(), unknownType)
	return kind
}

func otherType(err error) string {
	return fmt.Sprintf("is of type %s, which is not read here", typeIn(err))
}

func unusable(format string, args ...any) error {
	return backoff.Permanent(error(&UnusableError{reason: fmt.Sprintf(format, args...)}))
}

// unknown is unusable, for what the registry may have later.
func unknown(format string, args ...any) error {
	return backoff.Permanent(error(&UnusableError{reason: fmt.Sprintf(format, args...), unknown: true}))
}

// The codes by which a registry says that it has no such subject, version or schema.
const (
	noSubject = 40401
	noVersion = 40402
	noID      = 40403
)

// judge says what an answer that is no schema means. Only what the registry itself says of the id,
// by a code of its own, makes the id's records dead letters; or a record could hold up all others
// for ever. Whatever else answers in its place while it is away (a page of a proxy, status 404) says
// nothing of ids, and is waited for like no answer at all.
func judge(id ID, err error) error {
	if typeIn(err) != "" {
		return unusable("schema id %s: %s", id, otherType(err))
	}
	if errors.Is(err, errNoGUIDs) {
		return unknown("schema id %s: the registry does not know schemas by GUIDs, as headers name them: it takes a newer one, or ids before values", id)
	}
	var answer *sr.ResponseError
	if !itself(err) || !errors.As(err, &answer) {
		return err
	}
	switch answer.ErrorCode {
	case noSubject, noVersion, noID:
		return unknown("unknown schema id %s: the registry has no such schema", id)
	}
	return unknown("schema id %s: the registry refuses to tell it (status %d): %s", id, answer.StatusCode, cluster.OneLine(err))
}

// passing says whether a status is about the time being, or about us, rather than about what was
// asked for.
func passing(status int) bool {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusProxyAuthRequired, http.StatusRequestTimeout,
		http.StatusMisdirectedRequest, http.StatusLocked, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	}
	return status < 400 || status >= 500
}
