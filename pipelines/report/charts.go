package report

import (
	"fmt"
	"html/template"
	"math"
	"time"

	"tributary/pipelines/report/chart"
	"tributary/transforms/account"
)

// charts are the plots of one kind of engagement, small beside those of others. If the kind
// is alone, each is drawn large as well.
type charts struct {
	Name             string
	Colour           int
	Time, TimeLarge  template.HTML
	Delay, DelayWide template.HTML
}

// charts draws the kinds that have positives, each on its own. They have the axes of time and
// of delays in common, so that one can be held against the other.
func (r *Report) charts() (all []charts) {
	var drawn []int
	kinds := r.kinds()
	for i, k := range kinds {
		if k.N[account.Positives] > 0 || k.Delay.Count() > 0 {
			drawn = append(drawn, i)
		}
	}
	low, high := delayRange(kinds)
	for _, i := range drawn {
		k := kinds[i]
		c := charts{Name: Harmless(k.Name), Colour: i % palette}
		c.Time, c.Delay = narrowDrawing.overTime(r, i, k), narrowDrawing.delays(i, k, low, high)
		if len(drawn) == 1 {
			c.TimeLarge, c.DelayWide = wideDrawing.overTime(r, i, k), wideDrawing.delays(i, k, low, high)
		}
		all = append(all, c)
	}
	return all
}

// overTime plots a kind's positives, and below them their share of the samples, over one axis
// of view time; nothing if that is too short for a picture.
func (d drawing) overTime(r *Report, i int, k kind) template.HTML {
	s := timeline(r.Accounts, d.pieces())
	if s == nil {
		return ""
	}
	var counts, shares []chart.Point
	for j, positives := range s.Positives[k.Name] {
		middle := float64(s.Start+int64(j)*s.Step+s.Step/2) / 1000
		counts = append(counts, chart.Point{X: middle, Y: float64(positives)})
		if s.Samples[j] != 0 { // no point for a share of nothing
			shares = append(shares, chart.Point{X: middle, Y: 100 * float64(positives) / float64(s.Samples[j])})
		}
	}
	x := chart.Axis{Min: float64(s.Start) / 1000, Max: float64(s.end()) / 1000}
	format := timeFormat(s)
	x.Ticks = timeTicks(x.Min, x.Max, d.labels(format), format)
	countTick := func(y float64) string { return grouped(int64(math.Round(y))) }
	return d.svg("positives of "+k.Name+" over view time, and their share of the samples",
		chart.Panel{
			Title: "positives by " + duration(millis(s.Step)) + " of view time",
			X:     x, Y: ground(counts, true, countTick), Lines: []chart.Line{kindLine(i, counts)},
		},
		chart.Panel{
			Title: "their share of the samples",
			X:     x, Y: ground(shares, false, percentTick), Lines: []chart.Line{kindLine(i, shares)},
		})
}

// delayRange is that of the axis of delays, in ms; 0 to 0 if there are none.
func delayRange(kinds []kind) (low, high float64) {
	low = math.Inf(1)
	for _, k := range kinds {
		for _, bin := range k.Delay.Bins() {
			low, high = min(low, float64(max(bin.From, 1))), max(high, float64(max(bin.To, 1)))
		}
		if k.Delay.Count() > 0 {
			high = max(high, float64(k.Window.Milliseconds()))
		}
	}
	if high == 0 {
		return 0, 0
	}
	return low / 1.2, high * 1.2 // log 1 = 0, and single values need some width
}

// delays plots the share of a kind's positives by their delay, on a logarithmic axis, and
// the end of the window as a dashed line.
func (d drawing) delays(i int, k kind, low, high float64) template.HTML {
	if k.Delay.Count() == 0 {
		return ""
	}
	d.Height /= 1.5 // of one panel
	points := density(k, low, high, d.pieces())
	panel := chart.Panel{
		Title: "share of them by delay",
		X:     chart.Axis{Min: low, Max: high, Log: true, Ticks: delayTicks(low, high, d.labels("100ms"))},
		Y:     ground(points, false, percentTick),
		Lines: []chart.Line{kindLine(i, points)},
	}
	if k.Window > 0 {
		at := float64(k.Window.Milliseconds())
		end := kindLine(i, []chart.Point{{X: at, Y: 0}, {X: at, Y: panel.Y.Max}})
		end.Width, end.Dash = 1, "2 3"
		panel.Lines = append(panel.Lines, end)
		panel.Title += "; dashed: the window, " + duration(k.Window)
	}
	return d.svg("delays of "+k.Name, panel)
}

// density spreads a kind's delays over bins of equal width on the logarithmic axis:
// percent of the positives per bin, in its middle.
func density(k kind, low, high float64, bins int) []chart.Point {
	if k.Delay.Count() == 0 {
		return nil
	}
	step := math.Log(high/low) / float64(bins)
	shares := make([]float64, bins)
	for _, bin := range k.Delay.Bins() {
		// Its own range on the axis, over which it is spread: near 0 a millisecond is
		// wider than a bin, and all in one place would look like a comb.
		from := math.Log(max(float64(bin.From), 1)/low) / step
		to := math.Log(max(float64(bin.To+1), 2)/low) / step
		share := 100 * float64(bin.Count) / float64(k.Delay.Count())
		for i := int(from); i < bins && float64(i) < to; i++ {
			overlap := min(to, float64(i+1)) - max(from, float64(i))
			shares[i] += share * overlap / (to - from)
		}
	}
	line := make([]chart.Point, bins)
	for i, y := range shares {
		line[i] = chart.Point{X: low * math.Exp((float64(i)+0.5)*step), Y: y}
	}
	return line
}

func percentTick(y float64) string { return fmt.Sprintf("%.3g %%", y) }

func timeFormat(s *series) string {
	switch span := s.end() - s.Start; {
	case span > (72 * time.Hour).Milliseconds():
		return "01-02"
	case span > (24 * time.Hour).Milliseconds():
		return "01-02 15:04"
	case s.Step < time.Minute.Milliseconds() && span < (10*time.Minute).Milliseconds():
		return "15:04:05"
	default:
		return "15:04"
	}
}
