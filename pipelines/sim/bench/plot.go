package main

import (
	"fmt"
	"os"

	"tributary/pipelines/report/chart"
)

var plotSize = chart.Size{Width: 560, Height: 260}

// colours of the systems, in the order of their turns; they can be told apart in grey, too, on
// light and on dark ground.
var colours = []string{"#1b6ca8", "#d98b2b", "#b8b8b8"}

// draw draws events per CPU second into an SVG file.
func (r *Report) draw(path string) error {
	parallelisms := r.parallelisms()
	var groups []string
	for _, parallelism := range parallelisms {
		groups = append(groups, fmt.Sprintf("parallelism %d", parallelism))
	}
	var bars []chart.Series
	for i, name := range []string{oursName, rocksDBName, heapName} {
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
	svg := chart.Bars(plotSize, "Events per CPU second, all processes but the broker", groups, bars, thousands)
	if err := os.WriteFile(path, []byte(svg), 0o644); err != nil {
		return fmt.Errorf("plot: %w", err)
	}
	return nil
}
