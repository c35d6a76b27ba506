package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/sr"

	"tributary/io/kafkaio/cluster"
)

const (
	// askFor bounds one request, so that an address that is silent does not keep the others from
	// being asked.
	askFor = 10 * time.Second
	// mostAnswer bounds an answer. A schema is at most what a record of the registry's own topic
	// takes, 1 MiB unless somebody raised it, and twice that with its quotes escaped.
	mostAnswer = 4 << 20
)

// client asks a registry at one address after another. It is safe for concurrent use.
type client struct {
	urls    []string
	clients []*sr.Client
	// first is the address to ask first: the one that answered last.
	first atomic.Int64
}

// client returns a client of the registry. It reads secrets and files.
func (r *Config) client() (*client, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if r.TLS != nil {
		config, err := r.TLS.Config()
		if err != nil {
			return nil, fmt.Errorf("registry: tls: %w", err)
		}
		transport.TLSClientConfig = config
	}
	probe, err := http.NewRequest(http.MethodGet, "/", http.NoBody)
	if err == nil {
		err = r.sign(probe) // a secret that is missing is told here, not at the first record
	}
	if err != nil {
		return nil, fmt.Errorf("registry: %w", err)
	}
	client := &client{urls: r.URLs}
	for _, u := range r.URLs {
		c, err := sr.NewClient(
			sr.URLs(u), sr.UserAgent("tributary"), sr.PreReq(r.sign),
			sr.HTTPClient(&http.Client{Timeout: askFor, Transport: boundedAnswers{transport}, CheckRedirect: stayEncrypted}),
		)
		if err != nil {
			return nil, fmt.Errorf("registry: %w", err)
		}
		client.clients = append(client.clients, c)
	}
	return client, nil
}

// sign says who asks.
func (r *Config) sign(q *http.Request) error {
	switch {
	case r.Token.IsSet():
		token, err := r.Token.Read(q.Context())
		if err != nil {
			return fmt.Errorf("token: %w", err)
		}
		q.Header.Set("Authorization", "Bearer "+token)
	case r.User != (cluster.User{}):
		user, err := r.User.Read()
		if err != nil {
			return fmt.Errorf("user: %w", err)
		}
		password, err := r.Password.Read()
		if err != nil {
			return fmt.Errorf("password: %w", err)
		}
		q.SetBasicAuth(user, password)
	}
	return nil
}

// stayEncrypted follows an answer that leads elsewhere, but not out of encryption.
func stayEncrypted(q *http.Request, before []*http.Request) error {
	switch {
	case before[0].URL.Scheme == "https" && q.URL.Scheme != "https":
		return fmt.Errorf("it leads from https to %s://%s", q.URL.Scheme, q.URL.Host)
	case len(before) >= 5:
		return errors.New("it leads elsewhere for the fifth time")
	}
	return nil
}

// ask puts a question to each address in turn until one has an answer. If none has, the error is
// what the registry itself said, if it did at any of them, or else what happened at each.
func (c *client) ask(ctx context.Context, question func(*sr.Client) error) error {
	var said error
	var failed failure
	first := int(c.first.Load())
	for i := range c.clients {
		at := (first + i) % len(c.clients)
		err := question(c.clients[at])
		switch {
		case err == nil:
			c.first.Store(int64(at))
			return nil
		case said == nil && itself(err):
			said = err
		case !itself(err):
			failed.errs = append(failed.errs, err)
			failed.urls = append(failed.urls, c.urls[at])
			// There may be no time to ask another now, so the next question begins there.
			c.first.Store(int64((at + 1) % len(c.clients)))
		}
		if ctx.Err() != nil {
			break
		}
	}
	if said != nil {
		return said
	}
	return &failed
}

// itself tells whether an error is what a registry says of the question, and not what stands in
// front of it, or its own trouble: its codes are the status and two digits more.
func itself(err error) bool {
	var answer *sr.ResponseError
	return errors.As(err, &answer) && answer.ErrorCode/100 == answer.StatusCode && !passing(answer.StatusCode)
}

// failure is what happened at each of some addresses.
type failure struct {
	urls []string
	errs []error
}

func (f *failure) Unwrap() []error { return f.errs }

func (f *failure) Error() string {
	texts := make([]string, len(f.errs))
	for i, err := range f.errs {
		texts[i] = failureText(err)
		if len(f.errs) > 1 {
			texts[i] = f.urls[i] + ": " + texts[i]
		}
	}
	return strings.Join(texts, "; ")
}

func failureText(err error) string {
	var answer *sr.ResponseError
	switch {
	case !errors.As(err, &answer):
		return cluster.OneLine(err)
	case answer.StatusCode == http.StatusUnauthorized || answer.StatusCode == http.StatusForbidden:
		return fmt.Sprintf("access refused (status %d): user, password, token or rights", answer.StatusCode)
	case passing(answer.StatusCode):
		return fmt.Sprintf("status %d: %s", answer.StatusCode, cluster.OneLine(err))
	default:
		return fmt.Sprintf("status %d, and not in the words of a registry: %s", answer.StatusCode, cluster.OneLine(err))
	}
}

// boundedAnswers fails answers that are longer than any of a registry.
type boundedAnswers struct{ http.RoundTripper }

func (b boundedAnswers) RoundTrip(q *http.Request) (*http.Response, error) {
	answer, err := b.RoundTripper.RoundTrip(q)
	if err == nil {
		answer.Body = &boundedBody{answer.Body, mostAnswer}
	}
	return answer, err
}

type boundedBody struct {
	io.ReadCloser
	left int
}

func (b *boundedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left -= n; b.left < 0 {
		return 0, fmt.Errorf("an answer of more than %d MiB, which no schema is", mostAnswer>>20)
	}
	return n, err
}
