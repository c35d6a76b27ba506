package kafkaio

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/log"
	"github.com/cenkalti/backoff/v5"
	"github.com/twmb/franz-go/pkg/sr"

	"tributary/io/avroio"
)

// Registry says where schemas are registered: any registry with the API of Confluent's.
type Registry struct {
	URLs []string
	// User and Password are for basic authentication, if User is set.
	User     User
	Password Secret
	TLS      *TLS `json:",omitempty"`
}

// Validate reports everything that is wrong with the settings at once.
func (r *Registry) Validate() error {
	var errs []error
	if len(r.URLs) == 0 {
		errs = append(errs, errors.New("urls: at least one is needed"))
	}
	for _, u := range r.URLs {
		if strings.Contains(u, "@") {
			errs = append(errs, errors.New("urls: must hold no user or password: name them apart"))
		}
	}
	if r.User != (User{}) {
		if err := r.User.Validate(); err != nil {
			errs = append(errs, fmt.Errorf("user: %w", err))
		}
		if err := r.Password.Validate(); err != nil {
			errs = append(errs, fmt.Errorf("password: %w", err))
		}
	}
	return errors.Join(errs...)
}

// frameSize is what precedes a value in wire format: a zero byte and the schema's id.
const frameSize = 5

// unframe splits a value in wire format. The error says why it is not in that format.
func unframe(value []byte) (id int32, record []byte, err error) {
	if len(value) < frameSize {
		return 0, nil, fmt.Errorf("not in the registry's wire format: %d bytes are fewer than the %d before each record", len(value), frameSize)
	}
	if value[0] != 0 {
		return 0, nil, fmt.Errorf("not in the registry's wire format: begins with byte 0x%02x, not 0x00", value[0])
	}
	return int32(binary.BigEndian.Uint32(value[1:])), value[frameSize:], nil
}

// unusableError says that the records of a schema cannot be used, now or later.
type unusableError struct {
	reason string
	// unknown: the registry has no such id yet.
	unknown bool
}

func (e *unusableError) Error() string { return e.reason }

// unknownFor is how long an id that the registry does not know is not asked for again.
const unknownFor = time.Minute

// schemas fetches schemas from a registry and keeps them for ever: an id never changes its
// meaning. It is safe for concurrent use.
type schemas struct {
	client *sr.Client
	name   string
	now    func() time.Time

	mu      sync.Mutex
	known   map[int32]*avroio.Schema
	refused map[int32]refusal
}

type refusal struct {
	err   *unusableError
	until time.Time // zero for ever
}

// client returns a client of the registry. It reads secrets and files.
func (r *Registry) client() (*sr.Client, error) {
	opts := []sr.ClientOpt{sr.URLs(r.URLs...), sr.UserAgent("tributary"), sr.HTTPClient(&http.Client{Timeout: 10 * time.Second})}
	if r.TLS != nil {
		config, err := r.TLS.config()
		if err != nil {
			return nil, fmt.Errorf("registry: tls: %w", err)
		}
		opts = append(opts, sr.DialTLSConfig(config))
	}
	if r.User != (User{}) {
		user, err := r.User.Read()
		if err != nil {
			return nil, fmt.Errorf("registry: user: %w", err)
		}
		password, err := r.Password.Read()
		if err != nil {
			return nil, fmt.Errorf("registry: password: %w", err)
		}
		opts = append(opts, sr.BasicAuth(user, password))
	}
	client, err := sr.NewClient(opts...)
	if err != nil {
		return nil, fmt.Errorf("registry: %w", err)
	}
	return client, nil
}

func newSchemas(r *Registry) (*schemas, error) {
	client, err := r.client()
	if err != nil {
		return nil, err
	}
	return &schemas{
		client: client, name: "schema registry at " + strings.Join(r.URLs, ","), now: time.Now,
		known: map[int32]*avroio.Schema{}, refused: map[int32]refusal{},
	}, nil
}

// errWaiting says that something did not answer in the time there was; it will be asked again.
var errWaiting = errors.New("no answer yet")

// lookup returns the schema with that id. An *unusableError means that records with that id
// cannot be read. While the registry does not answer, lookup tries again until ctx ends,
// with a log line each time; the error is then errWaiting with that of the last attempt.
func (s *schemas) lookup(ctx context.Context, id int32) (*avroio.Schema, error) {
	s.mu.Lock()
	schema, refused := s.known[id], s.refused[id]
	s.mu.Unlock()
	if schema != nil {
		return schema, nil
	}
	if refused.err != nil && (refused.until.IsZero() || s.now().Before(refused.until)) {
		return nil, refused.err
	}
	var last error
	schema, err := backoff.Retry(ctx, func() (*avroio.Schema, error) {
		schema, err := s.fetch(ctx, id)
		if err != nil && (ctx.Err() == nil || last == nil) {
			last = err // and not that the time was over
		}
		return schema, err
	}, backoff.WithMaxElapsedTime(0), backoff.WithNotify(func(err error, wait time.Duration) {
		log.Warnf(ctx, "waiting for the %s: schema %d: trying again in %s: %v", s.name, id, wait.Round(time.Millisecond), err)
	}))
	s.mu.Lock()
	defer s.mu.Unlock()
	var unusable *unusableError
	switch {
	case err == nil:
		s.known[id] = schema
		return schema, nil
	case errors.As(err, &unusable):
		r := refusal{err: unusable}
		if unusable.unknown {
			r.until = s.now().Add(unknownFor)
		}
		s.refused[id] = r
		return nil, unusable
	case ctx.Err() != nil:
		return nil, fmt.Errorf("%s: schema %d: %w: %w", s.name, id, errWaiting, cmp.Or(last, err))
	default:
		return nil, fmt.Errorf("%s: schema %d: %w", s.name, id, err)
	}
}

// fetch asks the registry once. What another attempt cannot change is a permanent error.
func (s *schemas) fetch(ctx context.Context, id int32) (*avroio.Schema, error) {
	unusable := func(format string, args ...any) error {
		return backoff.Permanent(error(&unusableError{reason: fmt.Sprintf(format, args...)}))
	}
	found, err := s.client.SchemaByID(ctx, int(id))
	var answer *sr.ResponseError
	if errors.As(err, &answer) {
		switch answer.StatusCode {
		case http.StatusNotFound:
			return nil, backoff.Permanent(error(&unusableError{reason: fmt.Sprintf("unknown schema id %d: the registry has no such schema", id), unknown: true}))
		case http.StatusUnauthorized, http.StatusForbidden:
			return nil, backoff.Permanent(fmt.Errorf("access refused (status %d)", answer.StatusCode))
		default:
			return nil, fmt.Errorf("status %d: %w", answer.StatusCode, err)
		}
	}
	switch {
	case err != nil:
		return nil, err
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
