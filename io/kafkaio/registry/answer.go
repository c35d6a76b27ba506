package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/cenkalti/backoff/v5"
	"github.com/twmb/franz-go/pkg/sr"

	"tributary/io/format/avro"
	"tributary/io/kafkaio/cluster"
)

// fetch asks the registry once. What another attempt soon would not change is a permanent
// error, an *UnusableError.
func (s *fetcher) fetch(ctx context.Context, id int32) (*avro.Schema, error) {
	if id < 0 {
		return nil, unusable("schema id %d: no id is negative", id)
	}
	var found sr.Schema
	err := s.client.ask(ctx, func(c *sr.Client) (err error) {
		if found, err = c.SchemaByID(ctx, int(id)); err == nil && found.Schema == "" {
			err = errNoSchema
		}
		return err
	})
	switch {
	case err != nil:
		return nil, judge(id, err)
	case found.Type != sr.TypeAvro:
		return nil, unusable("schema id %d: is of type %s, not Avro", id, found.Type)
	case len(found.References) > 0:
		return nil, unusable("schema id %d: refers to other schemas (%s), which is not supported", id, found.References[0].Name)
	}
	schema, err := avro.ParseSchema(found.Schema)
	if err != nil {
		return nil, unusable("schema id %d: %v", id, err)
	}
	return schema, nil
}

var errNoSchema = errors.New("an answer without a schema, which no registry gives")

func unusable(format string, args ...any) error {
	return backoff.Permanent(error(&UnusableError{reason: fmt.Sprintf(format, args...)}))
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
func judge(id int32, err error) error {
	var answer *sr.ResponseError
	if !itself(err) || !errors.As(err, &answer) {
		return err
	}
	switch answer.ErrorCode {
	case noSubject, noVersion, noID:
		return backoff.Permanent(error(&UnusableError{
			reason: fmt.Sprintf("unknown schema id %d: the registry has no such schema", id), unknown: true,
		}))
	}
	return backoff.Permanent(error(&UnusableError{
		reason: fmt.Sprintf("schema id %d: the registry refuses to tell it (status %d): %s", id, answer.StatusCode, cluster.OneLine(err)), unknown: true,
	}))
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
