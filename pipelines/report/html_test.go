package report

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"
	"pgregory.net/rapid"

	"tributary/transforms/account"
)

// parsed is a page as a browser sees it: its elements, and its text by element.
type parsed struct {
	elements map[string]int
	texts    []string
}

// parse fails for whatever would fetch or run something.
func parse(t require.TestingT, r *Report) parsed {
	var buf bytes.Buffer
	require.NoError(t, r.HTML(&buf))
	root, err := html.Parse(bytes.NewReader(buf.Bytes()))
	require.NoError(t, err)
	page := parsed{elements: map[string]int{}}
	for n := range root.Descendants() {
		switch n.Type {
		case html.TextNode:
			if text := strings.TrimSpace(n.Data); text != "" && n.Parent.Data != "style" {
				page.texts = append(page.texts, text)
			}
			if n.Parent.Data == "style" {
				assert.NotContains(t, n.Data, "url(")
				assert.NotContains(t, n.Data, "@import")
			}
		case html.ElementNode:
			page.elements[n.Data]++
			for _, a := range n.Attr {
				assert.NotContains(t, []string{"src", "href", "srcset", "action"}, a.Key, "%s of <%s>", a.Key, n.Data)
				assert.False(t, strings.HasPrefix(a.Key, "on"), "%s of <%s>", a.Key, n.Data)
				assert.NotContains(t, a.Val, "://", "%s of <%s>", a.Key, n.Data)
				assert.NotContains(t, a.Val, "ZgotmplZ", "%s of <%s>", a.Key, n.Data)
			}
		default:
		}
	}
	for _, name := range []string{"script", "link", "img", "iframe", "object", "embed", "base", "form", "image", "foreignobject"} {
		assert.Zero(t, page.elements[name], "<%s>", name)
	}
	return page
}

func TestHTMLShowsEveryNumberOfTheAccounts(t *testing.T) {
	r := troubled()
	page := parse(t, r)
	for i, row := range account.Table() {
		if row.Views != nil {
			assert.True(t, r.Accounts.Views.N[i] == 0 || slices.Contains(page.texts, grouped(r.Accounts.Views.N[i])), "views: %s", row.Key)
		}
		for kind, e := range r.Accounts.Engagements {
			assert.True(t, row.Engagements == nil || e.N[i] == 0 || slices.Contains(page.texts, grouped(e.N[i])), "%s: %s", kind, row.Key)
		}
	}
	v := reflect.ValueOf(r.Accounts.Bytes)
	for i := range v.NumField() {
		assert.Contains(t, page.texts, grouped(v.Field(i).Int()), v.Type().Field(i).Name)
	}
	for _, n := range groups(r.Notes()) {
		assert.Contains(t, page.texts, n.Text)
	}
	assert.Contains(t, page.texts, "testdata/join.yaml")
	assert.Contains(t, page.texts, "out/samples")
	assert.Contains(t, page.texts, "26m21s", "p99 of click")
	assert.Equal(t, 4+5, page.elements["svg"], "two plots each of click and like, and five bars")
	for _, label := range []string{"12:00", "10s", "10m", "6 %"} {
		assert.Contains(t, page.texts, label, "a tick")
	}
}

func TestHTMLShowsStages(t *testing.T) {
	page := parse(t, staged())
	shown := strings.Join(page.texts, " ")
	assert.Contains(t, shown, "after the view read samples sampled out duplicates late for it positive samples given taken back like corrected")
	assert.Contains(t, shown, " 10s 10 6 2 1 1 1 6 0 0 1m 10 7 2 1 0 2 2 1 1 30m 10 7 2 1 0 2 0 0 0 ")
	for _, words := range stagesInWords(staged().stages()) {
		assert.Contains(t, page.texts, words)
	}
	assert.NotContains(t, strings.Join(parse(t, small()).texts, " "), "Stages")
}

func TestHTMLOfBareAccountsHasNoPlots(t *testing.T) {
	page := parse(t, bare())
	assert.Equal(t, 2, page.elements["svg"], "bars of views and like")
	assert.Contains(t, strings.Join(page.texts, "\n"), "Dead: views all 3.")
}

func TestHTMLVerdict(t *testing.T) {
	assert.Contains(t, strings.Join(parse(t, calm()).texts, "\n"), "✓ The accounts balance: each of 1,029,634 events")
	assert.Contains(t, strings.Join(parse(t, unbalanced()).texts, "\n"), "✗ The accounts do NOT balance")
}

// Whatever the figures and names, the page is whole and fetches nothing.
func TestHTMLOfAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := reports().Draw(t, "report")
		r.Spec = rapid.SampledFrom([]string{"", `"><script>alert(1)</script>`, "</style><img src=x onerror=alert(1)>", "</svg></title>"}).Draw(t, "spec")
		r.Outputs = []Output{{Name: r.Spec, Path: r.Spec}}
		page := parse(t, r)
		assert.Equal(t, 1, page.elements["main"])
		if r.Spec != "" {
			assert.Contains(t, page.texts, r.Spec, "shown as it is")
		}
	})
}

func TestHTMLIsDeterministic(t *testing.T) {
	var first, second bytes.Buffer
	require.NoError(t, troubled().HTML(&first))
	require.NoError(t, troubled().HTML(&second))
	assert.Equal(t, first.String(), second.String())
}
