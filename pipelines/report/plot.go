package report

import (
	"bytes"
	"fmt"
	"html"
	"html/template"
	"image/color"
	"regexp"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

const (
	// palette is how many colours the page has for kinds; then they repeat.
	palette = 8
	// overhang is room for the halves of the outermost labels, words for a line of text above
	// a panel.
	overhang, words = 24, 20
)

// drawing is the room of a plot in points, which are as many pixels on a page that is as wide.
type drawing struct{ width, height vg.Length }

// Plots are drawn for the width at which they are shown: beside each other or on a phone, and
// one alone on a wide page.
var (
	narrowDrawing = drawing{330, 220}
	wideDrawing   = drawing{900, 300}
)

// pieces is as fine as a drawing shows.
func (d drawing) pieces() int { return int(d.width / 4) }

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
	sans := font.Font{Typeface: "Liberation", Variant: "Sans", Size: textSize}
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

// textSize is that of labels.
const textSize = 11

// panel is a figure and the words above it.
type panel struct {
	*figure
	words string
}

// svg renders panels above each other, their data one above the other too, as an element to
// stand inside an HTML page. The lowest has the labels of the axis that they share, and
// takes that much more room.
func (d drawing) svg(label string, panels ...panel) (template.HTML, error) {
	canvas := vgsvg.New(d.width, d.height)
	whole := draw.Crop(draw.New(canvas), 2, -overhang, 2, 0)
	const axis, gap = 18, 6 // of the labels below, between panels
	height := (d.height - axis - 2) / vg.Length(len(panels))
	areas := make([]draw.Canvas, len(panels))
	left, right := vg.Length(0), d.width
	for i := range panels {
		top := d.height - vg.Length(i)*height
		bottom := top - height
		if i == len(panels)-1 {
			bottom = whole.Min.Y
		} else {
			bottom += gap
		}
		area := whole
		area.Min.Y, area.Max.Y = bottom, top-words
		areas[i] = area
		data := panels[i].DataCanvas(area)
		left, right = max(left, data.Min.X), min(right, data.Max.X)
	}
	style := panels[0].X.Tick.Label
	style.XAlign, style.YAlign = draw.XLeft, draw.YTop
	for i, p := range panels {
		area := areas[i]
		data := p.DataCanvas(area)
		area.Min.X += left - data.Min.X
		area.Max.X -= data.Max.X - right
		p.Draw(area)
		whole.FillText(style, vg.Point{X: whole.Min.X, Y: area.Max.Y + words - 3}, p.words)
	}
	var buf bytes.Buffer
	if _, err := canvas.WriteTo(&buf); err != nil {
		return "", fmt.Errorf("plot %s: %w", label, err)
	}
	return d.adapt(buf.Bytes(), label), nil
}

var (
	svgHead    = regexp.MustCompile(`(?s)^.*?<svg[^>]*>`)
	svgFont    = regexp.MustCompile(`font-family:[^;"]*;[^"]*?(font-size)`)
	standIn    = regexp.MustCompile(`#F1(FF|00)0([0-7])`)
	headFormat = `<svg class="plot" role="img" aria-label="%s" viewBox="0 0 %g %g">`
)

// adapt makes a drawn SVG part of the page: without the XML header and a size of its
// own, in the page's font, and with its colours instead of the stand-ins.
func (d drawing) adapt(svg []byte, label string) template.HTML {
	head := fmt.Sprintf(headFormat, html.EscapeString(label), d.width.Points(), d.height.Points())
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
