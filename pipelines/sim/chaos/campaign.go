package chaos

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"golang.org/x/sync/errgroup"
)

// speed is how much faster than the clock event time goes: the windows of half a minute then
// close within seconds.
const speed = 4

// recoverWithin is how long the samples that are due may take to appear: longer is a hang.
const recoverWithin = 5 * time.Minute

// Campaign is a series of faults, one after another, and an audit after each.
type Campaign struct {
	System *System
	Faults []Planned

	audit *Audit
	Table Table
}

// Run publishes, injects all faults, and audits. The error says what is wrong with the
// samples, or what does not go on.
func (c *Campaign) Run(ctx context.Context) error {
	c.audit = NewAudit(c.System.Stream.Input.Samples)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var g errgroup.Group
	following, stopFollowing := context.WithCancel(ctx)
	defer stopFollowing()
	g.Go(func() error {
		return c.System.Stream.followSamples(following, c.audit)
	})
	g.Go(func() error { return c.System.Publisher.Run(ctx, speed) })
	err := c.faults(ctx)
	if err != nil {
		cancel()
	}
	c.System.Publisher.Rush()
	if err == nil {
		err = c.finish(ctx)
	}
	stopFollowing()
	if waited := g.Wait(); !errors.Is(waited, context.Canceled) {
		err = errors.Join(err, waited)
	}
	c.Table.Lost, c.Table.Doubled = len(c.audit.Missing(c.System.Stream.Input.Last)), c.audit.Doubled()
	return errors.Join(err, c.audit.Err())
}

// faults waits until the job is at work, and then injects one fault after another.
func (c *Campaign) faults(ctx context.Context) error {
	in := c.System.Stream.Input
	if err := c.awaitSamples(ctx, in.Start()+in.Bucket.Milliseconds()); err != nil {
		return fmt.Errorf("before the first fault: %w", err)
	}
	plan := append([]Planned{{Fault: quiet, Pause: time.Second}}, c.Faults...)
	for i, f := range plan {
		select {
		case <-time.After(f.Pause):
		case <-ctx.Done():
			return ctx.Err()
		}
		if c.System.Publisher.Reached() == math.MaxInt64 {
			c.System.Log("the input has ended: %d of %d faults were injected", i-1, len(c.Faults))
			return nil
		}
		begun, err := c.System.begun(ctx)
		if err != nil {
			return fmt.Errorf("before fault %d, %s: %w", i, f.Kind, err)
		}
		due, struck := c.due(), time.Now()
		if err := f.inject(ctx, c.System, rand.New(rand.NewPCG(f.Seed, 0))); err != nil { //nolint:gosec // it is to be repeated
			return fmt.Errorf("fault %d, %s: %w", i, f.Kind, err)
		}
		if f.restarts {
			if err := c.System.awaitRestart(ctx, begun); err != nil {
				return fmt.Errorf("after fault %d, %s: %w", i, f.Kind, err)
			}
			due = c.due()
		}
		if err := c.awaitSamples(ctx, due); err != nil {
			return fmt.Errorf("after fault %d, %s: %w", i, f.Kind, err)
		}
		took := time.Since(struck)
		if err := c.System.cancelRivals(ctx); err != nil {
			return fmt.Errorf("after fault %d, %s: %w", i, f.Kind, err)
		}
		c.Table.Add(f.Kind, took)
		c.System.Log("%d of %d: %s, samples again after %.1f s; %d samples of %d records", i, len(c.Faults), f.Kind, took.Seconds(), c.audit.Found(), c.System.Publisher.Count())
	}
	return nil
}

// quiet is no fault: it measures how long samples take undisturbed.
var quiet = Fault{Kind: "none", inject: func(context.Context, *System, *rand.Rand) error { return nil }}

// due is an event time in ms, such that records have to be read that are yet to be published
// before all samples of views before it are there: not only those of the moment that it
// takes to inject a fault.
func (c *Campaign) due() int64 {
	in, reached := c.System.Stream.Input, c.System.Publisher.Reached()
	if reached == math.MaxInt64 {
		return in.Last
	}
	return min(in.Last, reached+2*in.Bucket.Milliseconds()-in.Closing)
}

// awaitSamples waits until the samples of all views before an event time are there.
func (c *Campaign) awaitSamples(ctx context.Context, before int64) error {
	for deadline := time.Now().Add(recoverWithin); ; {
		if err := errors.Join(c.audit.Err(), c.System.Publisher.Err()); err != nil {
			return err
		}
		missing := c.audit.Missing(before)
		if len(missing) == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			status, err := c.System.client.Status(ctx, c.System.job)
			return errors.Join(fmt.Errorf("%d samples are missing after %s: %s; the job: %s",
				len(missing), recoverWithin, c.audit.Describe(missing), status), err)
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// finish waits for the last samples, ends the job and reads everything again.
func (c *Campaign) finish(ctx context.Context) error {
	if err := c.awaitSamples(ctx, c.System.Stream.Input.Last); err != nil {
		return fmt.Errorf("at the end: %w", err)
	}
	if err := c.awaitAll(ctx); err != nil {
		return fmt.Errorf("at the end: %w", err)
	}
	if err := c.System.Stop(ctx); err != nil {
		return err
	}
	return AuditTopics(ctx, c.System.Stream, false)
}

// awaitAll waits until the job has accounted for all that was published: the last samples wait for
// the slowest partition only, and the others may have records behind what those need.
func (c *Campaign) awaitAll(ctx context.Context) error {
	for deadline := time.Now().Add(recoverWithin); ; {
		err := errors.Join(c.System.Stream.auditAccounts(ctx, false), c.System.Stream.auditRejected(ctx))
		if err == nil || time.Now().After(deadline) {
			return err
		}
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
