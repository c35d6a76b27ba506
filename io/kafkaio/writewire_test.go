package kafkaio

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

type dialFunc = func(ctx context.Context, network, address string) (net.Conn, error)

var netDial = (&net.Dialer{}).DialContext

var errCut = errors.New("the network is cut")

// wire is a writer process's network. Its fault sees every request before it is sent: a
// client writes a request in one piece, and a request begins with its length and key.
type wire struct {
	dial dialFunc
	// fault, if set, decides about a request.
	fault func(key kmsg.Key) fate

	mu       sync.Mutex
	conns    map[*wireConn]struct{}
	cutUntil time.Time
	dead     bool
	dials    int
}

// fate is what becomes of a request.
type fate struct {
	// hold is how long it takes until the request is sent.
	hold time.Duration
	// lose drops the request.
	lose bool
	// then is done once the request is sent or lost: cut closes all connections and refuses
	// new ones for a while, die for ever. If the process dies, its request may still arrive
	// late.
	cut  time.Duration
	die  bool
	late time.Duration
}

func (w *wire) setFault(f func(kmsg.Key) fate) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fault = f
}

func (w *wire) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	w.mu.Lock()
	cut := w.dead || time.Now().Before(w.cutUntil)
	w.mu.Unlock()
	if cut {
		return nil, errCut
	}
	conn, err := w.dial(ctx, network, address)
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
	w.dials++
	return c, nil
}

// cut closes the connections except one and refuses others.
func (w *wire) cut(until time.Time, die bool, except *wireConn) {
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

func (w *wire) kill() { w.cut(time.Time{}, true, nil) }

func (w *wire) open() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.conns)
}

type wireConn struct {
	net.Conn
	wire *wire
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
		return 0, errCut
	}
	if fault == nil || len(b) < 6 {
		return c.Conn.Write(b)
	}
	f := fault(kmsg.Key(binary.BigEndian.Uint16(b[4:])))
	time.Sleep(f.hold) // a pause of the process or the network, in the bubble's time or short
	if f.late > 0 {
		// The broker's end of this connection lives on until the request has arrived.
		late := append([]byte(nil), b...)
		conn := c.Conn
		c.wire.cut(time.Time{}, true, c)
		go func() {
			time.Sleep(f.late)
			_ = conn.SetDeadline(time.Now().Add(time.Second))
			if _, err := conn.Write(late); err == nil {
				_, _ = conn.Read(make([]byte, 1024))
			}
			_ = conn.Close()
		}()
		return 0, errCut
	}
	if !f.lose {
		if n, err := c.Conn.Write(b); err != nil {
			return n, err
		}
	}
	switch {
	case f.die:
		c.wire.kill()
		return 0, errCut
	case f.cut > 0:
		c.wire.cut(time.Now().Add(f.cut), false, nil)
		return 0, errCut
	}
	return len(b), nil
}

func (w *wire) isDead() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.dead
}
