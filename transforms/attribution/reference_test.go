package attribution

import (
	"cmp"
	"fmt"
	"slices"

	"tributary/io/record"
	"tributary/transforms/account"
	"tributary/transforms/attribution/rules"
	"tributary/transforms/label"
)

// record is one record of a log, as a test writes it. Times are in milliseconds.
type rec struct {
	partition int32
	ordered   bool
	offset    int64

	view     bool
	kind     int
	id       string // the view's
	time     int64
	payload  string
	viewTime int64 // record.NoTime if none
	eventID  string
	value    int64

	closedThrough int64 // set by the reference: views at or before it had closed
	outcome       string
}

// want is a sample as the reference makes it, or the pipeline made it.
type want struct {
	ID       string
	Time     int64
	Payload  string
	Labels   []string // JSON, as are delays
	Delays   []string
	Positive bool
	Rate     float64
}

// reached is the event time that a partition has come to whose records have these times: the
// largest, unless that is the only one as far ahead.
func reached(times []int64, maxAhead int64) int64 {
	sorted := slices.Sorted(slices.Values(times))
	largest := sorted[len(sorted)-1]
	if len(sorted) == 1 || largest == times[0] {
		return largest // of the first record, nothing is known that it could be ahead of
	}
	if second := sorted[len(sorted)-2]; maxAhead > 0 && largest-second > maxAhead {
		return second
	}
	return largest
}

// reference joins the slow and obvious way: every view is held against every
// engagement. Records of a partition must be in offset order.
func reference(p *rules.Params, log []*rec) ([]want, *account.Sheet) {
	sheet := p.NewSheet()
	longest := p.LongestWindow()
	margin := max(p.OutOfOrderness, 2*p.ClockSkew)
	own := func(r *rec) bool { return p.From <= r.time && r.time < p.To }

	// Who is late, by the partition's watermark.
	var views, engagements []*rec
	times := map[int32][]int64{}
	for _, r := range log {
		r.closedThrough = record.NoTime
		if before := times[r.partition]; len(before) > 0 && r.ordered {
			r.closedThrough = reached(before, p.MaxFutureSkew) - p.OutOfOrderness - longest
		}
		times[r.partition] = append(times[r.partition], r.time)
		if !r.view {
			engagements = append(engagements, r)
			continue
		}
		switch {
		case own(r) && r.time <= r.closedThrough:
			sheet.Views.N[account.Read]++
			sheet.Views.N[account.Late]++
		case own(r):
			sheet.Views.N[account.Read]++
		}
		if r.time > r.closedThrough {
			views = append(views, r)
		}
	}
	inOrder := func(a, b *rec) int {
		return cmp.Or(cmp.Compare(a.time, b.time), cmp.Compare(a.partition, b.partition), cmp.Compare(a.offset, b.offset))
	}
	slices.SortFunc(views, inOrder)
	slices.SortFunc(engagements, inOrder)

	// Duplicate views: within reach of the one before with the same id.
	var distinct []*rec
	lastView := map[string]*rec{}
	keptView := map[string]*rec{}
	for _, v := range views {
		if last := lastView[v.id]; last != nil && v.time-last.time <= p.DedupWindow {
			if own(v) {
				sheet.Views.N[account.Duplicates]++
				if keptView[v.id].payload != v.payload {
					sheet.Views.N[account.DuplicatesDiffering]++
				}
			}
		} else {
			distinct = append(distinct, v)
			keptView[v.id] = v
		}
		lastView[v.id] = v
	}

	same := func(a, b *rec) bool {
		if a.kind != b.kind || a.id != b.id || a.viewTime != b.viewTime || a.eventID != b.eventID {
			return false
		}
		return a.eventID != "" || a.time == b.time && a.value == b.value
	}
	// byClaim: by the view's time it carries, it cannot count.
	byClaim := func(g *rec) bool {
		return g.viewTime != record.NoTime &&
			(g.time >= g.viewTime+p.ClockSkew+p.Kinds[g.kind].Window || g.time < g.viewTime-2*p.ClockSkew)
	}
	// latest and earliest view that g may count for.
	latest := func(g *rec) int64 {
		if g.viewTime != record.NoTime {
			return min(g.viewTime, g.time) + p.ClockSkew
		}
		return g.time + p.ClockSkew
	}
	earliest := func(g *rec) int64 {
		if g.viewTime != record.NoTime {
			return max(g.viewTime-p.ClockSkew, g.time-p.Kinds[g.kind].Window+1)
		}
		return g.time - p.Kinds[g.kind].Window + 1
	}
	// gone: it is not joined at all.
	gone := func(g *rec) bool { return byClaim(g) || g.closedThrough >= latest(g) }
	// openFor: the engagements that were read while a view at t was open, less duplicates.
	openFor := func(t int64, all []*rec) (open []*rec) {
		for i, g := range all {
			if g.closedThrough >= t || gone(g) {
				continue
			}
			duplicate := false
			for k := i - 1; k >= 0; k-- {
				if h := all[k]; h.closedThrough < t && !gone(h) && same(g, h) {
					duplicate = g.time-h.time <= p.DedupWindow
					break
				}
			}
			if !duplicate {
				open = append(open, g)
			}
		}
		return open
	}
	for _, g := range engagements {
		g.outcome = "orphan"
		switch {
		case byClaim(g):
			g.outcome = "outside"
		case g.closedThrough >= latest(g):
			g.outcome = "late"
		case !slices.Contains(openFor(record.MaxTime, engagements), g):
			g.outcome = "duplicate"
		}
	}

	var samples []want
	for _, v := range distinct {
		s := want{ID: v.id, Time: v.time, Payload: v.payload, Rate: 1}
		credited := make([][]*rec, len(p.Kinds))
		for _, g := range openFor(v.time, engagements) {
			if g.id != v.id {
				continue
			}
			if g.viewTime != record.NoTime && (v.time < g.viewTime-p.ClockSkew || v.time > g.viewTime+p.ClockSkew) {
				continue
			}
			inWindow := v.time-p.ClockSkew <= g.time && g.time < v.time+p.Kinds[g.kind].Window
			inReach := g.viewTime != record.NoTime || v.time > g.time-longest-margin && v.time <= g.time+p.ClockSkew+margin
			switch {
			case inWindow:
				g.outcome = "matched"
				if own(g) {
					sheet.Engagements[p.Kinds[g.kind].Name].N[account.Matches]++
				}
				credited[g.kind] = append(credited[g.kind], g)
			case inReach && g.outcome != "matched" && g.outcome != "duplicate":
				g.outcome = "outside"
			}
		}
		for k, all := range credited {
			count, sum, delay := 0, int64(0), "null"
			first, last, least, most := "null", "null", "null", "null"
			if len(all) > 0 {
				s.Positive = true
				switch p.Kinds[k].Credit {
				case rules.CreditFirst:
					all = all[:1]
				case rules.CreditLast:
					all = all[len(all)-1:]
				default: // all
				}
				count, delay = len(all), fmt.Sprint(max(0, all[0].time-v.time))
				first, last = fmt.Sprint(all[0].value), fmt.Sprint(all[len(all)-1].value)
				values := make([]int64, len(all))
				for i, g := range all {
					sum += g.value
					values[i] = g.value
				}
				least, most = fmt.Sprint(slices.Min(values)), fmt.Sprint(slices.Max(values))
			}
			label := map[label.Func]string{
				label.Binary: fmt.Sprint(min(count, 1)), label.Count: fmt.Sprint(count), label.TimeToFirst: delay, label.Sum: fmt.Sprint(sum),
				label.Min: least, label.Max: most, label.First: first, label.Last: last,
			}
			s.Labels, s.Delays = append(s.Labels, label[p.Kinds[k].Label]), append(s.Delays, delay)
		}
		if !own(v) {
			continue
		}
		if !s.Positive && p.Keep < 1 {
			if !rules.Keeps(rules.HashID([]byte(v.id)), p.Keep) {
				sheet.Views.N[account.SampledOut]++
				continue
			}
			s.Rate = p.Keep
		}
		sheet.Views.N[account.Samples]++
		if s.Positive {
			sheet.Views.N[account.Positives]++
		}
		samples = append(samples, s)
	}
	for _, g := range engagements {
		if !own(g) {
			continue
		}
		e := sheet.Engagements[p.Kinds[g.kind].Name]
		e.N[account.Read]++
		if g.eventID == "" {
			e.N[account.WithoutID]++
		}
		partly := !byClaim(g) && g.closedThrough < latest(g) && g.closedThrough >= earliest(g)
		if partly {
			e.N[account.PartlyLate]++
		}
		switch {
		case g.outcome == "late", g.outcome == "orphan" && partly:
			e.N[account.Late]++
		case g.outcome == "matched":
			e.N[account.Matched]++
		case g.outcome == "outside":
			e.N[account.Outside]++
		case g.outcome == "duplicate":
			e.N[account.Duplicates]++
		default:
			e.N[account.Orphans]++
		}
	}
	slices.SortFunc(samples, func(a, b want) int { return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.ID, b.ID)) })
	return samples, sheet
}
