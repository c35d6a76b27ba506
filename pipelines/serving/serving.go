// Package serving serves HTTP to whoever may read: on loopback to this machine, elsewhere to who brings a token.
//
// It keeps away what reaches a server of loopback all the same: a page of a browser under a name that leads here (DNS rebinding), by the
// name that is asked for; and one of another site, by what the browser says of it. It is slow for nobody: headers, answers, idle
// connections and their number are bounded.
package serving

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"golang.org/x/net/netutil"
)

// Options say where something is served, and to whom.
type Options struct {
	// Listen is the address; port 0 takes any free one.
	Listen string
	// TokenFile is the file of a token that each request must bring, as `Authorization: Bearer TOKEN`, or as the password that a browser asks
	// for. It is read each time. Empty: none is asked for, and Listen must be an address of this machine's loopback.
	TokenFile string
	// CertFile and KeyFile are those of TLS, as PEM; both or none.
	CertFile, KeyFile string
	// Open serves to whoever reaches Listen from other machines.
	Open bool
	// Private says that a token does not suffice where other machines reach Listen: what is served, and the token, must not be read on the way.
	Private bool
	// Ready, if set, is told the address that it has, as `http://127.0.0.1:9464`.
	Ready func(address string)
}

// Errors of Serve, found before anything is served.
var (
	// ErrOpen says that other machines reach the address, and nothing is asked of them.
	ErrOpen = errors.New("other machines reach it, and it asks nothing of them")
	// ErrPlain says that what is Private would be served without TLS.
	ErrPlain = errors.New("other machines reach it, and it has no TLS")
)

// A request is small, and answered at once: who takes longer is slow on purpose. What is not answered at once says so of itself
// (http.ResponseController).
const (
	HeaderWithin = 5 * time.Second
	AnswerWithin = 10 * time.Second
	idleFor      = 2 * time.Minute
	// MostConnections is more than any number of readers has.
	MostConnections = 64
	mostHeader      = 16 << 10
)

// Serve serves what a handler answers and has work run, until the context ends.
func Serve(ctx context.Context, h http.Handler, o Options, work func(context.Context)) error {
	if o.TokenFile != "" {
		if _, err := readToken(o.TokenFile); err != nil {
			return err
		}
	}
	secure, err := o.tls()
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", o.Listen)
	if err != nil {
		return err
	}
	at := listener.Addr().String()
	local := isLoopback(at)
	if err := o.mayServe(local); err != nil {
		_ = listener.Close() // nobody was served
		return fmt.Errorf("%s: %w", at, err)
	}
	listener, scheme := netutil.LimitListener(listener, MostConnections), "http"
	if secure != nil {
		listener, scheme = tls.NewListener(listener, secure), "https"
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	server := &http.Server{
		Handler: guarded(h, local, o.TokenFile), ReadHeaderTimeout: HeaderWithin, ReadTimeout: HeaderWithin,
		WriteTimeout: AnswerWithin, IdleTimeout: idleFor, MaxHeaderBytes: mostHeader,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	if o.Ready != nil {
		o.Ready(scheme + "://" + at)
	}
	ran := make(chan struct{})
	go func() {
		defer close(ran)
		work(ctx)
	}()
	select {
	case <-ctx.Done():
		_ = server.Close() // nobody is left to be told
		<-ran
		return nil
	case err := <-failed:
		cancel()
		<-ran
		return fmt.Errorf("%s: %w", at, err)
	}
}

func (o *Options) mayServe(local bool) error {
	switch {
	case local:
		return nil
	case o.TokenFile == "" && !o.Open:
		return ErrOpen
	case o.Private && o.CertFile == "":
		return ErrPlain
	}
	return nil
}

// tls is nil for none.
func (o *Options) tls() (*tls.Config, error) {
	if o.CertFile == "" && o.KeyFile == "" {
		return nil, nil
	}
	certificate, err := tls.LoadX509KeyPair(o.CertFile, o.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{certificate}}, nil
}

// guarded lets through who may read.
func guarded(h http.Handler, local bool, tokenFile string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if local && !isLoopback(r.Host) {
			http.Error(w, "served to 127.0.0.1 and localhost only", http.StatusForbidden)
			return
		}
		if !ownSite(r) {
			http.Error(w, "not served to pages of other sites", http.StatusForbidden)
			return
		}
		if tokenFile != "" {
			token, err := readToken(tokenFile)
			if err != nil || !equal(token, givenToken(r)) {
				w.Header().Add("WWW-Authenticate", "Bearer")
				w.Header().Add("WWW-Authenticate", `Basic realm="tributary: any name, and the token as password"`)
				http.Error(w, "a token is needed", http.StatusUnauthorized)
				return
			}
		}
		h.ServeHTTP(w, r)
	})
}

// ownSite tells whether a request is not of a page of another site: a browser says so itself (Fetch Metadata), or names the page's origin. One
// that leads here by a link, and what is no browser, are let through.
func ownSite(r *http.Request) bool {
	if origin := r.Header.Get("Origin"); origin != "" {
		if of, err := url.Parse(origin); err != nil || !strings.EqualFold(of.Host, r.Host) {
			return false
		}
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "none", "same-origin":
		return true
	}
	return r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document"
}

func givenToken(r *http.Request) string {
	if _, password, ok := r.BasicAuth(); ok {
		return password
	}
	given, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if given == r.Header.Get("Authorization") {
		return ""
	}
	return given
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
