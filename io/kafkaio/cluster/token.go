package cluster

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"
	"time"
)

// Token says where a bearer token is found: like a secret, or it is what a command prints. It is not
// the token, so it may be encoded, logged and stored; nor may the arguments of the command be secret.
type Token struct {
	Secret
	// Command is a program and its arguments, run without a shell where the client is. It prints the
	// token and ends with status 0 within 30 s. If what it prints is a JSON Web Token with the
	// claim exp, it is used for four fifths of its time, or for half if less than 30 s would be left; anything
	// else for 10 s.
	Command []string `json:",omitempty"`
}

// IsSet tells whether a place is named.
func (t Token) IsSet() bool { return t.Secret != (Secret{}) || t.Command != nil }

// IsZero is for encoding/json.
func (t Token) IsZero() bool { return !t.IsSet() }

// Validate says whether exactly one place is named.
func (t Token) Validate() error {
	if t.Command == nil {
		return t.Secret.Validate()
	}
	if t.Secret != (Secret{}) {
		return errors.New("both a command and a place")
	}
	return validCommand(t.Command)
}

// tokenForm is b64token of RFC 6750: what a header may hold.
var tokenForm = regexp.MustCompile(`^[A-Za-z0-9._~+/-]+=*$`)

// Read returns the token. Its errors tell where it should have been, never what was there.
func (t Token) Read(ctx context.Context) (string, error) {
	if err := t.Validate(); err != nil {
		return "", err
	}
	var token string
	var err error
	if t.Command != nil {
		token, err = commands.run(ctx, t.Command, jwtExpiry)
	} else {
		token, err = t.Secret.Read()
	}
	if err != nil {
		return "", err
	}
	if !tokenForm.MatchString(token) {
		return "", fmt.Errorf("%s holds no bearer token: letters, digits and -._~+/ are in one, and = at its end", t)
	}
	return token, nil
}

// String names the place.
func (t Token) String() string {
	switch {
	case t.Command != nil:
		return "the output of " + commandName(t.Command)
	case t.Env != "":
		return "environment variable " + t.Env
	default:
		return "file " + t.File
	}
}

// jwtExpiry is when a JSON Web Token (RFC 7519) expires by itself; zero for any other token, and for
// one that never does.
func jwtExpiry(token string) time.Time {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return time.Time{}
	}
	claims, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return time.Time{}
	}
	var found struct{ Exp float64 }
	if json.Unmarshal(claims, &found) != nil || !(found.Exp > 0) || found.Exp > math.MaxInt64/2 {
		return time.Time{}
	}
	return time.Unix(int64(found.Exp), 0)
}
