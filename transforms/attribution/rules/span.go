package rules

import "tributary/io/record"

// Span is the view times that an engagement is looked up under.
type Span struct {
	// counts bounds the views that it may count for, inclusive; there are none if it is
	// empty, which takes a view time that puts the engagement outside its window.
	CountsFrom, CountsTo int64
	// found bounds the views that are recognised as its view at all, inclusive: the slack
	// around counts tells an engagement outside the window from an orphan.
	FoundFrom, FoundTo int64
	// DuplicatesTo is how far on its duplicates may look for views: they must meet it there.
	DuplicatesTo int64
}

// SpanOf returns where the view of an engagement may be: anywhere in its window, or,
// if it carries its view's time, only there, give or take the clock skew.
func (p *Params) SpanOf(kind int, eventTime, viewTime int64) Span {
	s := Span{CountsFrom: eventTime - p.Kinds[kind].Window + 1, CountsTo: eventTime + p.ClockSkew}
	if viewTime != record.NoTime {
		s.FoundFrom, s.FoundTo = viewTime-p.ClockSkew, viewTime+p.ClockSkew
		s.CountsFrom, s.CountsTo = max(s.CountsFrom, s.FoundFrom), min(s.CountsTo, s.FoundTo)
		s.DuplicatesTo = s.FoundTo // its duplicates carry the same view time
	} else {
		s.FoundFrom, s.FoundTo = s.CountsFrom, s.CountsTo
		if p.Final() { // the others do not tell what became of an engagement
			s.FoundFrom = eventTime - p.LongestWindow() - p.Slack() + 1
			s.FoundTo = s.CountsTo + p.Slack()
		}
		s.DuplicatesTo = s.FoundTo + p.DedupWindow
	}
	// Outside the times that are taken there are no views, and so no buckets: before them,
	// Beam's fixed windows run into one another.
	s.FoundFrom = max(s.FoundFrom, p.Begins())
	s.FoundTo, s.DuplicatesTo = min(s.FoundTo, record.MaxTime), min(s.DuplicatesTo, record.MaxTime)
	return s
}
