package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"

	"tributary/transforms/account"
)

//go:embed report.html.tmpl
var pageText string

var pageTemplate = template.Must(template.New("report").Funcs(template.FuncMap{
	"grouped": grouped,
	"percent": percent,
	"size":    size,
	"others":  others,
}).Parse(pageText))

// htmlPage is what the template shows.
type htmlPage struct {
	Title       string
	Asked       []string // the range of time, and what there was to do
	Sign, Class string   // of the verdict
	Verdict     string
	Notes       []severityNotes
	Tiles       []tile
	Samples     int64
	Positives   int64 // of any kind
	ViewWords   string
	Kinds       []htmlKind
	Charts      []charts
	NoPositives []string // kinds that have none
	Bars        []bar
	Legend      []legend
	Words       []string
	Stages      *htmlStages // nil for none
	Beside      []besideRow
	Refusals    []refusal
	Stations    []station
	Outputs     []Output
}

// severityNotes are the notes of one severity.
type severityNotes struct {
	Severity
	Title  string
	Groups []group
}

// tile is a figure that stands out.
type tile struct{ Name, Value, Note string }

type htmlKind struct {
	Name                     string
	Read, Matched, Positives int64
	Colour                   int // of the palette
	Window                   string
	Delays                   []delayShare
}

type delayShare struct{ Value, Share string }

// bar shows the outcomes of what was read as pieces of a line 100 wide.
type bar struct {
	Name   string
	Read   int64
	Pieces []piece
}

type piece struct {
	Name, Class string
	N, Of       int64
	X, Width    float64
}

// legend names the parts that have a colour.
type legend struct{ Colour, Labels string }

func (r *Report) legend() (all []legend) {
	for i, row := range account.Table() {
		at := slices.IndexFunc(all, func(l legend) bool { return l.Colour == row.Colour })
		switch {
		case row.Colour == "" || isOptional(row) && !r.some(account.Count(i)):
		case at < 0:
			all = append(all, legend{row.Colour, row.Label})
		default:
			all[at].Labels += ", " + row.Label
		}
	}
	return all
}

// isOptional tells whether a part is shown only where there is some.
func isOptional(row *account.Row) bool {
	return (row.Views == nil || row.Views.Optional) && (row.Engagements == nil || row.Engagements.Optional)
}

// HTML writes the report as one page that needs nothing else: no script, no font, no
// request; plots are inline SVG, colours follow the reader's light or dark setting. It
// may be served under the strictest Content-Security-Policy that allows inline styles,
// and declares that one itself. Text from data is escaped.
func (r *Report) HTML(w io.Writer) error {
	if err := pageTemplate.Execute(w, r.page()); err != nil {
		return fmt.Errorf("write report as HTML: %w", err)
	}
	return nil
}

func (r *Report) page() *htmlPage {
	v := r.Accounts.Views
	page := htmlPage{
		Title: "Join report", Verdict: r.verdict(),
		Samples: v.N[account.Samples], Positives: v.N[account.Positives], Legend: r.legend(),
		ViewWords: samplesInWords(v), Words: accountsInWords(r), Beside: r.beside(), Stages: r.htmlStages(), Refusals: r.refusals(), Outputs: r.Outputs,
	}
	page.notes(groups(r.Notes()))
	if r.Spec != "" {
		page.Title = Harmless(r.Spec)
	}
	page.Asked = r.asked()
	if b := r.Accounts.Bytes; b != (account.Bytes{}) {
		page.Stations = stations(b)
	}
	page.tiles(r)
	page.kinds(r)
	page.bars(r)
	for _, k := range r.kinds() {
		if k.N[account.Positives] == 0 {
			page.NoPositives = append(page.NoPositives, Harmless(k.Name))
		}
	}
	page.Charts = r.charts()
	return &page
}

func (p *htmlPage) notes(all []group) {
	p.Sign = "✓"
	if len(all) > 0 && all[0].Severity != Info {
		p.Sign, p.Class = strings.TrimSpace(signs[all[0].Severity]), string(all[0].Severity)
	}
	for _, s := range severities {
		notes := severityNotes{Severity: s.Severity, Title: s.plural}
		for _, g := range all {
			if g.Severity == s.Severity {
				notes.Groups = append(notes.Groups, g)
			}
		}
		if len(notes.Groups) > 0 {
			p.Notes = append(p.Notes, notes)
		}
	}
}

// asked says what the page is about, below its title.
func (r *Report) asked() (lines []string) {
	if from, to := r.span(); !from.IsZero() || !to.IsZero() {
		line := fmt.Sprintf("Views of %s to %s UTC", moment(from), moment(to))
		if r.Version != 0 {
			line += fmt.Sprintf(" · spec version %d", r.Version)
		}
		if r.Intervals > 1 {
			line += fmt.Sprintf(" · %s intervals", grouped(int64(r.Intervals)))
		}
		lines = append(lines, line)
	}
	if words := r.finishedInWords(); words != "" {
		lines = append(lines, words)
	}
	return lines
}

func (p *htmlPage) tiles(r *Report) {
	v := r.Accounts.Views
	p.Tiles = []tile{
		{"samples", grouped(v.N[account.Samples]), "of " + grouped(v.N[account.Read]) + " views read"},
		{"positive", percent(v.N[account.Positives], v.N[account.Samples]), grouped(v.N[account.Positives]) + " samples"},
	}
	if r.Elapsed > 0 && r.Events > 0 {
		p.Tiles = append(p.Tiles, tile{"events/s", grouped(r.perSecond()), grouped(r.Events) + " in " + duration(r.Elapsed)})
	}
	if r.MaxRSS > 0 {
		p.Tiles = append(p.Tiles, tile{"memory", size(r.MaxRSS), "at most"})
	}
	if b := r.Accounts.Bytes; b.Out > 0 && b.JSON > 0 {
		p.Tiles = append(p.Tiles, tile{"written", size(b.Out), "about " + percent(b.Out, b.JSON) + " of the same as JSON"})
	}
}

func (p *htmlPage) kinds(r *Report) {
	for i, k := range r.kinds() {
		shown := htmlKind{
			Name: Harmless(k.Name), Read: k.N[account.Read], Matched: k.N[account.Matched], Positives: k.N[account.Positives],
			Colour: i % palette, Window: none,
		}
		if k.Window > 0 {
			shown.Window = duration(k.Window)
		}
		for _, q := range quantiles {
			d := delayShare{Value: none}
			if k.Delay.Count() > 0 {
				d.Value = k.delay(q.q)
				if k.Window > 0 {
					d.Share = percent(k.Delay.Quantile(q.q), k.Window.Milliseconds())
				}
			}
			shown.Delays = append(shown.Delays, d)
		}
		p.Kinds = append(p.Kinds, shown)
	}
}

func (p *htmlPage) bars(r *Report) {
	p.Bars = []bar{newBar("views", r.Accounts.Views.N[account.Read], r.viewEntries())}
	for _, k := range r.kinds() {
		p.Bars = append(p.Bars, newBar(Harmless(k.Name), k.N[account.Read], r.engagementEntries(k.Engagements)))
	}
}

func newBar(name string, read int64, entries []entry) bar {
	b := bar{Name: name, Read: read}
	x := 0.0
	for _, e := range entries {
		piece := piece{Name: e.Label, Class: e.Colour, N: e.n, Of: read, X: x}
		if read > 0 && e.n > 0 {
			// What does not balance stays inside the bar.
			piece.Width = min(100*float64(e.n)/float64(read), 100-x)
		}
		x += piece.Width
		b.Pieces = append(b.Pieces, piece)
	}
	return b
}
