package ui

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"tributary/io/kafkaio/cluster"
	"tributary/pipelines/why"
)

const (
	// searchWithin bounds a search, which reads what the inputs hold.
	searchWithin = 5 * time.Minute
	// mostID and mostFound bound what is asked for, and what is sent.
	mostID    = 1 << 10
	mostFound = 1 << 20
)

// search looks for what became of an id: once at a time, since it reads much.
type search struct {
	look   func(ctx context.Context, id string) (*why.Result, error)
	within time.Duration // is searchWithin, but in tests
	mask   bool
	busy   sync.Mutex
}

func (s *search) serve(w http.ResponseWriter, r *http.Request) {
	id := r.FormValue("id")
	if id == "" || len(id) > mostID {
		sendError(w, http.StatusBadRequest, fmt.Sprintf("id must be that of a view or an engagement, of 1 to %d bytes", mostID), "")
		return
	}
	if !s.busy.TryLock() {
		sendError(w, http.StatusServiceUnavailable, "another search is at work", "try again when it has ended")
		return
	}
	defer s.busy.Unlock()
	if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(s.within + sendWithin)); err != nil {
		sendError(w, http.StatusInternalServerError, err.Error(), "")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), s.within)
	defer cancel()
	found, err := s.look(ctx, id)
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		sendError(w, http.StatusGatewayTimeout, fmt.Sprintf("it took longer than %s", s.within), "tributary why SPEC ID waits for as long as it takes")
		return
	case err != nil:
		sendError(w, http.StatusBadGateway, cluster.OneLine(err), "")
		return
	}
	if s.mask {
		mask(found)
	}
	var text bytes.Buffer
	if err := found.JSON(&text); err != nil {
		sendError(w, http.StatusInternalServerError, err.Error(), "")
		return
	}
	if text.Len() > mostFound {
		sendError(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("%s: all there is of it takes %d bytes, and a page shows %d", found.Sentence, text.Len(), mostFound), "tributary why SPEC ID shows all")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(text.Bytes()) // whoever asked has gone
}

// mask leaves out what samples hold and how they differ, and what is said of a record, which may quote it.
func mask(r *why.Result) {
	for i := range r.Samples {
		r.Samples[i].Sample, r.Samples[i].Fields, r.Samples[i].Corrected = nil, nil, nil
	}
	for i := range r.Records {
		one := &r.Records[i]
		one.Detail = ""
		for at := range one.Stages {
			one.Stages[at].Sample = nil
		}
	}
}
