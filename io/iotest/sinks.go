package iotest

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// sinkClauses are what a sink has to keep.
var sinkClauses = []clause[Sink]{
	{"what is acknowledged can be read, and in its order", sinkOrder},
	{"nothing is written of nothing", sinkEmpty},
	{"a replay writes nothing twice", sinkReplay},
	{"a replay may be cut into other bundles", sinkRegroups},
	{"the largest record is written whole", sinkLargest},
	{"a record that is too large is left out and told", sinkRefused},
	{"a process may end before or after any step", sinkDies},
	{"a process that was given up may go on", sinkGivenUp},
	{"a step may be done without an answer", sinkUnanswered},
	{"a backend may fail for a while", sinkFails},
	{"a backend may be slow", sinkSlow},
	{"nothing is acknowledged that is not written", sinkNotWritten},
	{"a bundle that is aborted writes nothing", sinkAborted},
}

func sinkOrder(t testing.TB, s Sink) {
	target := s.New(t)
	settles(t, target, groups())
	s.holds(t, target, recordsOf(groups()...))
	next := map[string]string{} // the key that must be behind the last one of a group
	for _, r := range target.Read(t) {
		group := r.Key[:strings.LastIndexByte(r.Key, '/')]
		require.Greater(t, r.Key, next[group], "records of a group come in its order")
		next[group] = r.Key
	}
}

func sinkEmpty(t testing.TB, s Sink) {
	target := s.New(t)
	p := target.Open(t, nil)
	defer p.Close()
	require.Empty(t, writes(t, p, nil))
	require.Empty(t, writes(t, p, []Group{group(1, 5, 0, 0)}))
	s.holds(t, target, nil)
}

func sinkReplay(t testing.TB, s Sink) {
	target := s.New(t)
	p := target.Open(t, nil)
	writes(t, p, groups())
	writes(t, p, groups())
	p.Close()
	settles(t, target, groups())
	s.holds(t, target, recordsOf(groups()...))
}

func sinkRegroups(t testing.TB, s Sink) {
	target := s.New(t)
	settles(t, target, groups()[:2])
	p := target.Open(t, nil)
	defer p.Close()
	all := groups()
	slices.Reverse(all)
	for _, g := range all {
		writes(t, p, []Group{g})
	}
	s.holds(t, target, recordsOf(all...))
}

func sinkLargest(t testing.TB, s Sink) {
	target := s.New(t)
	length := s.Largest
	if length == 0 {
		length = 10 << 20
	}
	large := group(0, 1, 3, 0)
	large.Records[1].Value = strings.Repeat("x", length)
	p := target.Open(t, nil)
	defer p.Close()
	require.Empty(t, writes(t, p, []Group{large}))
	s.holds(t, target, large.Records)
}

func sinkRefused(t testing.TB, s Sink) {
	if s.TooLarge == 0 {
		return // there is no such record
	}
	target := s.New(t)
	g, other := group(0, 1, 3, 0), group(1, 2, 1, 0)
	g.Records[1].Value = strings.Repeat("x", s.TooLarge)
	p := target.Open(t, nil)
	defer p.Close()
	for range 2 { // and told again when the bundle is
		refused := writes(t, p, []Group{g, other})
		require.Len(t, refused, 1)
		require.Equal(t, g.Records[1].Key, refused[0].Key)
	}
	s.holds(t, target, []Record{g.Records[0], g.Records[2], other.Records[0]})
}

// everyStep plays a bundle once for each of its steps, which has that fate, on a place of its own, and
// then what a runner does: again, in a process of its own if that one has ended. after is called then.
func (s Sink) everyStep(t testing.TB, fate Fate, after func(n int, target Target, acknowledged bool)) {
	t.Helper()
	for n := 1; n <= mostSteps; n += max(1, s.Every) {
		target, steps := s.New(t), disturbed(n, fate)
		p := target.Open(t, steps)
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		acknowledged, _, err := p.Write(ctx, groups())
		cancel()
		if fate.Dies() && steps.taken() >= n {
			require.Error(t, err, "step %d: the process has ended, and its bundle cannot have succeeded", n)
		}
		p.Close()
		after(n, target, err == nil && acknowledged == len(groups()))
		if steps.taken() < n {
			require.Greater(t, n, 1, "there are no steps at all: the harness asks nothing")
			return
		}
	}
}

func sinkDies(t testing.TB, s Sink) {
	for _, fate := range []Fate{DiesBefore, DiesAfter} {
		s.everyStep(t, fate, func(n int, target Target, _ bool) {
			settles(t, target, groups())
			s.holds(t, target, recordsOf(groups()...), "the process %v step %d", fate, n)
		})
	}
}

// sinkGivenUp has a process pause before a step, and another one write the bundle meanwhile.
func sinkGivenUp(t testing.TB, s Sink) {
	for n := 1; n <= mostSteps; n += max(1, s.Every) {
		if !s.givenUp(t, n) {
			return
		}
	}
}

// givenUp has a process pause before its nth step, and says whether it came to it.
func (s Sink) givenUp(t testing.TB, n int) (paused bool) {
	target, steps := s.New(t), disturbed(n, halted)
	p, done := target.Open(t, steps), make(chan struct{})
	go func() {
		defer close(done)
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		_, _, _ = p.Write(ctx, groups()) // what it says matters to nobody any more
	}()
	goOn := sync.OnceFunc(func() {
		close(steps.resume)
		<-done
		p.Close()
	})
	defer goOn()
	select {
	case <-steps.reached:
		paused = true
	case <-done:
	}
	settles(t, target, groups())
	goOn()
	s.holds(t, target, recordsOf(groups()...), "a process was given up at step %d, and went on later", n)
	return paused
}

func sinkUnanswered(t testing.TB, s Sink) {
	s.everyStep(t, Unanswered, func(n int, target Target, _ bool) {
		settles(t, target, groups())
		s.holds(t, target, recordsOf(groups()...), "step %d was done, and not answered", n)
	})
}

func sinkFails(t testing.TB, s Sink) {
	s.everyStep(t, Refused, func(n int, target Target, _ bool) {
		settles(t, target, groups())
		s.holds(t, target, recordsOf(groups()...), "step %d was refused", n)
	})
	// And longer than anybody tries at once.
	target := s.New(t)
	p := target.Open(t, &Steps{at: 2, count: 20, fate: Refused})
	defer p.Close()
	for tries := 0; ; tries++ {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		_, _, err := p.Write(ctx, groups())
		cancel()
		if err == nil {
			break
		}
		require.Less(t, tries, 30, "it does not recover: %v", err)
		time.Sleep(10 * time.Millisecond) // the runner's
	}
	s.holds(t, target, recordsOf(groups()...))
}

func sinkSlow(t testing.TB, s Sink) {
	target := s.New(t)
	p := target.Open(t, &Steps{at: 1, count: 10, fate: Slow})
	defer p.Close()
	writes(t, p, groups())
	s.holds(t, target, recordsOf(groups()...))
}

func sinkNotWritten(t testing.TB, s Sink) {
	for _, fate := range []Fate{Refused, Unanswered} {
		s.everyStep(t, fate, func(n int, target Target, acknowledged bool) {
			if acknowledged {
				s.holds(t, target, recordsOf(groups()...), "step %d was %v, and the bundle succeeded", n, fate)
			}
		})
	}
}

func sinkAborted(t testing.TB, s Sink) {
	target := s.New(t)
	p := target.Open(t, nil)
	defer p.Close()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, _, err := p.Write(ctx, groups())
	require.Error(t, err)
	s.holds(t, target, nil)
	writes(t, p, groups())
	s.holds(t, target, recordsOf(groups()...))
}
