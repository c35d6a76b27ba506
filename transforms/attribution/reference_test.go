package attribution

import (
	"cmp"
	"fmt"
	"math/big"
	"slices"
	"strconv"

	"tributary/io/record"
	"tributary/transforms/account"
	"tributary/transforms/attribution/rules"
)

// record is one record of a log, as a test writes it. Times are in milliseconds.
type rec struct {
	partition int32
	ordered   bool
	offset    int64

	view     bool
	kind     int
	id       string // the view's, or its key where engagements name that
	own      string // the id of a view that has a key
	time     int64
	payload  string
	viewTime int64 // record.NoTime if none
	eventID  string
	value    int64
	other    string // text, empty for none

	unseen bool // it moves the clock of its partition, and that is all

	closedThrough int64 // set by the reference: views at or before it had closed
	outcome       string
	of            int // among how many the view at hand shares it
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
	// Withdrawn: of weight 0.
	Withdrawn bool
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

// mistaken: a stage but the last tells views of earlier buckets apart by their hash alone.
func mistaken(p *rules.Params, v *rec, views []*rec) bool {
	return !p.Final() && !p.Keyed() && slices.ContainsFunc(views, func(w *rec) bool {
		return rules.HashID([]byte(w.id)) == rules.HashID([]byte(v.id)) && w.id != v.id &&
			p.BucketOf(w.time) < p.BucketOf(v.time) && v.time-w.time <= p.DedupWindow
	})
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
		if r.unseen {
			continue
		}
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
	lastView := map[[2]string]*rec{}
	keptView := map[[2]string]*rec{}
	for _, v := range views {
		id := [2]string{v.id, v.own}
		if last := lastView[id]; last != nil && v.time-last.time <= p.DedupWindow || mistaken(p, v, views) {
			if own(v) {
				sheet.Views.N[account.Duplicates]++
				if kept := keptView[id]; kept != nil && kept.payload != v.payload {
					sheet.Views.N[account.DuplicatesDiffering]++
				}
			}
		} else {
			distinct = append(distinct, v)
			v.outcome = "kept"
			keptView[id] = v
		}
		lastView[id] = v
	}

	same := func(a, b *rec) bool {
		if a.kind != b.kind || a.id != b.id || a.viewTime != b.viewTime || a.eventID != b.eventID {
			return false
		}
		return a.eventID != "" || a.time == b.time && slices.Equal(valuesOf(p, a), valuesOf(p, b))
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

	matches := func(v, g *rec) bool {
		return g.id == v.id && (g.viewTime == record.NoTime || v.time >= g.viewTime-p.ClockSkew && v.time <= g.viewTime+p.ClockSkew) &&
			v.time-p.ClockSkew <= g.time && g.time < v.time+p.Kinds[g.kind].Window
	}
	// knows tells whether a view at t knew w and took it for no duplicate.
	knows := func(t int64, w *rec) bool {
		return w.closedThrough < t && !slices.ContainsFunc(views, func(x *rec) bool {
			return x.id == w.id && x.own == w.own && inOrder(x, w) < 0 && w.time-x.time <= p.DedupWindow && x.closedThrough < t
		})
	}
	var samples []want
	for _, v := range distinct {
		s := want{ID: v.id, Time: v.time, Payload: v.payload, Rate: 1}
		if p.Keyed() {
			s.ID = v.own
		}
		credited := make([][]*rec, len(p.Kinds))
		for _, g := range openFor(v.time, engagements) {
			if g.id != v.id {
				continue
			}
			if g.viewTime != record.NoTime && (v.time < g.viewTime-p.ClockSkew || v.time > g.viewTime+p.ClockSkew) {
				continue
			}
			inWindow, of := v.time-p.ClockSkew <= g.time && g.time < v.time+p.Kinds[g.kind].Window, 0
			if inWindow {
				var all, seen []*rec // seen: and duplicates
				for _, w := range views {
					if matches(w, g) && g.closedThrough < w.time {
						if seen = append(seen, w); slices.Contains(distinct, w) {
							all = append(all, w)
						}
					}
				}
				if after := p.AfterOf(g.kind); after >= 0 {
					of = afterBy(&p.Kinds[g.kind], all, seen, v, knows, func(t int64, w *rec) bool {
						return slices.ContainsFunc(engagements, func(c *rec) bool {
							return c.kind == after && c.time <= g.time && !gone(c) && matches(w, c) && c.closedThrough < w.time && c.closedThrough < t
						})
					})
				} else {
					of = sharedBy(p.Kinds[g.kind].Credit, all, seen, v, knows)
				}
			}
			inReach := g.viewTime != record.NoTime || v.time > g.time-longest-margin && v.time <= g.time+p.ClockSkew+margin
			switch {
			case inWindow && of > 0:
				g.of = of
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
			delay := "null"
			if len(all) > 0 {
				s.Positive = true
				switch p.Kinds[k].Count {
				case rules.CountFirst:
					all = all[:1]
				case rules.CountLast:
					all = all[len(all)-1:]
				default: // all
				}
				delay = fmt.Sprint(max(0, all[0].time-v.time))
			}
			for _, l := range labelsOf(p, k) {
				s.Labels = append(s.Labels, l.of(all, delay))
			}
			s.Delays = append(s.Delays, delay)
		}
		if !own(v) {
			continue
		}
		if !s.Positive && p.Keep < 1 {
			if !rules.Keeps(rules.HashID([]byte(s.ID)), p.Keep) {
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
		if lacksValue(p, g) {
			e.N[account.WithoutValue]++
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

// sharedBy tells among how many of all views that an engagement may count for, in order, v shares it; 0 if it does not count for v.
// seen are these and their duplicates.
func sharedBy(by rules.Credit, all, seen []*rec, v *rec, knows func(t int64, w *rec) bool) (of int) {
	first := all[0]
	switch by {
	case rules.CreditAll:
		return 1
	case rules.CreditFirst:
		if v == first {
			return 1
		}
	case rules.CreditLast:
		for _, w := range all {
			after := seen[slices.Index(seen, w)+1:]
			if !slices.ContainsFunc(after, func(later *rec) bool { return knows(w.time, later) }) {
				if w == v {
					return 1
				}
				return 0
			}
		}
	case rules.CreditEven:
		after := seen[slices.Index(seen, first)+1:]
		of = 1
		for _, w := range after {
			if knows(first.time, w) {
				of++
			}
		}
		if v == first || knows(first.time, v) {
			return of
		}
	}
	return 0
}

// afterBy is sharedBy where only views count that have an engagement of another kind: has tells whether one was read before t of which
// views know it. In order, the first view takes it that finds itself to be the one which is to, of all views that it knows.
func afterBy(k *rules.Kind, all, seen []*rec, v *rec, knows, has func(t int64, w *rec) bool) (of int) {
	for _, w := range all {
		var known, having []*rec
		for _, x := range seen {
			if knows(w.time, x) {
				if known = append(known, x); has(w.time, x) {
					having = append(having, x)
				}
			}
		}
		if len(having) == 0 && k.Otherwise {
			having = known
		}
		at := 0
		if k.Credit == rules.CreditLast {
			at = len(having) - 1
		}
		if len(having) > 0 && having[at] == w {
			if w == v {
				return 1
			}
			return 0
		}
	}
	return 0
}

func double(f float64) *big.Rat { return new(big.Rat).SetFloat64(f) }

// numeral is a double as JSON has it.
func numeral(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }
