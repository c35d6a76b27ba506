package report

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tributary/transforms/account"
)

var update = flag.Bool("update", false, "rewrite the goldens in testdata")

func TestMain(m *testing.M) {
	// The width of box characters would otherwise depend on the locale.
	text.OverrideRuneWidthEastAsianWidth(false)
	os.Exit(m.Run())
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(file, got, 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(want), string(got))
}

func TestTextGoldens(t *testing.T) {
	for name, r := range map[string]*Report{
		"calm": calm(), "troubled": troubled(), "unbalanced": unbalanced(), "small": small(), "bare": bare(), "open": opened(), "staged": staged(),
	} {
		t.Run(name, func(t *testing.T) {
			var buf bytes.Buffer
			require.NoError(t, r.Text(&buf, 80))
			golden(t, name+".txt", buf.Bytes())
		})
	}
	for _, width := range []int{40, 120} {
		t.Run(fmt.Sprintf("troubled at %d", width), func(t *testing.T) {
			var buf bytes.Buffer
			require.NoError(t, troubled().Text(&buf, width))
			golden(t, fmt.Sprintf("troubled-%d.txt", width), buf.Bytes())
		})
	}
}

// reports draws reports of any figures, most of which do not balance, and of names
// that were made to break a terminal or a page.
func reports() *rapid.Generator[*Report] {
	return rapid.Custom(func(t *rapid.T) *Report {
		figure := rapid.Custom(func(t *rapid.T) int64 {
			return rapid.Int64Range(0, rapid.SampledFrom([]int64{0, 9, 1e4, 1e8, 1e13}).Draw(t, "limit")).Draw(t, "n")
		})
		n := func() int64 { return figure.Draw(t, "figure") }
		l := account.New()
		l.From = n()
		l.To = l.From + n()
		l.Views = account.Views{
			N: account.Values{
				account.Read: n(), account.Samples: n(), account.SampledOut: n(), account.Duplicates: n(), account.Late: n(), account.Dead: n(),
				account.DuplicatesDiffering: n(), account.Positives: n(), account.Immature: n(), account.Filtered: n(),
			}.Counts(),
		}
		l.Bytes = account.Bytes{In: n(), Records: n(), Blocks: n(), Samples: n(), Out: n(), JSON: n()}
		windows := map[string]time.Duration{}
		names := rapid.SampledFrom([]string{"like", "a_very_long_kind_of_engagement", "\x1b[31mred", "<script>alert(1)</script>", "日本語日本語日本語", "x\r\ny"})
		for _, name := range rapid.SliceOfNDistinct(names, 0, 6, rapid.ID).Draw(t, "kinds") {
			e := &account.Engagements{
				N: account.Values{
					account.Read: n(), account.Matched: n(), account.Outside: n(), account.Orphans: n(), account.Duplicates: n(), account.Late: n(), account.Dead: n(),
					account.PartlyLate: n(), account.Filtered: n(), account.Positives: n(),
				}.Counts(), Delay: &account.Histogram{},
			}
			for range rapid.IntRange(0, 5).Draw(t, "delays") {
				e.Delay.Record(n())
			}
			windows[name] = time.Duration(min(n(), 1e12)) * time.Millisecond // 30 years: no overflow
			l.Engagements[name] = e
		}
		for range rapid.IntRange(0, 5).Draw(t, "intervals") {
			interval := &account.Interval{Samples: n(), Positives: map[string]int64{"like": n()}}
			l.Timeline[rapid.OneOf(figure, rapid.Int64()).Draw(t, "start")] = interval
		}
		for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"10s", "1m30s", "<b>", "\x1b[31mred"}), 0, 3, rapid.ID).Draw(t, "stages") {
			l.StageOf(name).N = account.Values{account.Read: n(), account.Samples: n(), account.Late: n(), account.Given: n(), account.Withdrawn: n()}.Counts()
			l.StageOf(name).Corrected = map[string]int64{"like": n(), names.Draw(t, "corrected"): n()}
		}
		return &Report{
			Accounts: l, Windows: windows, Intervals: int(n()), Elapsed: time.Duration(n()), Events: n(), MaxRSS: n(),
		}
	})
}

func TestTextFitsAndIsHarmless(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := reports().Draw(t, "report")
		width := rapid.IntRange(minWidth, 140).Draw(t, "width")
		var buf bytes.Buffer
		require.NoError(t, r.Text(&buf, width))
		for line := range strings.SplitSeq(buf.String(), "\n") {
			if text.StringWidth(line) > width {
				t.Fatalf("%d columns, not at most %d: %q", text.StringWidth(line), width, line)
			}
			if Harmless(line) != line {
				t.Fatalf("not harmless: %q", line)
			}
		}
	})
}

// Figures too large for the columns have a line each, and are not cut.
func TestWideTablesAreTurned(t *testing.T) {
	r := calm()
	v := &r.Accounts.Views
	v.N[account.Read], v.N[account.Samples], v.N[account.SampledOut], v.N[account.Duplicates] = 9_876_543_210_123, 5_555_555_555_555, 4_320_987_654_055, 513
	v.N[account.Late], v.N[account.Dead] = 1_111_111_111_111, 2_222_222_222_222
	var buf bytes.Buffer
	require.NoError(t, r.Text(&buf, 60))
	assert.Contains(t, buf.String(), strings.TrimPrefix(`
                           views
────────────────────────────────
  read         9,876,543,210,123
  samples      5,555,555,555,555
  sampled out  4,320,987,654,055
  duplicates                 513
  late         1,111,111,111,111
  dead         2,222,222,222,222
`, "\n"))
}

func TestColoursOnlyWhenAsked(t *testing.T) {
	var plain, coloured bytes.Buffer
	require.NoError(t, unbalanced().text(&plain, 80, false))
	require.NoError(t, unbalanced().text(&coloured, 80, true))
	assert.NotContains(t, plain.String(), "\x1b")
	assert.Contains(t, coloured.String(), "\x1b[31m✗ \x1b[0m")
	assert.Equal(t, plain.String(), text.StripEscape(coloured.String()))
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("disk is full") }

func TestWriteErrors(t *testing.T) {
	assert.ErrorContains(t, calm().Text(broken{}, 80), "write report: disk is full")
	assert.ErrorContains(t, calm().JSON(broken{}), "write report as JSON: disk is full")
	assert.ErrorContains(t, calm().HTML(broken{}), "write report as HTML: disk is full")
}

func TestJSONGoldens(t *testing.T) {
	for name, r := range map[string]*Report{"small": small(), "bare": bare(), "staged": staged()} {
		t.Run(name, func(t *testing.T) {
			var buf bytes.Buffer
			require.NoError(t, r.JSON(&buf))
			golden(t, name+".json", buf.Bytes())
		})
	}
}
