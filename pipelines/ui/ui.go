// Package ui serves a page about a stream: what it is like now, and what became of a view or an engagement.
//
// The page is in the binary (folder page: plain HTML, CSS and JavaScript, nothing to build and nothing from elsewhere). It shows a live.State, as
// `tributary top` prints it and `tributary metrics` exports it, so their numbers are equal. It only reads.
//
//	ui.go        the server and its routes
//	pictures.go  one picture after the other, for all who look
//	records.go   the newest records that it writes
//	search.go    why
//	page/        what a browser gets: index.html, style.css; app.js: the connection; sections.js: what is shown of a picture;
//	             charts.js: drawings; records.js: records; search.js: why; dom.js: elements and numbers
//
// Routes; errors are JSON, {"error", "do"}:
//
//	GET /                        the page, and below /page/ what it is made of
//	GET /api/spec                the stream's name, kinds with their windows, stages, and what may be done
//	GET /api/events              server-sent events: `state`, a live.State with no more than Shown partitions
//	GET /api/partitions?page=N   all partitions of the last picture, the worst first, PageSize of them at a time
//	GET /api/records             the newest tap.Entry of each kind, which are followed while somebody asks
//	GET /api/why?id=ID           a why.Result
package ui

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"sync"
	"time"

	"tributary/pipelines/live"
	"tributary/pipelines/serving"
	"tributary/pipelines/spec"
	"tributary/pipelines/why"
	"tributary/transforms/account"
)

// Options are the choices of a page.
type Options struct {
	live.Options
	// Every is how often the topics are read while somebody looks; 0 for DefaultEvery.
	Every time.Duration
	// Mask leaves out what records and samples hold: their places and times are shown.
	Mask    bool
	Version string
}

// DefaultEvery is how often the topics are read.
const DefaultEvery = 5 * time.Second

const (
	// Shown is how many partitions a picture has, the worst.
	Shown = 20
	// PageSize is how many partitions a page of them has.
	PageSize = 100
)

// UI is the page of a stream.
type UI struct {
	opt      Options
	about    about
	pictures *pictures
	records  *records
	search   *search
}

// about is what does not change.
type about struct {
	Stream  string   `json:"stream"`
	Version string   `json:"version"`
	Kinds   []kind   `json:"kinds"`
	Stages  []string `json:"stages"`
	// Outcomes are those that what was read of views, or of engagements, comes to: in the order of account's table.
	Outcomes map[string][]outcome `json:"outcomes"`
	Masked   bool                 `json:"masked"`
	Every    float64              `json:"every_seconds"`
}

type kind struct {
	Name   string  `json:"name"`
	Window float64 `json:"window_seconds"`
}

// outcome is a row of account's table.
type outcome struct {
	Key    string `json:"key"`
	Label  string `json:"label"`
	Colour string `json:"colour"`
}

func outcomesOf(of account.Subject) (all []outcome) {
	for _, count := range account.All(of, account.Part) {
		row := count.Row()
		all = append(all, outcome{row.Key, row.Label, row.Colour})
	}
	return all
}

// New returns the page of a spec, which has a topic of accounts.
func New(s *spec.Spec, opt Options) (*UI, error) {
	watch, err := live.New(s, opt.Options)
	if err != nil {
		return nil, err
	}
	if opt.Every <= 0 {
		opt.Every = DefaultEvery
	}
	u := &UI{opt: opt, about: about{Stream: s.Stream.Name, Version: opt.Version, Masked: opt.Mask, Every: opt.Every.Seconds(), Kinds: []kind{}, Stages: []string{}}}
	u.about.Outcomes = map[string][]outcome{"views": outcomesOf(account.OfViews), "engagements": outcomesOf(account.OfEngagements)}
	for _, k := range s.Engagements {
		u.about.Kinds = append(u.about.Kinds, kind{k.Kind, k.Window.Seconds()})
	}
	for _, stage := range s.Stages {
		u.about.Stages = append(u.about.Stages, stage.Name())
	}
	u.pictures = newPictures(watch.Gather, opt.Every)
	u.records = newRecords(tapped(s, opt.Mask))
	u.search = &search{mask: opt.Mask, within: searchWithin, look: func(ctx context.Context, id string) (*why.Result, error) { return why.Run(ctx, s, id, why.Options{}) }}
	return u, nil
}

// Serve serves the page until the context ends.
func (u *UI) Serve(ctx context.Context, o serving.Options) error {
	o.Private = true
	if err := serving.Serve(ctx, u.handler(), o, u.run); err != nil {
		return fmt.Errorf("page: %w", err)
	}
	return nil
}

// run looks at the stream for who looks at the page, until the context ends.
func (u *UI) run(ctx context.Context) {
	var all sync.WaitGroup
	all.Go(func() { u.pictures.run(ctx) })
	all.Go(func() { u.records.run(ctx) })
	all.Wait()
}

//go:embed page
var files embed.FS

func (u *UI) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { sendFile(w, r, "page/index.html") })
	mux.HandleFunc("GET /page/{file}", func(w http.ResponseWriter, r *http.Request) { sendFile(w, r, "page/"+r.PathValue("file")) })
	mux.HandleFunc("GET /api/spec", func(w http.ResponseWriter, _ *http.Request) { sendJSON(w, http.StatusOK, u.about) })
	mux.HandleFunc("GET /api/events", u.pictures.serve)
	mux.HandleFunc("GET /api/partitions", u.pictures.servePartitions)
	mux.HandleFunc("GET /api/records", u.records.serve)
	mux.HandleFunc("GET /api/why", u.search.serve)
	return strict(mux)
}

// strict has browsers run and load nothing but what is the page's own, show it in no frame, and tell nobody of it.
func strict(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("X-Frame-Options", "DENY")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		header.Set("Cache-Control", "no-store")
		h.ServeHTTP(w, r)
	})
}

// sendFile sends a file of the page, again only if it is another one.
func sendFile(w http.ResponseWriter, r *http.Request, name string) {
	content, err := fs.ReadFile(files, name)
	if err != nil {
		sendError(w, http.StatusNotFound, "there is no such file", "")
		return
	}
	w.Header().Set("Content-Type", mime.TypeByExtension(path.Ext(name)))
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("ETag", fmt.Sprintf(`"%x"`, sha256.Sum256(content)))
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
}

func sendJSON(w http.ResponseWriter, code int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(value) // whoever asked has gone
}

// sendError says what is wrong, and what to do about it.
func sendError(w http.ResponseWriter, code int, what, do string) {
	sendJSON(w, code, struct {
		Error string `json:"error"`
		Do    string `json:"do,omitempty"`
	}{what, do})
}
