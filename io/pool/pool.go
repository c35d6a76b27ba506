// Package pool keeps what is costly to open, a client of a broker mostly, from one use to the
// next: bundles come and go, each perhaps with another instance of its DoFn, and what a DoFn has
// opened must outlive it.
//
//	taken by one user at a time -> given back -> taken again
//	                                          -> idle for too long: closed
package pool

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Pool keeps values by key. Each value has one user at a time: between Take and Give it is that
// user's alone. Set the fields before the first use and copy no Pool. Safe for concurrent use.
type Pool[K comparable, V any] struct {
	// Idle is how long a value that nobody takes is kept before it is closed.
	Idle time.Duration
	// Close ends a value. Nobody uses it any more, and no lock of the pool is held.
	Close func(V)
	// Single keeps to one value for each key: whoever asks for one that is in use waits for it.
	// Otherwise another is opened: an attempt that was given up, and still runs, holds up nobody.
	Single bool

	mu   sync.Mutex
	keys map[K]*shelf[V]
}

// shelf holds the values of a key.
type shelf[V any] struct {
	idle []*kept[V] // the one given back last is at the end
	used int
	// back is closed when a value is given back or discarded, and somebody waits for that.
	back chan struct{}
}

type kept[V any] struct {
	value V
	timer *time.Timer
}

// Take returns the value of a key that was given back last, or else one that open makes, for the
// caller alone until Give or Discard. The error is that of open, or of ctx if it ends while the
// caller waits for a value of a Single pool.
func (p *Pool[K, V]) Take(ctx context.Context, key K, open func() (V, error)) (V, error) {
	p.mu.Lock()
	s := p.shelf(key)
	for p.Single && s.used > 0 {
		if s.back == nil {
			s.back = make(chan struct{})
		}
		back := s.back
		p.mu.Unlock()
		select {
		case <-back:
		case <-ctx.Done():
			var none V
			return none, context.Cause(ctx)
		}
		p.mu.Lock()
		s = p.shelf(key)
	}
	s.used++
	if n := len(s.idle); n > 0 {
		k := s.idle[n-1]
		s.idle = s.idle[:n-1]
		k.timer.Stop()
		p.mu.Unlock()
		return k.value, nil
	}
	p.mu.Unlock() // to open may take its time, and nobody else need wait for that
	opened := false
	defer func() {
		if !opened { // or open has panicked: the next one must not wait for ever
			p.mu.Lock()
			defer p.mu.Unlock()
			p.returned(key)
		}
	}()
	value, err := open()
	opened = err == nil
	return value, err
}

// Give returns a value to the pool, for whoever takes it next.
func (p *Pool[K, V]) Give(key K, value V) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.shelf(key)
	k := &kept[V]{value: value}
	k.timer = time.AfterFunc(p.Idle, func() { p.expire(key, k) })
	s.idle = append(s.idle, k)
	p.returned(key)
}

// Discard closes a value that was taken instead of giving it back.
func (p *Pool[K, V]) Discard(key K, value V) {
	p.Close(value) // before somebody who waits opens another
	p.mu.Lock()
	defer p.mu.Unlock()
	p.returned(key)
}

// Count is how many keys that match have a value, in use or idle.
func (p *Pool[K, V]) Count(match func(K) bool) int {
	return p.sum(match, func(*shelf[V]) int { return 1 })
}

// Used is how many values of keys that match are in use.
func (p *Pool[K, V]) Used(match func(K) bool) int {
	return p.sum(match, func(s *shelf[V]) int { return s.used })
}

// sum adds up what is counted of each shelf whose key matches.
func (p *Pool[K, V]) sum(match func(K) bool, count func(*shelf[V]) int) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for key, s := range p.keys {
		if match(key) {
			n += count(s)
		}
	}
	return n
}

// CloseIdle closes the values of keys that match and that nobody uses now.
func (p *Pool[K, V]) CloseIdle(match func(K) bool) {
	p.mu.Lock()
	var idle []*kept[V]
	for key, s := range p.keys {
		if match(key) {
			idle, s.idle = append(idle, s.idle...), nil
			p.tidy(key, s)
		}
	}
	p.mu.Unlock()
	for _, k := range idle {
		k.timer.Stop()
		p.Close(k.value)
	}
}

// expire closes a value unless somebody has taken it meanwhile.
func (p *Pool[K, V]) expire(key K, k *kept[V]) {
	p.mu.Lock()
	i := -1
	if s := p.keys[key]; s != nil {
		if i = slices.Index(s.idle, k); i >= 0 {
			s.idle = slices.Delete(s.idle, i, i+1)
			p.tidy(key, s)
		}
	}
	p.mu.Unlock()
	if i >= 0 {
		p.Close(k.value)
	}
}

// returned notes that one user of a key less has a value, and wakes who waits for that.
func (p *Pool[K, V]) returned(key K) {
	s := p.shelf(key)
	s.used--
	if s.back != nil {
		close(s.back)
		s.back = nil
	}
	p.tidy(key, s)
}

// tidy forgets a key without values.
func (p *Pool[K, V]) tidy(key K, s *shelf[V]) {
	if s.used == 0 && len(s.idle) == 0 {
		delete(p.keys, key)
	}
}

func (p *Pool[K, V]) shelf(key K) *shelf[V] {
	if p.keys == nil {
		p.keys = map[K]*shelf[V]{}
	}
	s := p.keys[key]
	if s == nil {
		s = &shelf[V]{}
		p.keys[key] = s
	}
	return s
}
