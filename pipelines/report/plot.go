package report

import (
	"fmt"
	"html/template"
	"math"
	"time"

	"tributary/pipelines/report/chart"
)

// palette is how many colours the page has for kinds; then they repeat.
const palette = 8

// drawing is the size of a plot in pixels of a page that is as wide.
type drawing chart.Size

// Plots are drawn for the width at which they are shown: beside each other or on a phone, and
// one alone on a wide page.
var (
	narrowDrawing = drawing{Width: 330, Height: 220}
	wideDrawing   = drawing{Width: 900, Height: 300}
)

// pageColours are the page's own, which differ between light and dark.
var pageColours = chart.Colours{Ink: "var(--ink)", Grid: "var(--grid)"}

// pieces is as fine as a drawing shows.
func (d drawing) pieces() int { return int(d.Width / 4) }

// svg draws panels above each other as an element to stand inside the page.
func (d drawing) svg(label string, panels ...chart.Panel) template.HTML {
	// The package escapes all text; what else is in it is its own.
	return template.HTML(chart.Lines(chart.Size(d), label, pageColours, panels...))
}

// labels is how many labels like this one have room below the drawing.
func (d drawing) labels(like string) int {
	const character, gap = 0.6 * chart.TextSize, 14
	return max(int((d.Width-80)/(float64(len(like))*character+gap)), 2)
}

// kindLine is the line of the kind with that number.
func kindLine(kind int, points []chart.Point) chart.Line {
	line := chart.Line{Points: points, Colour: fmt.Sprintf("var(--kind%d)", kind%palette), Width: 1.6}
	if kind >= palette { // the same colour again
		line.Dash = "5 3"
	}
	return line
}

// ground is a y axis from 0 to a little above the largest y, with a few round ticks.
func ground(points []chart.Point, whole bool, form func(float64) string) chart.Axis {
	const most = 5 // labels that a low panel has room for
	top := 0.0
	for _, p := range points {
		top = max(top, p.Y)
	}
	axis := chart.Axis{Max: 1.08 * top}
	if !(top > 0) || math.IsInf(axis.Max, 1) {
		axis.Max = 1
	}
	for _, at := range chart.Steps(axis.Max, most, whole) {
		axis.Ticks = append(axis.Ticks, chart.Tick{At: at, Label: form(at)})
	}
	return axis
}

// timeSteps are what a reader of clocks takes for round, in seconds.
var timeSteps = []float64{
	1, 5, 15, 60, 300, 900, 3600, 3 * 3600, 6 * 3600, 12 * 3600,
	86400, 2 * 86400, 7 * 86400, 14 * 86400, 28 * 86400, 91 * 86400, 364 * 86400,
}

// timeTicks are so many ticks, or fewer, at round times of the day, or at days, between two times
// in seconds since 1970.
func timeTicks(low, high float64, most int, format string) (ticks []chart.Tick) {
	step := timeSteps[len(timeSteps)-1]
	for _, s := range timeSteps {
		if (high-low)/s <= float64(most-1) {
			step = s
			break
		}
	}
	step = max(step, (high-low)/float64(most-1)) // centuries, from a broken clock
	for t := step * float64(int64(low/step)); t <= high; t += step {
		if t >= low {
			ticks = append(ticks, chart.Tick{At: t, Label: time.Unix(int64(t), 0).UTC().Format(format)})
		}
	}
	return ticks
}

var delaySteps = []time.Duration{
	time.Millisecond, 10 * time.Millisecond, 100 * time.Millisecond,
	time.Second, 10 * time.Second, time.Minute, 10 * time.Minute,
	time.Hour, 6 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour, 30 * 24 * time.Hour, 365 * 24 * time.Hour,
}

// delayTicks are so many durations, or fewer, on a logarithmic axis of milliseconds.
func delayTicks(low, high float64, most int) []chart.Tick {
	var ticks []chart.Tick
	for _, step := range delaySteps {
		if ms := float64(step.Milliseconds()); ms >= low && ms <= high {
			ticks = append(ticks, chart.Tick{At: ms, Label: duration(step)})
		}
	}
	// Every second one, third one and so on, where there is no room for all.
	each := (len(ticks) + most - 1) / most
	kept := ticks[:0]
	for i := len(ticks) % max(each, 1); i < len(ticks); i += each {
		kept = append(kept, ticks[i])
	}
	return kept
}
