package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/log"

	"tributary/io/pool"
)

const (
	commandWithin = 30 * time.Second
	// mostPrinted is the longest token: brokers take requests of authentication of 512 KiB, and HTTP
	// servers headers of far less.
	mostPrinted = 64 << 10
	// rememberFor is for how long what a command printed is kept that no connection asks for: then
	// the command runs again.
	rememberFor = time.Hour
	// sharedFor is for how long what a command printed serves all connections that are made at once,
	// if it does not say how long it is valid.
	sharedFor = 10 * time.Second
)

// commands are those of all clients of the process: each connection to each broker authenticates by
// itself, and there may be hundreds.
var commands = newCommandCache()

// commandCache runs commands, each at most once at a time, and keeps what they print while it is
// good.
type commandCache struct {
	denied atomic.Bool
	known  pool.Pool[string, *printed]
}

func newCommandCache() *commandCache {
	return &commandCache{known: pool.Pool[string, *printed]{Idle: rememberFor, Close: func(*printed) {}, Single: true}}
}

// DenyCommands has no command run in this process from now on: a worker that takes jobs from whoever
// reaches it must not run the programs that they name.
func DenyCommands() { commands.denied.Store(true) }

var errDenied = errors.New("this worker runs no commands of jobs: start it with a token that jobs must know")

func validCommand(argv []string) error {
	if len(argv) == 0 || argv[0] == "" {
		return errors.New("a command begins with a program")
	}
	return nil
}

// commandName is a command without its arguments.
func commandName(argv []string) string { return "command " + filepath.Base(argv[0]) }

// printed is what a command printed last.
type printed struct {
	text    string
	until   time.Time // it is used without another run
	expires time.Time // it is good; zero if it does not say
}

// run returns what a command prints, without the line break at its end. expiry tells when that is no
// longer good. Where a new one cannot be had, the last one is used while it is good, which is logged.
func (c *commandCache) run(ctx context.Context, argv []string, expiry func(string) time.Time) (string, error) {
	if c.denied.Load() {
		return "", errDenied
	}
	key := strings.Join(argv, "\x00")
	p, err := c.known.Take(ctx, key, func() (*printed, error) { return &printed{}, nil })
	if err != nil {
		return "", fmt.Errorf("%s: %w", commandName(argv), err)
	}
	defer c.known.Give(key, p)
	now := time.Now()
	if now.Before(p.until) {
		return p.text, nil
	}
	text, err := outputOf(ctx, argv)
	switch {
	case err != nil && now.Before(p.expires):
		p.until = now.Add(min(sharedFor, p.expires.Sub(now)))
		log.Warnf(ctx, "%v: what it printed last is used until %s", err, p.expires.UTC().Format(time.RFC3339))
		return p.text, nil
	case err != nil:
		return "", err
	}
	p.text, p.expires, p.until = text, expiry(text), now.Add(sharedFor)
	if !p.expires.IsZero() {
		if !now.Before(p.expires) {
			p.until = time.Time{}
			return "", fmt.Errorf("%s prints what has expired at %s", commandName(argv), p.expires.UTC().Format(time.RFC3339))
		}
		p.until = now.Add(keep(p.expires.Sub(now)))
	}
	return text, nil
}

// keep is for how long something is used that is good for as long as that. A broker takes no token for
// longer than the token is good, nor another one sooner than after a second.
func keep(good time.Duration) time.Duration {
	if rest := good / 5; rest >= 30*time.Second {
		return good - rest
	}
	return good / 2
}

// outputOf runs a command. Its errors hold nothing that the command printed.
func outputOf(ctx context.Context, argv []string) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, commandWithin, fmt.Errorf("no end after %s", commandWithin))
	defer cancel()
	out := &boundedBuffer{full: cancel}
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Stdout = out
	cmd.WaitDelay = time.Second // a child of it may hold its output open
	err := cmd.Run()
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	text := strings.TrimRight(out.kept.String(), "\r\n")
	switch {
	case out.was:
		return "", fmt.Errorf("%s prints more than %d KiB", commandName(argv), mostPrinted>>10)
	case err != nil:
		return "", fmt.Errorf("%s: %w: run it by hand, where this process runs, to see why", commandName(argv), err)
	case text == "":
		return "", fmt.Errorf("%w: %s prints nothing", ErrNoSecret, commandName(argv))
	}
	return text, nil
}

// boundedBuffer keeps no more than it should.
type boundedBuffer struct {
	kept bytes.Buffer // not embedded: it would be filled past Write
	full func()       // told once there is more
	was  bool
}

func (b *boundedBuffer) Write(p []byte) (int, error) {
	if b.was = b.was || b.kept.Len()+len(p) > mostPrinted; b.was {
		b.full()
		return 0, errors.New("too much")
	}
	return b.kept.Write(p)
}
