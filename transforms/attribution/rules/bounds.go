package rules

import "tributary/io/record"

// LongestWindow is how long a view stays open: until its closing time.
func (p *Params) LongestWindow() int64 {
	longest := int64(0)
	for _, k := range p.Kinds {
		longest = max(longest, k.Window)
	}
	return longest
}

// EndOf is where a log ends, by the clocks of its partitions: at the largest event time, unless that is further ahead of all others
// than the longest window. One record from a clock that is wrong does not make all labels mature. NoTime of a log without event
// times.
func (p *Params) EndOf(partitions ...record.Clock) int64 {
	all := record.NoClock
	for _, c := range partitions {
		all.Add(c.Second)
		all.Add(c.Largest)
	}
	return all.Time(max(p.LongestWindow(), p.MaxFutureSkew))
}

// Slack is how far beyond the views that an engagement may count for it is still
// looked up, to tell one outside its view's window from an orphan. What an event in order
// finds within the out-of-orderness is still open, what a displaced one finds may not be;
// twice the skew covers every view time an engagement can carry and still count.
func (p *Params) Slack() int64 { return max(p.OutOfOrderness, 2*p.ClockSkew) }

// InputBounds says which events outside an interval matter for it, in milliseconds: a reader has to
// hand over views of [from-ViewsBefore, to+ViewsAfter) and engagements of
// [from-EngagementsBefore, to+EngagementsAfter).
type InputBounds struct {
	ViewsBefore, ViewsAfter, EngagementsBefore, EngagementsAfter int64
}

// InputBounds returns the input bounds of the join.
func (p *Params) InputBounds() InputBounds {
	after := p.ClockSkew + p.Slack() + 1
	if p.Shares() { // a view after another one may have what would be its
		after += p.LongestWindow()
	}
	before := p.ClockSkew + p.DedupWindow // duplicates must meet
	for kind := range p.Kinds {
		if window := p.WindowAfter(kind); window > 0 {
			before = max(before, window+2*p.ClockSkew)
		}
	}
	return InputBounds{
		// The view of an engagement of the interval accounts for it (see SpanOf), and the view
		// before that one tells whether it is a duplicate.
		ViewsBefore:       p.LongestWindow() + p.Slack() + p.DedupWindow,
		ViewsAfter:        after,
		EngagementsBefore: before,
		EngagementsAfter:  p.LongestWindow(),
	}
}

// Lookback is how far before the start of a bucket the events lie that matter for it, in
// milliseconds: without those before, its samples are the same, and so are the outcomes of the
// engagements that it owns.
func (p *Params) Lookback() int64 {
	// What an engagement of its views may be a duplicate of; an engagement that names its
	// view's time lies at most three times the skew before it, which the slack covers.
	back := p.ClockSkew + p.Slack() + p.DedupWindow
	// What it owns may have its view that far back.
	return back + p.LongestWindow() + p.Slack()
}
