package kafkaio

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"

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

// unusableError says that the records of a schema cannot be used.
type unusableError struct {
	reason string
	// unknown: the registry has no schema of that id, and may have one later.
	unknown bool
}

func (e *unusableError) Error() string { return e.reason }

const (
	// unknownFor is how long an id that the registry does not know is not asked for again. What
	// became a dead letter meanwhile stays one.
	unknownFor = time.Minute
	// maxRefused bounds how many ids without a schema are remembered: four bytes of a record can
	// name any.
	maxRefused = 10_000
)

// schemas fetches schemas from a registry and keeps them for ever: an id never changes its
// meaning. It is safe for concurrent use.
type schemas struct {
	client *sr.Client
	name   string
	now    func() time.Time

	mu      sync.Mutex
	known   map[int32]*avroio.Schema
	refused map[int32]refusal
	outage  outage
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
// cannot be read. While the registry does not answer, or does not let us in, lookup tries again
// until ctx ends, and says so in the log; the error is then errWaiting with that of the last
// attempt.
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
	}, backoff.WithMaxElapsedTime(0), backoff.WithNotify(func(err error, _ time.Duration) {
		s.waits(ctx, id, err)
	}))
	s.mu.Lock()
	defer s.mu.Unlock()
	var unusable *unusableError
	switch {
	case err == nil:
		s.outage.end(ctx, s.name, s.now())
		s.known[id] = schema
		delete(s.refused, id)
		return schema, nil
	case errors.As(err, &unusable):
		s.outage.end(ctx, s.name, s.now())
		s.refuse(id, unusable)
		return nil, unusable
	default:
		return nil, fmt.Errorf("%s: schema %d: %w: %w", s.name, id, errWaiting, cmp.Or(last, err))
	}
}

// refuse remembers that there is no schema to read records of that id with.
func (s *schemas) refuse(id int32, why *unusableError) {
	if len(s.refused) >= maxRefused {
		maps.DeleteFunc(s.refused, func(_ int32, r refusal) bool { return !r.until.IsZero() && !s.now().Before(r.until) })
	}
	for other := range s.refused {
		if len(s.refused) < maxRefused {
			break
		}
		delete(s.refused, other)
	}
	r := refusal{err: why}
	if why.unknown {
		r.until = s.now().Add(unknownFor)
	}
	s.refused[id] = r
}
