package registry

import (
	"context"
	"fmt"
	"strings"
	"time"

	"tributary/io/pool"
)

// fetchers are the schemas that readers of this process know, by where they are registered: a
// reader that is opened again asks for none of them again, and one of them at a time waits for a
// registry that is away.
var fetchers = &pool.Pool[string, *fetcher]{Idle: time.Hour, Close: func(*fetcher) {}, Single: true}

// Schemas are those of a registry.
type Schemas struct {
	registry *Config
	key      string
}

// Open returns the schemas of a registry. It reads secrets and files, so that one that is
// missing is told here and not at the first record.
func Open(ctx context.Context, r *Config) (*Schemas, error) {
	s := &Schemas{registry: r, key: strings.Join(r.URLs, ",") + " " + fmt.Sprint(r.User, r.Password, r.Token, r.TLS)}
	known, err := s.take(ctx)
	if err == nil {
		fetchers.Give(s.key, known)
	}
	return s, err
}

func (s *Schemas) take(ctx context.Context) (*fetcher, error) {
	return fetchers.Take(ctx, s.key, func() (*fetcher, error) { return newFetcher(s.registry) })
}

// Lookup returns the schema with that id. An *UnusableError means that records with that id cannot
// be read. While the registry does not answer, or does not let us in, Lookup tries again until ctx
// ends, and says so in the log; the error is then ErrWaiting with that of the last attempt.
func (s *Schemas) Lookup(ctx context.Context, id ID) (*Schema, error) {
	known, err := s.take(ctx)
	if err != nil && ctx.Err() != nil {
		return nil, fmt.Errorf("schema %s: %w: another reader is asking: %w", id, ErrWaiting, err)
	}
	if err != nil {
		return nil, err
	}
	defer fetchers.Give(s.key, known)
	return known.lookup(ctx, id)
}
