package draft

import (
	"context"
	"slices"
	"time"

	"tributary/io/format/jsontext"
	"tributary/io/record"
)

// measured is what times tell.
type measured struct {
	// delays from views to engagements of the records looked at, by group, sorted; negative ones are
	// of engagements stamped before their view. With a key they are from the last view before it.
	delays map[*group][]time.Duration
	// behind is how far behind the largest time before it in its file a record is, at most.
	behind time.Duration
}

// measure reads the times of the records again, now that it is known which they are.
func (j *joined) measure(ctx context.Context, records int) error {
	j.measured.delays = map[*group][]time.Duration{}
	shown, kept := map[string][]int64{}, 0
	for _, v := range append([]*group{j.views}, j.also...) {
		err := j.eachTime(ctx, v, j.named(), records, func(id string, t int64) {
			if times := shown[id]; kept < valuesKept && (len(times) == 0 || len(j.key) > 0) {
				shown[id] = append(times, t)
				kept++
			}
		})
		if err != nil {
			return err
		}
	}
	for _, times := range shown {
		slices.Sort(times)
	}
	for i := range j.engagements {
		if err := j.measureDelays(ctx, &j.engagements[i], shown, records); err != nil {
			return err
		}
	}
	return nil
}

// measureDelays measures those of engagements from views, by when these were shown: of all kinds, or of each where views share
// engagements or all events are in one log.
func (j *joined) measureDelays(ctx context.Context, e *engagements, shown map[string][]int64, records int) error {
	groups := []*group{e.group}
	for i := range e.kinds {
		if k := &e.kinds[i]; e.column != "" && (len(j.key) > 0 || e.only != nil) {
			one := *e.group
			one.only = &only{column: e.column, values: []string{k.value}}
			k.only = &one
			groups = append(groups, k.only)
		}
	}
	for _, g := range groups {
		var delays []time.Duration
		err := j.eachTime(ctx, g, e.names(), records, func(id string, t int64) {
			times := shown[id]
			at, found := slices.BinarySearch(times, t)
			switch {
			case len(times) == 0, at == 0 && !found && len(j.key) > 0: // of no view, or of none that it could be for
				return
			case !found:
				at = max(at-1, 0)
			}
			delays = append(delays, time.Duration(t-times[at])*time.Millisecond)
		})
		if err != nil {
			return err
		}
		slices.Sort(delays)
		j.measured.delays[g] = delays
	}
	return nil
}

// named are the fields of views that engagements name them by, their key or their id.
func (j *joined) named() []string {
	if len(j.key) > 0 {
		return j.key
	}
	return j.viewID
}

// names are the fields by which engagements name views.
func (e *engagements) names() []string {
	if len(e.key) > 0 {
		return e.key
	}
	return e.view
}

// eachTime visits the records of a group that have both an id, of those fields, and a time.
func (j *joined) eachTime(ctx context.Context, g *group, id []string, records int, visit func(id string, t int64)) error {
	if len(id) == 0 || g.time == nil {
		return nil
	}
	extractor := jsontext.NewExtractor(append([]string{g.time.path}, id...))
	values := make([]record.Value, 1+len(id))
	times, err := record.NewTimeReader(g.time.form())
	if err != nil {
		return err
	}
	if typed, ok := g.types[g.time.path]; ok {
		field, err := g.schema.Lookup(typed.Path)
		if err != nil {
			return err
		}
		times.Settle(field.Unit, "")
	}
	for _, f := range g.files[:min(len(g.files), filesOfGroup)] {
		largest := int64(record.NoTime)
		_, err := g.each(ctx, f.Path, records, func(text []byte) error {
			if _, err := extractor.Extract(text, values); err != nil {
				return nil //nolint:nilerr // a bad record: check --inputs tells of it
			}
			t, err := times.Millis(values[0])
			name, _, idErr := record.AppendIDParts(nil, values[1:])
			if err != nil || idErr != nil {
				return nil //nolint:nilerr // as above
			}
			if largest != record.NoTime {
				j.measured.behind = max(j.measured.behind, time.Duration(largest-t)*time.Millisecond)
			}
			largest = max(largest, t)
			visit(string(name), t)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// windows are what people take for attribution windows.
var windows = []time.Duration{
	5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 6 * time.Hour, 12 * time.Hour,
	24 * time.Hour, 2 * 24 * time.Hour, 3 * 24 * time.Hour, 7 * 24 * time.Hour, 14 * 24 * time.Hour, 30 * 24 * time.Hour,
}

// noWindow is the window where no delay is known.
const noWindow = 24 * time.Hour

// window is one that 99 % of the delays are well within, and how long those are; seen is how
// many there are.
func (j *joined) window(g *group) (window, within time.Duration, seen int) {
	delays := j.measured.delays[g]
	first := 0
	for first < len(delays) && delays[first] < 0 {
		first++
	}
	delays = delays[first:]
	if len(delays) == 0 {
		return noWindow, 0, 0
	}
	within = delays[(len(delays)-1)*99/100]
	return rounded(within+within/4, windows), within, len(delays)
}

// mostSkew is by how much clocks may differ.
const mostSkew = 5 * time.Minute

// early is how many engagements come before their view by more than clocks differ, and by how much about, to the quarter of an hour, where
// zones were guessed and these are a tenth or more; 0 otherwise.
func (j *joined) early(g *group) (n int, by time.Duration) {
	if !j.views.time.zoneGuessed() && !g.time.zoneGuessed() {
		return 0, 0
	}
	delays := j.measured.delays[g]
	for n < len(delays) && delays[n] < -mostSkew {
		n++
	}
	if n == 0 || n*10 < len(delays) {
		return 0, 0
	}
	return n, -delays[n/2].Round(15 * time.Minute)
}

// zoneGuessed tells whether nothing in the times says which zone they are of.
func (t *timeGuess) zoneGuessed() bool { return t != nil && t.written != nil && t.written.zone != "" }

// skew is how much before their views engagements are stamped, at most, as far as that may be the
// clocks.
func (j *joined) skew() (skew time.Duration) {
	for _, delays := range j.measured.delays {
		for _, d := range delays {
			if d < 0 && -d <= mostSkew {
				skew = max(skew, -d)
			}
		}
	}
	return skew
}

// rounded is the smallest of the steps that is no less than d, or the largest.
func rounded(d time.Duration, steps []time.Duration) time.Duration {
	for _, step := range steps {
		if d <= step {
			return step
		}
	}
	return steps[len(steps)-1]
}
