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
	// of engagements stamped before their view.
	delays map[*group][]time.Duration
	// behind is how far behind the largest time before it in its file a record is, at most.
	behind time.Duration
}

// measure reads the times of the records again, now that it is known which they are.
func (j *joined) measure(ctx context.Context, records int) error {
	j.measured.delays = map[*group][]time.Duration{}
	shown := map[string]int64{}
	for _, v := range append([]*group{j.views}, j.also...) {
		err := j.eachTime(ctx, v, j.viewID, records, func(id string, t int64) {
			if _, known := shown[id]; !known && len(shown) < valuesKept {
				shown[id] = t
			}
		})
		if err != nil {
			return err
		}
	}
	for i := range j.engagements {
		e := &j.engagements[i]
		var delays []time.Duration
		err := j.eachTime(ctx, e.group, e.view, records, func(id string, t int64) {
			if at, known := shown[id]; known {
				delays = append(delays, time.Duration(t-at)*time.Millisecond)
			}
		})
		if err != nil {
			return err
		}
		slices.Sort(delays)
		j.measured.delays[e.group] = delays
	}
	return nil
}

// eachTime visits the records of a group that have both an id and a time.
func (j *joined) eachTime(ctx context.Context, g *group, id string, records int, visit func(id string, t int64)) error {
	if id == "" || g.time == nil {
		return nil
	}
	extractor := jsontext.NewExtractor([]string{id, g.time.path})
	values := make([]record.Value, 2)
	unit := g.time.unit
	if typed, ok := g.types[g.time.path]; ok && unit == record.UnitAuto {
		field, err := g.schema.Lookup(typed.Path)
		if err != nil {
			return err
		}
		unit = field.Unit
	}
	for _, f := range g.files[:min(len(g.files), filesOfGroup)] {
		largest := int64(record.NoTime)
		_, err := eachRecord(ctx, f.Path, g.format, records, func(text []byte) error {
			if _, err := extractor.Extract(text, values); err != nil {
				return nil //nolint:nilerr // a bad record: check --inputs tells of it
			}
			t, err := values[1].Millis(unit)
			name, idErr := values[0].AppendID(nil)
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

// skew is how much before their views engagements are stamped, at most, as far as that may be the
// clocks.
func (j *joined) skew() (skew time.Duration) {
	const most = 5 * time.Minute
	for _, delays := range j.measured.delays {
		for _, d := range delays {
			if d < 0 && -d <= most {
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
