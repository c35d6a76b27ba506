package cluster

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// Secret says where a secret is found: in an environment variable or in a file of the
// process that uses it. It is not the secret, so it may be encoded, logged and stored.
type Secret struct {
	// Env is the name of the environment variable.
	Env string `json:",omitempty"`
	// File is the path of the file; a line break at its end is not part of the secret.
	File string `json:",omitempty"`
}

// ErrNoSecret says that the place of a secret is there and holds none. Read returns it.
var ErrNoSecret = errors.New("no secret")

// User is the name of a user: as it is, or found like a secret.
type User struct {
	Name string `json:",omitempty"`
	Secret
}

// Validate says whether there is exactly one name, or one place to find it.
func (u User) Validate() error {
	if u.Name == "" {
		return u.Secret.Validate()
	}
	if u.Secret != (Secret{}) {
		return errors.New("both a name and a place where to find it")
	}
	return nil
}

// Read returns the name. Its errors tell where it should have been.
func (u User) Read() (string, error) {
	if err := u.Validate(); err != nil || u.Name != "" {
		return u.Name, err
	}
	return u.Secret.Read()
}

// Validate says whether exactly one place is named.
func (s Secret) Validate() error {
	if (s.Env == "") == (s.File == "") {
		return errors.New("name either an environment variable or a file")
	}
	return nil
}

// Read reads the secret. Its errors tell where, never what.
func (s Secret) Read() (string, error) {
	if err := s.Validate(); err != nil {
		return "", err
	}
	if s.Env != "" {
		value, ok := os.LookupEnv(s.Env)
		if !ok || value == "" {
			return "", fmt.Errorf("%w: environment variable %s is not set", ErrNoSecret, s.Env)
		}
		return value, nil
	}
	content, err := os.ReadFile(s.File)
	if err != nil {
		return "", err
	}
	value := strings.TrimRight(string(content), "\r\n")
	if value == "" {
		return "", fmt.Errorf("%w: file %s is empty", ErrNoSecret, s.File)
	}
	return value, nil
}
