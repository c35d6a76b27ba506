// Package chart draws line and bar charts as SVG, to stand in an HTML page or in a file.
//
// It draws what the reports need and nothing else: a general plotting library brings fonts and
// writers of PDF, LaTeX and images with it, 14 MB of the command. Text is left to the fonts of
// whoever shows the drawing, so its width is estimated (see textWidth). Colours are CSS colours,
// variables of the page among them; there is no script and nothing is fetched. Equal input gives
// equal bytes.
package chart

import (
	"math"
)

// TextSize is the font size of labels, in the units of a Size.
const TextSize = 11

// Size is the size of a drawing in its own units, which are CSS pixels where it is shown as wide
// as it is drawn.
type Size struct{ Width, Height float64 }

// Colours are those of text and of lines that hold no data.
type Colours struct{ Ink, Grid string }

// Point is a point of a line, in the units of the axes.
type Point struct{ X, Y float64 }

// Line joins points by straight lines. Dash is a stroke-dasharray, empty for a solid line. Points
// that are no numbers are left out.
type Line struct {
	Points       []Point
	Colour, Dash string
	Width        float64
}

// Tick is a label at a place of an axis.
type Tick struct {
	At    float64
	Label string
}

// Axis is the range that an axis shows, Min < Max. A logarithmic one has Min > 0.
type Axis struct {
	Min, Max float64
	Log      bool
	Ticks    []Tick
}

// along is where v lies on the axis: 0 at Min, 1 at Max.
func (a *Axis) along(v float64) float64 {
	low, high := a.Min, a.Max
	if a.Log {
		v, low, high = math.Log(v), math.Log(low), math.Log(high)
	}
	return (v - low) / (high - low)
}

// Panel is a pair of axes with lines, and a line of text above them.
type Panel struct {
	Title string
	X, Y  Axis
	Lines []Line
}

const (
	titleRoom = 20 // above a panel
	axisRoom  = 20 // below the lowest one
	gap       = 6  // between panels
	labelGap  = 5  // between a label and what it labels
)

// Lines draws panels one above the other, their data too. Labels of the x axis stand below the
// lowest one alone. The drawing is an svg element for an HTML page; label says in words what it
// shows, for those who cannot see it.
func Lines(size Size, label string, c Colours, panels ...Panel) string {
	var d drawing
	d.open(size, label)
	left, right := margins(size.Width, panels)
	height := (size.Height - axisRoom) / float64(len(panels))
	for i, p := range panels {
		top := float64(i)*height + titleRoom
		bottom := float64(i+1) * height
		if i < len(panels)-1 {
			bottom -= gap
		}
		d.text(0, top-labelGap-3, "start", c.Ink, p.Title)
		area := frame{left: left, right: right, top: top, bottom: bottom, x: p.X, y: p.Y}
		area.grid(&d, c)
		for _, line := range p.Lines {
			area.line(&d, line)
		}
		if i == len(panels)-1 {
			area.base(&d, c)
		}
	}
	return d.close()
}

// margins are where the axes begin and end: to their left is room for the labels of all y axes, and
// the labels of the x axis do not reach over the drawing.
func margins(width float64, panels []Panel) (left, right float64) {
	left, right = 2, width-2
	for _, p := range panels {
		for _, tick := range p.Y.Ticks {
			left = max(left, textWidth(tick.Label)+labelGap)
		}
	}
	x := &panels[len(panels)-1].X
	for _, tick := range x.Ticks {
		along, half := x.along(tick.At), textWidth(tick.Label)/2
		if along > 0 && left+along*(right-left)+half > width {
			right = left + (width-half-left)/along
		}
		if along < 1 && left+along*(right-left) < half {
			left = (half - along*right) / (1 - along)
		}
	}
	return left, right
}

// frame is the part of a drawing that holds data.
type frame struct {
	left, right, top, bottom float64
	x, y                     Axis
}

func (f *frame) atX(x float64) float64 { return f.left + f.x.along(x)*(f.right-f.left) }
func (f *frame) atY(y float64) float64 { return f.bottom - f.y.along(y)*(f.bottom-f.top) }

// grid draws a horizontal line at each tick of the y axis, its label to the left.
func (f *frame) grid(d *drawing, c Colours) {
	for _, tick := range f.y.Ticks {
		y := f.atY(tick.At)
		d.path([]Point{{f.left, y}, {f.right, y}}, c.Grid, 0.6, "")
		d.text(f.left-labelGap, y+TextSize/3, "end", c.Ink, tick.Label)
	}
}

// base draws the x axis and its labels.
func (f *frame) base(d *drawing, c Colours) {
	d.path([]Point{{f.left, f.bottom}, {f.right, f.bottom}}, c.Grid, 1, "")
	for _, tick := range f.x.Ticks {
		x := f.atX(tick.At)
		d.path([]Point{{x, f.bottom}, {x, f.bottom + 4}}, c.Grid, 1, "")
		d.text(x, f.bottom+labelGap+TextSize, "middle", c.Ink, tick.Label)
	}
}

func (f *frame) line(d *drawing, l Line) {
	points := make([]Point, 0, len(l.Points))
	for _, p := range l.Points {
		at := Point{f.atX(p.X), f.atY(p.Y)}
		if sum := at.X + at.Y; !math.IsNaN(sum) && !math.IsInf(sum, 0) {
			points = append(points, at)
		}
	}
	if len(points) > 0 {
		d.path(points, l.Colour, l.Width, l.Dash)
	}
}

// Steps are round places from 0 up to high, so many (3 at least) or fewer: multiples of 1, 2 or 5 times a power
// of ten, of whole numbers only if whole is true.
func Steps(high float64, most int, whole bool) []float64 {
	if !(high > 0) || math.IsInf(high, 1) {
		return []float64{0}
	}
	power := math.Pow(10, math.Floor(math.Log10(high/float64(most-1))))
	step := 10 * power
	for _, round := range []float64{1, 2, 5} {
		if math.Floor(high/(round*power)) < float64(most) {
			step = round * power
			break
		}
	}
	if whole {
		step = max(step, 1)
	}
	steps := []float64{0}
	for n := 1.0; n*step <= high; n++ {
		steps = append(steps, n*step)
	}
	return steps
}

func (d *drawing) open(size Size, label string) {
	d.printf(`<svg class="plot" role="img" aria-label="%s" viewBox="0 0 %s %s">`, escape(label), number(size.Width), number(size.Height))
}
