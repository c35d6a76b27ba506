package iotest

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSuitesPass: a source and a sink without flaws keep all.
func TestSuitesPass(t *testing.T) {
	t.Run("source", func(t *testing.T) { RunSource(t, memSource(sourceFlaws{})) })
	t.Run("sink", func(t *testing.T) { RunSink(t, memSink(sinkFlaws{})) })
	t.Run("sink at least once", func(t *testing.T) {
		s := memSink(sinkFlaws{forgets: true})
		s.AtLeastOnce = true
		RunSink(t, s)
	})
}

// TestEachClauseOfSinksFails: each clause is broken by a sink with a flaw.
func TestEachClauseOfSinksFails(t *testing.T) {
	broken := map[string]sinkFlaws{
		"what is acknowledged can be read, and in its order": {backwards: true},
		"nothing is written of nothing":                      {marksEmpty: true},
		"a replay writes nothing twice":                      {forgets: true},
		"a replay may be cut into other bundles":             {forgets: true},
		"the largest record is written whole":                {cuts: true},
		"a record that is too large is left out and told":    {dropsLarge: true},
		"a process may end before or after any step":         {piecemeal: true},
		"a process that was given up may go on":              {stale: true},
		"a step may be done without an answer":               {blind: true},
		"a backend may fail for a while":                     {sulks: true},
		"a backend may be slow":                              {hasty: true},
		"nothing is acknowledged that is not written":        {optimistic: true},
		"a bundle that is aborted writes nothing":            {deaf: true},
	}
	for _, c := range sinkClauses {
		t.Run(c.name, func(t *testing.T) {
			flaws, ok := broken[c.name]
			require.True(t, ok, "no sink breaks it")
			require.True(t, fails(t, func(t testing.TB) { c.check(t, memSink(flaws)) }), "it does not notice %+v", flaws)
		})
	}
}

// TestEachClauseOfSourcesFails: each clause is broken by a source with a flaw.
func TestEachClauseOfSourcesFails(t *testing.T) {
	broken := map[string]sourceFlaws{
		"all is read, each partition in its order":              {backwards: true},
		"no event comes behind the watermark":                   {rushes: true},
		"an empty log ends, and nothing is known of time":       {knowsTime: true},
		"bad records are told, and the others read":             {dropsBad: true},
		"the largest record is read whole":                      {cuts: true},
		"a reader may be resumed anywhere":                      {losesClock: true},
		"what the runner takes away is read by whoever goes on": {readsAhead: true},
		"an old state gives the same again":                     {forgetful: true},
		"a process may end before or after any step":            {skips: true},
		"a backend may fail for a while":                        {sulks: true},
		"a backend may be slow":                                 {hasty: true},
	}
	for _, c := range sourceClauses {
		t.Run(c.name, func(t *testing.T) {
			flaws, ok := broken[c.name]
			require.True(t, ok, "no source breaks it")
			require.True(t, fails(t, func(t testing.TB) { c.check(t, memSource(flaws)) }), "it does not notice %+v", flaws)
		})
	}
}

// failing is a test that may fail without the one around it.
type failing struct {
	testing.TB
	failed bool
}

func (f *failing) Errorf(string, ...any) { f.failed = true }
func (f *failing) FailNow()              { f.failed = true; runtime.Goexit() }
func (f *failing) Helper()               {}

// fails says whether a check does.
func fails(t *testing.T, check func(testing.TB)) bool {
	f, done := &failing{TB: t}, make(chan struct{})
	go func() {
		defer close(done)
		check(f)
	}()
	<-done
	return f.failed
}
