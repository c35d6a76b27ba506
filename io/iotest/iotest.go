// Package iotest is what every source, every sink and every format has to keep, as suites that run
// on any of them through a small harness: on a backend in memory, and on the real thing.
//
//	func TestConformance(t *testing.T) { iotest.RunSink(t, harness) }
//
// A harness opens a process with a source or a sink, and asks the suite before each step that the process
// takes against its backend what becomes of the step. So the suite can end the process between any
// two steps, and make the backend slow, failing, or silent about what it has done.
//
//	iotest.go   steps and their fates
//	sink.go     the harness of a sink, and the records that the suite writes
//	sinks.go    what a sink has to keep
//	source.go   the harness of a source, and the records that the suite has it read
//	sources.go  what a source has to keep
//	pack.go     files that are compressed
//	format*.go  the harness of a format of files, and what one has to keep
package iotest

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// Fate is what becomes of a step of a process against its backend: a request, a write, a rename.
type Fate int

// Fates.
const (
	// Done: the backend does it and says so.
	Done Fate = iota
	// Refused: it is not done, and the process learns that the backend failed. The next one may be.
	Refused
	// Unanswered: it is done, and the process does not learn of that.
	Unanswered
	// DiesBefore: the process ends, and nothing of it reaches the backend any more.
	DiesBefore
	// DiesAfter: it is done, and then the process ends.
	DiesAfter
	// Slow: it is done, later than usual, but within what a healthy backend may take.
	Slow
	// halted: the process does nothing for as long as the suite wants, and then the step is done.
	// Next sees to it; no harness gets it.
	halted
)

// String names a fate in the names of tests.
func (f Fate) String() string {
	return [...]string{"done", "refused", "unanswered", "dies before", "dies after", "slow", "halted"}[f]
}

// Dies says that the process has ended with the step.
func (f Fate) Dies() bool { return f == DiesBefore || f == DiesAfter }

// Steps decides about the steps of one process. Harnesses call Next before each, from any goroutine.
// A nil *Steps has all done.
type Steps struct {
	mu sync.Mutex
	n  int
	// at is the step, from 1, that has another fate than Done, and count for how many steps.
	at, count int
	fate      Fate
	// reached is closed when a halted step is, which ends with resume.
	reached, resume chan struct{}
}

// Next is the fate of the next step.
func (s *Steps) Next() Fate {
	if s == nil {
		return Done
	}
	s.mu.Lock()
	s.n++
	fate := Done
	if s.n >= s.at && s.n < s.at+s.count {
		fate = s.fate
	}
	s.mu.Unlock()
	if fate == halted {
		close(s.reached)
		<-s.resume
		return Done
	}
	return fate
}

// taken is how many steps there were.
func (s *Steps) taken() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.n
}

// disturbed returns steps of which one, the nth, has a fate.
func disturbed(n int, fate Fate) *Steps {
	return &Steps{at: n, count: 1, fate: fate, reached: make(chan struct{}), resume: make(chan struct{})}
}

// patience is how long a process may take for what the suite asks of it.
const patience = 2 * time.Minute

// mostSteps bounds after how many of its first steps a process is disturbed.
const mostSteps = 60

// clause is one thing that a source or a sink has to keep.
type clause[H any] struct {
	name  string
	check func(testing.TB, H)
}

// run runs clauses, in bubbles of virtual time if the harness can.
func run[H any](t *testing.T, clauses []clause[H], h H, virtual bool) {
	for _, c := range clauses {
		t.Run(c.name, func(t *testing.T) {
			if virtual {
				synctest.Test(t, func(t *testing.T) { c.check(t, h) })
			} else {
				c.check(t, h)
			}
		})
	}
}
