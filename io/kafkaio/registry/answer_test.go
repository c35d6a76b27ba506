package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/sr"

	"tributary/io/kafkaio/internal/kafkatest"
)

// answer is what stands at a path of a registry.
type answer struct {
	status int
	body   string
}

const (
	proxyPage = "<html><h1>404 default backend</h1></html>"
	ownNo     = `{"error_code":40403,"message":"Schema not found"}`
)

// schemaAnswer is an answer with a schema.
func schemaAnswer(more string) answer {
	return answer{200, fmt.Sprintf(`{"schema":%q%s}`, oneView, more)}
}

// TestAnswers: what is said of an id makes its records dead letters, with a reason; what says
// nothing of it is waited for.
func TestAnswers(t *testing.T) {
	for _, tt := range []struct {
		name  string
		id    answer
		want  string // in the reason
		waits string // in the error, if it is waited for
	}{
		{"not found", answer{404, ownNo}, "unknown schema id 7: the registry has no such schema", ""},
		{"no such subject", answer{404, `{"error_code":40401,"message":"Subject not found"}`}, "unknown schema id 7", ""},
		{"no such version", answer{404, `{"error_code":40402,"message":"Version not found"}`}, "unknown schema id 7", ""},
		{"bad request", answer{400, `{"error_code":40001,"message":"bad id"}`}, "status 400", ""},
		{"conflict", answer{409, `{"error_code":40901,"message":"conflict"}`}, "status 409): conflict", ""},
		{"unprocessable", answer{422, `{"error_code":42201,"message":"invalid schema"}`}, "invalid schema", ""},
		{"another kind of schema", schemaAnswer(`,"schemaType":"OPENAPI"`), `schema id 7: is of type "OPENAPI", which is not read here`, ""},
		{"references that are not there", schemaAnswer(`,"references":[{"name":"Other","subject":"gone","version":3}]`), "schema id 7: refers to Other, version 3 of subject gone, of which the registry says (status 404): Subject not found", ""},
		{"references of another type", schemaAnswer(`,"references":[{"name":"Other","subject":"message","version":1}]`), "refers to Other, version 1 of subject message, which is of type PROTOBUF", ""},
		{"references without an end", schemaAnswer(`,"references":[{"name":"Other","subject":"endless","version":1}]`), "refers to more than 500 other schemas", ""},
		{"not Avro's", answer{200, `{"schema":"{\"type\":\"register\"}"}`}, "schema id 7: ", ""},

		{"a proxy's page", answer{404, proxyPage}, "", "status 404, and not in the words of a registry: <html><h1>404 default backend</h1></html>"},
		{"a proxy's JSON", answer{404, `{"detail":"no artifact"}`}, "", `not in the words of a registry: {"detail":"no artifact"}`},
		{"a wrong path", answer{404, `{"error_code":404,"message":"HTTP 404 Not Found"}`}, "", "not in the words of a registry: HTTP 404 Not Found"},
		{"a code that is not its status", answer{404, `{"error_code":42201,"message":"x"}`}, "", "not in the words of a registry"},
		{"nothing at all", answer{404, ""}, "", "not in the words of a registry: no response"},
		{"gone, in words of its own", answer{410, "gone"}, "", "status 410, and not in the words of a registry: gone"},
		{"a page for every path", answer{200, "<html>log in"}, "", "unable to decode"},
		{"a health page", answer{200, `{"status":"UP"}`}, "", "an answer without a schema"},
		{"a long page", answer{404, "<html>\n" + strings.Repeat("x ", 300) + "\x1b[2J"}, "", strings.Repeat("x ", 96) + "x..."},
		{"a page without an end", answer{200, strings.Repeat(" ", mostAnswer+1)}, "", "an answer of more than 4 MiB"},
		{"no rights", answer{403, "{}"}, "", "access refused (status 403)"},
		{"no rights, in its own words", answer{403, `{"error_code":40301,"message":"no"}`}, "", "access refused (status 403)"},
		{"not who it says", answer{401, "{}"}, "", "access refused (status 401)"},
		{"too many requests", answer{429, "slow down"}, "", "status 429: slow down"},
		{"its own trouble", answer{500, `{"error_code":50001,"message":"store"}`}, "", "status 500: store"},
		{"away", answer{503, ""}, "", "status 503"},
		{"references that are away", schemaAnswer(`,"references":[{"name":"Other","subject":"away","version":1}]`), "", "refers to Other, version 1 of subject away: status 503: away"},
		{"references behind a proxy", schemaAnswer(`,"references":[{"name":"Other","subject":"page","version":1}]`), "", "status 404, and not in the words of a registry"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
				a := tt.id
				if q.URL.Path != "/schemas/ids/7" {
					a = otherAnswer(q.URL.Path)
				}
				w.WriteHeader(a.status)
				_, _ = io.WriteString(w, a.body)
			}))
			t.Cleanup(server.Close)
			s, err := newFetcher(&Config{URLs: []string{server.URL}})
			require.NoError(t, err)
			_, err = s.fetch(t.Context(), ID{Number: 7})
			reason, dead := whyUnusable(err)
			if tt.waits != "" {
				require.False(t, dead, "%v", err)
				require.ErrorContains(t, err, tt.waits)
				require.NotContains(t, err.Error(), "\x1b")
				return
			}
			require.True(t, dead, "%v", err)
			require.Contains(t, reason, tt.want)
		})
	}
}

// otherAnswer is what stands at the other paths: a registry is there, and that says nothing of the id.
func otherAnswer(path string) answer {
	subject, version, ok := strings.Cut(strings.TrimPrefix(path, "/subjects/"), "/versions/")
	switch {
	case !ok:
		return answer{200, "[]"}
	case subject == "gone":
		return answer{404, `{"error_code":40401,"message":"Subject not found"}`}
	case subject == "message":
		return schemaAnswer(`,"schemaType":"PROTOBUF"`)
	case subject == "endless":
		n, _ := strconv.Atoi(version)
		return schemaAnswer(fmt.Sprintf(`,"references":[{"name":"Other","subject":"endless","version":%d}]`, n+1))
	case subject == "page":
		return answer{404, proxyPage}
	}
	return answer{503, "away"}
}

// TestNegativeID: nobody has to be asked for those.
func TestNegativeID(t *testing.T) {
	s, err := newFetcher(&Config{URLs: []string{"http://127.0.0.1:1"}})
	require.NoError(t, err)
	_, err = s.lookup(t.Context(), ID{Number: -1})
	reason, dead := whyUnusable(err)
	require.True(t, dead)
	require.Equal(t, "schema id -1: no id is negative", reason)
}

// roundTrip answers without a network.
type roundTrip func(path string) answer

func (f roundTrip) RoundTrip(q *http.Request) (*http.Response, error) {
	a := f(q.URL.Path)
	return &http.Response{StatusCode: a.status, Body: io.NopCloser(strings.NewReader(a.body)), Request: q}, nil
}

// faked is a registry that answers so.
func faked(t *testing.T, f roundTrip) *fetcher {
	t.Helper()
	s, err := newFetcher(&Config{URLs: []string{"http://registry"}})
	require.NoError(t, err)
	s.client.clients[0], err = sr.NewClient(sr.URLs("http://registry"), sr.HTTPClient(&http.Client{Transport: f}))
	require.NoError(t, err)
	return s
}

// TestProxyIsNotBelieved: a 404 of whoever stands in front of the registry says nothing of ids,
// not even while others are answered; the registry's own does.
func TestProxyIsNotBelieved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		away := false
		s := faked(t, func(path string) answer {
			switch {
			case path == "/schemas/ids/1" || path == "/schemas/ids/2" && !away:
				return schemaAnswer("")
			case away:
				return answer{404, proxyPage} // of one of several behind a balancer, which has just gone
			default:
				return answer{404, ownNo}
			}
		})
		_, err := s.lookup(t.Context(), ID{Number: 1})
		require.NoError(t, err)
		away = true
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err = s.lookup(ctx, ID{Number: 2})
		require.ErrorIs(t, err, ErrWaiting)
		away = false
		_, err = s.lookup(t.Context(), ID{Number: 2})
		require.NoError(t, err)
		_, err = s.lookup(t.Context(), ID{Number: 3})
		require.ErrorContains(t, err, "unknown schema id 3", "in its own words")
	})
}

// TestOutageIsTold: at once, and at intervals that grow, whatever calls it is cut into; and that
// it is over.
func TestOutageIsTold(t *testing.T) {
	logged := kafkatest.CaptureLog(t)
	synctest.Test(t, func(t *testing.T) {
		down := true
		s := faked(t, func(string) answer {
			if down {
				return answer{503, "no"}
			}
			return schemaAnswer("")
		})
		began := time.Now()
		for time.Since(began) < time.Hour {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			_, err := s.lookup(ctx, ID{Number: 7})
			cancel()
			require.ErrorIs(t, err, ErrWaiting)
			require.ErrorContains(t, err, "status 503: no")
		}
		told := strings.Count(logged.String(), "waiting for the schema registry at http://registry")
		require.Greater(t, told, 55)
		require.Less(t, told, 70)
		down = false
		_, err := s.lookup(t.Context(), ID{Number: 7})
		require.NoError(t, err)
		require.Equal(t, 1, strings.Count(logged.String(), "answers again, after 1h0m0s"))
	})
}

// TestRefusedIDsAreBounded: four bytes of a record can name any id.
func TestRefusedIDsAreBounded(t *testing.T) {
	asked := 0
	s := faked(t, func(string) answer { asked++; return answer{404, ownNo} })
	now := time.Now()
	s.now = func() time.Time { return now }
	for id := range int32(maxRefused + 500) {
		_, err := s.lookup(t.Context(), ID{Number: id})
		require.Error(t, err)
	}
	require.Len(t, s.refused, maxRefused)
	now = now.Add(unknownFor)
	_, err := s.lookup(t.Context(), ID{Number: maxRefused + 500})
	require.Error(t, err)
	require.Len(t, s.refused, 1, "those that may be asked for again need no room")
	require.Equal(t, maxRefused+501, asked)
}

// whyUnusable is what an error says of records of a schema, if it says that they cannot be used.
func whyUnusable(err error) (reason string, unusable bool) {
	var e *UnusableError
	if errors.As(err, &e) {
		return e.reason, true
	}
	return "", false
}
