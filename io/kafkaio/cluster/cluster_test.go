package cluster

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"tributary/io/kafkaio/internal/kafkatest"
)

// canary is a password that must turn up nowhere.
func TestClusterValidate(t *testing.T) {
	password := Secret{Env: "P"}
	tests := []struct {
		name    string
		cluster Config
		want    string
	}{
		{"nothing", Config{}, "brokers: at least one is needed"},
		{"a slash in the name", Config{Name: "a/b", Brokers: []string{"b"}}, `name: must hold neither / nor space, got "a/b"`},
		{"half a certificate", Config{Brokers: []string{"b"}, TLS: &TLS{CertFile: "c"}}, "tls: certificate and key go together: one is missing"},
		{"PLAIN without TLS", Config{Brokers: []string{"b"}, SASL: &SASL{Mechanism: Plain, User: User{Name: "u"}, Password: password}}, "sasl: PLAIN without TLS would send the password unencrypted: use TLS or SCRAM, or allow plaintext"},
		{"PLAIN with TLS", Config{Brokers: []string{"b"}, TLS: &TLS{}, SASL: &SASL{Mechanism: Plain, User: User{Name: "u"}, Password: password}}, ""},
		{"PLAIN without TLS, allowed", Config{Brokers: []string{"b"}, AllowPlaintext: true, SASL: &SASL{Mechanism: Plain, User: User{Name: "u"}, Password: password}}, ""},
		{"SCRAM without TLS", Config{Brokers: []string{"b"}, SASL: &SASL{Mechanism: ScramSHA256, User: User{Name: "u"}, Password: password}}, ""},
		{"an unknown mechanism", Config{Brokers: []string{"b"}, SASL: &SASL{Mechanism: "X"}}, `sasl: mechanism must be PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER or AWS_MSK_IAM, got "X"`},
		{"nobody, no password", Config{Brokers: []string{"b"}, SASL: &SASL{Mechanism: ScramSHA256}}, "sasl: user: name either an environment variable or a file\nsasl: password: name either an environment variable or a file"},
		{"a token without TLS", Config{Brokers: []string{"b"}, SASL: &SASL{Mechanism: OAuthBearer, Token: Token{Secret: password}}}, "sasl: OAUTHBEARER without TLS would send the token unencrypted: use TLS or SCRAM, or allow plaintext"},
		{"IAM without TLS", Config{Brokers: []string{"b"}, SASL: &SASL{Mechanism: AWSMSKIAM}}, "sasl: AWS_MSK_IAM without TLS would send the signature unencrypted: use TLS or SCRAM, or allow plaintext"},
		{"a token", Config{Brokers: []string{"b"}, TLS: &TLS{}, SASL: &SASL{Mechanism: OAuthBearer, Token: Token{Command: []string{"get"}}, Extensions: map[string]string{"logicalCluster": "lkc-1"}}}, ""},
		{"no token, but a password", Config{Brokers: []string{"b"}, TLS: &TLS{}, SASL: &SASL{Mechanism: OAuthBearer, Password: password}}, "sasl: OAUTHBEARER takes a token, and no user, password or credentials\nsasl: token: name either an environment variable or a file"},
		{"two tokens", Config{Brokers: []string{"b"}, TLS: &TLS{}, SASL: &SASL{Mechanism: OAuthBearer, Token: Token{Secret: password, Command: []string{"get"}}}}, "sasl: token: both a command and a place"},
		{"no program", Config{Brokers: []string{"b"}, TLS: &TLS{}, SASL: &SASL{Mechanism: OAuthBearer, Token: Token{Command: []string{}}}}, "sasl: token: a command begins with a program"},
		{"extensions", Config{Brokers: []string{"b"}, TLS: &TLS{}, SASL: &SASL{Mechanism: OAuthBearer, Token: Token{Secret: password}, Extensions: map[string]string{"a-b": "c", "auth": "d", "e": "\x01"}}}, "sasl: extensions: a name is letters and not auth, got \"a-b\"\nsasl: extensions: a name is letters and not auth, got \"auth\"\nsasl: extensions: e: must be printable text"},
		{"extensions of a password", Config{Brokers: []string{"b"}, SASL: &SASL{Mechanism: ScramSHA256, User: User{Name: "u"}, Password: password, Extensions: map[string]string{"a": "b"}}}, "sasl: extensions: only OAUTHBEARER has any"},
		{"IAM with a token", Config{Brokers: []string{"b"}, TLS: &TLS{}, SASL: &SASL{Mechanism: AWSMSKIAM, Token: Token{Secret: password}}}, "sasl: AWS_MSK_IAM takes credentials of AWS, and no user, password or token"},
		{"a token with a password", Config{Brokers: []string{"b"}, SASL: &SASL{Mechanism: ScramSHA256, User: User{Name: "u"}, Password: password, Token: Token{Secret: password}}}, "sasl: SCRAM-SHA-256 takes a user and a password, and no token or credentials"},
		{"two places of a password", Config{Brokers: []string{"b"}, SASL: &SASL{Mechanism: ScramSHA512, User: User{Name: "u"}, Password: Secret{"a", "b"}}}, "sasl: password: name either an environment variable or a file"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.cluster.Validate(); tt.want == "" {
				require.NoError(t, err)
			} else {
				require.EqualError(t, err, tt.want)
			}
		})
	}
}

func TestSecret(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		return path
	}
	t.Setenv("SECRET_SET", kafkatest.Canary)
	t.Setenv("SECRET_EMPTY", "")
	for _, s := range []Secret{{Env: "SECRET_SET"}, {File: file("plain", kafkatest.Canary)}, {File: file("line", kafkatest.Canary+"\r\n")}} {
		got, err := s.Read()
		require.NoError(t, err)
		require.Equal(t, kafkatest.Canary, got)
	}
	for _, s := range []Secret{{}, {Env: "SECRET_EMPTY"}, {Env: "SECRET_MISSING"}, {File: file("empty", "\n")}, {File: filepath.Join(dir, "missing")}} {
		_, err := s.Read()
		require.Error(t, err, "%+v", s)
	}
}

// secure is a broker that wants TLS and a password, and what reaches it.
func secure(t *testing.T, mechanism Mechanism) (*kfake.Cluster, Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "broker"}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	fake := kfake.MustCluster(kfake.NumBrokers(1), kfake.EnableSASL(), kfake.Superuser(string(mechanism), "user", kafkatest.Canary),
		kfake.TLS(&tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}))
	t.Cleanup(fake.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	return fake, Config{Brokers: fake.ListenAddrs(), TLS: &TLS{CAFile: ca}, SASL: &SASL{Mechanism: mechanism, User: User{Name: "user"}, Password: Secret{Env: "KAFKA_PASSWORD"}}}
}

func TestConnect(t *testing.T) {
	logged := kafkatest.CaptureLog(t)
	t.Cleanup(func() { require.NotContains(t, logged.String(), kafkatest.Canary) })
	for _, mechanism := range []Mechanism{Plain, ScramSHA256, ScramSHA512} {
		t.Run(string(mechanism), func(t *testing.T) {
			fake, c := secure(t, mechanism)
			t.Setenv("KAFKA_PASSWORD", kafkatest.Canary)
			client, err := c.Connect(t.Context())
			require.NoError(t, err)
			client.Close()
			text, err := json.Marshal(c)
			require.NoError(t, err)
			require.NotContains(t, string(text)+fmt.Sprintf("%+v %#v %s", c, c, c), kafkatest.Canary)

			t.Setenv("KAFKA_PASSWORD", kafkatest.Canary+"-wrong")
			short, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, err = c.Connect(short) // the fake closes the connection without a word
			require.ErrorContains(t, err, c.Brokers[0]+": brokers close the connection: check TLS, user and password: ")
			require.NotContains(t, err.Error(), kafkatest.Canary)

			fake.ControlKey(int16(kmsg.SASLAuthenticate), func(q kmsg.Request) (kmsg.Response, error, bool) {
				fake.KeepControl() // brokers say why
				answer := q.ResponseKind().(*kmsg.SASLAuthenticateResponse)
				answer.ErrorCode = kerr.SaslAuthenticationFailed.Code
				return answer, nil, true
			})
			began := time.Now()
			_, err = c.Connect(t.Context())
			require.ErrorIs(t, err, kerr.SaslAuthenticationFailed)
			require.ErrorContains(t, err, c.Brokers[0])
			require.NotContains(t, err.Error(), kafkatest.Canary)
			require.Less(t, time.Since(began), connectWithin/2, "it is not tried again")

			c.TLS = &TLS{} // the machine's authorities, which did not sign this
			_, err = c.Connect(t.Context())
			require.ErrorContains(t, err, "certificate")
			require.NotContains(t, err.Error(), kafkatest.Canary)
			require.Less(t, time.Since(began), connectWithin/2, "it is not tried again")
		})
	}
}

// TestConnectToNobody: an unknown broker is one clear error after a bounded time.
func TestConnectToNobody(t *testing.T) {
	logged := kafkatest.CaptureLog(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	require.NoError(t, listener.Close())
	short, cancel := context.WithTimeout(t.Context(), 2*time.Second) // Connect itself has more patience
	defer cancel()
	began := time.Now()
	_, err = Config{Brokers: []string{address}}.Connect(short)
	require.ErrorContains(t, err, "kafka at "+address+": no broker answers: ")
	require.ErrorContains(t, err, "connection refused")
	require.Less(t, time.Since(began), 5*time.Second)
	require.Contains(t, logged.String(), "kafka at "+address+": no answer, trying again in ", "nothing waits silently")
}
