package kafkaio

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// keptFor is how long a reader that nobody calls keeps its clients.
const keptFor = time.Minute

// readerKey names a reader among all of a process.
type readerKey struct {
	job   string
	index int
}

// pool keeps readers between calls: bundles come and go, and with each a new instance of
// the DoFn. Safe for concurrent use.
type pool struct {
	mu   sync.Mutex
	kept map[readerKey]*keptReader
	busy map[readerKey]int
}

type keptReader struct {
	reader *reader
	expiry *time.Timer
}

var readers = &pool{kept: map[readerKey]*keptReader{}, busy: map[readerKey]int{}}

// take returns the reader kept under key, or a new one, for the caller alone: an attempt
// that was given up but still runs has its own.
func (p *pool) take(key readerKey, create func() (*reader, error)) (*reader, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if kept := p.kept[key]; kept != nil {
		kept.expiry.Stop()
		delete(p.kept, key)
		p.busy[key]++
		return kept.reader, nil
	}
	r, err := create()
	if err == nil {
		p.busy[key]++
	}
	return r, err
}

// give keeps a reader for the next call; of two under one key the later. One that has read
// all there was is closed.
func (p *pool) give(key readerKey, r *reader, done bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.busy[key]--; p.busy[key] <= 0 {
		delete(p.busy, key)
	}
	if done {
		r.close()
		return
	}
	if before := p.kept[key]; before != nil && before.expiry.Stop() {
		before.reader.close()
	}
	kept := &keptReader{reader: r}
	kept.expiry = time.AfterFunc(keptFor, func() { p.expire(key, kept) })
	p.kept[key] = kept
}

func (p *pool) expire(key readerKey, kept *keptReader) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.kept[key] == kept {
		delete(p.kept, key)
		kept.reader.close()
	}
}

// share is the part of a slice that one of a job's readers may take so that all of them
// get their turn in it: those of a process share its processors.
func (p *pool) share(slice time.Duration, job string, processors int) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	count := 0
	for key := range p.busy {
		if key.job == job {
			count++
		}
	}
	for key := range p.kept {
		if key.job == job && p.busy[key] == 0 {
			count++
		}
	}
	rounds := max(1, (count+processors-1)/processors)
	return max(slice/time.Duration(rounds), min(slice, shortestSlice))
}

// shortestSlice: below that a call costs more than it reads.
const shortestSlice = 200 * time.Millisecond

// registries are shared by all readers of a process: schemas never change.
var registries = &registryPool{known: map[string]*schemas{}}

type registryPool struct {
	mu    sync.Mutex
	known map[string]*schemas
}

func (p *registryPool) of(r *Registry) (*schemas, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := strings.Join(r.URLs, ",") + " " + fmt.Sprint(r.User, r.Password, r.Token, r.TLS)
	if s := p.known[key]; s != nil {
		return s, nil
	}
	s, err := newSchemas(r)
	if err == nil {
		p.known[key] = s
	}
	return s, err
}
