package ui

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"tributary/io/kafkaio/cluster"
	"tributary/pipelines/spec"
	"tributary/pipelines/tap"
)

const (
	// kept is how many records of each kind are shown, the newest; mostEntry is how large one may be, as JSON.
	kept      = 20
	mostEntry = 8 << 10
	// followed is for how long they are followed after somebody has asked for them.
	followed = 30 * time.Second
	// refusedSince is since when late records, dead letters and orphans are shown, which are few; samples are from now on, so many a second.
	refusedSince = time.Hour
	samplesRate  = 20
	// againAfter is how long nothing is tried after it has failed.
	againAfter = 10 * time.Second
)

// records are the newest records that a stream has written, of each kind, while somebody asks for them.
type records struct {
	// follow writes entries, a line of JSON and one Write each, until the context ends.
	follow func(ctx context.Context, to io.Writer) error

	mu     sync.Mutex
	newest map[tap.What][]json.RawMessage // the newest last
	failed string
	// come tells run that somebody asks.
	come chan struct{}
}

func newRecords(follow func(context.Context, io.Writer) error) *records {
	return &records{follow: follow, newest: map[tap.What][]json.RawMessage{}, come: make(chan struct{}, 1)}
}

// tapped follows what a spec writes to topics: samples from now on, what is refused since a while ago.
func tapped(s *spec.Spec, mask bool) func(context.Context, io.Writer) error {
	return func(ctx context.Context, to io.Writer) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		var taps sync.WaitGroup
		var mu sync.Mutex
		var errs []error
		for _, opt := range []tap.Options{
			{What: []tap.What{tap.Sample, tap.Change}, Rate: samplesRate},
			{What: []tap.What{tap.Late}, Since: time.Now().Add(-refusedSince)},
			{What: []tap.What{tap.Dead}, Since: time.Now().Add(-refusedSince)},
			{What: []tap.What{tap.Orphan}, Since: time.Now().Add(-refusedSince)},
		} {
			opt.Mask, opt.JSON = mask, true
			one, err := tap.New(s, opt)
			if err != nil {
				continue // it has no topic of these
			}
			taps.Go(func() {
				if err := one.Run(ctx, to, io.Discard); err != nil {
					mu.Lock()
					defer mu.Unlock()
					errs = append(errs, err)
					cancel()
				}
			})
		}
		<-ctx.Done()
		taps.Wait()
		return errors.Join(errs...)
	}
}

// run follows records for as long as somebody asks for them, until the context ends.
func (r *records) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.come:
		}
		err := r.once(ctx)
		r.mu.Lock()
		if r.failed = ""; err != nil {
			r.failed = cluster.OneLine(err)
		}
		r.mu.Unlock()
		if err == nil {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(againAfter):
		}
	}
}

// once follows until nobody asks any more, and then forgets what there was.
func (r *records) once(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	reader, writer := io.Pipe()
	var lines sync.WaitGroup
	lines.Go(func() {
		for in := bufio.NewReaderSize(reader, mostEntry); ; {
			line, err := in.ReadBytes('\n')
			if err != nil {
				return
			}
			r.add(line)
		}
	})
	idle := time.AfterFunc(followed, cancel)
	defer idle.Stop()
	lines.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-r.come:
				idle.Reset(followed)
			}
		}
	})
	err := r.follow(ctx, writer)
	cancel()
	_ = writer.Close() // its reader ends by it
	lines.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.newest)
	return err
}

// add keeps an entry, of the newest.
func (r *records) add(line []byte) {
	var e tap.Entry
	if json.Unmarshal(line, &e) != nil || !slices.Contains(tap.All(), e.What) {
		return // it is no entry, but says how many were left out
	}
	if len(line) > mostEntry {
		e.Sample, e.Record, e.Bytes, e.Detail, e.Labels, e.Before, e.Changed = nil, nil, "", "", nil, nil, nil
		e.Note = "too large for the page: tributary tap shows it"
		var err error
		if line, err = json.Marshal(e); err != nil || len(line) > mostEntry {
			return
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	all := append(r.newest[e.What], slices.Clone(json.RawMessage(line)))
	r.newest[e.What] = slices.Clone(all[max(0, len(all)-kept):])
}

// serve sends the newest records, the newest first.
func (r *records) serve(w http.ResponseWriter, _ *http.Request) {
	select {
	case r.come <- struct{}{}:
	default:
	}
	r.mu.Lock()
	all := map[tap.What][]json.RawMessage{}
	for what, of := range r.newest {
		all[what] = slices.Clone(of)
		slices.Reverse(all[what])
	}
	failed := r.failed
	r.mu.Unlock()
	sendJSON(w, http.StatusOK, struct {
		Records map[tap.What][]json.RawMessage `json:"records"`
		Failed  string                         `json:"failed,omitempty"`
	}{all, failed})
}
