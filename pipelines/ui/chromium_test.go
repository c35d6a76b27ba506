package ui

import (
	"context"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"tributary/pipelines/live"
	"tributary/pipelines/tap"
	"tributary/runners/devcluster/services"
)

// hostile is what a name or a record may be.
const hostile = `<script>document.title='taken'</script><img src=x onerror="document.title='taken'">`

// browser installs Chromium, if it is not there.
func browser(t *testing.T, width int, dark bool) *services.Browser {
	t.Helper()
	require.NoError(t, services.InstallBrowser(t.Context()))
	return &services.Browser{Width: width, Height: 2600, Dark: dark}
}

// lookedAt is what serves a page to a browser that looks at it for some seconds: it looks until all is loaded, and so until an image comes. What
// before answers is not asked of the page.
func lookedAt(t *testing.T, u *UI, before func(w http.ResponseWriter, r *http.Request) bool) string {
	t.Helper()
	own := u.handler()
	index, err := files.ReadFile("page/index.html")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	go u.run(ctx)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case before != nil && before(w, r):
		case r.URL.Path == "/":
			strict(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				_, _ = fmt.Fprintf(w, `%s<img src="/late.png" alt="">`, index)
			})).ServeHTTP(w, r)
		case r.URL.Path == "/late.png":
			select {
			case <-time.After(4 * time.Second):
			case <-r.Context().Done():
			}
			w.Header().Set("Content-Type", "image/svg+xml")
			_, _ = fmt.Fprint(w, `<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>`)
		default:
			own.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(func() {
		cancel()
		server.CloseClientConnections()
		server.Close()
	})
	return server.URL
}

var tag = regexp.MustCompile(`<[^>]*>`)

// TestPage looks at the page in Chromium: it shows each section of a picture, what records hold is text, and nothing is refused by the
// page's own policy or fails.
func TestPage(t *testing.T) {
	u := page(t, Options{Every: 50 * time.Millisecond}, func(context.Context) *live.State { return state(10_000, hostile) })
	u.records.follow = func(ctx context.Context, to io.Writer) error {
		line, err := json.Marshal(tap.Entry{What: tap.Dead, Reason: "malformed", Role: "views", Detail: "no time", Place: "dead/0@7", Record: json.RawMessage(strconv.Quote(hostile))})
		if err == nil {
			_, err = to.Write(append(line, '\n'))
		}
		<-ctx.Done()
		return err
	}
	at := lookedAt(t, u, nil)
	for _, width := range []int{400, 1280} {
		b := browser(t, width, width == 400)
		content, err := b.Content(t.Context(), at)
		require.NoError(t, err)
		text := html.UnescapeString(tag.ReplaceAllString(content, " "))
		for _, want := range []string{
			"Watermark 2026-01-01 11:58:25Z, 1 min 35 s behind the clock. main/views/0 holds it: a transaction is open", "tributary repair stream.yaml --hanging",
			"and 9,980 more, with a lag of 12,315,320 records: 9980 open transaction", "1,000 /s", "It falls behind.",
			"The accounts balance", "samples 900 · late 40 · open 60", "50 % of those decided found their view; 90 labels", "window 30 min 0 s",
			"topic samples", "1 min 35 s", "partition 0: nobody ends it", "malformed: views: no time", "dead/0@7", hostile, "live", "the topics are read every 50 ms",
		} {
			assert.Contains(t, text, want, "at %d", width)
		}
		assert.NotContains(t, text, "not shown")
		assert.Contains(t, content, "<title>samples · tributary</title>", "a name is no script")
		assert.Contains(t, content, `id="job" aria-labelledby="h-job" hidden`, "there is no job")
		for line := range strings.Lines(b.Log.String()) {
			assert.NotContains(t, line, "CONSOLE", "nothing fails, and nothing is refused")
		}
		assert.Less(t, len(content), 100<<10, "it shows the worst partitions")
		require.NoError(t, b.Screenshot(t.Context(), at, filepath.Join(t.ArtifactDir(), fmt.Sprintf("page-%d.png", width))))
	}
}

// narrow shows a page in a frame, as narrow as no window gets, and says what sticks out of it. It stands on the page's own address.
const narrow = `<!DOCTYPE html><meta charset="utf-8"><iframe width="400" height="3000" src="/"></iframe><pre id="found"></pre><img src="/late.png" alt=""><script>
const found = []
setTimeout(() => {
  const frame = document.querySelector('iframe'), page = frame.contentDocument
  if (!page.body.dataset.drawn) found.push('nothing is drawn')
  if (page.documentElement.scrollWidth > frame.clientWidth) found.push('the page is ' + page.documentElement.scrollWidth + ' wide')
  for (const e of page.body.querySelectorAll('*')) {
    const box = e.getBoundingClientRect()
    if (box.width && !e.closest('.scroll, .skip, svg') && (box.right > frame.clientWidth + 1 || box.left < -1)) found.push('outside: ' + e.outerHTML.slice(0, 90))
  }
  for (const e of page.querySelectorAll('.scroll')) if (e.tabIndex !== 0) found.push('no key scrolls it: ' + e.outerHTML.slice(0, 90))
  for (const e of page.querySelectorAll('button, input, a')) if (e.tabIndex < 0) found.push('no key comes to it: ' + e.outerHTML.slice(0, 90))
  for (const e of page.querySelectorAll('input')) if (!e.labels.length) found.push('without a label: ' + e.outerHTML.slice(0, 90))
  document.getElementById('found').textContent = 'found ' + found.length + ': ' + found.join('\n')
}, 2500)
</script>`

// TestNarrow: at 400 pixels nothing sticks out, and keys come to all that does something.
func TestNarrow(t *testing.T) {
	u := page(t, Options{Every: 50 * time.Millisecond}, func(context.Context) *live.State { return state(100, hostile) })
	at := lookedAt(t, u, func(w http.ResponseWriter, r *http.Request) bool {
		switch r.URL.Path {
		case "/narrow":
			_, _ = fmt.Fprint(w, narrow)
		case "/":
			u.handler().ServeHTTP(framed{w}, r)
		default:
			return false
		}
		return true
	})
	content, err := browser(t, 1280, false).Content(t.Context(), at+"/narrow")
	require.NoError(t, err)
	require.Contains(t, html.UnescapeString(content), "found 0: ")
}

// framed lets the page be shown in the frame of a test.
type framed struct{ http.ResponseWriter }

func (w framed) WriteHeader(code int) {
	w.Header().Del("X-Frame-Options")
	w.Header().Del("Content-Security-Policy")
	w.ResponseWriter.WriteHeader(code)
}

func (w framed) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w framed) Write(b []byte) (int, error) {
	w.Header().Del("X-Frame-Options")
	w.Header().Del("Content-Security-Policy")
	return w.ResponseWriter.Write(b)
}

// TestConnectionLost: a page that has lost its server says so, and how old what it shows is.
func TestConnectionLost(t *testing.T) {
	u := page(t, Options{Every: time.Hour}, func(context.Context) *live.State { return state(1, "") })
	var asked atomic.Int64
	at := lookedAt(t, u, func(w http.ResponseWriter, r *http.Request) bool {
		switch {
		case r.URL.Path != "/api/events":
			return false
		case asked.Add(1) > 1:
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		}
		short, cut := context.WithTimeout(r.Context(), time.Second)
		defer cut()
		u.handler().ServeHTTP(w, r.WithContext(short))
		return true
	})
	content, err := browser(t, 800, false).Content(t.Context(), at)
	require.NoError(t, err)
	require.Regexp(t, `class="lost">no connection; this is .* old<`, content)
}
