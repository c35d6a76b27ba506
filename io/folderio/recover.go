package folderio

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"time"
)

// ErrBegun is returned for a job that has begun already where it was to begin.
var ErrBegun = errors.New("the job has begun already")

// Progress is how far a job has come, by its log.
type Progress struct {
	// CommittedBefore: all groups with smaller IDs are written; NoID if that is not known of any.
	CommittedBefore int64
	// Since is what it was when the run began that is the last one: a state of that run goes on from there.
	Since int64
	// FencingEpoch is what it has to be in Config.
	FencingEpoch int64
	// RewrittenBefore: of the groups before it, some were removed and are not known to be written again. Zero if all
	// are. A state that was taken before does not bring them.
	RewrittenBefore int64
	// Step is the Config's of what is written; 0 if there is none.
	Step int64
	// Meaning and State are the Config's of what is written; nil if there is none.
	Meaning, State map[string]string
}

func (h *header) progress() Progress {
	p := Progress{CommittedBefore: h.CommittedBefore, Since: h.Since, FencingEpoch: h.FencingEpoch, Step: h.Step, Meaning: h.Meaning, State: h.State}
	if h.RewrittenBefore > h.CommittedBefore {
		p.RewrittenBefore = h.RewrittenBefore
	}
	return p
}

// ReadProgress returns how far the job has come. It changes nothing.
func ReadProgress(ctx context.Context, c Config) (Progress, error) {
	h, err := steps{}.latest(ctx, &c)
	if err != nil {
		return Progress{}, fmt.Errorf("progress of job %s: %w", c.Job, err)
	}
	if h == nil {
		h = &header{CommittedBefore: NoID, Since: NoID}
	}
	return h.progress(), nil
}

// Begin makes this run the first of the job, and the one that writes. A job that has a log is ErrBegun, and nothing
// is changed.
func Begin(ctx context.Context, c Config) (Progress, error) { return begin(ctx, c, steps{}) }

func begin(ctx context.Context, c Config, s steps) (Progress, error) {
	h, err := s.latest(ctx, &c)
	if err == nil && h != nil {
		err = fmt.Errorf("%w: %s says so", ErrBegun, c.logPath(h.FencingEpoch))
	}
	if err == nil {
		h = c.header(1, NoID)
		err = s.createLog(ctx, &c, h)
	}
	if err != nil {
		return Progress{}, fmt.Errorf("begin job %s: %w", c.Job, err)
	}
	return h.progress(), nil
}

// Recover makes this run the one that writes, for a job that begins anew from what it reads, without the state of the
// run before. What is left of that one cannot write any more once Recover has returned.
//
// What is complete stays as it is: by the log, and all before completeBefore, if it is not NoID. The rest the new run has to bring whole: groups that are not put together yet
// go; so do files beyond what is complete if their records may mean something else now or be spread over other
// files, or were provisional. Step must be what it was.
//
// An error means that the run must not begin; trying it again is safe.
func Recover(ctx context.Context, c Config, completeBefore int64) (Progress, error) {
	return recoverJob(ctx, c, completeBefore, steps{})
}

func recoverJob(ctx context.Context, c Config, completeBefore int64, s steps) (Progress, error) {
	h, err := s.recover(ctx, &c, completeBefore)
	if err != nil {
		return Progress{}, fmt.Errorf("recover job %s: %w", c.Job, err)
	}
	return h.progress(), nil
}

func (s steps) recover(ctx context.Context, c *Config, completeBefore int64) (*header, error) {
	was, err := s.latest(ctx, c)
	if err != nil {
		return nil, err
	}
	if was == nil {
		was = c.header(0, NoID)
	}
	if was.Step != c.Step {
		return nil, fmt.Errorf("%s is of buckets of %s, not %s: their length stays as it is for as long as their records are in one folder",
			c.logPath(was.FencingEpoch), time.Duration(was.Step)*time.Millisecond, time.Duration(c.Step)*time.Millisecond)
	}
	was.CommittedBefore = max(was.CommittedBefore, completeBefore)
	h := c.header(was.FencingEpoch+1, was.CommittedBefore)
	h.RewrittenBefore, h.Recovering = was.RewrittenBefore, true
	if err := s.createLog(ctx, c, h); err != nil {
		return nil, err
	}
	// Whoever comes here has no run before it that could still give a file a name, but for those that have it
	// by now: see the package.
	all := func(_, _ int64) bool { return true }
	if _, err := s.removeFiles(ctx, c.within("staged"), "*", all); err != nil {
		return nil, err
	}
	removed, err := s.removeFiles(ctx, c.within("groups"), "*", all)
	if err != nil {
		return nil, err
	}
	h.RewrittenBefore = max(h.RewrittenBefore, removed)
	if from, some := was.outdatedFrom(h); some {
		removed, err := s.removeFiles(ctx, c.Path, "dt=*/**/part-*-s*", func(_, to int64) bool { return to > from })
		if err != nil {
			return nil, err
		}
		h.RewrittenBefore = max(h.RewrittenBefore, removed)
	}
	h.Recovering = false
	return h, s.rewriteLog(ctx, c, h)
}

// MarkProvisional says in the run's log that groups from c.ProvisionalFrom on may be written again with other content.
// It comes before any of them is written.
func MarkProvisional(ctx context.Context, c Config) error {
	s := steps{}
	h, err := s.read(ctx, &c, c.FencingEpoch)
	if err == nil {
		h.ProvisionalFrom = c.ProvisionalFrom
		err = s.rewriteLog(ctx, &c, h)
	}
	if err != nil {
		return fmt.Errorf("job %s: %w", c.Job, err)
	}
	return nil
}

// outdatedFrom is the ID from which on files are not those that the next run would write.
func (h *header) outdatedFrom(next *header) (from int64, some bool) {
	switch {
	case h.Recovering || h.Layout != next.Layout || !maps.Equal(h.Meaning, next.Meaning):
		return h.CommittedBefore, true
	case h.ProvisionalFrom != 0:
		return h.ProvisionalFrom, true
	}
	return 0, false
}

// header is that of a new log.
func (c *Config) header(epoch, committedBefore int64) *header {
	return &header{
		Job: c.Job, FencingEpoch: epoch, Run: rand.Text(), Step: c.Step, Layout: c.layout(), CommittedBefore: committedBefore, Since: committedBefore,
		Meaning: c.Meaning, State: c.State,
	}
}
