package kafkatest

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// DialFunc opens a connection.
type DialFunc = func(ctx context.Context, network, address string) (net.Conn, error)

// NetDial opens one of the machine's network.
var NetDial = (&net.Dialer{}).DialContext

// ErrCut is what a network says that is cut.
var ErrCut = errors.New("the network is cut")

// Wire is a writer process's network. Its fault sees every request before it is sent: a
// client writes a request in one piece, and a request begins with its length and key.
type Wire struct {
	Dial DialFunc
	// fault, if set, decides about a request.
	fault func(key kmsg.Key) Fate

	mu       sync.Mutex
	conns    map[*wireConn]struct{}
	cutUntil time.Time
	dead     bool
	Dials    int
}

// Fate is what becomes of a request.
type Fate struct {
	// Hold is how long it takes until the request is sent.
	Hold time.Duration
	// Lose drops the request.
	Lose bool
	// then is done once the request is sent or lost: cut closes all connections and refuses
	// new ones for a while, die for ever. If the process dies, its request may still arrive
	// late.
	Cut  time.Duration
	Die  bool
	Late time.Duration
}

// SetFault changes what decides about requests.
func (w *Wire) SetFault(f func(kmsg.Key) Fate) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fault = f
}

// DialContext opens a connection that goes through the wire.
func (w *Wire) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	w.mu.Lock()
	cut := w.dead || time.Now().Before(w.cutUntil)
	w.mu.Unlock()
	if cut {
		return nil, &net.OpError{Op: "dial", Net: network, Err: ErrCut} // as it is of a real network
	}
	conn, err := w.Dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.conns == nil {
		w.conns = map[*wireConn]struct{}{}
	}
	c := &wireConn{Conn: conn, wire: w}
	w.conns[c] = struct{}{}
	w.Dials++
	return c, nil
}

// cut closes the connections except one and refuses others.
func (w *Wire) cut(until time.Time, die bool, except *wireConn) {
	w.mu.Lock()
	w.cutUntil, w.dead = until, w.dead || die
	var victims []*wireConn
	for c := range w.conns {
		if c != except {
			victims = append(victims, c)
		}
	}
	w.mu.Unlock()
	for _, c := range victims {
		_ = c.Conn.Close()
	}
}

// Kill ends the process: nothing of it reaches the network any more.
func (w *Wire) Kill() { w.cut(time.Time{}, true, nil) }

// Open is how many connections are open.
func (w *Wire) Open() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.conns)
}

type wireConn struct {
	net.Conn
	wire *Wire
}

func (c *wireConn) Close() error {
	c.wire.mu.Lock()
	delete(c.wire.conns, c)
	c.wire.mu.Unlock()
	return c.Conn.Close()
}

func (c *wireConn) Write(b []byte) (int, error) {
	c.wire.mu.Lock()
	fault, dead := c.wire.fault, c.wire.dead
	c.wire.mu.Unlock()
	if dead {
		return 0, ErrCut
	}
	if fault == nil || len(b) < 6 {
		return c.Conn.Write(b)
	}
	f := fault(kmsg.Key(binary.BigEndian.Uint16(b[4:])))
	time.Sleep(f.Hold) // a pause of the process or the network, in the bubble's time or short
	if f.Late > 0 {
		// The broker's end of this connection lives on until the request has arrived.
		late := append([]byte(nil), b...)
		conn := c.Conn
		c.wire.cut(time.Time{}, true, c)
		go func() {
			time.Sleep(f.Late)
			_ = conn.SetDeadline(time.Now().Add(time.Second))
			if _, err := conn.Write(late); err == nil {
				_, _ = conn.Read(make([]byte, 1024))
			}
			_ = conn.Close()
		}()
		return 0, ErrCut
	}
	if !f.Lose {
		if n, err := c.Conn.Write(b); err != nil {
			return n, err
		}
	}
	switch {
	case f.Die:
		c.wire.Kill()
		return 0, ErrCut
	case f.Cut > 0:
		c.wire.cut(time.Now().Add(f.Cut), false, nil)
		return 0, ErrCut
	}
	return len(b), nil
}

// IsDead says whether the process has ended.
func (w *Wire) IsDead() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.dead
}

// Nth returns a fault that acts on the nth request with a key, once.
func Nth(key kmsg.Key, n int, act func() Fate) func(kmsg.Key) Fate {
	var mu sync.Mutex
	return func(k kmsg.Key) Fate {
		mu.Lock()
		if k == key {
			n--
		}
		hit := k == key && n == 0
		mu.Unlock()
		if hit {
			return act()
		}
		return Fate{}
	}
}
