package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"

	"tributary/transforms/ledger"
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
	Title, Span string
	Balanced    bool
	Verdict     string
	Notes       []group
	Tiles       []tile
	Views       ledger.Views
	ViewWords   string
	Kinds       []htmlKind
	Positives   template.HTML
	Rate        template.HTML
	Step        string
	Delays      template.HTML
	Bars        []bar
	Open        bool // of a stream that has windows open
	Words       []string
	Beside      []besideRow
	Refusals    []refusal
	Stations    []station
	Outputs     []Output
}

// tile is a figure that stands out.
type tile struct{ Name, Value, Note string }

type htmlKind struct {
	kind
	Colour int // of the palette
	Window string
	Delays []delayShare
}

type delayShare struct{ Value, Share string }

// bar shows the fates of what was read as pieces of a line 100 wide.
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

// fateClasses gives each fate its colour on the page.
var fateClasses = map[string]string{
	"samples": "kept", "matched": "kept", "sampled out": "spare", "outside window": "spare",
	"orphans": "orphan", "duplicates": "double", "late": "late", "dead": "dead", "open": "spare",
}

// HTML writes the report as one page that needs nothing else: no script, no font, no
// request; plots are inline SVG, colours follow the reader's light or dark setting. It
// may be served under the strictest Content-Security-Policy that allows inline styles,
// and declares that one itself. Text from data is escaped.
func (r *Report) HTML(w io.Writer) error {
	page, err := r.page()
	if err != nil {
		return fmt.Errorf("report as HTML: %w", err)
	}
	if err := pageTemplate.Execute(w, page); err != nil {
		return fmt.Errorf("write report as HTML: %w", err)
	}
	return nil
}

func (r *Report) page() (*htmlPage, error) {
	v := r.Ledger.Views
	page := htmlPage{
		Title: "Join report", Notes: groups(r.Notes()), Balanced: r.Ledger.Check() == nil,
		Verdict: r.verdict(),
		Views:   v, ViewWords: samplesInWords(v), Words: ledgerInWords(r), Open: r.open(), Beside: r.beside(), Refusals: r.refusals(), Outputs: r.Outputs,
	}
	if r.Spec != "" {
		page.Title = Harmless(r.Spec)
	}
	if from, to := r.span(); !from.IsZero() || !to.IsZero() {
		page.Span = fmt.Sprintf("Views of %s to %s UTC", moment(from), moment(to))
		if r.Version != 0 {
			page.Span += fmt.Sprintf(" · spec version %d", r.Version)
		}
		if r.Slices > 1 {
			page.Span += fmt.Sprintf(" · %s slices", grouped(int64(r.Slices)))
		}
	}
	if b := r.Ledger.Bytes; b != (ledger.Bytes{}) {
		page.Stations = stations(b)
	}
	page.tiles(r)
	page.kinds(r)
	page.bars(r)
	return &page, page.plots(r)
}

func (p *htmlPage) tiles(r *Report) {
	v := r.Ledger.Views
	p.Tiles = []tile{
		{"samples", grouped(v.Samples), "of " + grouped(v.Read) + " views read"},
		{"positive", percent(v.Positives, v.Samples), grouped(v.Positives) + " samples"},
	}
	if r.Elapsed > 0 {
		p.Tiles = append(p.Tiles, tile{"events/s", grouped(r.perSecond()), grouped(r.Events) + " in " + duration(r.Elapsed)})
	}
	if r.MaxRSS > 0 {
		p.Tiles = append(p.Tiles, tile{"memory", size(r.MaxRSS), "at most"})
	}
	if b := r.Ledger.Bytes; b.Out > 0 && b.JSON > 0 {
		p.Tiles = append(p.Tiles, tile{"written", size(b.Out), "about " + percent(b.Out, b.JSON) + " of the same as JSON"})
	}
}

func (p *htmlPage) kinds(r *Report) {
	for i, k := range r.kinds() {
		shown := htmlKind{kind: k, Colour: i % palette, Window: none}
		shown.Name = Harmless(k.Name)
		if k.Window > 0 {
			shown.Window = duration(k.Window)
		}
		for _, q := range quantiles {
			d := delayShare{Value: none}
			if k.Delay.Count() > 0 {
				d.Value = duration(millis(k.Delay.Quantile(q.q)))
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
	p.Bars = []bar{newBar("views", r.Ledger.Views.Read, r.viewEntries())}
	for _, k := range r.kinds() {
		p.Bars = append(p.Bars, newBar(Harmless(k.Name), k.Read, r.engagementEntries(k.Engagements)))
	}
}

func newBar(name string, read int64, entries []entry) bar {
	b := bar{Name: name, Read: read}
	x := 0.0
	for _, e := range entries {
		piece := piece{Name: e.name, Class: fateClasses[e.name], N: e.n, Of: read, X: x}
		if read > 0 && e.n > 0 {
			// What does not balance stays inside the bar.
			piece.Width = min(100*float64(e.n)/float64(read), 100-x)
		}
		x += piece.Width
		b.Pieces = append(b.Pieces, piece)
	}
	return b
}

func (p *htmlPage) plots(r *Report) (err error) {
	kinds := r.kinds()
	if p.Delays, err = delayPlot(kinds); err != nil {
		return err
	}
	line := timeline(r.Ledger, plotPieces)
	if line == nil || len(kinds) == 0 {
		return nil
	}
	p.Step = duration(millis(line.Step))
	p.Positives, err = overTime("positives over view time", line, kinds,
		func(positives, _ int64) float64 { return float64(positives) },
		func(y float64) string { return grouped(int64(math.Round(y))) })
	if err != nil {
		return err
	}
	p.Rate, err = overTime("positive rate over view time", line, kinds,
		func(positives, samples int64) float64 {
			if samples == 0 {
				return math.NaN() // no point
			}
			return 100 * float64(positives) / float64(samples)
		},
		func(y float64) string { return fmt.Sprintf("%.3g %%", y) })
	return err
}
