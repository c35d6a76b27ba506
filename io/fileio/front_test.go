package fileio

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// front stands before a real server, with faults where a test wants them.
type front struct {
	http.Handler
	parameters []string
	mu         sync.Mutex
	requests   map[string]int // by kind
	fault      faultFunc
}

// newFront starts a front of the server at an address, and returns its own. A request is of a kind: its method, with those of the
// parameters that it has.
func newFront(t *testing.T, server string, parameters ...string) (f *front, address string) {
	t.Helper()
	to, err := url.Parse(server)
	require.NoError(t, err)
	f = &front{parameters: parameters, requests: map[string]int{}, Handler: &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = r.In.Host // it is signed
	}}}
	listening := httptest.NewServer(f)
	t.Cleanup(func() {
		listening.CloseClientConnections()
		listening.Close()
	})
	return f, listening.URL
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	kind := r.Method
	for _, name := range f.parameters {
		if r.URL.Query().Has(name) {
			kind += " " + name
		}
	}
	f.mu.Lock()
	f.requests[kind]++
	n, fault := f.requests[kind], f.fault
	f.mu.Unlock()
	if fault == nil || !fault(kind, n, w, r) {
		f.Handler.ServeHTTP(w, r)
	}
}

// inject sets what happens to requests, which are counted anew. Handlers of requests that were given up may still run.
func (f *front) inject(fault faultFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fault, f.requests = fault, map[string]int{}
}

// count returns how many requests of a kind there have been.
func (f *front) count(kind string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.requests[kind]
}

// cutAnswer gives the first bytes of the true answer, of its true length, and breaks off.
func (f *front) cutAnswer(w http.ResponseWriter, r *http.Request, part int, meanwhile func()) bool {
	answer := httptest.NewRecorder()
	f.Handler.ServeHTTP(answer, r)
	meanwhile()
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	body := answer.Body.Bytes()
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(answer.Code)
	_, _ = w.Write(body[:min(part, len(body))])
	_ = http.NewResponseController(w).Flush()
	reset(w)
	return true
}
