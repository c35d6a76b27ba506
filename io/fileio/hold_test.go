package fileio

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func testWriteNew(t *testing.T, root string) {
	ctx, path := t.Context(), root+"a/x.json"
	require.NoError(t, WriteNew(ctx, path, []byte("first")))
	require.NoError(t, WriteNew(ctx, path, []byte("first")), "the same is there")
	require.ErrorIs(t, WriteNew(ctx, path, []byte("second")), fs.ErrExist)
	content, err := ReadFile(ctx, path)
	require.NoError(t, err)
	require.Equal(t, "first", string(content))
	files, err := List(ctx, root+"a/{.*,*}")
	require.NoError(t, err)
	require.Len(t, files, 1, "nothing is left behind")

	w, err := Create(ctx, path)
	require.NoError(t, err)
	_, err = w.Write([]byte("third"))
	require.NoError(t, err)
	require.NoError(t, w.Commit())
	is, err := Stat(ctx, path)
	require.NoError(t, err)
	require.Equal(t, is.Version, w.Version())
	require.NotZero(t, w.Hash())
}

// quickHolds makes the times of holders short.
func quickHolds(t *testing.T) {
	t.Helper()
	beat, stop, stale, look := beatEvery, stopAfter, staleAfter, lookEvery
	t.Cleanup(func() { beatEvery, stopAfter, staleAfter, lookEvery = beat, stop, stale, look })
	beatEvery, stopAfter, staleAfter, lookEvery = 10*time.Millisecond, 20*time.Second, 300*time.Millisecond, 10*time.Millisecond
}

func release(t *testing.T, h *Hold) {
	t.Helper()
	require.NoError(t, h.Release())
}

// deadProcess is the id of a process that has ended.
func deadProcess(t *testing.T) int {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "true")
	require.NoError(t, cmd.Run())
	return cmd.Process.Pid
}

func testHold(t *testing.T, root string) {
	quickHolds(t)
	ctx := t.Context()
	leave := func(folder string, by Holder) {
		record, err := json.Marshal(by)
		require.NoError(t, err)
		require.NoError(t, WriteFile(ctx, folder+"/"+holdName, record))
	}
	t.Run("one at a time", func(t *testing.T) {
		folder := root + "one"
		h, err := Take(ctx, folder)
		require.NoError(t, err)
		_, err = Take(ctx, folder)
		var held *HeldError
		require.ErrorAs(t, err, &held)
		require.Equal(t, os.Getpid(), held.By.PID)
		host, err := os.Hostname()
		require.NoError(t, err)
		require.ErrorContains(t, held, folder+" is in use by process ")
		require.ErrorContains(t, held, " on "+host+", since 20")
		other, err := Take(ctx, root+"other")
		require.NoError(t, err)
		release(t, other)
		require.NoError(t, h.Check(ctx))
		release(t, h)
		require.ErrorIs(t, h.Context.Err(), context.Canceled)
		h, err = Take(ctx, folder)
		require.NoError(t, err)
		release(t, h)
		_, err = Stat(ctx, folder+"/"+holdName)
		require.ErrorIs(t, err, fs.ErrNotExist, "nothing is left behind")
	})
	t.Run("of a dead process of this host", func(t *testing.T) {
		staleAfter = time.Hour
		defer func() { staleAfter = 300 * time.Millisecond }()
		leave(root+"dead", Holder{Host: "here", Machine: machine(), PID: deadProcess(t), ID: "a"})
		h, err := Take(ctx, root+"dead")
		require.NoError(t, err)
		release(t, h)
	})
	t.Run("of another host that is silent", func(t *testing.T) {
		leave(root+"silent", Holder{Host: "there", Machine: "of there", PID: 1, ID: "a"})
		began := time.Now()
		h, err := Take(ctx, root+"silent")
		require.NoError(t, err)
		require.GreaterOrEqual(t, time.Since(began), staleAfter)
		release(t, h)
	})
	t.Run("of one that died as it wrote", func(t *testing.T) {
		require.NoError(t, WriteFile(ctx, root+"torn/"+holdName, []byte(`{"host":`)))
		h, err := Take(ctx, root+"torn")
		require.NoError(t, err)
		release(t, h)
	})
	t.Run("of another host that lives", func(t *testing.T) {
		staleAfter = time.Hour
		defer func() { staleAfter = 300 * time.Millisecond }()
		leave(root+"alive", Holder{Host: "there", Machine: "of there", PID: 7, ID: "a"})
		ctx, stop := context.WithCancel(ctx)
		var beating sync.WaitGroup
		beating.Go(func() {
			for beat := int64(1); wait(ctx, 20*time.Millisecond) == nil; beat++ {
				leave(root+"alive", Holder{Host: "there", Machine: "of there", PID: 7, ID: "a", Beat: beat})
			}
		})
		_, err := Take(ctx, root+"alive")
		require.ErrorContains(t, err, "is in use by process 7 on there")
		stop()
		beating.Wait()
	})
	t.Run("lost", func(t *testing.T) {
		h, err := Take(ctx, root+"lost")
		require.NoError(t, err)
		leave(root+"lost", Holder{Host: "there", Machine: "of there", PID: 7, ID: "a"})
		<-h.Context.Done()
		require.ErrorIs(t, context.Cause(h.Context), ErrHoldLost)
		require.ErrorIs(t, h.Check(ctx), ErrHoldLost)
		release(t, h)
		is, err := Stat(ctx, root+"lost/"+holdName)
		require.NoError(t, err, "it is another's")
		require.NotZero(t, is.Size)
	})
	t.Run("many at once", func(t *testing.T) {
		var holders atomic.Int32
		var took atomic.Int32
		var all sync.WaitGroup
		for range 6 {
			all.Go(func() {
				for range 5 {
					h, err := Take(ctx, root+"many")
					if held := (*HeldError)(nil); errors.As(err, &held) {
						continue
					}
					if !assert.NoError(t, err) {
						return
					}
					assert.Equal(t, int32(1), holders.Add(1))
					took.Add(1)
					holders.Add(-1)
					assert.NoError(t, h.Release())
				}
			})
		}
		all.Wait()
		require.NotZero(t, took.Load())
	})
}

// TestHoldWithoutFileLocks: on a file system without locks the holder's process and its signs of
// life decide.
func TestHoldWithoutFileLocks(t *testing.T) {
	before := lockFile
	t.Cleanup(func() { lockFile = before })
	lockFile = func(*os.File, bool) error { return errors.ErrUnsupported }
	root := t.TempDir() + "/"
	quickHolds(t)
	testHold(t, root)
}

// TestHoldOfAFolderThatWasNotThere: what was made for the lock goes with it, if nothing was put
// there.
func TestHoldOfAFolderThatWasNotThere(t *testing.T) {
	root := t.TempDir()
	h, err := Take(t.Context(), root+"/a/b")
	require.NoError(t, err)
	release(t, h)
	entries, err := os.ReadDir(root)
	require.NoError(t, err)
	require.Empty(t, entries)

	h, err = Take(t.Context(), root+"/a/b")
	require.NoError(t, err)
	require.NoError(t, WriteFile(t.Context(), root+"/a/x", nil))
	release(t, h)
	entries, err = os.ReadDir(root + "/a")
	require.NoError(t, err)
	require.Len(t, entries, 1)
}

// TestHoldWhoseAnswerIsLost: the object comes to be, the answer does not, and the request is made
// again.
func TestHoldWhoseAnswerIsLost(t *testing.T) {
	f := newFakeCloud(t)
	f.fault = func(kind string, n int, w http.ResponseWriter, r *http.Request) bool {
		if kind != "insert" || n > 1 {
			return false
		}
		f.insert(discard{}, r)
		answer(w, http.StatusServiceUnavailable, "try again")
		return true
	}
	ctx := WithRetry(t.Context(), Retry{Bound: 10 * time.Second, First: time.Millisecond})
	h, err := Take(ctx, "gs://bucket/out")
	require.NoError(t, err)
	require.Equal(t, 3, f.count("insert"), "with the first sign of life")
	release(t, h)
}

// TestHoldWithoutTheRightToReplace is told at once.
func TestHoldWithoutTheRightToReplace(t *testing.T) {
	f := newFakeCloud(t)
	f.fault = func(kind string, n int, w http.ResponseWriter, _ *http.Request) bool {
		if kind == "delete" || kind == "insert" && n > 1 {
			answer(w, http.StatusForbidden, "no storage.objects.delete access")
			return true
		}
		return false
	}
	_, err := Take(t.Context(), "gs://bucket/out")
	require.ErrorIs(t, err, fs.ErrPermission)
	require.ErrorContains(t, err, "storage.objects.delete")
}

// discard is an answer that nobody gets.
type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) WriteHeader(int)             {}
