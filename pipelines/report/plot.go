package report

import (
	"bytes"
	"fmt"
	"html"
	"html/template"
	"image/color"
	"math"
	"regexp"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

const (
	plotWidth, plotHeight = 720, 230 // points; the page scales it
	// plotPieces and delayBins are as fine as a plot of that width shows.
	plotPieces, delayBins = 180, 60
	// palette is how many colours the page has for kinds; then they repeat.
	palette = 8
)

// The plots are drawn in colours that stand for the page's own, which differ between
// light and dark: #F1xxxx never appears in a page, it is replaced (see adapt).
var (
	inkColour  = color.RGBA{R: 0xF1, G: 0xFF, B: 0, A: 0xFF}
	gridColour = color.RGBA{R: 0xF1, G: 0xFF, B: 1, A: 0xFF}
)

func kindColour(i int) color.RGBA {
	return color.RGBA{R: 0xF1, G: 0, B: uint8(i % palette), A: 0xFF}
}

// figure is a plot being made.
type figure struct {
	*plot.Plot
	top float64 // largest y
}

func newFigure() *figure {
	f := figure{Plot: plot.New()}
	f.BackgroundColor = nil // the page's
	sans := font.Font{Typeface: "Liberation", Variant: "Sans", Size: 11}
	for _, axis := range []*plot.Axis{&f.X, &f.Y} {
		axis.Color, axis.Tick.Color, axis.Tick.Label.Color, axis.Label.TextStyle.Color = gridColour, gridColour, inkColour, inkColour
		axis.Tick.Label.Font, axis.Label.TextStyle.Font = sans, sans
		axis.Padding = 0
	}
	f.Y.Width = 0
	f.Y.Tick.Width = 0
	grid := plotter.NewGrid()
	grid.Vertical.Width = 0
	grid.Horizontal.Color, grid.Horizontal.Width = gridColour, 0.6
	f.Add(grid)
	return &f
}

// line draws one kind's line; nothing for no points.
func (f *figure) line(kind int, points plotter.XYs) error {
	if len(points) == 0 {
		return nil
	}
	line, err := plotter.NewLine(points)
	if err != nil {
		return err
	}
	line.Color, line.Width = kindColour(kind), 1.6
	if kind >= palette { // the same colour again
		line.Dashes = []vg.Length{5, 3}
	}
	f.Add(line)
	for _, p := range points {
		f.top = max(f.top, p.Y)
	}
	return nil
}

// upright draws a dashed vertical line over the whole height, which must be known.
func (f *figure) upright(kind int, x float64) error {
	line, err := plotter.NewLine(plotter.XYs{{X: x, Y: 0}, {X: x, Y: f.Y.Max}})
	if err != nil {
		return err
	}
	line.Color, line.Width, line.Dashes = kindColour(kind), 1, []vg.Length{2, 3}
	f.Add(line)
	return nil
}

// ground puts the y axis from 0 to a little above the largest value.
func (f *figure) ground() {
	f.Y.Min, f.Y.Max = 0, 1.08*f.top
	if f.top <= 0 {
		f.Y.Max = 1
	}
}

// svg renders the figure as an element to stand inside an HTML page.
func (f *figure) svg(label string) (template.HTML, error) {
	canvas := vgsvg.New(plotWidth, plotHeight)
	// Room for the halves of the outermost labels.
	f.Draw(draw.Crop(draw.New(canvas), 12, -36, 0, 0))
	var buf bytes.Buffer
	if _, err := canvas.WriteTo(&buf); err != nil {
		return "", fmt.Errorf("plot %s: %w", label, err)
	}
	return adapt(buf.Bytes(), label), nil
}

var (
	svgHead    = regexp.MustCompile(`(?s)^.*?<svg[^>]*>`)
	svgFont    = regexp.MustCompile(`font-family:[^;"]*;[^"]*?(font-size)`)
	standIn    = regexp.MustCompile(`#F1(FF|00)0([0-7])`)
	headFormat = `<svg class="plot" role="img" aria-label="%s" viewBox="0 0 %d %d">`
)

// adapt makes a drawn SVG part of the page: without the XML header and a size of its
// own, in the page's font, and with its colours instead of the stand-ins.
func adapt(svg []byte, label string) template.HTML {
	head := fmt.Sprintf(headFormat, html.EscapeString(label), plotWidth, plotHeight)
	svg = svgHead.ReplaceAllLiteral(svg, []byte(head))
	svg = svgFont.ReplaceAll(svg, []byte("$1"))
	svg = standIn.ReplaceAllFunc(svg, func(c []byte) []byte {
		switch n := c[len(c)-1]; {
		case string(c[3:5]) == "00":
			return fmt.Appendf(nil, "var(--kind%c)", n)
		case n == '0':
			return []byte("var(--ink)")
		default:
			return []byte("var(--grid)")
		}
	})
	// The text in it was escaped by the canvas; all else is its own.
	return template.HTML(svg)
}

// overTime plots what value makes of each piece of the timeline, a line per kind; what
// it makes NaN of is left out.
func overTime(label string, s *series, kinds []kind, value func(positives, samples int64) float64, yLabel func(float64) string) (template.HTML, error) {
	f := newFigure()
	for i, k := range kinds {
		var points plotter.XYs
		for j, n := range s.Positives[k.Name] {
			middle := float64(s.Start+int64(j)*s.Step+s.Step/2) / 1000
			if y := value(n, s.Samples[j]); !math.IsNaN(y) {
				points = append(points, plotter.XY{X: middle, Y: y})
			}
		}
		if err := f.line(i, points); err != nil {
			return "", fmt.Errorf("plot %s of %s: %w", label, k.Name, err)
		}
	}
	f.ground()
	f.X.Min, f.X.Max = float64(s.Start)/1000, float64(s.end())/1000
	f.X.Tick.Marker = plot.TimeTicks{Ticker: roundTimes{}, Format: timeFormat(s), Time: plot.UTCUnixTime}
	f.Y.Tick.Marker = labelled{yLabel}
	return f.svg(label)
}

// delayPlot plots the share of the positives of each kind by their delay, on a
// logarithmic axis, and the end of each window as a dashed line.
func delayPlot(kinds []kind) (template.HTML, error) {
	const label = "distribution of delays"
	low, high := math.Inf(1), 0.0
	for _, k := range kinds {
		for _, bin := range k.Delay.Bins() {
			low, high = min(low, float64(max(bin.From, 1))), max(high, float64(max(bin.To, 1)))
		}
		if k.Delay.Count() > 0 {
			high = max(high, float64(k.Window.Milliseconds()))
		}
	}
	if high == 0 {
		return "", nil
	}
	low, high = low/1.2, high*1.2 // log 1 = 0 and single values need some width
	f := newFigure()
	f.X.Scale = plot.LogScale{}
	for i, k := range kinds {
		if err := f.line(i, density(k, low, high)); err != nil {
			return "", fmt.Errorf("plot %s of %s: %w", label, k.Name, err)
		}
	}
	f.ground()
	for i, k := range kinds {
		if k.Window > 0 && k.Delay.Count() > 0 {
			if err := f.upright(i, float64(k.Window.Milliseconds())); err != nil {
				return "", fmt.Errorf("plot %s of %s: %w", label, k.Name, err)
			}
		}
	}
	f.X.Min, f.X.Max = low, high
	f.X.Tick.Marker = delayTicks{}
	f.Y.Tick.Marker = labelled{func(y float64) string { return fmt.Sprintf("%.3g %%", y) }}
	return f.svg(label)
}

// density spreads a kind's delays over bins of equal width on the logarithmic axis:
// percent of the positives per bin, in its middle.
func density(k kind, low, high float64) plotter.XYs {
	if k.Delay.Count() == 0 {
		return nil
	}
	step := math.Log(high/low) / delayBins
	shares := make([]float64, delayBins)
	for _, bin := range k.Delay.Bins() {
		// Its own range on the axis, over which it is spread: near 0 a millisecond is
		// wider than a bin, and all in one place would look like a comb.
		from := math.Log(max(float64(bin.From), 1)/low) / step
		to := math.Log(max(float64(bin.To+1), 2)/low) / step
		share := 100 * float64(bin.Count) / float64(k.Delay.Count())
		for i := int(from); i < delayBins && float64(i) < to; i++ {
			overlap := min(to, float64(i+1)) - max(from, float64(i))
			shares[i] += share * overlap / (to - from)
		}
	}
	points := make(plotter.XYs, delayBins)
	for i, y := range shares {
		points[i] = plotter.XY{X: low * math.Exp((float64(i)+0.5)*step), Y: y}
	}
	return points
}

func timeFormat(s *series) string {
	if s.end()-s.Start > (72 * time.Hour).Milliseconds() {
		return "01-02"
	}
	return "01-02 15:04"
}
