package main

import (
	"fmt"
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
)

const plotWidth, plotHeight = 18 * vg.Centimeter, 8 * vg.Centimeter

// colours of the systems, in the order of their turns; they can be told apart in grey, too.
var colours = []color.Color{
	color.RGBA{R: 0x1b, G: 0x6c, B: 0xa8, A: 0xff},
	color.RGBA{R: 0xd9, G: 0x8b, B: 0x2b, A: 0xff},
	color.RGBA{R: 0xb8, G: 0xb8, B: 0xb8, A: 0xff},
}

// draw draws events per CPU second into an image; its name's ending says of what kind.
func (r *Report) draw(path string) error {
	p := plot.New()
	p.Title.Text = "Events per CPU second, all processes but the broker"
	p.Y.Min = 0
	parallelisms := r.parallelisms()
	var names []string
	for _, parallelism := range parallelisms {
		names = append(names, fmt.Sprintf("parallelism %d", parallelism))
	}
	p.NominalX(names...)
	width := 2 * vg.Centimeter
	for i, name := range []string{oursName, rocksDBName, heapName} {
		var values plotter.Values
		var labels plotter.XYLabels
		for at, parallelism := range parallelisms {
			rate := 0.0
			if t := r.of(name, parallelism); t != nil {
				rate = 1e6 / t.CPUPerMillion()
			}
			values = append(values, rate)
			labels.XYs = append(labels.XYs, plotter.XY{X: float64(at), Y: rate})
			labels.Labels = append(labels.Labels, thousands(rate))
		}
		bars, err := plotter.NewBarChart(values, width)
		if err != nil {
			return fmt.Errorf("plot %s: %w", name, err)
		}
		bars.Color, bars.LineStyle.Width = colours[i], 0
		bars.Offset = vg.Length(i-1) * (width + vg.Millimeter)
		figures, err := plotter.NewLabels(labels)
		if err != nil {
			return fmt.Errorf("plot %s: %w", name, err)
		}
		figures.Offset.X, figures.Offset.Y = bars.Offset-7*vg.Millimeter, vg.Millimeter
		p.Add(bars, figures)
		p.Legend.Add(name, bars)
		p.Y.Max = max(p.Y.Max, 1.1*slicesMax(values))
	}
	p.Legend.Top = true
	if err := p.Save(plotWidth, plotHeight, path); err != nil {
		return fmt.Errorf("plot %s: %w", path, err)
	}
	return nil
}

func slicesMax(values plotter.Values) float64 {
	out := 0.0
	for _, v := range values {
		out = max(out, v)
	}
	return out
}
