package kafkaio

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/cenkalti/backoff/v5"
	"github.com/twmb/franz-go/pkg/sr"

	"tributary/io/avroio"
)

// fetch asks the registry once. What another attempt soon would not change is a permanent
// error, an *unusableError.
func (s *schemas) fetch(ctx context.Context, id int32) (*avroio.Schema, error) {
	if id < 0 {
		return nil, unusable("schema id %d: no id is negative", id)
	}
	found, err := s.client.SchemaByID(ctx, int(id))
	switch {
	case err == nil && found.Schema == "":
		return nil, s.judge(ctx, id, errNoSchema)
	case err != nil:
		return nil, s.judge(ctx, id, err)
	case found.Type != sr.TypeAvro:
		return nil, unusable("schema id %d: is of type %s, not Avro", id, found.Type)
	case len(found.References) > 0:
		return nil, unusable("schema id %d: refers to other schemas (%s), which is not supported", id, found.References[0].Name)
	}
	schema, err := avroio.ParseSchema(found.Schema)
	if err != nil {
		return nil, unusable("schema id %d: %v", id, err)
	}
	return schema, nil
}

var errNoSchema = errors.New("an answer without a schema")

func unusable(format string, args ...any) error {
	return backoff.Permanent(error(&unusableError{reason: fmt.Sprintf(format, args...)}))
}

// judge says what an answer that is no schema means. One about the id makes its records dead
// letters, or a record could hold up all others for ever. One about the world is waited for.
// Whatever stands in front of a registry may answer in its place while it is away, so an answer
// that does not look like a registry's is only believed if the registry is there.
func (s *schemas) judge(ctx context.Context, id int32, err error) error {
	refused := &unusableError{unknown: true}
	var answer *sr.ResponseError
	switch {
	case errors.As(err, &answer) && passing(answer.StatusCode):
		if answer.StatusCode == http.StatusUnauthorized || answer.StatusCode == http.StatusForbidden {
			return fmt.Errorf("access refused (status %d): user, password or rights", answer.StatusCode)
		}
		return fmt.Errorf("status %d: %s", answer.StatusCode, short(err))
	case errors.As(err, &answer) && answer.StatusCode == http.StatusNotFound:
		refused.reason = fmt.Sprintf("unknown schema id %d: the registry has no such schema", id)
	case errors.As(err, &answer):
		refused.reason = fmt.Sprintf("schema id %d: the registry refuses to tell it (status %d): %s", id, answer.StatusCode, short(err))
	case notJSON(err):
		refused.reason = fmt.Sprintf("schema id %d: the registry answers with something that is no schema: %s", id, short(err))
	default:
		return err // nobody answers
	}
	// Its own error codes are the status and two digits more.
	if answer == nil || answer.ErrorCode/100 != answer.StatusCode {
		if absent := s.present(ctx); absent != nil {
			return fmt.Errorf("%s: not an answer of a registry, and there is none at this address: %w", short(err), absent)
		}
	}
	return backoff.Permanent(error(refused))
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

// notJSON says whether an error is about the body of an answer.
func notJSON(err error) bool {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	return errors.Is(err, errNoSchema) || errors.As(err, &syntax) || errors.As(err, &kind)
}

// short is what an answer says, which may be a page of a proxy.
func short(err error) string {
	text := err.Error()
	if len(text) > 200 {
		text = strings.ToValidUTF8(text[:200], "") + "..."
	}
	return text
}

// present asks whether the registry is there, by something that it must know. The error says
// what answered instead.
func (s *schemas) present(ctx context.Context) error {
	s.mu.Lock()
	known := slices.Collect(maps.Keys(s.known))
	s.mu.Unlock()
	if len(known) > 0 {
		found, err := s.client.SchemaByID(ctx, int(known[0]))
		if err == nil && found.Schema == "" {
			err = errNoSchema
		}
		return err
	}
	types, err := s.client.SupportedTypes(ctx)
	if err == nil && len(types) > 0 {
		return nil
	}
	_, err = s.client.Subjects(ctx) // not all registries list types
	return err
}
