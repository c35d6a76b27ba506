package attribution

import "tributary/io/record"

// span is the view times that an engagement is looked up under.
type span struct {
	// counts bounds the views that it may count for, inclusive; there are none if it is
	// empty, which takes a view time that puts the engagement outside its window.
	countsFrom, countsTo int64
	// found bounds the views that are recognised as its view at all, inclusive: a margin
	// around counts tells an engagement outside the window from an orphan.
	foundFrom, foundTo int64
	// shadowTo is how far on its duplicates may look for views: they must meet it there.
	shadowTo int64
}

// spanOf returns where the view of an engagement may be: anywhere in its window, or,
// if it carries its view's time, only there, give or take the clock skew.
func (p *Params) spanOf(kind int, eventTime, viewTime int64) span {
	s := span{countsFrom: eventTime - p.Kinds[kind].Window + 1, countsTo: eventTime + p.ClockSkew}
	if viewTime != record.NoTime {
		s.foundFrom, s.foundTo = viewTime-p.ClockSkew, viewTime+p.ClockSkew
		s.countsFrom, s.countsTo = max(s.countsFrom, s.foundFrom), min(s.countsTo, s.foundTo)
		s.shadowTo = s.foundTo // its duplicates carry the same view time
	} else {
		s.foundFrom = eventTime - p.longestWindow() - p.slack() + 1
		s.foundTo = s.countsTo + p.slack()
		s.shadowTo = s.foundTo + p.DedupWindow
	}
	// Outside the times that are taken there are no views, and so no buckets: before them,
	// Beam's fixed windows run into one another.
	s.foundFrom = max(s.foundFrom, record.MinTime)
	s.foundTo, s.shadowTo = min(s.foundTo, record.MaxTime), min(s.shadowTo, record.MaxTime)
	return s
}
