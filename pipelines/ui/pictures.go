package ui

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"tributary/pipelines/live"
)

const (
	// mostLookers bounds who looks at a time: each has a connection, of which others need some.
	mostLookers = 32
	// sendWithin bounds the sending of a picture.
	sendWithin = 10 * time.Second
)

// pictures takes one picture after the other, for all who look, and none while nobody does. Who is slow gets fewer.
type pictures struct {
	gather func(context.Context) *live.State
	every  time.Duration

	mu      sync.Mutex
	lookers map[chan []byte]bool
	// come tells run that somebody looks.
	come chan struct{}
	last *live.State
	// text is the last one as an event; nil before the first.
	text []byte
}

func newPictures(gather func(context.Context) *live.State, every time.Duration) *pictures {
	return &pictures{gather: gather, every: every, lookers: map[chan []byte]bool{}, come: make(chan struct{}, 1)}
}

// run takes pictures until the context ends.
func (p *pictures) run(ctx context.Context) {
	for {
		for p.looked() == 0 {
			select {
			case <-ctx.Done():
				return
			case <-p.come:
			}
		}
		state := p.gather(ctx)
		if ctx.Err() != nil {
			return
		}
		p.show(state)
		select {
		case <-ctx.Done():
			return
		case <-time.After(p.every):
		}
	}
}

func (p *pictures) looked() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.lookers)
}

// show hands a picture to all who look. One that has not been sent is replaced.
func (p *pictures) show(state *live.State) {
	encoded, err := json.Marshal(state.Bounded(Shown))
	if err != nil {
		panic(fmt.Errorf("ui: encode a state: %w", err)) // it is plain data
	}
	text := append(append([]byte("event: state\ndata: "), encoded...), "\n\n"...)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last, p.text = state, text
	for to := range p.lookers {
		select {
		case <-to:
		default:
		}
		to <- text
	}
}

// look adds somebody who looks, with the last picture; false if there are too many.
func (p *pictures) look() (to chan []byte, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.lookers) >= mostLookers {
		return nil, false
	}
	to = make(chan []byte, 1)
	if p.text != nil {
		to <- p.text
	}
	p.lookers[to] = true
	select {
	case p.come <- struct{}{}:
	default:
	}
	return to, true
}

func (p *pictures) leave(to chan []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.lookers, to)
}

// serve sends pictures for as long as somebody looks.
func (p *pictures) serve(w http.ResponseWriter, r *http.Request) {
	pictures, ok := p.look()
	if !ok {
		sendError(w, http.StatusServiceUnavailable, fmt.Sprintf("%d look at it already", mostLookers), "close a page")
		return
	}
	defer p.leave(pictures)
	control := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	send := func(text []byte) bool {
		if control.SetWriteDeadline(time.Now().Add(sendWithin)) != nil {
			return false
		}
		if _, err := w.Write(text); err != nil {
			return false
		}
		return control.Flush() == nil
	}
	// A browser asks again after so many ms; a comment between pictures finds out who has gone.
	if !send([]byte("retry: 2000\n\n")) || control.SetReadDeadline(time.Time{}) != nil {
		return
	}
	for {
		text := []byte(": nothing new\n\n")
		select {
		case <-r.Context().Done():
			return
		case text = <-pictures:
		case <-time.After(max(p.every, sendWithin)):
		}
		if !send(text) {
			return
		}
	}
}

// servePartitions sends some partitions of the last picture.
func (p *pictures) servePartitions(w http.ResponseWriter, r *http.Request) {
	page, err := strconv.Atoi(r.FormValue("page"))
	if err != nil || page < 0 {
		sendError(w, http.StatusBadRequest, "page must be a number from 0", "")
		return
	}
	p.mu.Lock()
	last := p.last
	p.mu.Unlock()
	if last == nil {
		sendError(w, http.StatusServiceUnavailable, "there is no picture yet", "look at /api/events first")
		return
	}
	all := last.Partitions
	from := min(page*PageSize, len(all))
	sendJSON(w, http.StatusOK, struct {
		At         time.Time        `json:"at"`
		Page       int              `json:"page"`
		Pages      int              `json:"pages"`
		Partitions []live.Partition `json:"partitions"`
	}{last.At, page, (len(all) + PageSize - 1) / PageSize, all[from:min(from+PageSize, len(all))]})
}
