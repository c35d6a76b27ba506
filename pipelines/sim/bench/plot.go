package main

import (
	"fmt"
	"os"

	"tributary/pipelines/report/chart"
)

// plotSize has room for plottedSeries of them; each more takes perSeries.
var plotSize = chart.Size{Width: 560, Height: 260}

const plottedSeries, perSeries = 3, 140

// colours of the systems, in the order of their turns; they can be told apart in grey, too, on
// light and on dark ground.
var colours = []string{"#1b6ca8", "#d98b2b", "#b8b8b8", "#6b4f9e"}

// draw draws events per CPU second into an SVG file: of ours and of what does the same join, not of a floor, beside which they
// would all be low.
func (r *Report) draw(path string) error {
	parallelisms := r.parallelisms()
	var groups []string
	for _, parallelism := range parallelisms {
		groups = append(groups, fmt.Sprintf("parallelism %d", parallelism))
	}
	var bars []chart.Series
	for i, name := range append([]string{oursName}, controlNames...) {
		if r.best(name) == nil {
			continue
		}
		s := chart.Series{Name: name, Colour: colours[i]}
		for _, parallelism := range parallelisms {
			rate := 0.0
			if t := r.of(name, parallelism); t != nil {
				rate = 1e6 / t.CPUPerMillion()
			}
			s.Values = append(s.Values, rate)
		}
		bars = append(bars, s)
	}
	size := plotSize
	size.Width += perSeries * float64(max(0, len(bars)-plottedSeries))
	svg := chart.Bars(size, "Events per CPU second, all processes but the broker", groups, bars, thousands)
	if err := os.WriteFile(path, []byte(svg), 0o644); err != nil {
		return fmt.Errorf("plot: %w", err)
	}
	return nil
}
