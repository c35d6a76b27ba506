package registry

import (
	"context"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/log"
)

// outage is a time in which the registry does not answer as it should. The zero value is none.
type outage struct {
	since, tell time.Time
	every       time.Duration
}

// An outage is told of at once, and then at intervals that grow: a job may wait for a night.
const (
	tellFirst = time.Second
	tellMost  = time.Minute
)

// waits notes that the registry is waited for, and logs it if it is time to.
func (s *fetcher) waits(ctx context.Context, id ID, why error) {
	now := s.now()
	o := &s.outage
	switch {
	case o.since.IsZero():
		*o = outage{since: now, every: tellFirst}
		log.Warnf(ctx, "waiting for the %s: schema %s: %v", s.name, id, why)
	case now.Before(o.tell):
		return
	default:
		o.every = min(2*o.every, tellMost)
		log.Warnf(ctx, "waiting for the %s, for %s now: schema %s: %v", s.name, now.Sub(o.since).Round(time.Second), id, why)
	}
	o.tell = now.Add(o.every)
}

// end notes that the registry has answered.
func (o *outage) end(ctx context.Context, name string, now time.Time) {
	if !o.since.IsZero() {
		log.Infof(ctx, "the %s answers again, after %s", name, now.Sub(o.since).Round(time.Second))
	}
	*o = outage{}
}
