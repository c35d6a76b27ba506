// Package preflight checks what a spec of topics needs of the world: brokers, topics, rights,
// transactions, registry, and the cluster that it is to run on. It changes nothing but
// for one unused transactional id, and every step ends by itself.
package preflight

import (
	"context"
	"fmt"
	"slices"
	"time"

	"tributary/pipelines/job/topics"
	"tributary/pipelines/spec"
)

// StepTimeout is how long a step may take if Targets does not say.
const StepTimeout = 5 * time.Second

// Targets is where the job is to run, and how patient the check is. Addresses that are
// empty are not checked.
type Targets struct {
	// Flink is the address of Flink's REST interface, host:port or a URL.
	Flink string
	// JobServer is host:port of Beam's job service.
	JobServer string
	// Worker is host:port of the worker that is to run the job, as TaskManagers see it, and
	// WorkerTokenFile the file of its token, empty for none.
	Worker, WorkerTokenFile string
	// Timeout bounds each step; 0 for StepTimeout.
	Timeout time.Duration
	// Progress is told which step begins, so that a wait is never silent; nil for nobody.
	Progress func(step, target string)
}

// Status is how a step ended.
type Status string

// Statuses. Only problems keep a job from running well.
const (
	OK      Status = "ok"
	Warning Status = "warning"
	Problem Status = "problem"
	Skipped Status = "skipped"
)

// Finding is the result of one step.
type Finding struct {
	// Step is what was looked at: brokers, sign-in, topic, rights, transactions, size,
	// registry, flink, job server or worker; Target is which one.
	Step   string `json:"step"`
	Target string `json:"target"`
	Status Status `json:"status"`
	// Detail says what was found.
	Detail string `json:"detail"`
	// Fix says what to do about it, in words or as a command; empty if it is OK.
	Fix string `json:"fix,omitempty"`
}

// Check goes through all steps, one cluster after another, and returns what it found in
// that order. A step that cannot be done because an earlier one failed is Skipped. It
// returns early when ctx ends.
func Check(ctx context.Context, s *spec.Spec, targets Targets) []Finding {
	if targets.Timeout <= 0 {
		targets.Timeout = StepTimeout
	}
	c := &checker{spec: s, targets: targets}
	if len(topics.Needed(s)) > 0 {
		for i := range s.Clusters {
			if cluster := &s.Clusters[i]; c.uses(cluster.Name) {
				c.cluster(ctx, cluster)
			}
		}
	} else {
		c.add(Finding{"spec", s.File, Skipped, "it joins files, which are looked at when they are joined", ""})
	}
	if targets.Flink != "" {
		c.step(ctx, "flink", targets.Flink, c.flink)
	}
	if targets.JobServer != "" {
		c.step(ctx, "job server", targets.JobServer, c.jobServer)
	}
	if targets.Worker != "" {
		c.step(ctx, "worker", targets.Worker, c.worker)
	}
	return c.findings
}

// Passed tells whether no finding is a problem.
func Passed(findings []Finding) bool {
	for _, f := range findings {
		if f.Status == Problem {
			return false
		}
	}
	return true
}

type checker struct {
	spec     *spec.Spec
	targets  Targets
	findings []Finding
}

func (c *checker) add(found ...Finding) {
	c.findings = append(c.findings, found...)
}

// step runs one step within its time limit. What it returns without a step or a target
// gets those given here.
func (c *checker) step(ctx context.Context, step, target string, do func(context.Context) []Finding) (passed bool) {
	if ctx.Err() != nil {
		c.add(Finding{step, target, Skipped, "the check was stopped", ""})
		return false
	}
	if c.targets.Progress != nil {
		c.targets.Progress(step, target)
	}
	limit := fmt.Errorf("no answer within %s", c.targets.Timeout)
	ctx, cancel := context.WithTimeoutCause(ctx, c.targets.Timeout, limit)
	defer cancel()
	found := bounded(ctx, do)
	for i := range found {
		f := &found[i]
		if f.Step == "" {
			f.Step = step
		}
		if f.Target == "" {
			f.Target = target
		}
	}
	c.add(found...)
	return Passed(found)
}

// grace is what a step that ran out of time gets to say so itself, and better.
const grace = 300 * time.Millisecond

// bounded does not wait for a step that does not look at its context: a client that makes
// a connection may not.
func bounded(ctx context.Context, do func(context.Context) []Finding) []Finding {
	done := make(chan []Finding, 1)
	go func() { done <- do(ctx) }()
	select {
	case found := <-done:
		return found
	case <-ctx.Done():
	}
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case found := <-done:
		return found
	case <-timer.C:
		return []Finding{{Status: Problem, Detail: context.Cause(ctx).Error(), Fix: "see that the server is not overloaded or behind a firewall that drops packets"}}
	}
}

// uses tells whether a topic of the spec is in a cluster.
func (c *checker) uses(cluster string) bool {
	return slices.ContainsFunc(topics.Needed(c.spec), func(t topics.Topic) bool { return t.Cluster == cluster })
}
