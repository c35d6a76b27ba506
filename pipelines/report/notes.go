package report

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"tributary/transforms/account"
)

// Thresholds above which a figure becomes a note. They are shares of what was read.
const (
	// orphansWorth: a few engagements always refer to views before the first file.
	orphansWorth = 0.01
	// lateWorth: late events are lost to the samples, so already few of them count.
	lateWorth = 0.001
	// outsideWorth: some engagements always come after any window.
	outsideWorth = 0.05
	// windowWorth: delays fall off long before the end of a window that is long
	// enough; with p99 in its last tenth they do not.
	windowWorth = 0.9
	// zeroWorth: an engagement in the very millisecond of its view is rare.
	zeroWorth = 0.5 // where one log was read as both, each engagement is its own view, too
)

// Notes lists what a reader should worry about, the gravest first; none if all is well.
func (r *Report) Notes() []Note {
	n := notes{limits: r.Limits}
	n.balance(r.Accounts.Check())
	n.views(r)
	for _, k := range r.kinds() {
		n.refused(subject{kind: k.Name}, counts{read: k.Read, late: k.Late, dead: k.Dead})
		n.matching(k, noneLeft(r.Accounts.Views))
		n.values(k)
		n.delays(k)
	}
	n.inputs(r)
	n.files(r)
	return sorted(n.all)
}

// subject is what a note is about: views if it names nothing.
type subject struct{ kind, input string }

func (s subject) String() string {
	switch {
	case s.input != "":
		return Harmless(s.input)
	case s.kind != "":
		return Harmless(s.kind)
	default:
		return "views"
	}
}

type notes struct {
	limits Limits
	all    []Note
}

// add makes a note of n records of the subject; the figure says it in words.
func (n *notes) add(r *rule, severity Severity, s subject, count int64, figure string) *Note {
	what := s.String()
	if figure != "" {
		what += " " + figure
	}
	return n.say(r, severity, s, count, what)
}

func (n *notes) say(r *rule, severity Severity, s subject, count int64, what string) *Note {
	n.all = append(n.all, Note{
		Code: r.code, Severity: severity, Kind: s.kind, Input: s.input, Count: count, Text: r.text([]string{what}), rule: r, what: what,
	})
	return &n.all[len(n.all)-1]
}

func (n *notes) balance(err error) {
	for _, line := range lines(err) {
		n.say(ruleUnbalanced, Error, subject{}, 0, line)
	}
}

// lines returns the joined errors of Check one by one.
func lines(err error) []string {
	if err == nil {
		return nil
	}
	var joined interface{ Unwrap() []error }
	if !errors.As(err, &joined) {
		return []string{Harmless(err.Error())}
	}
	var all []string
	for _, e := range joined.Unwrap() {
		all = append(all, Harmless(strings.TrimSpace(e.Error())))
	}
	return all
}

func (n *notes) views(r *Report) {
	v := r.Accounts.Views
	views := subject{}
	switch {
	case v.Read == 0:
		n.say(ruleNoViews, ruleNoViews.severity, views, 0, "")
	case v.Samples > 0 && v.Positives == 0:
		n.say(ruleNoPositives, ruleNoPositives.severity, views, v.Samples, number(v.Samples, "sample"))
	}
	n.refused(views, counts{read: v.Read, late: v.Late, dead: v.Dead})
	if v.LateAfterIdle > 0 {
		n.say(ruleLateAfterIdle, ruleLateAfterIdle.severity, views, v.LateAfterIdle, share(v.LateAfterIdle, v.Read))
	}
	n.damages(views, v.Damages)
	if v.Resent > 0 {
		n.say(ruleResent, ruleResent.severity, views, v.Resent, "at least "+grouped(v.Resent)).AtLeast = true
	}
	if v.DuplicatesChained > 0 {
		n.say(ruleDuplicatesChained, ruleDuplicatesChained.severity, views, v.DuplicatesChained, "at least "+grouped(v.DuplicatesChained)).AtLeast = true
	}
	if v.Immature > 0 {
		n.say(ruleImmature, ruleImmature.severity, views, v.Immature, share(v.Immature, v.Samples))
	}
	if v.DuplicatesDiffering > 0 {
		n.say(ruleDuplicatesDiffering, ruleDuplicatesDiffering.severity, views, v.DuplicatesDiffering, of(v.DuplicatesDiffering, v.Duplicates))
	}
}

func (n *notes) damages(s subject, places int64) {
	switch {
	case places == 1:
		n.add(ruleDamaged, ruleDamaged.severity, s, places, "in 1 place")
	case places > 1:
		n.add(ruleDamaged, ruleDamaged.severity, s, places, "in "+grouped(places)+" places")
	}
}

// noneLeft says that views were read, and all of them late or dead.
func noneLeft(v account.Views) bool { return v.Read > 0 && v.Late+v.Dead == v.Read }

// matching notes what keeps engagements from their views, or leads them to too many. That
// there are no views is said by itself.
func (n *notes) matching(k kind, noViews bool) {
	s := subject{kind: k.Name}
	n.damages(s, k.Damages)
	lost := k.Orphans + k.Outside
	switch {
	case k.Read == 0 && k.Filtered > 0:
		n.add(ruleWhereMatchesNothing, ruleWhereMatchesNothing.severity, s, k.Filtered, "none of "+grouped(k.Filtered))
	case k.Read == 0:
		n.add(ruleNoEngagements, ruleNoEngagements.severity, s, 0, "")
	case k.Matched == 0 && lost > 0 && noViews:
	case k.Matched == 0 && lost > 0:
		severity := ruleNothingMatched.severity
		if lost > 1 && k.Open == 0 { // one may happen to be a stray
			severity = Error
		}
		n.add(ruleNothingMatched, severity, s, lost, "none of "+grouped(k.Read))
	case n.limits.Unmatched.exceeded(lost, k.Read):
		n.add(ruleUnmatched, Error, s, lost, beyond(lost, k.Read, n.limits.Unmatched))
	}
	if k.OrphansLikeFloats > 0 {
		n.add(ruleOrphansLikeFloats, ruleOrphansLikeFloats.severity, s, k.OrphansLikeFloats, of(k.OrphansLikeFloats, k.Orphans))
	}
	if k.Matched > 0 && above(k.Orphans, k.Read, orphansWorth) {
		n.add(ruleOrphans, ruleOrphans.severity, s, k.Orphans, share(k.Orphans, k.Read))
	}
	if k.Matched > 0 && above(k.Outside, k.Read, outsideWorth) {
		n.add(ruleOutsideWindow, ruleOutsideWindow.severity, s, k.Outside, share(k.Outside, k.Read))
	}
	// Each positive has an engagement: where there are more of them, some have the same.
	pairs := max(k.Matches, k.Positives)
	if more := pairs - k.Matched; more > 0 {
		n.add(ruleSeveralViews, ruleSeveralViews.severity, s, more, fmt.Sprintf("%s for %s", grouped(k.Matched), number(pairs, "view")))
	}
}

// values notes fields that no record has, and values that no label could be made of.
func (n *notes) values(k kind) {
	s := subject{kind: k.Name}
	// What was dead was not looked at for its id or value, or not to the end.
	if k.WithoutID > 0 && k.WithoutID+k.Dead >= k.Read {
		n.add(ruleWithoutID, ruleWithoutID.severity, s, k.WithoutID, "all "+grouped(k.WithoutID))
	}
	if k.WithoutValue > 0 && k.WithoutValue+k.Dead >= k.Read {
		n.add(ruleWithoutValue, ruleWithoutValue.severity, s, k.WithoutValue, "all "+grouped(k.WithoutValue))
	}
	if k.BadValues > 0 {
		n.add(ruleBadValues, ruleBadValues.severity, s, k.BadValues, share(k.BadValues, k.Read))
	}
	if k.LateAfterIdle > 0 {
		n.add(ruleLateAfterIdle, ruleLateAfterIdle.severity, s, k.LateAfterIdle, share(k.LateAfterIdle, k.Read))
	}
	if k.Overflows > 0 {
		n.add(ruleOverflows, ruleOverflows.severity, s, k.Overflows, share(k.Overflows, k.Read))
	}
}

func (n *notes) delays(k kind) {
	s := subject{kind: k.Name}
	if zeros := k.Delay.Count() - k.Delay.AtLeast(1); zeros > 0 && float64(zeros) >= zeroWorth*float64(k.Delay.Count()) {
		n.add(ruleZeroDelays, ruleZeroDelays.severity, s, zeros, of(zeros, k.Delay.Count()))
	}
	end := int64(math.Ceil(windowWorth * float64(k.Window.Milliseconds())))
	if k.Window > 0 && k.Delay.Count() > 0 && k.Delay.Quantile(0.99) >= end {
		count := k.Delay.AtLeast(end)
		n.add(ruleWindowShort, ruleWindowShort.severity, s, count, fmt.Sprintf("%s of %s, %s or longer, where the window is %s",
			grouped(count), number(k.Delay.Count(), "delay"), duration(millis(end)), duration(k.Window)))
	}
}

// inputs notes what is so of an input alone; a kind's only input is as the kind is.
func (n *notes) inputs(r *Report) {
	for _, in := range r.inputs() {
		if in.only {
			continue
		}
		s := subject{kind: in.kind, input: in.name}
		n.refused(s, counts{read: in.Read, late: in.Late, dead: in.Dead})
		if in.Read == 0 && in.Filtered > 0 && !in.kindFiltered {
			n.add(ruleWhereMatchesNothing, ruleWhereMatchesNothing.severity, s, in.Filtered, "none of "+grouped(in.Filtered))
		}
	}
}

// counts are what was refused of what was read.
type counts struct{ read, late, dead int64 }

// refused notes late and dead records. Of a single input only what makes the command fail:
// the rest is in the note of its kind.
func (n *notes) refused(s subject, c counts) {
	note := func(r *rule, count int64, limit Limit, worth float64) {
		switch {
		case count > 0 && count == c.read:
			n.add(r, Error, s, count, "all "+grouped(count))
		case limit.exceeded(count, c.read):
			n.add(r, Error, s, count, beyond(count, c.read, limit))
		case s.input == "" && above(count, c.read, worth):
			n.add(r, r.severity, s, count, share(count, c.read))
		}
	}
	note(ruleDead, c.dead, n.limits.Dead, 0)
	note(ruleLate, c.late, n.limits.Late, lateWorth)
	if c.dead > 0 && c.late > 0 && c.dead+c.late == c.read {
		n.add(ruleUnusable, Error, s, c.read, fmt.Sprintf("%s, %s late and %s dead", grouped(c.read), grouped(c.late), grouped(c.dead)))
	}
}

// share writes a count and what share of the whole it is.
func share(n, whole int64) string { return fmt.Sprintf("%s (%s)", grouped(n), percent(n, whole)) }

// of writes a count and the whole, which may be all of it.
func of(n, whole int64) string {
	if n == whole {
		return "all " + grouped(n)
	}
	return grouped(n) + " of " + grouped(whole)
}

func beyond(n, whole int64, limit Limit) string {
	return fmt.Sprintf("%s (%s, more than %s)", grouped(n), percent(n, whole), limit.String())
}

func above(part, whole int64, share float64) bool {
	return whole > 0 && float64(part) > share*float64(whole)
}

// damages counts the places where it is not known what was lost.
func damages(l *account.Sheet) int64 {
	n := l.Views.Damages
	for _, e := range l.Engagements {
		if e != nil {
			n += e.Damages
		}
	}
	return n
}
