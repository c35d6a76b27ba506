package flink

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
)

// A worker pool runs the code of its binary for whoever asks: reading files, connecting to brokers.
// Beam's runner asks over plain gRPC and shows nothing of its own, neither a certificate nor a
// password; but it hands on the parameters that the submitter gave the job. So the submitter proves
// by them that it knows what the pool knows. The proof is of the token and the binary alone, as
// nobody knows beforehand which TaskManager will ask, or when: who reads the job graph or the
// network between Flink and its workers can repeat it.

// proofParam is the parameter of a worker environment that holds the proof.
const proofParam = "proof"

// shortestToken keeps a proof from being guessed from: 128 random bits have 32 hexadecimal digits.
const shortestToken = 32

// newToken is one for a pool of this process.
func newToken() string { return rand.Text() + rand.Text() }

// proof shows knowledge of a token without showing it (RFC 2104).
func proof(token, version string) string {
	mac := hmac.New(sha256.New, []byte(token))
	_, _ = fmt.Fprintf(mac, "tributary worker 1\n%s", version)
	return hex.EncodeToString(mac.Sum(nil))
}

// readTokens reads the lines of a file, each a token. None for no file.
func readTokens(file string) ([]string, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("worker's token: %w", err)
	}
	var tokens []string
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		if len(line) < shortestToken {
			return nil, fmt.Errorf("worker's token: %s: a line has fewer than %d characters; make one with: openssl rand -hex 32", file, shortestToken)
		}
		tokens = append(tokens, line)
	}
	if len(tokens) == 0 {
		return nil, fmt.Errorf("worker's token: %s is empty; make one with: openssl rand -hex 32", file)
	}
	return tokens, nil
}

var (
	errNoProof    = errors.New("the job does not show that its submitter knows the worker's token; submit it with --worker-token-file")
	errOtherProof = errors.New("the job's submitter knows another token than the worker")
)

// prove checks a proof against tokens, any of which will do: an old one is good until the jobs that
// were submitted with it have ended.
func prove(shown, version string, tokens []string) error {
	if shown == "" {
		return errNoProof
	}
	for _, token := range tokens {
		if hmac.Equal([]byte(shown), []byte(proof(token, version))) {
			return nil
		}
	}
	return errOtherProof
}

// isLoopback tells whether only this machine reaches a listener.
func isLoopback(address net.Addr) bool {
	tcp, ok := address.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}
