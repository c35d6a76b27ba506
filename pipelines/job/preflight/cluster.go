package preflight

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/pipelines/job/topics"
	"tributary/pipelines/spec"
)

// cluster checks one cluster: what comes after the sign-in needs it.
func (c *checker) cluster(ctx context.Context, cluster *spec.Cluster) {
	reached := c.step(ctx, "brokers", cluster.Name, func(ctx context.Context) []Finding {
		return c.dialAll(ctx, cluster.Brokers, "broker", "correct the address in clusters."+cluster.Name+".brokers, start the broker, or open the way to it (firewall, VPN)")
	})
	rest := []string{"sign-in", "topic", "rights"}
	if c.transacts(cluster) {
		rest = append(rest, "transactions")
	}
	skip := func(steps []string, why string) {
		for _, step := range steps {
			c.add(Finding{step, cluster.Name, Skipped, why, ""})
		}
	}
	// One broker of several is enough to go on.
	if !reached && !slices.ContainsFunc(c.findings, func(f Finding) bool {
		return f.Step == "broker" && f.Status == OK && slices.Contains(cluster.Brokers, f.Target)
	}) {
		skip(rest, "no broker is reached")
		c.registry(ctx, cluster)
		return
	}
	patience, cancel := context.WithTimeout(ctx, c.targets.Timeout)
	defer cancel()
	cl, err := topics.Connect(patience, cluster)
	if err != nil {
		c.add(Finding{"sign-in", cluster.Name, Problem, err.Error(), "set the variable, or correct the path, where this command and where the workers run"})
		skip(rest[1:], "not signed in")
		c.registry(ctx, cluster)
		return
	}
	defer cl.Close()
	if !c.step(ctx, "sign-in", cluster.Name, func(ctx context.Context) []Finding { return c.signIn(ctx, cl, cluster) }) {
		skip(rest[1:], "not signed in")
		c.registry(ctx, cluster)
		return
	}
	c.step(ctx, "topic", cluster.Name, func(ctx context.Context) []Finding { return c.topics(ctx, cl, cluster) })
	c.step(ctx, "rights", cluster.Name, func(ctx context.Context) []Finding { return c.rights(ctx, cl, cluster) })
	if c.transacts(cluster) {
		c.step(ctx, "transactions", cluster.Name, func(ctx context.Context) []Finding { return c.transactions(ctx, cl, cluster) })
	}
	c.step(ctx, "size", cluster.Name, func(ctx context.Context) []Finding { return c.size(ctx, cl, cluster.Name) })
	c.registry(ctx, cluster)
}

// transacts tells whether samples are written to the cluster in transactions.
func (c *checker) transacts(cluster *spec.Cluster) bool {
	return c.spec.Outputs.SamplesTopic() != nil && c.spec.Stream.Delivery == spec.ExactlyOnce && c.spec.OutputCluster() == cluster.Name
}

// dialAll connects to every address at once.
func (c *checker) dialAll(ctx context.Context, addresses []string, step, fix string) []Finding {
	out := make([]Finding, len(addresses))
	var wait sync.WaitGroup
	for i, address := range addresses {
		wait.Go(func() { out[i] = dial(ctx, address, step, fix) })
	}
	wait.Wait()
	return out
}

func dial(ctx context.Context, address, step, fix string) Finding {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return Finding{step, address, Problem, reason(ctx, err), fix}
	}
	_ = conn.Close() // nothing was sent
	return Finding{step, address, OK, "connected", ""}
}

// reason is an error in words; of a step that ran out of time, that.
func reason(ctx context.Context, err error) string {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, kgo.ErrRecordTimeout) {
		if cause := context.Cause(ctx); cause != nil {
			return cause.Error()
		}
	}
	return err.Error()
}

// signIn asks for the brokers of the cluster, which takes the whole way in, and connects
// to each at the address that it gives itself: the job will.
func (c *checker) signIn(ctx context.Context, cl *kgo.Client, cluster *spec.Cluster) []Finding {
	meta, err := kadm.NewClient(cl).BrokerMetadata(ctx)
	if err != nil {
		detail, fix := signInProblem(ctx, err, cluster)
		return []Finding{{Status: Problem, Detail: detail, Fix: fix}}
	}
	out := []Finding{{Status: OK, Detail: fmt.Sprintf("%d brokers%s", len(meta.Brokers), asUser(cluster))}}
	var addresses []string
	for _, b := range meta.Brokers {
		address := net.JoinHostPort(b.Host, strconv.Itoa(int(b.Port)))
		if !slices.Contains(cluster.Brokers, address) {
			addresses = append(addresses, address)
		}
	}
	return append(out, c.dialAll(ctx, addresses, "advertised broker",
		"the cluster gives this address to clients: correct advertised.listeners of the broker, or make the name and port known here")...)
}

func asUser(cluster *spec.Cluster) string {
	switch {
	case cluster.SASL == nil:
		return ", without a user"
	case cluster.SASL.Mechanism == spec.AWSMSKIAM:
		return ", with credentials of AWS"
	case cluster.SASL.Mechanism == spec.OAuthBearer:
		return ", with a token"
	}
	return ", user " + strings.TrimPrefix(topics.Principal(cluster), "User:")
}

// shown is what a client shows to sign in.
func shown(cluster *spec.Cluster) string {
	switch cluster.SASL.Mechanism {
	case spec.OAuthBearer:
		return "the token"
	case spec.AWSMSKIAM:
		return "a credential of AWS or its policy"
	}
	return "user or password"
}

// signInProblem tells the usual causes apart by what the client was told.
func signInProblem(ctx context.Context, err error, cluster *spec.Cluster) (detail, fix string) {
	text := reason(ctx, err)
	at := "clusters." + cluster.Name
	has := func(parts ...string) bool {
		return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(err.Error(), part) })
	}
	switch {
	case has("SASL_AUTHENTICATION_FAILED") && cluster.SASL.Mechanism == spec.OAuthBearer:
		return text, "the token is refused: see whether it has expired, and that issuer, audience and extensions are what the broker expects (" + at + ".sasl)"
	case has("SASL_AUTHENTICATION_FAILED") && cluster.SASL.Mechanism == spec.AWSMSKIAM:
		return text, "see that the credentials have not expired and that their policy allows kafka-cluster:Connect (" + at + ".sasl)"
	case has("SASL_AUTHENTICATION_FAILED"):
		return text, "user or password is wrong: compare them with what the broker knows (" + at + ".sasl)"
	case has("UNSUPPORTED_SASL_MECHANISM", "does not support the requested SASL"):
		return text, "the broker does not take " + string(cluster.SASL.Mechanism) + ": choose one of its sasl.enabled.mechanisms"
	case has("x509", "certificate"):
		return text, "the broker's certificate is not trusted or for another name: set " + at + ".tls.ca, or server_name"
	case has("first record does not look like a TLS handshake"):
		return text, "this port does not speak TLS: use the TLS port, or leave tls out"
	case has("is SASL missing"):
		return text, "the broker wants a user: add " + at + ".sasl"
	case has("is TLS missing"):
		return text, "the broker wants TLS: add `tls: true`, or ca, to " + at
	case cluster.TLS != nil && (errors.Is(err, context.DeadlineExceeded) || has("i/o timeout")):
		return text, "this port may not speak TLS: use the TLS port, or leave tls out"
	case cluster.SASL != nil && cluster.TLS == nil && has("EOF", "reset by peer"):
		return text, "the broker closed the connection at the sign-in: " + shown(cluster) + " is wrong, or this port wants tls"
	case cluster.SASL != nil && has("EOF", "reset by peer"):
		return text, "the broker closed the connection at the sign-in: " + shown(cluster) + " is wrong"
	case has("EOF", "reset by peer"):
		return text, "the broker closed the connection: this port may want tls or sasl, see its listeners"
	}
	return text, "see the broker's log, and that this port is a listener for clients"
}
