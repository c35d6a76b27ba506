package exporter

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/net/netutil"
)

// ServeOptions say where metrics are served, and to whom.
type ServeOptions struct {
	// Listen is the address; port 0 takes any free one.
	Listen string
	// TokenFile is the file of a token that a scrape must bring, as `Authorization: Bearer TOKEN`. It is read each time. Empty: none is
	// asked for, and Listen must be an address of this machine's loopback.
	TokenFile string
	// Open serves to whoever reaches Listen from other machines.
	Open bool
	// Ready, if set, is told the address that it has.
	Ready func(address string)
}

// ErrOpen says that other machines reach the address, and nothing is asked of them.
var ErrOpen = errors.New("other machines reach it, and it asks nothing of them")

// A scrape is small, and answered at once: who takes longer is slow on purpose.
const (
	headerWithin = 5 * time.Second
	answerWithin = 10 * time.Second
	idleFor      = 2 * time.Minute
	// mostConnections is more than any number of scrapers has.
	mostConnections = 64
	mostHeader      = 16 << 10
)

// Serve reads the metrics and serves them, until the context ends.
func (e *Exporter) Serve(ctx context.Context, o ServeOptions) error {
	if o.TokenFile != "" {
		if _, err := readToken(o.TokenFile); err != nil {
			return err
		}
	}
	listener, err := net.Listen("tcp", o.Listen)
	if err != nil {
		return fmt.Errorf("metrics: %w", err)
	}
	at := listener.Addr().String()
	local := isLoopback(at)
	if !local && o.TokenFile == "" && !o.Open {
		_ = listener.Close() // nobody was served
		return fmt.Errorf("metrics at %s: %w", at, ErrOpen)
	}
	server := &http.Server{
		Handler: guarded(e.handler(), local, o.TokenFile), ReadHeaderTimeout: headerWithin, ReadTimeout: headerWithin,
		WriteTimeout: answerWithin, IdleTimeout: idleFor, MaxHeaderBytes: mostHeader,
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(netutil.LimitListener(listener, mostConnections)) }()
	if o.Ready != nil {
		o.Ready(at)
	}
	ran := make(chan struct{})
	go func() {
		defer close(ran)
		e.Run(ctx)
	}()
	select {
	case <-ctx.Done():
		_ = server.Close() // nobody is left to be told
		<-ran
		return nil
	case err := <-failed:
		cancel()
		<-ran
		return fmt.Errorf("metrics at %s: %w", at, err)
	}
}

// handler serves the metrics, and whether there are some.
func (e *Exporter) handler() http.Handler {
	own := prometheus.NewRegistry()
	own.MustRegister(e, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(own, promhttp.HandlerOpts{MaxRequestsInFlight: mostConnections, Timeout: answerWithin / 2}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		if !e.Ready() {
			http.Error(w, "nothing was read yet", http.StatusServiceUnavailable)
			return
		}
		_, _ = fmt.Fprintln(w, "ok", e.opt.Version)
	})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintln(w, "tributary's metrics of stream", e.stream, "are at /metrics")
	})
	return mux
}

// guarded lets through who may read: on loopback who asks for this machine by its name, so that no page of a browser does under
// another one (DNS rebinding); with a token who brings it.
func guarded(h http.Handler, local bool, tokenFile string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if local && !isLoopback(r.Host) {
			http.Error(w, "served to 127.0.0.1 and localhost only", http.StatusForbidden)
			return
		}
		if tokenFile != "" {
			token, err := readToken(tokenFile)
			given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
			if err != nil || !ok || !equal(token, given) {
				w.Header().Set("WWW-Authenticate", "Bearer")
				http.Error(w, "a token is needed", http.StatusUnauthorized)
				return
			}
		}
		h.ServeHTTP(w, r)
	})
}

// equal takes the same time whatever differs, and how long either is.
func equal(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// leastToken is how long a token is that nobody guesses.
const leastToken = 16

func readToken(file string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("token: %w", err)
	}
	token := strings.TrimSpace(string(text))
	if len(token) < leastToken || strings.ContainsAny(token, " \n") {
		return "", fmt.Errorf("token: %s must hold one token of at least %d characters", file, leastToken)
	}
	return token, nil
}

// isLoopback tells whether an address, with its port or without, is of this machine alone.
func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = strings.Trim(address, "[]")
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback() || strings.EqualFold(host, "localhost")
}
