// Package registry asks schema registries with the API of Confluent's: for the schema with an id, by
// which records were written, and for those of subjects.
//
// Of a schema's id the registry's own word is believed and nothing else: whatever answers in its place,
// or that nothing does, is waited for.
package registry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"

	"tributary/io/kafkaio/cluster"
)

// Config says where schemas are registered: any registry with the API of Confluent's. It
// travels with the job, as JSON, and holds no secret, only where each is found.
type Config struct {
	// URLs lead to one registry. They are asked in turn until one answers.
	URLs []string
	// User and Password are for basic authentication, if User is set; Token is a bearer token
	// instead. They are read for each request, so that new ones need no new job.
	User     cluster.User
	Password cluster.Secret
	Token    cluster.Token `json:",omitzero"`
	TLS      *cluster.TLS  `json:",omitempty"`
	// AllowPlaintext lets a password or a token cross the network unencrypted.
	AllowPlaintext bool `json:",omitempty"`
}

// Validate reports everything that is wrong with the settings at once.
func (r *Config) Validate() error {
	var errs []error
	if len(r.URLs) == 0 {
		errs = append(errs, errors.New("urls: at least one is needed"))
	}
	secret := r.User != (cluster.User{}) || r.Token.IsSet()
	for _, u := range r.URLs {
		plain := strings.HasPrefix(u, "http://")
		switch {
		case strings.Contains(u, "@"):
			errs = append(errs, errors.New("urls: must hold no user or password: name them apart"))
		case plain && secret && !r.AllowPlaintext:
			errs = append(errs, fmt.Errorf("urls: %s would send the secret unencrypted: use https, or allow plaintext", u))
		case plain && r.TLS != nil:
			errs = append(errs, fmt.Errorf("urls: %s is not encrypted, whatever tls says: use https", u))
		}
	}
	if r.TLS != nil {
		if err := r.TLS.Validate(); err != nil {
			errs = append(errs, err)
		}
	}
	if r.Token.IsSet() {
		if err := r.Token.Validate(); err != nil {
			errs = append(errs, fmt.Errorf("token: %w", err))
		}
		if r.User != (cluster.User{}) || r.Password != (cluster.Secret{}) {
			errs = append(errs, errors.New("token: a client shows a token, or a user and a password"))
		}
	} else if r.User != (cluster.User{}) || r.Password != (cluster.Secret{}) {
		if err := r.User.Validate(); err != nil {
			errs = append(errs, fmt.Errorf("user: %w", err))
		}
		if err := r.Password.Validate(); err != nil {
			errs = append(errs, fmt.Errorf("password: %w", err))
		}
	}
	return errors.Join(errs...)
}

// UnusableError says that the records of a schema cannot be used.
type UnusableError struct {
	reason string
	// unknown: the registry has no schema of that id, and may have one later.
	unknown bool
}

func (e *UnusableError) Error() string { return e.reason }

const (
	// unknownFor is how long an id that the registry does not know is not asked for again. What
	// became a dead letter meanwhile stays one.
	unknownFor = time.Minute
	// maxRefused bounds how many ids without a schema are remembered: four bytes of a record can
	// name any.
	maxRefused = 10_000
)

// fetcher fetches schemas from a registry and keeps them: an id never changes its meaning. Not for
// concurrent use.
type fetcher struct {
	client *client
	name   string
	now    func() time.Time

	known   map[ID]*Schema
	refused map[ID]refusal
	outage  outage
}

type refusal struct {
	err   *UnusableError
	until time.Time // zero for ever
}

func newFetcher(r *Config) (*fetcher, error) {
	client, err := r.client()
	if err != nil {
		return nil, err
	}
	return &fetcher{
		client: client, name: "schema registry at " + strings.Join(r.URLs, ","), now: time.Now,
		known: map[ID]*Schema{}, refused: map[ID]refusal{},
	}, nil
}

// ErrWaiting says that something did not answer in the time there was; it will be asked again.
var ErrWaiting = errors.New("no answer yet")

// lookup is Schemas.lookup.
func (s *fetcher) lookup(ctx context.Context, id ID) (*Schema, error) {
	schema, refused := s.known[id], s.refused[id]
	if schema != nil {
		return schema, nil
	}
	if refused.err != nil && (refused.until.IsZero() || s.now().Before(refused.until)) {
		return nil, refused.err
	}
	var last error
	schema, err := backoff.Retry(ctx, func() (*Schema, error) {
		schema, err := s.fetch(ctx, id)
		if err != nil && (ctx.Err() == nil || last == nil) {
			last = err // and not that the time was over
		}
		return schema, err
	}, backoff.WithMaxElapsedTime(0), backoff.WithNotify(func(err error, _ time.Duration) {
		s.waits(ctx, id, err)
	}))
	var unusable *UnusableError
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
		return nil, fmt.Errorf("%s: schema %s: %w: %w", s.name, id, ErrWaiting, cmp.Or(last, err))
	}
}

// refuse remembers that there is no schema to read records of that id with.
func (s *fetcher) refuse(id ID, why *UnusableError) {
	if len(s.refused) >= maxRefused {
		maps.DeleteFunc(s.refused, func(_ ID, r refusal) bool { return !r.until.IsZero() && !s.now().Before(r.until) })
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
