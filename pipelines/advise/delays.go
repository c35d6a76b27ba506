package advise

import (
	"math"
	"slices"
	"time"

	"tributary/io/record"
	"tributary/transforms/attribution/rules"
)

// delays counts how long after their views engagements come, without regard to lateness or any window but the horizon: of views alone that
// are older than that where the log ends, of which all is there that comes within it. So nothing is censored; what comes still later is not
// known, nor what belongs to views before the log.
type delays struct {
	skew, dedup, horizon, lastView int64
	windows                        []int64 // that shares are told of, in order
	kinds                          []kindDelays

	views []int64 // room
	again map[uint64]int64
	found []int // by kind and window, of the group at hand
}

type kindDelays struct {
	ratios []ratio // by window
	all    []int64 // the delays
}

// newDelays counts those up to a horizon.
func newDelays(l *log, windows []int64, horizon int64) *delays {
	d := &delays{
		skew: l.base.ClockSkew, dedup: l.base.DedupWindow, horizon: horizon, lastView: l.end - horizon, windows: windows,
		kinds: make([]kindDelays, len(l.base.Kinds)), again: map[uint64]int64{},
	}
	for i := range d.kinds {
		d.kinds[i].ratios = make([]ratio, len(windows))
	}
	d.found = make([]int, len(d.kinds)*(len(windows)+1))
	return d
}

// take takes all events of a name.
func (d *delays) take(group []event) {
	d.views = d.views[:0]
	engagements := 0
	for i := range group {
		if e := &group[i]; e.kind == rules.Views {
			d.views = append(d.views, e.time)
		} else {
			engagements++
		}
	}
	if len(d.views) == 0 || engagements == 0 {
		return
	}
	slices.Sort(d.views)
	clear(d.found)
	d.again = emptied(d.again)
	wide := len(d.windows) + 1
	for i := range group {
		e := &group[i]
		if e.kind == rules.Views {
			continue
		}
		delay, found := d.of(e)
		if !found {
			continue
		}
		if len(d.again) > 0 || engagements > 1 {
			if before, known := d.again[e.own]; known && max(before, e.time)-min(before, e.time) <= d.dedup {
				continue // sent again
			}
			d.again[e.own] = e.time
		}
		k := &d.kinds[e.kind]
		k.all = append(k.all, delay)
		at, _ := slices.BinarySearch(d.windows, delay+1) // the first window that catches it
		d.found[int(e.kind)*wide+at]++
	}
	for kind := range d.kinds {
		in, whole := 0, 0
		counts := d.found[kind*wide : (kind+1)*wide]
		for _, n := range counts {
			whole += n
		}
		if whole == 0 {
			continue
		}
		for i := range d.windows {
			in += counts[i]
			d.kinds[kind].ratios[i].add(float64(in), float64(whole))
		}
	}
}

// mostAgain is how large a map is that is kept: emptying one takes as long as it is large.
const mostAgain = 1024

func emptied(m map[uint64]int64) map[uint64]int64 {
	if len(m) > mostAgain {
		return map[uint64]int64{}
	}
	clear(m)
	return m
}

// of is how long after the last view of its name before it an engagement comes, with the skew of clocks at 0; found says that it comes within
// the horizon of a view that is old enough.
func (d *delays) of(e *event) (delay int64, found bool) {
	at, exact := slices.BinarySearch(d.views, e.time+d.skew)
	if exact {
		at++
		for at < len(d.views) && d.views[at] == e.time+d.skew {
			at++
		}
	}
	if at == 0 {
		return 0, false
	}
	v := d.views[at-1]
	if e.viewTime != record.NoTime && (v < e.viewTime-d.skew || v > e.viewTime+d.skew) {
		return 0, false
	}
	delay = max(0, e.time-v)
	return delay, v <= d.lastView && delay < d.horizon
}

// Delays are how long after their views the engagements of a kind come.
type Delays struct {
	Kind string `json:"kind"`
	// Engagements that come within the horizon of views that are at least so old.
	Engagements int64 `json:"engagements"`
	// P50 and so on are quantiles in ms; nil without engagements.
	P50 *int64 `json:"p50_ms,omitempty"`
	P90 *int64 `json:"p90_ms,omitempty"`
	P99 *int64 `json:"p99_ms,omitempty"`

	curve []float64
}

// curvePoints is how finely a curve is drawn.
const curvePoints = 400

// curveFrom is where the logarithmic axis of a curve begins.
const curveFrom = time.Second

// result describes those of a kind.
func (d *delays) result(kind int, name string) Delays {
	all := d.kinds[kind].all
	slices.Sort(all)
	out := Delays{Kind: name, Engagements: int64(len(all))}
	if len(all) == 0 {
		return out
	}
	quantile := func(q float64) *int64 { return new(all[max(0, int(math.Ceil(q*float64(len(all))))-1)]) }
	out.P50, out.P90, out.P99 = quantile(0.5), quantile(0.9), quantile(0.99)
	for i := range curvePoints {
		n, _ := slices.BinarySearch(all, int64(delayAt(float64(i)/(curvePoints-1), d.horizon)))
		out.curve = append(out.curve, 100*float64(n)/float64(len(all)))
	}
	return out
}

// delayAt is the delay so far along the axis of a curve, from 0 to 1.
func delayAt(along float64, horizon int64) float64 {
	from := float64(curveFrom.Milliseconds())
	return from * math.Pow(max(float64(horizon)/from, 1), along)
}
