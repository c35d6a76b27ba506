package preflight

import (
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"

	"tributary/pipelines/spec"
)

func TestRegistry(t *testing.T) {
	_, address := newCluster(t)
	registry := srfake.New(srfake.WithAuth("Basic dTpw")) // u:p
	t.Cleanup(registry.Close)
	registry.SeedSchema("views-value", 1, 1, sr.Schema{Schema: `"string"`})
	t.Setenv("TEST_REGISTRY_PASSWORD", "p")
	const rest = "views: {inputs: [{topic: views}, {topic: views-eu}], id: view_id, time: ts}\noutputs: {samples: {topic: samples}}\n"
	with := func(url, login string) *spec.Spec {
		return parse(t, at(address)+"\n    registry: {url: \""+url+"\""+login+"}", rest)
	}
	login := ", user: u, password: {env: TEST_REGISTRY_PASSWORD}, insecure: true"
	s := with(registry.URL(), login)
	create(t, s)
	found := check(t, s, Targets{})
	require.True(t, Passed(found), Text(found))
	require.Contains(t, find(t, found, "registry", registry.URL()).Detail, "1 subjects")
	require.Equal(t, []string{"warning registry views-eu-value"}, lines(found, Warning))

	// Schemas that are there and do not fit.
	registry.SeedSchema("views-value", 2, 2, sr.Schema{Schema: `{}`, Type: sr.TypeJSON})
	registry.SeedSchema("views-eu-value", 1, 3, sr.Schema{Schema: `{"type":"register"}`})
	found = check(t, s, Targets{})
	require.Equal(t, []string{"problem registry views-value", "problem registry views-eu-value"}, lines(found, Problem))
	require.Equal(t, "its schema is of type JSON, and format avro takes AVRO", find(t, found, "registry", "views-value").Detail)
	require.Contains(t, find(t, found, "registry", "views-eu-value").Detail, "schema id 3: parse Avro schema: ")

	found = check(t, with(registry.URL(), ""), Targets{})
	require.Contains(t, find(t, found, "registry", registry.URL()).Fix, "user, password or token is wrong")
	t.Setenv("TEST_REGISTRY_PASSWORD", "canary")
	found = check(t, s, Targets{})
	require.Contains(t, find(t, found, "registry", registry.URL()).Fix, "user, password or token is wrong")
	require.NotContains(t, fmt.Sprintf("%+v", found), "canary")

	s = with(registry.URL(), ", user: u, password: {env: TEST_REGISTRY_UNSET}, insecure: true")
	found = check(t, s, Targets{})
	require.Contains(t, find(t, found, "registry", registry.URL()).Detail, "environment variable TEST_REGISTRY_UNSET is not set")
	require.Contains(t, find(t, found, "registry", registry.URL()).Fix, "set the variable")

	other := httptest.NewServer(http.NotFoundHandler())
	defer other.Close()
	found = check(t, with(other.URL, ""), Targets{})
	require.Contains(t, find(t, found, "registry", other.URL).Fix, "may lack a path")

	hung, closed := silent(t)
	for _, address := range []string{hung, closed} {
		found = check(t, with("http://"+address, ""), Targets{Timeout: time.Second})
		require.Equal(t, Problem, find(t, found, "registry", "http://"+address).Status)
	}
}

// TestRegistryAddresses: each of several is looked at, with the authority and the token that the job
// will use.
func TestRegistryAddresses(t *testing.T) {
	_, address := newCluster(t)
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if q.Header.Get("Authorization") != "Bearer right" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = w.Write([]byte(`["views-value"]`))
	}))
	defer server.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600))
	_, closed := silent(t)
	with := func(tls string) *spec.Spec {
		text := fmt.Sprintf("\n    registry: {url: [%q, %q], tls: {%s}, token: {env: TEST_REGISTRY_TOKEN}}", server.URL, "https://"+closed, tls)
		return parse(t, at(address)+text, "views: {inputs: [{topic: views}], id: view_id, time: ts}\noutputs: {samples: {topic: samples}}\n")
	}
	s := with("ca: " + ca)
	create(t, s)
	t.Setenv("TEST_REGISTRY_TOKEN", "right")
	found := check(t, s, Targets{})
	require.Equal(t, "1 subjects", find(t, found, "registry", server.URL).Detail)
	require.Equal(t, []string{"problem registry https://" + closed}, lines(found, Problem, Warning))

	t.Setenv("TEST_REGISTRY_TOKEN", "wrong-canary")
	f := find(t, check(t, s, Targets{}), "registry", server.URL)
	require.Contains(t, f.Fix, "token is wrong")
	require.NotContains(t, fmt.Sprint(f), "canary")
	require.Contains(t, find(t, check(t, with("server_name: x"), Targets{}), "registry", server.URL).Fix, "set clusters.main.registry.tls.ca")
	require.Contains(t, find(t, check(t, with("ca: /no/such/ca.pem"), Targets{}), "registry", server.URL).Fix, "correct the path")
}

func TestFlink(t *testing.T) {
	files, err := spec.Load("../../../testdata/specs/feed.yaml")
	require.NoError(t, err)
	for _, c := range []struct {
		name, answer string
		status       Status
		detail, fix  string
	}{
		{"well", `{"taskmanagers":1,"slots-total":4,"slots-available":3,"flink-version":"1.19.3"}`, OK, "Flink 1.19.3, 1 task managers, 3 of 4 slots free", ""},
		{"no task manager", `{"taskmanagers":0,"slots-total":0,"slots-available":0,"flink-version":"1.19.3"}`, Problem, "0 of 0", "start a TaskManager"},
		{"no slot free", `{"taskmanagers":1,"slots-total":4,"slots-available":0,"flink-version":"1.19.3"}`, Warning, "0 of 4", "stop a job"},
		{"not Flink", `<html>`, Problem, "not what Flink answers", "usually port 8081"},
		{"some other JSON", `{}`, Problem, "not what Flink answers", "usually port 8081"},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodGet && r.URL.Path != "/overview" { // and not what a client of gRPC tries
					require.Contains(t, []string{"/taskmanagers", "/jobmanager/config"}, r.URL.Path)
					w.WriteHeader(http.StatusForbidden)
					return
				}
				_, _ = w.Write([]byte(c.answer))
			}))
			defer server.Close()
			address := strings.TrimPrefix(server.URL, "http://")
			for _, target := range []string{address, server.URL, server.URL + "/"} {
				found := check(t, files, Targets{Flink: target, JobServer: address})
				f := find(t, found, "flink", target)
				require.Equal(t, c.status, f.Status)
				require.Contains(t, f.Detail, c.detail)
				require.Contains(t, f.Fix, c.fix)
				require.Equal(t, Problem, find(t, found, "job server", address).Status, "it answers, but is none")
				require.Equal(t, Skipped, find(t, found, "spec", "../../../testdata/specs/feed.yaml").Status)
			}
		})
	}
}

func TestText(t *testing.T) {
	require.Equal(t, `✓ broker   k:1          connected
✗ topic    views        does not exist
! rights   a-long-name  `+"\uFFFD"+`[2J
- sign-in  main         skipped

✗ topic views
    create it
! rights a-long-name
    allow it

problems: 1, warnings: 1
`, Text([]Finding{
		{"broker", "k:1", OK, "connected", ""},
		{"topic", "views", Problem, "does not exist", "create it"},
		{"rights", "a-long-name", Warning, "\x1b[2J", "allow it"},
		{"sign-in", "main", Skipped, "skipped", ""},
	}))
	require.Equal(t, "✓ broker  k:1  connected\n", Text([]Finding{{"broker", "k:1", OK, "connected", ""}}))
}
