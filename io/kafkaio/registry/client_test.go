package registry

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
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/sr"

	"tributary/io/kafkaio/cluster"
	"tributary/io/kafkaio/internal/kafkatest"
)

func TestRegistryValidate(t *testing.T) {
	password := cluster.Secret{Env: "P"}
	for _, tt := range []struct {
		name     string
		registry Config
		want     string
	}{
		{"nothing", Config{}, "urls: at least one is needed"},
		{"a password over http", Config{URLs: []string{"https://a", "http://b"}, User: cluster.User{Name: "u"}, Password: password}, "urls: http://b would send the secret unencrypted: use https, or allow plaintext"},
		{"a token over http", Config{URLs: []string{"http://b"}, Token: cluster.Token{Secret: password}}, "urls: http://b would send the secret unencrypted: use https, or allow plaintext"},
		{"allowed", Config{URLs: []string{"http://b"}, Token: cluster.Token{Secret: password}, AllowPlaintext: true}, ""},
		{"tls beside http", Config{URLs: []string{"http://b"}, TLS: &cluster.TLS{}}, "urls: http://b is not encrypted, whatever tls says: use https"},
		{"half a certificate", Config{URLs: []string{"https://b"}, TLS: &cluster.TLS{KeyFile: "k"}}, "tls: certificate and key go together: one is missing"},
		{"a token and a user", Config{URLs: []string{"https://b"}, Token: cluster.Token{Secret: password}, User: cluster.User{Name: "u"}}, "token: a client shows a token, or a user and a password"},
		{"two places of a token", Config{URLs: []string{"https://b"}, Token: cluster.Token{Secret: cluster.Secret{Env: "a", File: "b"}}}, "token: name either an environment variable or a file"},
		{"a password of nobody", Config{URLs: []string{"https://b"}, Password: password}, "user: name either an environment variable or a file"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.registry.Validate(); tt.want == "" {
				require.NoError(t, err)
			} else {
				require.EqualError(t, err, tt.want)
			}
		})
	}
}

// TestNextAddress: a registry that does not answer is asked at its next address, and whether an id
// is unknown is for those to say that do.
func TestNextAddress(t *testing.T) {
	down := func(string) answer { return answer{503, "down"} }
	page := func(string) answer { return answer{404, proxyPage} }
	knows := func(path string) answer {
		if path == "/schemas/ids/1" {
			return schemaAnswer("")
		}
		return answer{404, ownNo}
	}
	behind := func(string) answer { return answer{404, ownNo} } // has not heard of it yet
	for _, tt := range []struct {
		name    string
		servers []roundTrip
		id      int32
		want    string // in the error, empty for none
		waits   bool
	}{
		{"the first is down", []roundTrip{down, knows}, 1, "", false},
		{"the first two do not answer", []roundTrip{down, page, knows}, 1, "", false},
		{"the first is behind the second", []roundTrip{behind, knows}, 1, "", false},
		{"unknown to all", []roundTrip{behind, knows}, 2, "unknown schema id 2", false},
		{"unknown to the one that answers", []roundTrip{page, knows}, 2, "unknown schema id 2", false},
		{"none answers", []roundTrip{down, page}, 1, "http://r0: status 503: down; http://r1: status 404, and not in the words of a registry", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := severalFaked(t, tt.servers...)
			_, err := s.fetch(t.Context(), ID{Number: tt.id})
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tt.want)
			_, dead := whyUnusable(err)
			require.Equal(t, tt.waits, !dead)
		})
	}
}

// severalFaked is a registry with the addresses http://r0 and so on, which answer so.
func severalFaked(t *testing.T, servers ...roundTrip) *fetcher {
	t.Helper()
	r := &Config{}
	for i := range servers {
		r.URLs = append(r.URLs, "http://r"+string(rune('0'+i)))
	}
	s, err := newFetcher(r)
	require.NoError(t, err)
	for i, f := range servers {
		s.client.clients[i], err = sr.NewClient(sr.URLs(r.URLs[i]), sr.HTTPClient(&http.Client{Transport: f}))
		require.NoError(t, err)
	}
	return s
}

// hangs never answers.
type hangs struct{ asked *atomic.Int32 }

func (h hangs) RoundTrip(q *http.Request) (*http.Response, error) {
	h.asked.Add(1)
	<-q.Context().Done()
	return nil, q.Context().Err()
}

// TestSilentAddress: one that takes all the time there is must not do so every time.
func TestSilentAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := severalFaked(t, nil, func(string) answer { return schemaAnswer("") })
		var asked atomic.Int32
		var err error
		s.client.clients[0], err = sr.NewClient(sr.URLs("http://r0"), sr.HTTPClient(&http.Client{Transport: hangs{&asked}}))
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		_, err = s.lookup(ctx, ID{Number: 1})
		require.ErrorIs(t, err, ErrWaiting)
		for id := range int32(3) {
			_, err = s.lookup(t.Context(), ID{Number: id})
			require.NoError(t, err)
		}
		require.EqualValues(t, 1, asked.Load(), "the one that answers is asked first")
	})
}

// pki writes an authority's certificate, and certificates of a server and a client that it signed.
func pki(t *testing.T) (server tls.Certificate, authorities *x509.CertPool, files cluster.TLS) {
	t.Helper()
	dir := t.TempDir()
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
		return path
	}
	newKey := func() *ecdsa.PrivateKey {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		require.NoError(t, err)
		return key
	}
	caKey := newKey()
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, &caKey.PublicKey, caKey)
	require.NoError(t, err)
	authority, err := x509.ParseCertificate(caDER)
	require.NoError(t, err)
	authorities = x509.NewCertPool()
	authorities.AddCert(authority)
	leaf := func(name string) ([]byte, *ecdsa.PrivateKey) {
		key := newKey()
		template := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour), DNSNames: []string{name}}
		der, err := x509.CreateCertificate(rand.Reader, template, authority, &key.PublicKey, caKey)
		require.NoError(t, err)
		return der, key
	}
	der, key := leaf("registry.internal")
	server = tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	der, key = leaf("tributary")
	keyDER, err := x509.MarshalECPrivateKey(key)
	require.NoError(t, err)
	files = cluster.TLS{CAFile: write("ca.pem", "CERTIFICATE", caDER), CertFile: write("cert.pem", "CERTIFICATE", der), KeyFile: write("key.pem", "EC PRIVATE KEY", keyDER), ServerName: "registry.internal"}
	return server, authorities, files
}

// TestRegistryTLS: an authority of one's own, and a certificate that the client shows. Without the
// one or the other nothing is read, and what is missing is told.
func TestRegistryTLS(t *testing.T) {
	certificate, authorities, files := pki(t)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		require.Equal(t, "tributary", q.TLS.PeerCertificates[0].Subject.CommonName)
		_, _ = io.WriteString(w, schemaAnswer("").body)
	}))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}, ClientCAs: authorities, ClientAuth: tls.RequireAndVerifyClientCert}
	server.StartTLS()
	t.Cleanup(server.Close)
	for _, tt := range []struct {
		name string
		tls  *cluster.TLS
		want string
	}{
		{"as it should be", &files, ""},
		{"the machine's authorities", &cluster.TLS{ServerName: files.ServerName}, "certificate signed by unknown authority"},
		{"no certificate to show", &cluster.TLS{CAFile: files.CAFile, ServerName: files.ServerName}, "certificate required"},
		{"another name", &cluster.TLS{CAFile: files.CAFile, CertFile: files.CertFile, KeyFile: files.KeyFile, ServerName: "other"}, "not other"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := newFetcher(&Config{URLs: []string{server.URL}, TLS: tt.tls})
			require.NoError(t, err)
			_, err = s.fetch(t.Context(), ID{Number: 1})
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tt.want)
			_, dead := whyUnusable(err)
			require.False(t, dead)
		})
	}
	_, err := newFetcher(&Config{URLs: []string{server.URL}, TLS: &cluster.TLS{CAFile: files.KeyFile}})
	require.ErrorContains(t, err, files.KeyFile+" holds no certificate")
	_, err = newFetcher(&Config{URLs: []string{server.URL}, TLS: &cluster.TLS{CertFile: files.CertFile, KeyFile: files.CertFile}})
	require.ErrorContains(t, err, "client certificate: ")
}

// TestRegistryToken: a token that was renewed is used for the next question. It travels to the
// registry and nowhere else.
func TestRegistryToken(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(file, []byte(kafkatest.Canary+"\n"), 0o600))
	var got []string
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) {
		require.Empty(t, q.Header.Get("Authorization"))
	}))
	t.Cleanup(elsewhere.Close)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		got = append(got, q.Header.Get("Authorization"))
		if q.URL.Path == "/schemas/ids/9" {
			// The same machine by another name is another host.
			http.Redirect(w, q, "http://localhost"+elsewhere.URL[len("http://127.0.0.1"):], http.StatusTemporaryRedirect)
			return
		}
		_, _ = io.WriteString(w, schemaAnswer("").body)
	}))
	t.Cleanup(server.Close)
	r := &Config{URLs: []string{server.URL}, Token: cluster.Token{Secret: cluster.Secret{File: file}}, AllowPlaintext: true}
	s, err := newFetcher(r)
	require.NoError(t, err)
	_, err = s.fetch(t.Context(), ID{Number: 1})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, []byte("renewed"), 0o600))
	_, err = s.fetch(t.Context(), ID{Number: 2})
	require.NoError(t, err)
	_, err = s.fetch(t.Context(), ID{Number: 9})
	require.Error(t, err)
	require.NoError(t, os.Remove(file))
	_, err = s.fetch(t.Context(), ID{Number: 3})
	require.ErrorContains(t, err, "token: open "+file)
	_, dead := whyUnusable(err)
	require.False(t, dead, "it may come back")
	require.Equal(t, []string{"Bearer " + kafkatest.Canary, "Bearer renewed", "Bearer renewed"}, got)
	text, err := json.Marshal(r)
	require.NoError(t, err)
	require.NotContains(t, string(text), kafkatest.Canary)
	_, err = newFetcher(r)
	require.ErrorContains(t, err, "registry: token: open "+file, "told at the start")
}

// TestStayEncrypted: an answer that leads out of encryption is not followed.
func TestStayEncrypted(t *testing.T) {
	plain := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("followed") }))
	t.Cleanup(plain.Close)
	certificate, _, files := pki(t)
	server := httptest.NewUnstartedServer(http.RedirectHandler(plain.URL, http.StatusFound))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	server.StartTLS()
	t.Cleanup(server.Close)
	s, err := newFetcher(&Config{URLs: []string{server.URL}, TLS: &files})
	require.NoError(t, err)
	_, err = s.fetch(t.Context(), ID{Number: 1})
	require.ErrorContains(t, err, "it leads from https to "+plain.URL)
}
