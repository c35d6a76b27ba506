package ledger

import (
	"regexp"
	"strings"
)

// InputOf returns the counts of the input with that name, which it makes if need be.
func (l *Ledger) InputOf(name string) *Input {
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

// AddReason counts n views that were refused; detail says in words what was wrong with one.
func (v *Views) AddReason(detail string, n int64) { v.Reasons = addReason(v.Reasons, detail, n) }

// AddReason counts n engagements that were refused; detail says in words what was wrong with
// one.
func (e *Engagements) AddReason(detail string, n int64) { e.Reasons = addReason(e.Reasons, detail, n) }

func addReason(reasons map[string]*Reason, detail string, n int64) map[string]*Reason {
	if n == 0 {
		return reasons // what is lost in an unknown number is counted apart
	}
	return mergeReasons(reasons, map[string]*Reason{reasonOf(detail): {Count: n, Example: detail}})
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
		known := reasons[text]
		if known == nil && len(reasons) >= maxReasons {
			text = otherReasons
			known = reasons[text]
		}
		if known == nil {
			reasons[text] = &Reason{Count: r.Count, Example: r.Example}
			continue
		}
		known.Count += r.Count
		known.Example = min(known.Example, r.Example)
	}
	return reasons
}
