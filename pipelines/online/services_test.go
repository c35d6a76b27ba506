package online

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"

	"tributary/pipelines/spec"
)

func TestRegistry(t *testing.T) {
	_, address := cluster(t)
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

	found = check(t, with(registry.URL(), ""), Targets{})
	require.Contains(t, find(t, found, "registry", registry.URL()).Fix, "user or password is wrong")
	t.Setenv("TEST_REGISTRY_PASSWORD", "canary")
	found = check(t, s, Targets{})
	require.Contains(t, find(t, found, "registry", registry.URL()).Fix, "user or password is wrong")
	require.NotContains(t, fmt.Sprintf("%+v", found), "canary")

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

func TestFlink(t *testing.T) {
	files, err := spec.Load("../../testdata/specs/feed.yaml")
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
				if r.Method == http.MethodGet { // and not what a client of gRPC tries
					require.Equal(t, "/overview", r.URL.Path)
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
				require.Equal(t, Skipped, find(t, found, "spec", "../../testdata/specs/feed.yaml").Status)
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
