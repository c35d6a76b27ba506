package ui

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"tributary/pipelines/live"
	"tributary/pipelines/report"
	"tributary/pipelines/serving"
	"tributary/pipelines/spec"
	"tributary/pipelines/tap"
	"tributary/pipelines/why"
	"tributary/transforms/account"
)

// away is a spec whose brokers are not there, with secrets that nothing may tell.
const away = `clusters:
  main: {brokers: ["127.0.0.1:1"], tls: true, sasl: {mechanism: plain, user: canary-user, password: {env: TRIBUTARY_TEST_PASSWORD}}}
views: {inputs: [{topic: views, format: json}], id: view_id, time: ts}
engagements:
  like: {inputs: [{topic: likes, format: json}], view: view_id, time: ts, window: 30m}
shards: 8
outputs: {samples: {topic: samples, format: json}}
`

// page is one of the spec away, whose pictures are as given.
func page(t *testing.T, opt Options, gather func(context.Context) *live.State) *UI {
	t.Helper()
	t.Setenv("TRIBUTARY_TEST_PASSWORD", "canary-password")
	s, err := spec.Parse("away.yaml", []byte(away))
	require.NoError(t, err)
	opt.Version = "v7"
	u, err := New(s, opt)
	require.NoError(t, err)
	if gather != nil {
		u.pictures.gather = gather
	}
	return u
}

// served serves a page until the test ends, and returns its address.
func served(t *testing.T, u *UI, o serving.Options) string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended, ready := make(chan error, 1), make(chan string, 1)
	o.Ready = func(at string) { ready <- at }
	go func() { ended <- u.Serve(ctx, o) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended, "it ends at once, whoever looks")
	})
	select {
	case at := <-ready:
		return at
	case err := <-ended:
		ended <- nil
		require.NoError(t, err)
		return ""
	}
}

var local = serving.Options{Listen: "127.0.0.1:0"}

// get asks for something with headers, and returns what is answered at once.
func get(t *testing.T, address string, headers ...string) (int, string, http.Header) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	require.NoError(t, err)
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			request.Host = headers[i+1]
		}
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close() //nolint:errcheck // only read
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(text), response.Header
}

// events follows the pictures of a page until the test ends.
func events(t *testing.T, at string) <-chan string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, at+"/api/events", nil)
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	t.Cleanup(func() { _ = response.Body.Close() })
	require.Equal(t, "text/event-stream", response.Header.Get("Content-Type"))
	lines := make(chan string, 100)
	go func() {
		defer close(lines)
		for in := bufio.NewReader(response.Body); ; {
			line, err := in.ReadString('\n')
			if err != nil {
				return
			}
			if data, ok := strings.CutPrefix(line, "data: "); ok {
				lines <- data
			}
		}
	}()
	return lines
}

// state is a picture with so many partitions and all that a page shows.
func state(partitions int, name string) *live.State {
	at := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	mark, lag, behind, half, open := at.Add(-95*time.Second), int64(1234), 95.0, 0.5, int64(2)
	s := &live.State{
		Format: live.Format, Stream: "feed", At: at, Watermark: &mark, Behind: &behind, All: partitions, Lag: lag,
		Holder:  &live.Holder{Partition: "main/views/0", Cause: live.Hidden, Why: "a transaction is open for 3 min and hides 12 records"},
		Notes:   []live.Note{{Severity: report.Error, Code: "x", Text: name + " hangs", Do: "tributary repair stream.yaml --hanging"}, {Severity: report.Info, Text: "not shown"}},
		Sources: []live.Source{{Name: live.Accounts, OK: true}},
		Rates:   &live.Rates{Seconds: 5, Arriving: 1000, Reading: 800, Views: 700, Kinds: map[string]float64{"like": 90}, Samples: 650, Late: 0.25, Dead: 0},
		Figures: &live.Figures{
			Balanced: true, Views: live.Counts{"read": 1000, "samples": 900, "open": 60, "late": 40},
			Engagements: map[string]live.Kind{"like": {
				Counts: live.Counts{"read": 100, "matched": 90, "orphans": 10}, Window: 1800, Matched: &half,
				Delay: &live.Distribution{Bounds: []float64{1, 5, 10, 60, 300, 600, 1800, 3600}, Counts: []uint64{5, 20, 40, 70, 80, 85, 90, 90}, Count: 90},
			}},
			Inputs:  map[string]live.Input{"views.inputs.0": {Kind: "views", Counts: live.Counts{"read": 1000}, Taken: 960, Late: &half}},
			Reasons: map[string][]live.Reason{"views": {{Reason: name, Count: 40}}},
		},
		Stages: []live.Stage{{
			Stage: "last", Sinks: []live.Sink{{Sink: "topic", Name: "samples", Complete: &mark, Open: &open, Overdue: &behind}},
			Commits: &live.CommitLog{Groups: 40, Committed: 12, Aborted: 1, Last: &half},
		}},
		Topics: []live.Topic{{Topic: "views", Role: "views", Partitions: partitions, Gap: 12, Open: &live.Open{Gap: 12, Hangs: true, Why: "nobody ends it"}}},
	}
	for i := range partitions {
		s.Partitions = append(s.Partitions, live.Partition{Cluster: "main", Topic: "views" + strings.TrimSpace(name), Partition: int32(i), Lag: &lag, Watermark: &mark, Holds: i == 0, Cause: live.Hidden, Why: "hidden"})
	}
	return s
}

func TestPicturesAreShared(t *testing.T) {
	var taken atomic.Int64
	u := page(t, Options{Every: time.Millisecond}, func(context.Context) *live.State {
		s := state(1000, "")
		s.Lag = taken.Add(1)
		return s
	})
	at := served(t, u, local)
	time.Sleep(20 * time.Millisecond)
	require.Zero(t, taken.Load(), "nobody looks")
	code, text, _ := get(t, at+"/api/partitions?page=0")
	require.Equal(t, http.StatusServiceUnavailable, code, text)

	one, two := events(t, at), events(t, at)
	var first, second live.State
	require.NoError(t, json.Unmarshal([]byte(<-one), &first))
	require.NoError(t, json.Unmarshal([]byte(<-two), &second))
	require.Len(t, first.Partitions, Shown)
	require.Equal(t, 1000-Shown, first.Rest.Partitions)
	for second.Lag < first.Lag {
		require.NoError(t, json.Unmarshal([]byte(<-two), &second))
	}
	for first.Lag < second.Lag {
		require.NoError(t, json.Unmarshal([]byte(<-one), &first))
	}
	require.Equal(t, first.Lag, second.Lag, "both are shown the same pictures")

	code, text, _ = get(t, at+"/api/partitions?page=9")
	require.Equal(t, http.StatusOK, code)
	var last struct {
		Pages      int
		Partitions []live.Partition
	}
	require.NoError(t, json.Unmarshal([]byte(text), &last))
	require.Equal(t, 10, last.Pages)
	require.Len(t, last.Partitions, PageSize)
	require.Equal(t, int32(999), last.Partitions[PageSize-1].Partition)
	for _, bad := range []string{"-1", "x", ""} {
		code, _, _ := get(t, at+"/api/partitions?page="+bad)
		assert.Equal(t, http.StatusBadRequest, code, bad)
	}
	code, text, _ = get(t, at+"/api/partitions?page=9223372036854775")
	require.Equal(t, http.StatusOK, code)
	require.Contains(t, text, `"partitions":[]`)
}

// TestLeaving: who has gone is forgotten, and then nothing is read.
func TestLeaving(t *testing.T) {
	var taken atomic.Int64
	u := page(t, Options{Every: time.Millisecond}, func(context.Context) *live.State { taken.Add(1); return state(1, "") })
	at := served(t, u, local)
	ctx, cancel := context.WithCancel(t.Context())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, at+"/api/events", nil)
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	require.Eventually(t, func() bool { return taken.Load() > 2 }, 10*time.Second, time.Millisecond)
	cancel()
	require.NoError(t, response.Body.Close())
	require.Eventually(t, func() bool { return u.pictures.looked() == 0 }, 10*time.Second, time.Millisecond)
	was := taken.Load()
	require.Eventually(t, func() bool { // one may be under way
		before := was
		was = taken.Load()
		return was == before
	}, 10*time.Second, 100*time.Millisecond)
}

func TestNoMoreThanSoMany(t *testing.T) {
	u := page(t, Options{}, func(context.Context) *live.State { return state(1, "") })
	for range mostLookers {
		_, ok := u.pictures.look()
		require.True(t, ok)
	}
	code, text, _ := get(t, served(t, u, local)+"/api/events")
	require.Equal(t, http.StatusServiceUnavailable, code)
	require.JSONEq(t, `{"error": "32 look at it already", "do": "close a page"}`, text)
}

// TestWhoMayRead: only this machine, under its own names, and no page of another site.
func TestWhoMayRead(t *testing.T) {
	at := served(t, page(t, Options{}, func(context.Context) *live.State { return state(1, "") }), local)
	port := at[strings.LastIndex(at, ":"):]
	for _, tt := range []struct {
		name    string
		headers []string
		want    int
	}{
		{"a program", nil, 200},
		{"localhost", []string{"Host", "localhost" + port}, 200},
		{"another name that leads here", []string{"Host", "evil.example" + port}, 403},
		{"a longer name", []string{"Host", "127.0.0.1.evil.example"}, 403},
		{"the page itself", []string{"Origin", at, "Sec-Fetch-Site", "same-origin"}, 200},
		{"a page of another site", []string{"Origin", "https://evil.example"}, 403},
		{"a page of another port", []string{"Origin", "http://127.0.0.1:1"}, 403},
		{"a page without an origin", []string{"Origin", "null"}, 403},
		{"an image of another site", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "image"}, 403},
		{"another port of this host", []string{"Sec-Fetch-Site", "same-site", "Sec-Fetch-Mode", "cors"}, 403},
		{"a link of another site", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}, 200},
		{"a frame of another site", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe"}, 403},
		{"typed in", []string{"Sec-Fetch-Site", "none"}, 200},
	} {
		for _, path := range []string{"/", "/api/spec", "/page/app.js"} {
			code, _, _ := get(t, at+path, tt.headers...)
			assert.Equal(t, tt.want, code, "%s: %s", tt.name, path)
		}
	}
	response, err := http.Post(at+"/api/why?id=x", "text/plain", strings.NewReader("x")) //nolint:noctx // a test's own server
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusMethodNotAllowed, response.StatusCode)
}

func TestServedToOthers(t *testing.T) {
	u := page(t, Options{}, nil)
	short, cancel := context.WithTimeout(t.Context(), 5*time.Second) // of what is served all the same
	defer cancel()
	require.ErrorIs(t, u.Serve(short, serving.Options{Listen: "0.0.0.0:0"}), serving.ErrOpen)
	token := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(token, []byte("0123456789abcdef\n"), 0o600))
	require.ErrorIs(t, u.Serve(short, serving.Options{Listen: "0.0.0.0:0", TokenFile: token}), serving.ErrPlain)
	require.ErrorContains(t, u.Serve(short, serving.Options{Listen: "0.0.0.0:0", TokenFile: token, CertFile: "none", KeyFile: "none"}), "certificate: open none")

	at := served(t, u, serving.Options{Listen: "127.0.0.1:0", TokenFile: token})
	for given, want := range map[string]int{
		"": 401, "Bearer 0123456789abcdef": 200, "Bearer 0123456789abcdeX": 401, "0123456789abcdef": 401,
		"Basic YW55OjAxMjM0NTY3ODlhYmNkZWY=": 200, "Basic YW55Og==": 401, "Basic MDEyMzQ1Njc4OWFiY2RlZjo=": 401,
	} {
		code, _, header := get(t, at+"/", "Authorization", given)
		assert.Equal(t, want, code, given)
		assert.Equal(t, want == 401, strings.Contains(strings.Join(header.Values("WWW-Authenticate"), " "), "Basic"), "a browser asks for it")
	}
}

// TestStrict: a browser runs and loads what is the page's own, and what it gets has a type.
func TestStrict(t *testing.T) {
	at := served(t, page(t, Options{}, nil), local)
	entries, err := files.ReadDir("page")
	require.NoError(t, err)
	for _, entry := range entries {
		code, text, header := get(t, at+"/page/"+entry.Name())
		require.Equal(t, http.StatusOK, code)
		require.NotEmpty(t, header.Get("Content-Type"), entry.Name())
		require.NotContains(t, header.Get("Content-Type"), "text/plain", entry.Name())
		policy := header.Get("Content-Security-Policy")
		require.Contains(t, policy, "default-src 'none'; script-src 'self'; style-src 'self'")
		require.NotContains(t, policy, "unsafe")
		require.NotContains(t, text, "innerHTML")
		require.NotContains(t, text, "style=")
		code, _, _ = get(t, at+"/page/"+entry.Name(), "If-None-Match", header.Get("ETag"))
		require.Equal(t, http.StatusNotModified, code)
	}
	for _, path := range []string{"/page/none.js", "/page/..%2fui.go", "/nothing", "/debug/pprof/"} {
		code, _, _ := get(t, at+path)
		assert.Equal(t, http.StatusNotFound, code, path)
	}
}

func TestWhy(t *testing.T) {
	u := page(t, Options{Mask: true}, nil)
	begun, end := make(chan bool), make(chan bool)
	u.search.look = func(_ context.Context, id string) (*why.Result, error) {
		switch id {
		case "slow":
			begun <- true
			<-end
		case "bad":
			return nil, errors.New("no broker\nanswers")
		case "large":
			return &why.Result{ID: id, Found: true, Sentence: "It is large.", Notes: []string{strings.Repeat("x", mostFound)}}, nil
		}
		r := &why.Result{
			ID: id, Found: true, Sentence: "It is positive.", Records: []why.Record{{Role: "views", Detail: "canary-detail", Stages: []why.StageOfView{{Sample: json.RawMessage(`"canary-wanted"`)}}}},
			Samples: []why.FoundSample{{Sample: json.RawMessage(`"canary-sample"`)}},
		}
		return r, nil
	}
	at := served(t, u, local)
	code, text, _ := get(t, at+"/api/why?id=v1")
	require.Equal(t, http.StatusOK, code)
	require.Contains(t, text, `"sentence": "It is positive."`)
	require.NotContains(t, text, "canary", "what records hold is masked")
	u.search.mask = false
	_, text, _ = get(t, at+"/api/why?id=v1")
	for _, want := range []string{"canary-detail", "canary-wanted", "canary-sample"} {
		require.Contains(t, text, want)
	}
	for _, id := range []string{"", strings.Repeat("x", mostID+1)} {
		code, _, _ := get(t, at+"/api/why?id="+id)
		assert.Equal(t, http.StatusBadRequest, code)
	}
	code, text, _ = get(t, at+"/api/why?id=bad")
	require.Equal(t, http.StatusBadGateway, code)
	require.Contains(t, text, "no broker")
	code, text, _ = get(t, at+"/api/why?id=large")
	require.Equal(t, http.StatusRequestEntityTooLarge, code)
	require.Less(t, len(text), 1000)

	done := make(chan int)
	go func() {
		response, err := http.Get(at + "/api/why?id=slow") //nolint:noctx // a test's own server
		if err != nil {
			done <- 0
			return
		}
		_ = response.Body.Close()
		done <- response.StatusCode
	}()
	<-begun
	code, _, _ = get(t, at+"/api/why?id=v1")
	require.Equal(t, http.StatusServiceUnavailable, code, "one at a time")
	end <- true
	require.Equal(t, http.StatusOK, <-done)
}

// TestRecords: the newest of each kind are shown, bounded in number and bytes, and followed while somebody asks.
func TestRecords(t *testing.T) {
	u := page(t, Options{}, nil)
	follows := make(chan io.Writer)
	failing := make(chan error, 1)
	u.records.follow = func(ctx context.Context, to io.Writer) error {
		select {
		case follows <- to:
		case <-ctx.Done():
			return nil
		}
		select {
		case err := <-failing:
			return err
		case <-ctx.Done():
			return nil
		}
	}
	at := served(t, u, local)
	asked := func() (records map[tap.What][]tap.Entry, failed string) {
		code, text, _ := get(t, at+"/api/records")
		require.Equal(t, http.StatusOK, code)
		require.Less(t, len(text), 6*kept*mostEntry)
		var answer struct {
			Records map[tap.What][]tap.Entry
			Failed  string
		}
		require.NoError(t, json.Unmarshal([]byte(text), &answer))
		return answer.Records, answer.Failed
	}
	all, _ := asked()
	require.Empty(t, all)
	to := <-follows
	write := func(e any) {
		line, err := json.Marshal(e)
		require.NoError(t, err)
		_, err = to.Write(append(line, '\n'))
		require.NoError(t, err)
	}
	for i := range 3 * kept {
		write(tap.Entry{What: tap.Sample, ViewID: fmt.Sprint("v", i), Sample: json.RawMessage(`{"a":1}`)})
	}
	write(map[string]any{"what": "left_out", "left_out": 7})
	write(tap.Entry{What: tap.Dead, Reason: "malformed", Record: json.RawMessage(`"` + strings.Repeat("x", 10*mostEntry) + `"`)})
	write(tap.Entry{What: tap.Dead, Reason: strings.Repeat("x", 10*mostEntry)}) // nothing of it can be shown
	write(tap.Entry{What: tap.Late, ViewID: "last"})
	require.Eventually(t, func() bool {
		all, _ = asked()
		return len(all[tap.Late]) == 1
	}, 10*time.Second, time.Millisecond)
	require.Len(t, all[tap.Sample], kept)
	require.Equal(t, "v59", all[tap.Sample][0].ViewID, "the newest first")
	require.JSONEq(t, `{"a":1}`, string(all[tap.Sample][0].Sample))
	require.Len(t, all[tap.Dead], 1)
	require.Equal(t, "malformed", all[tap.Dead][0].Reason)
	require.Equal(t, "too large for the page: tributary tap shows it", all[tap.Dead][0].Note)
	require.Len(t, all, 3)

	failing <- errors.New("topic late does not exist")
	require.Eventually(t, func() bool {
		all, failed := asked()
		return len(all) == 0 && failed == "topic late does not exist"
	}, 10*time.Second, time.Millisecond)
}

// TestNoSecrets: nothing that is served has the password, the user, or where the brokers are.
func TestNoSecrets(t *testing.T) {
	u := page(t, Options{Options: live.Options{Within: 200 * time.Millisecond}}, nil)
	u.search.within = 200 * time.Millisecond
	at := served(t, u, local)
	all := <-events(t, at)
	require.Contains(t, all, "source_unread", "the brokers are away, which is said")
	for _, path := range []string{"/", "/api/spec", "/api/partitions?page=0", "/api/records", "/api/why?id=x"} {
		_, text, _ := get(t, at+path)
		all += text
	}
	require.Contains(t, all, "it took longer than 200ms")
	require.NotContains(t, all, "canary")
}

// TestOutcomesAreAccounts: the page is told all outcomes that there are.
func TestOutcomesAreAccounts(t *testing.T) {
	_, text, _ := get(t, served(t, page(t, Options{}, nil), local)+"/api/spec")
	var about about
	require.NoError(t, json.Unmarshal([]byte(text), &about))
	require.Equal(t, "samples", about.Stream)
	require.Equal(t, []kind{{"like", 1800}}, about.Kinds)
	for name, of := range map[string]account.Subject{"views": account.OfViews, "engagements": account.OfEngagements} {
		require.Len(t, about.Outcomes[name], len(account.All(of, account.Part)), name)
		for _, o := range about.Outcomes[name] {
			assert.NotEmpty(t, o.Colour, fmt.Sprint(name, " ", o.Key))
		}
	}
}
