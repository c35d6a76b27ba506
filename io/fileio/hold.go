package fileio

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"
)

// holdName is the file that says who holds a folder, out of sight of patterns.
const holdName = ".tributary.lock"

// A holder says every beatEvery that it lives, and stops what it does if it could not for
// stopAfter. Who finds another's lock, and cannot tell otherwise whether that one lives, waits
// for staleAfter: a lock that was renewed meanwhile is held. Clocks of different hosts are never
// compared. Variables for tests.
var (
	beatEvery  = 10 * time.Second
	stopAfter  = 35 * time.Second
	staleAfter = time.Minute
	lookEvery  = time.Second
)

// Holder is who holds a folder.
type Holder struct {
	Host string `json:"host"`
	PID  int    `json:"pid"`
	// Started is when it took the folder, by its own clock.
	Started time.Time `json:"started"`
	// Machine tells hosts of one name apart, and what shares a host but not its processes. ID
	// is of this holding alone. Beat counts its signs of life.
	Machine string `json:"machine"`
	ID      string `json:"id"`
	Beat    int64  `json:"beat"`
}

func (h *Holder) String() string {
	if h.PID == 0 {
		return "another process"
	}
	return fmt.Sprintf("process %d on %s, since %s", h.PID, h.Host, h.Started.UTC().Format(time.RFC3339))
}

// HeldError says that somebody else holds a folder.
type HeldError struct {
	Folder string
	By     Holder
}

func (e *HeldError) Error() string { return fmt.Sprintf("%s is in use by %s", e.Folder, &e.By) }

// ErrHoldLost is the cause of the end of a holding's context.
var ErrHoldLost = errors.New("the lock is no longer this process's")

// errTaken says that a lock is not as it was when it was looked at.
var errTaken = errors.New("the lock was taken")

// holdStore keeps the lock of a folder.
type holdStore interface {
	// look returns what the lock says, and what tells this state from others; fs.ErrNotExist
	// if nobody holds it.
	look(ctx context.Context) (record []byte, version string, err error)
	// put writes the lock if it is still as version says, empty if it is not there; else it
	// returns errTaken.
	put(ctx context.Context, record []byte, version string) (string, error)
	// dead tells whether the holder is known to be gone.
	dead(h *Holder) bool
	// drop removes the lock, if it is still as version says.
	drop(ctx context.Context, version string) error
	// close leaves a lock that is another's by now.
	close() error
}

// Hold is the exclusive use of a folder, among all that ask for it.
type Hold struct {
	// Context ends, with ErrHoldLost as its cause, when the folder is lost.
	Context context.Context

	cancel  context.CancelCauseFunc
	done    chan struct{}
	store   holdStore
	folder  string
	by      Holder
	version string
}

// Take takes the exclusive use of a folder, which is made if it is not there, or returns a
// *HeldError that says who has it. A holder that has died is followed: at once if it was of this
// host, after a minute otherwise. Call Release in the end.
//
// On local disks the lock is a file that the kernel locks too. On object stores it is an object
// that is replaced only in the version that was seen, which takes the right to get, create
// and delete objects.
func Take(ctx context.Context, folder string) (*Hold, error) {
	store, err := holdOf(folder)
	if err != nil {
		return nil, err
	}
	host, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("take %s: %w", folder, err)
	}
	h := &Hold{store: store, folder: folder, done: make(chan struct{}), by: Holder{
		Host: host, PID: os.Getpid(), Started: time.Now().UTC().Truncate(time.Second), Machine: machine(), ID: rand.Text(),
	}}
	if err := h.take(ctx); err != nil {
		return nil, err
	}
	if _, remote := store.(*cloudHold); remote {
		// Who may create objects need not be allowed to replace them. Better now than when it lives on.
		h.by.Beat++
		if err := h.put(ctx, h.version); err != nil {
			return nil, errors.Join(err, store.drop(ctx, h.version))
		}
	}
	h.Context, h.cancel = context.WithCancelCause(ctx)
	go h.live(context.WithoutCancel(ctx))
	return h, nil
}

func holdOf(folder string) (holdStore, error) {
	s, err := storeOf(folder)
	if err != nil {
		return nil, err
	}
	path := strings.TrimSuffix(folder, "/") + "/" + holdName
	if c, remote := s.(cloud); remote {
		return &cloudHold{store: c.objectStore, path: path}, nil
	}
	return &localHold{path: path}, nil
}

// take waits for a lock of which it is not known whether its holder lives.
func (h *Hold) take(ctx context.Context) error {
	var seen string
	var since time.Time
	for {
		record, version, err := h.store.look(ctx)
		if errors.Is(err, fs.ErrNotExist) {
			version, err = "", nil
		}
		if err != nil {
			return fmt.Errorf("look at the lock of %s: %w", h.folder, err)
		}
		var by Holder
		if version != "" && json.Unmarshal(record, &by) != nil {
			by = Holder{} // it died while it wrote, or writes now
		}
		if version != seen && seen != "" && version != "" {
			return &HeldError{Folder: h.folder, By: by}
		}
		if version == "" || h.store.dead(&by) || !since.IsZero() && time.Since(since) >= staleAfter {
			err = h.put(ctx, version)
			if err == nil || !errors.Is(err, errTaken) {
				return err
			}
			if version != "" {
				return &HeldError{Folder: h.folder, By: by}
			}
			continue // somebody was faster, and is there now
		}
		if err := h.held(&by); err != nil {
			return err
		}
		if seen == "" {
			seen, since = version, time.Now()
		}
		if err := wait(ctx, lookEvery); err != nil {
			return err
		}
	}
}

// held returns an error for a lock that is surely held.
func (h *Hold) held(by *Holder) error {
	if l, ok := h.store.(*localHold); ok && l.locked() {
		return &HeldError{Folder: h.folder, By: *by}
	}
	return nil
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (h *Hold) put(ctx context.Context, version string) error {
	record, err := json.Marshal(&h.by)
	if err != nil {
		return err
	}
	version, err = h.store.put(ctx, append(record, '\n'), version)
	if err == nil {
		h.version = version
	} else if !errors.Is(err, errTaken) {
		err = fmt.Errorf("take the lock of %s: %w", h.folder, err)
	}
	return err
}

// live renews the lock until the holding ends.
func (h *Hold) live(ctx context.Context) {
	defer close(h.done)
	alive := time.Now()
	for wait(h.Context, beatEvery) == nil {
		h.by.Beat++
		beat, cancel := context.WithTimeout(ctx, stopAfter)
		err := h.put(beat, h.version)
		cancel()
		switch {
		case err == nil:
			alive = time.Now()
		case errors.Is(err, errTaken) || time.Since(alive) >= stopAfter:
			h.cancel(fmt.Errorf("%s: %w: %w", h.folder, ErrHoldLost, err))
			return
		}
	}
}

// Check returns an error if the lock is not this holding's any more. What is written after it may
// still meet another's: it makes that unlikely, no more.
func (h *Hold) Check(ctx context.Context) error {
	if err := context.Cause(h.Context); errors.Is(err, ErrHoldLost) {
		return err
	}
	record, _, err := h.store.look(ctx)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("look at the lock of %s: %w", h.folder, err)
	}
	var by Holder
	if err != nil || json.Unmarshal(record, &by) != nil || by.ID != h.by.ID {
		return fmt.Errorf("%s: %w: it is in use by %s", h.folder, ErrHoldLost, &by)
	}
	return nil
}

// Release gives the folder up.
func (h *Hold) Release() error {
	h.cancel(context.Canceled)
	<-h.done
	// Whatever ended the work, nobody should have to wait for a lock of nobody.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(h.Context), stopAfter)
	defer cancel()
	if h.Check(ctx) != nil && ctx.Err() == nil {
		return h.store.close()
	}
	if err := h.store.drop(ctx, h.version); err != nil {
		return fmt.Errorf("give up the lock of %s: %w", h.folder, err)
	}
	return nil
}
