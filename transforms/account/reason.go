package account

import (
	"regexp"
	"strings"
)

// InputOf returns the counts of the input with that name, which it makes if need be. One
// without a name has no account: its counts go nowhere.
func (l *Sheet) InputOf(name string) *Input {
	if name == "" {
		return &Input{}
	}
	if l.Inputs == nil {
		l.Inputs = map[string]*Input{}
	}
	in := l.Inputs[name]
	if in == nil {
		in = &Input{}
		l.Inputs[name] = in
	}
	return in
}

// AddDead counts n records of an input that cannot be used, and as of a kind of engagement, or as
// views if kind is empty; detail says in words what was wrong with one.
func (l *Sheet) AddDead(input, kind, detail string, n int64) {
	in := l.InputOf(input)
	in.N[Read] += n
	in.N[Dead] += n
	if kind == "" {
		l.Views.N[Read] += n
		l.Views.N[Dead] += n
		l.Views.AddReason(detail, n)
		return
	}
	e := l.engagementsOf(kind)
	e.N[Read] += n
	e.N[Dead] += n
	e.AddReason(detail, n)
}

// AddTombstones counts n records without a value, of an input and as AddDead does. They are not read.
func (l *Sheet) AddTombstones(input, kind string, n int64) {
	l.InputOf(input).N[Tombstones] += n
	if kind == "" {
		l.Views.N[Tombstones] += n
	} else {
		l.engagementsOf(kind).N[Tombstones] += n
	}
}

// AddDamage counts a place where it is not known how many records of a kind of engagement, or
// of views, were lost.
func (l *Sheet) AddDamage(kind string) {
	if kind == "" {
		l.Views.N[Damages]++
	} else {
		l.engagementsOf(kind).N[Damages]++
	}
}

func (l *Sheet) engagementsOf(kind string) *Engagements {
	if l.Engagements[kind] == nil {
		l.Engagements[kind] = &Engagements{}
	}
	return l.Engagements[kind]
}

// AddReason counts n views that were refused; detail says in words what was wrong with one.
func (v *Views) AddReason(detail string, n int64) { v.Reasons = addReason(v.Reasons, detail, n) }

// AddReason counts n engagements that were refused; detail says in words what was wrong with
// one.
func (e *Engagements) AddReason(detail string, n int64) { e.Reasons = addReason(e.Reasons, detail, n) }

func addReason(reasons map[string]*Reason, detail string, n int64) map[string]*Reason {
	if n == 0 {
		return reasons // what is lost in an unknown number is counted apart
	}
	if reasons == nil {
		reasons = map[string]*Reason{}
	}
	countReason(reasons, reasonOf(detail), Reason{Count: n, Example: detail})
	return reasons
}

// values are the parts of a detail that are of one record: quoted text, and numbers that are
// not part of a word.
var values = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|RFC \d+|-?\b\d[\d.]*(?:e[+-]?\d+)?\b`)

// maxReason bounds the text of a reason, maxReasons how many there are: a detail may quote
// anything. Beyond it reasons are counted as others.
const (
	maxReason    = 160
	maxReasons   = 50
	otherReasons = "other reasons"
)

// reasonOf is a detail without the values of its record.
func reasonOf(detail string) string {
	if !strings.ContainsAny(detail, `"0123456789`) { // as of all that are late: there is nothing to look for
		return detail[:min(len(detail), maxReason)]
	}
	reason := values.ReplaceAllStringFunc(detail, func(value string) string {
		if strings.HasPrefix(value, "RFC ") {
			return value
		}
		return "…"
	})
	if len(reason) > maxReason {
		reason = reason[:maxReason]
	}
	return reason
}

// mergeReasons adds more to reasons and returns them. While there are no more than maxReasons
// its result does not depend on the order of merging.
func mergeReasons(reasons, more map[string]*Reason) map[string]*Reason {
	if reasons == nil && len(more) > 0 {
		reasons = make(map[string]*Reason, len(more))
	}
	for text, r := range more {
		countReason(reasons, text, *r)
	}
	return reasons
}

func countReason(reasons map[string]*Reason, text string, r Reason) {
	known := reasons[text]
	if known == nil && len(reasons) >= maxReasons {
		text = otherReasons
		known = reasons[text]
	}
	if known == nil {
		reasons[text] = &r
		return
	}
	known.Count += r.Count
	known.Example = min(known.Example, r.Example)
}
