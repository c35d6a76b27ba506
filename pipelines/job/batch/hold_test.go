package batch

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/io/fileio"
	"tributary/io/fileio/fileiotest"
	"tributary/pipelines/spec"
	"tributary/pipelines/spec/problem"
	"tributary/transforms/account"
)

// during runs a join and calls do once, when some intervals are finished and others are not.
func during(t *testing.T, s *spec.Spec, do func()) error {
	t.Helper()
	done := false
	_, err := Run(t.Context(), s, Options{Interval: short, Parallel: 1, Again: true, Progress: func(p Progress) {
		if p.Stage == "join" && p.Intervals == 3 && !done {
			done = true
			do()
		}
	}})
	require.True(t, done)
	return err
}

// inUse is the message of a join that is refused because another one runs.
func inUse(t *testing.T, s *spec.Spec) string {
	t.Helper()
	_, err := Run(t.Context(), s, Options{Interval: short})
	var list problem.List
	require.ErrorAs(t, err, &list)
	require.Len(t, list, 1)
	require.Equal(t, "T2010", list[0].Code)
	require.Equal(t, "wait until that one has ended, or write to another folder", list[0].Hint)
	return list[0].Message
}

func TestTwoJoinsAtOnce(t *testing.T) {
	_, s := deterministic(t)
	want := joined(t, s, Options{Interval: short})
	other := to(s, t.TempDir())
	shared := *other // nothing but the folder of dead letters
	s = to(s, t.TempDir())
	shared.Outputs.DeadLetters = s.Outputs.DeadLetters
	require.NoError(t, during(t, s, func() {
		require.Contains(t, inUse(t, s), s.Outputs.Samples.Path+" is in use by process ")
		require.Contains(t, inUse(t, &shared), s.Outputs.DeadLetters+" is in use by process ")
		_, err := Run(t.Context(), other, Options{Interval: short})
		require.NoError(t, err)
	}))
	requireSameFiles(t, want, contents(t, filepath.Dir(s.Outputs.Accounts)))
	requireSameFiles(t, want, contents(t, filepath.Dir(other.Outputs.Accounts)))
	_, err := Run(t.Context(), s, Options{Interval: short})
	require.NoError(t, err, "the first has ended")
}

func TestTwoJoinsAtOnceInACloud(t *testing.T) {
	fileiotest.StartEmulator(t)
	_, s := deterministic(t)
	s = to(s, "gs://bucket/out")
	require.NoError(t, during(t, s, func() {
		require.Contains(t, inUse(t, s), "gs://bucket/out/samples is in use by process ")
	}))
	for name := range objects(t, "gs://bucket/out") {
		require.NotContains(t, name, "lock")
	}
}

// TestFolderTakenOver: somebody took the folders though this run lives: it stops, and what is of
// both is joined again by the next.
func TestFolderTakenOver(t *testing.T) {
	_, s := deterministic(t)
	want := joined(t, s, Options{Interval: short})
	s = to(s, t.TempDir())
	out := filepath.Dir(s.Outputs.Accounts)
	err := during(t, s, func() {
		for _, path := range below(t, s.Outputs.Samples.Path) { // the other's samples, of all intervals so far
			write(t, path, "another's")
		}
		record, err := json.Marshal(fileio.Holder{Host: "there", Machine: "of there", PID: 7})
		require.NoError(t, err)
		lock := s.Outputs.Accounts + "/.tributary.lock"
		require.NoError(t, os.Remove(lock))
		require.NoError(t, os.WriteFile(lock, record, 0o600))
	})
	require.Error(t, err)
	require.ErrorContains(t, err, "the lock is no longer this process's: it is in use by process 7 on there, since")
	require.ErrorContains(t, err, "another process has taken over")
	require.NoError(t, os.Remove(s.Outputs.Accounts+"/.tributary.lock")) // it has ended, too
	join(t, s, Options{Interval: short})
	requireSameFiles(t, want, contents(t, out))
}

// TestLedgerNamesItsFiles: an interval is finished if its files are those that its ledger names.
func TestLedgerNamesItsFiles(t *testing.T) {
	_, s := deterministic(t)
	s = to(s, t.TempDir())
	out := filepath.Dir(s.Outputs.Accounts)
	join(t, s, Options{Interval: short})
	want := contents(t, out)
	before := written(t, out)
	for name, content := range want {
		if !strings.HasPrefix(name, "ledger/") {
			continue
		}
		l, err := account.Decode([]byte(content))
		require.NoError(t, err)
		outs := outputsOf(s, interval{from: l.From, to: l.To})
		named := 0
		for _, f := range outs.counted(l) {
			if f.records > 0 {
				named++
			}
		}
		require.Len(t, l.Files, named)
	}

	for name := range before { // as a copy has it
		require.NoError(t, os.Chtimes(out+"/"+name, time.Now(), time.Now().Add(-time.Hour)))
	}
	before = written(t, out)
	join(t, s, Options{Interval: short})
	require.Empty(t, again(t, out, before), "the files are the same")

	for _, output := range []string{"samples/", "dead_letters/", "late/", "orphans/"} {
		for name, content := range want {
			if !strings.HasPrefix(name, output) {
				continue
			}
			other := bytes.ToUpper([]byte(content)) // of the same size
			require.NotEqual(t, content, string(other))
			write(t, out+"/"+name, string(other))
			before = written(t, out)
			join(t, s, Options{Interval: short})
			require.Len(t, again(t, out, before), 1, name)
			requireSameFiles(t, want, contents(t, out))
			break
		}
	}
}

// TestFileReplacedBeforeTheCommit: the interval is not finished with another's file.
func TestFileReplacedBeforeTheCommit(t *testing.T) {
	path := t.TempDir() + "/part.avro"
	w, err := fileio.Create(t.Context(), path)
	require.NoError(t, err)
	_, err = w.Write([]byte("this run's"))
	require.NoError(t, err)
	require.NoError(t, w.Commit())
	l := account.New()
	l.Views.N[account.Samples], l.Files = 1, writtenAs("samples", w)
	out := outputs{Samples: []sampleOutput{{Key: samplesKey, Path: path}}}
	require.NoError(t, out.check(t.Context(), l))
	write(t, path, "another's.")
	require.ErrorContains(t, out.check(t.Context(), l), path+" is not as it was written: another process writes to its folder")
	require.NoError(t, os.Remove(path))
	require.Error(t, out.check(t.Context(), l))

	require.NoError(t, writeNew(t.Context(), path, []byte("a")))
	require.ErrorContains(t, writeNew(t.Context(), path, []byte("b")), path+" was written by another process")
}

// TestCancelledJoinGivesUpItsFolders: nobody has to wait for it.
func TestCancelledJoinGivesUpItsFolders(t *testing.T) {
	_, s := deterministic(t)
	s = to(s, t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	_, err := Run(ctx, s, Options{Interval: short, Progress: func(p Progress) {
		if p.Intervals > 0 {
			cancel()
		}
	}})
	cancel()
	require.ErrorIs(t, err, context.Canceled)
	join(t, s, Options{Interval: short})
}
