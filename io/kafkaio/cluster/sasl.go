package cluster

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/aws"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// Mechanism is a way to authenticate.
type Mechanism string

// Mechanisms of SASL.
const (
	Plain       Mechanism = "PLAIN"
	ScramSHA256 Mechanism = "SCRAM-SHA-256"
	ScramSHA512 Mechanism = "SCRAM-SHA-512"
	OAuthBearer Mechanism = "OAUTHBEARER" // KIP-255, RFC 7628
	AWSMSKIAM   Mechanism = "AWS_MSK_IAM" // of Amazon's managed Kafka
)

// SASL says who to authenticate as, and how. What proves it is read again for each connection, and
// each time a broker asks for it anew (KIP-368), so that a renewed one needs no new job.
type SASL struct {
	Mechanism Mechanism
	// User and Password are for PLAIN and SCRAM.
	User     User   `json:",omitzero"`
	Password Secret `json:",omitzero"`
	// Token is for OAUTHBEARER. A JSON Web Token is asked for again before it expires, and not sooner.
	Token Token `json:",omitzero"`
	// Extensions go with the token, for brokers that want to know more (KIP-342).
	Extensions map[string]string `json:",omitempty"`
	// Credentials is a command for AWS_MSK_IAM that prints credentials as a credential_process of
	// AWS does. Without it they are in the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,
	// AWS_SESSION_TOKEN), or else in the credentials file of the user or of AWS_SHARED_CREDENTIALS_FILE,
	// under AWS_PROFILE.
	Credentials []string `json:",omitempty"`
}

// extension is what RFC 7628 allows in names, less what Kafka reserves.
var (
	extensionName  = regexp.MustCompile(`^[A-Za-z]+$`)
	extensionValue = regexp.MustCompile(`^[\x21-\x7E \t\r\n]+$`)
)

// validate reports what is wrong. private is whether nobody on the way can read along.
func (s *SASL) validate(private bool) (errs []error) {
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf("sasl: "+format, args...)) }
	switch s.Mechanism {
	case ScramSHA256, ScramSHA512:
		private = true // as good as
	case Plain, OAuthBearer, AWSMSKIAM:
	default:
		bad("mechanism must be %s, %s, %s, %s or %s, got %q", Plain, ScramSHA256, ScramSHA512, OAuthBearer, AWSMSKIAM, s.Mechanism)
		return errs
	}
	if !private {
		secret := map[Mechanism]string{Plain: "password", OAuthBearer: "token", AWSMSKIAM: "signature"}[s.Mechanism]
		bad("%s without TLS would send the %s unencrypted: use TLS or SCRAM, or allow plaintext", s.Mechanism, secret)
	}
	login := s.User != (User{}) || s.Password != (Secret{})
	switch s.Mechanism {
	case OAuthBearer:
		if login || s.Credentials != nil {
			bad("%s takes a token, and no user, password or credentials", s.Mechanism)
		}
		if err := s.Token.Validate(); err != nil {
			bad("token: %w", err)
		}
	case AWSMSKIAM:
		if login || s.Token.IsSet() {
			bad("%s takes credentials of AWS, and no user, password or token", s.Mechanism)
		}
	default:
		if s.Token.IsSet() || s.Credentials != nil {
			bad("%s takes a user and a password, and no token or credentials", s.Mechanism)
		}
		if err := s.User.Validate(); err != nil {
			bad("user: %w", err)
		}
		if err := s.Password.Validate(); err != nil {
			bad("password: %w", err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Extensions)) {
		switch {
		case s.Mechanism != OAuthBearer:
			bad("extensions: only %s has any", OAuthBearer)
			return errs
		case !extensionName.MatchString(name) || name == "auth":
			bad("extensions: a name is letters and not auth, got %q", name)
		case !extensionValue.MatchString(s.Extensions[name]):
			bad("extensions: %s: must be printable text", name)
		}
	}
	return errs
}

// mechanism returns what authenticates a client. It reads secrets once, so that one that is missing
// is told where the client is made.
func (s *SASL) mechanism() (sasl.Mechanism, error) {
	switch s.Mechanism {
	case Plain, ScramSHA256, ScramSHA512:
	case OAuthBearer:
		bearer := &bearer{token: s.Token, extensions: s.Extensions}
		_, err := bearer.auth(context.Background())
		return bearer, err
	case AWSMSKIAM:
		_, err := s.credentials(context.Background())
		return aws.ManagedStreamingIAM(s.credentials), err
	}
	if _, _, err := s.login(); err != nil {
		return nil, err
	}
	ofScram := func(context.Context) (scram.Auth, error) {
		user, password, err := s.login()
		return scram.Auth{User: user, Pass: password}, err
	}
	switch s.Mechanism {
	case ScramSHA256:
		return scram.Sha256(ofScram), nil
	case ScramSHA512:
		return scram.Sha512(ofScram), nil
	default:
		return plain.Plain(func(context.Context) (plain.Auth, error) {
			user, password, err := s.login()
			return plain.Auth{User: user, Pass: password}, err
		}), nil
	}
}

func (s *SASL) login() (user, password string, err error) {
	if user, err = s.User.Read(); err != nil {
		return "", "", fmt.Errorf("user: %w", err)
	}
	if password, err = s.Password.Read(); err != nil {
		return "", "", fmt.Errorf("password: %w", err)
	}
	return user, password, nil
}

// bearer is OAUTHBEARER with a token that may change.
type bearer struct {
	token      Token
	extensions map[string]string
}

func (*bearer) Name() string { return string(OAuthBearer) }

func (b *bearer) auth(ctx context.Context) (oauth.Auth, error) {
	token, err := b.token.Read(ctx)
	if err != nil {
		return oauth.Auth{}, fmt.Errorf("token: %w", err)
	}
	return oauth.Auth{Token: token, Extensions: b.extensions}, nil
}

func (b *bearer) Authenticate(ctx context.Context, host string) (sasl.Session, []byte, error) {
	_, first, err := oauth.Oauth(b.auth).Authenticate(ctx, host)
	return bearerSession{}, first, err
}

type bearerSession struct{}

// ErrTokenRefused is returned when a broker does not take a token; what it says of it is in the error.
var ErrTokenRefused = errors.New("the broker refuses the token")

// Challenge is empty when the token is good. A broker that refuses it says why, in JSON, and waits
// for a byte before it says that the authentication failed.
func (bearerSession) Challenge(said []byte) (done bool, answer []byte, err error) {
	if len(said) == 0 {
		return true, nil, nil
	}
	return false, nil, fmt.Errorf("%w: %s: %w", ErrTokenRefused, OneLine(errors.New(string(said))), kerr.SaslAuthenticationFailed)
}
