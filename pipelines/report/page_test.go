package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"tributary/runners/devcluster/services"
	"tributary/transforms/account"
)

// frame shows a page at a width, as narrow as no window gets, and measures it from outside:
// the page itself runs no script.
const frame = `<!DOCTYPE html><meta charset="utf-8">
<style>body { margin: 0; overflow: hidden } iframe { border: 0; display: block }</style>
<iframe width="%[1]d" height="8000" srcdoc="%[2]s"></iframe><pre id="found"></pre>
<script>
addEventListener('load', () => {
  const page = document.querySelector('iframe').contentDocument, view = page.defaultView, found = []
  const say = (what, e) => found.push(what + ': <' + e.tagName + ' class="' + (e.getAttribute('class') || '') + '"> ' + (e.textContent || '').trim().slice(0, 60))
  const root = page.documentElement, width = view.innerWidth
  if (root.scrollWidth > width) found.push('the page is ' + root.scrollWidth + ' wide')
  for (const e of page.body.querySelectorAll('*')) {
    const box = e.getBoundingClientRect()
    if (!box.width || e.closest('title')) continue
    const closest = e.closest('.scroll'), scroller = closest && view.getComputedStyle(closest).overflowX === 'auto' && closest
    if ((!scroller || scroller === e) && (box.right > width + 1 || box.left < -1)) say('outside the page', e)
    if (e.tagName === 'text') {
      const svg = e.ownerSVGElement.getBoundingClientRect()
      if (box.right > svg.right + 1 || box.left < svg.left - 1 || box.top < svg.top - 1 || box.bottom > svg.bottom + 2) say('cut off by its drawing', e)
      if (parseFloat(view.getComputedStyle(e).fontSize) * svg.width / e.ownerSVGElement.viewBox.baseVal.width < 9) say('too small to read', e)
      for (const other of e.ownerSVGElement.querySelectorAll('text')) {
        const that = other.getBoundingClientRect()
        if (other !== e && box.left < that.right - 1 && that.left < box.right - 1 && box.top < that.bottom - 3 && that.top < box.bottom - 3) say('over another label', e)
      }
    }
    if (e.matches('.scroll')) {
      const scrolls = e.scrollWidth > e.clientWidth, hint = e.nextElementSibling
      const says = hint && hint.matches('.hint') && view.getComputedStyle(hint).display !== 'none'
      if (scrolls && !says) say('scrolls and does not say so', e)
      if (!scrolls && says) say('says that it scrolls', e)
    } else if (e.scrollWidth > e.clientWidth + 1 && e.clientWidth && !e.closest('svg') && view.getComputedStyle(e).display !== 'inline') {
      say('its content sticks out', e)
    }
  }
  const drawings = [...page.querySelectorAll('.plot')].filter(e => e.getBoundingClientRect().width).map(e => Math.round(e.getBoundingClientRect().width))
  document.getElementById('found').textContent = JSON.stringify({found: found, drawings: drawings, back: view.getComputedStyle(page.body).backgroundColor, ink: view.getComputedStyle(page.body).color, dark: view.matchMedia('(prefers-color-scheme: dark)').matches})
})
</script>`

// measured is what the script of the frame found.
type measured struct {
	Found    []string `json:"found"`
	Drawings []int    `json:"drawings"` // their widths
	Back     string   `json:"back"`
	Ink      string   `json:"ink"`
	Dark     bool     `json:"dark"`
}

func framed(t *testing.T, r *Report, width int) string {
	t.Helper()
	var page bytes.Buffer
	require.NoError(t, r.HTML(&page))
	return framePage(t, page.String(), width)
}

// crowded has more of all that takes room: kinds, long names, large numbers.
func crowded() *Report {
	r := troubled()
	for i, name := range []string{"add_to_basket_from_recommendation", "long_watch", "share_by_message", "subscribe", "report", "hide"} {
		r.Accounts.Engagements[name] = &account.Engagements{Delay: &account.Histogram{}}
		addSamples(r.Accounts, 5*time.Minute, 3_000, name, 0.01*float64(i+1), 30_000, 1_700_000)
		r.Windows[name] = 36*time.Hour + 59*time.Minute
	}
	r.Spec = strings.Repeat("a/long/path/", 12) + "join.yaml"
	r.Accounts.Engagements["hide"].N[account.Filtered] = 9_876_543_210_123
	return r
}

// The pages at the widths of a phone and of a desk, light and dark, as Chromium shows them.
func TestPagesInABrowser(t *testing.T) {
	require.NoError(t, services.InstallBrowser(t.Context()))
	for name, r := range map[string]*Report{"calm": calm(), "troubled": troubled(), "small": small(), "bare": bare(), "open": opened(), "staged": staged(), "crowded": crowded()} {
		for _, width := range []int{400, 700, 1280} {
			if width == 700 && name != "troubled" && name != "small" {
				continue // between the two they differ as these do
			}
			t.Run(fmt.Sprintf("%s at %d", name, width), func(t *testing.T) {
				t.Parallel()
				b := services.Browser{Width: 1300, Height: 900, Dark: width == 700}
				m := measure(t, &b, framed(t, r, width))
				assert.Empty(t, m.Found)
				assert.Equal(t, b.Dark, m.Dark)
				for _, drawn := range m.Drawings {
					assert.True(t, drawn > 250 && drawn < 440 || drawn > 600, "a drawing is %d wide: neither as the narrow nor as the wide one", drawn)
				}
			})
		}
	}
}

// What is seen is light or dark as the reader asks, and something is to be seen.
func TestScreenshots(t *testing.T) {
	require.NoError(t, services.InstallBrowser(t.Context()))
	for _, width := range []int{400, 1280} {
		for _, dark := range []bool{false, true} {
			b := services.Browser{Width: max(width, 500), Height: 1200, Dark: dark}
			file := filepath.Join(t.TempDir(), "shot.png")
			require.NoError(t, b.Screenshot(t.Context(), framed(t, troubled(), width), file))
			content, err := os.ReadFile(file)
			require.NoError(t, err)
			shot, err := png.Decode(bytes.NewReader(content))
			require.NoError(t, err)
			back, colours := brightness(shot, width)
			assert.Equal(t, dark, back < 0.3, "%d wide, dark %v: the page is %.2f bright", width, dark, back)
			assert.Greater(t, colours, 20, "%d wide, dark %v", width, dark)
		}
	}
}

// brightness is the mean of a picture's left part, 0 to 1, and how many colours it has.
func brightness(shot image.Image, width int) (mean float64, colours int) {
	seen := map[[3]uint32]bool{}
	area := shot.Bounds()
	area.Max.X = min(area.Max.X, width)
	for y := area.Min.Y; y < area.Max.Y; y++ {
		for x := area.Min.X; x < area.Max.X; x++ {
			r, g, b, _ := shot.At(x, y).RGBA()
			mean += float64(r+g+b) / 3 / 0xffff
			seen[[3]uint32{r, g, b}] = true
		}
	}
	return mean / float64(area.Dx()*area.Dy()), len(seen)
}

// On paper, which does not scroll, nothing is cut, and no page is dark.
func TestPrintedPage(t *testing.T) {
	require.NoError(t, services.InstallBrowser(t.Context()))
	for name, r := range map[string]*Report{"troubled": troubled(), "small": small(), "crowded": crowded()} {
		var page bytes.Buffer
		require.NoError(t, r.HTML(&page))
		onScreen := strings.Replace(page.String(), "@media print {", "@media all {", 1)
		require.NotEqual(t, page.String(), onScreen)
		const a4 = 688 // pixels between the margins
		m := measure(t, &services.Browser{Width: 1300, Height: 900, Dark: true}, framePage(t, onScreen, a4))
		assert.Empty(t, m.Found, name)
		assert.Equal(t, "rgb(255, 255, 255)", m.Back, name)
		assert.Equal(t, "rgb(0, 0, 0)", m.Ink, name)
	}
}

// framePage puts a page into a file that shows it at a width.
func framePage(t *testing.T, page string, width int) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "frame.html")
	require.NoError(t, os.WriteFile(file, fmt.Appendf(nil, frame, width, html.EscapeString(page)), 0o600))
	return file
}

func measure(t *testing.T, b *services.Browser, file string) (m measured) {
	t.Helper()
	content, err := b.Content(t.Context(), file)
	require.NoError(t, err)
	_, found, _ := strings.Cut(content, `<pre id="found">`)
	found, _, _ = strings.Cut(found, "</pre>")
	require.NoError(t, json.Unmarshal([]byte(html.UnescapeString(found)), &m), found)
	return m
}
