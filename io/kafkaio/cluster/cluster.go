// Package cluster reaches Kafka clusters: addresses, encryption, authentication, and what any client
// asks of a cluster before it reads or writes.
//
// What is here travels with a job as JSON and holds no secret, only where each is found: secrets are
// read where a client is made, and again whenever a broker asks for them.
//
//	cluster.go         Config: how to reach a cluster; Connect, which waits for one that is away
//	tls.go             certificates, read again for each connection
//	sasl.go            PLAIN, SCRAM, OAUTHBEARER, AWS_MSK_IAM
//	secret.go          where a secret is found: environment or file
//	token.go           where a bearer token is found: like a secret, or what a command prints
//	command.go         running such commands, and keeping what they print while it is good
//	awscredentials.go  where AWS keeps its keys
//	partition.go       the name of a partition
//	scan.go            all committed records that a topic holds now; stalled.go: why they do not come
//	hanging.go         transactions that are open, and ending those that nobody ends
//	limits.go          the largest batches that topics take, and their cleanup policies
//	waiting.go         log lines for whoever waits
//	oneline.go         an error of somebody else in one line
package cluster

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/log"
	"github.com/cenkalti/backoff/v5"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// connectWithin bounds how long a first answer of a cluster is waited for: longer than a
// broker takes to restart, short enough for somebody to watch.
const connectWithin = 20 * time.Second

// Config says how to reach a Kafka cluster. It travels with the job, as JSON, and holds
// no secret, only where each is found.
type Config struct {
	// Name tells clusters of one job apart; it may be empty if there is one. It is part
	// of what positions are kept under, so it must not change while they matter.
	Name string `json:",omitempty"`
	// Brokers to begin with, as host:port.
	Brokers []string
	// TLS is how to encrypt; nil for plain text.
	TLS *TLS `json:",omitempty"`
	// SASL is how to authenticate; nil for not at all.
	SASL *SASL `json:",omitempty"`
	// AllowPlaintext lets a secret cross the network unencrypted: PLAIN, OAUTHBEARER or AWS_MSK_IAM
	// without TLS.
	AllowPlaintext bool `json:",omitempty"`
}

// Validate reports everything that is wrong with the settings themselves, without
// reading a file or reaching for the network.
func (c Config) Validate() error {
	var errs []error
	if len(c.Brokers) == 0 {
		errs = append(errs, errors.New("brokers: at least one is needed"))
	}
	if strings.ContainsAny(c.Name, "/ ") {
		errs = append(errs, fmt.Errorf("name: must hold neither / nor space, got %q", c.Name))
	}
	if c.TLS != nil {
		if err := c.TLS.Validate(); err != nil {
			errs = append(errs, err)
		}
	}
	if c.SASL != nil {
		errs = append(errs, c.SASL.validate(c.TLS != nil || c.AllowPlaintext)...)
	}
	return errors.Join(errs...)
}

// Options returns the options of a client of the cluster. It reads secrets and files, so
// it is for where the client runs.
func (c Config) Options() ([]kgo.Opt, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", c, err)
	}
	opts := []kgo.Opt{
		kgo.SeedBrokers(c.Brokers...),
		kgo.ClientID("tributary"),
		// A broker that dies at the first read of a connection is like one that dies later.
		kgo.AlwaysRetryEOF(),
	}
	if c.TLS != nil {
		config, err := c.TLS.Config()
		if err != nil {
			return nil, fmt.Errorf("%s: tls: %w", c, err)
		}
		opts = append(opts, kgo.DialTLSConfig(config))
	}
	if c.SASL != nil {
		mechanism, err := c.SASL.mechanism()
		if err != nil {
			return nil, fmt.Errorf("%s: sasl: %w", c, err)
		}
		opts = append(opts, kgo.SASL(mechanism))
	}
	return opts, nil
}

// String names the cluster in messages.
func (c Config) String() string {
	name := "kafka"
	if c.Name != "" {
		name += " " + c.Name
	}
	return name + " at " + strings.Join(c.Brokers, ",")
}

// Connect returns a client that a broker of the cluster has answered. What cannot heal (a
// refused password, a certificate that is not trusted) is returned at once; a cluster that
// does not answer is tried for 20 s, with a log line for each time it does not.
func (c Config) Connect(ctx context.Context, extra ...kgo.Opt) (*kgo.Client, error) {
	opts, err := c.Options()
	if err != nil {
		return nil, err
	}
	return c.ConnectWith(ctx, append(opts, extra...))
}

// ConnectWith is Connect with all options given.
func (c Config) ConnectWith(ctx context.Context, opts []kgo.Opt) (*kgo.Client, error) {
	client, err := kgo.NewClient(opts...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c, err)
	}
	ctx, cancel := context.WithTimeout(ctx, connectWithin)
	defer cancel()
	// The context ends a ping that hangs, and tells only that; what came before is the cause.
	var cause error
	_, err = backoff.Retry(ctx, func() (struct{}, error) {
		err := client.Ping(ctx)
		switch {
		case err == nil:
			return struct{}{}, nil
		case Permanent(err):
			return struct{}{}, backoff.Permanent(err)
		case ctx.Err() == nil || cause == nil:
			cause = err
		}
		return struct{}{}, err
	}, backoff.WithNotify(func(err error, wait time.Duration) {
		log.Warnf(ctx, "%s: no answer, trying again in %s: %v", c, wait.Round(time.Millisecond), err)
	}))
	if err == nil {
		return client, nil
	}
	client.Close()
	switch {
	case Permanent(err):
		return nil, fmt.Errorf("%s: %w", c, err)
	case errors.Is(cause, io.EOF):
		// What a listener does that expects another protocol, and some with a wrong password.
		return nil, fmt.Errorf("%s: brokers close the connection: check TLS, user and password: %w", c, cause)
	default:
		return nil, fmt.Errorf("%s: no broker answers: %w", c, cmp.Or(cause, err))
	}
}

// Permanent says whether trying again cannot help.
func Permanent(err error) bool {
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &certificate), errors.As(err, &record):
		return true
	case errors.Is(err, kerr.SaslAuthenticationFailed), errors.Is(err, kerr.UnsupportedSaslMechanism),
		errors.Is(err, kerr.IllegalSaslState), errors.Is(err, kerr.TopicAuthorizationFailed),
		errors.Is(err, kerr.GroupAuthorizationFailed), errors.Is(err, kerr.ClusterAuthorizationFailed):
		return true
	}
	return false
}
