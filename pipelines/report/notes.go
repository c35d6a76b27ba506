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
		n.refused(subject{kind: k.Name}, counts{read: k.N[account.Read], late: k.N[account.Late], dead: k.N[account.Dead]})
		n.matching(k, noneLeft(r.Accounts.Views))
		n.values(k)
		n.delays(k)
	}
	n.inputs(r)
	n.stages(r)
	n.files(r)
	return sorted(n.all)
}

// subject is what a note is about: views if it names nothing.
type subject struct{ kind, input, stage string }

func (s subject) String() string {
	switch {
	case s.stage != "":
		return "at " + Harmless(s.stage)
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
		Code: r.code, Severity: severity, Kind: s.kind, Input: s.input, Stage: s.stage, Count: count, Text: r.text([]string{what}), rule: r, what: what,
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
	case v.N[account.Read] == 0 && v.N[account.Filtered] > 0:
		n.add(ruleWhereMatchesNothing, ruleWhereMatchesNothing.severity, views, v.N[account.Filtered], "none of "+grouped(v.N[account.Filtered]))
	case v.N[account.Read] == 0:
		n.say(ruleNoViews, ruleNoViews.severity, views, 0, "")
	case v.N[account.Samples] > 0 && v.N[account.Positives] == 0:
		n.say(ruleNoPositives, ruleNoPositives.severity, views, v.N[account.Samples], number(v.N[account.Samples], "sample"))
	}
	n.refused(views, counts{read: v.N[account.Read], late: v.N[account.Late], dead: v.N[account.Dead]})
	n.table(views, account.OfViews, &v.N)
}

// table notes the counts of a subject whose rows say what there is to note.
func (n *notes) table(s subject, of account.Subject, counts *account.Counts) {
	for i, row := range account.Table() {
		count := counts[i]
		if row.Note == nil || row.In(of) == nil || count <= 0 {
			continue
		}
		r := ruleOf(row.Note.Code)
		put := n.add
		if row.Engagements == nil { // views alone: they need not be named
			put = n.say
		}
		note := put(r, r.severity, s, count, figure(row.Note, count, counts[row.Note.Of]))
		note.AtLeast = row.Note.Form == account.AtLeast
	}
}

// figure writes a count as its note asks for.
func figure(note *account.Note, count, whole int64) string {
	switch note.Form {
	case account.Portion:
		return portion(count, whole)
	case account.AtLeast:
		return "at least " + grouped(count)
	case account.Places:
		return "in " + number(count, "place")
	default:
		return share(count, whole)
	}
}

// noneLeft says that views were read, and all of them late or dead.
func noneLeft(v account.Views) bool {
	return v.N[account.Read] > 0 && v.N[account.Late]+v.N[account.Dead] == v.N[account.Read]
}

// matching notes what keeps engagements from their views, or leads them to too many. That
// there are no views is said by itself.
func (n *notes) matching(k kind, noViews bool) {
	s := subject{kind: k.Name}
	lost := k.N[account.Orphans] + k.N[account.Outside]
	switch {
	case k.N[account.Read] == 0 && k.N[account.Filtered] > 0:
		n.add(ruleWhereMatchesNothing, ruleWhereMatchesNothing.severity, s, k.N[account.Filtered], "none of "+grouped(k.N[account.Filtered]))
	case k.N[account.Read] == 0:
		n.add(ruleNoEngagements, ruleNoEngagements.severity, s, 0, "")
	case k.N[account.Matched] == 0 && lost > 0 && noViews:
	case k.N[account.Matched] == 0 && lost > 0:
		severity := ruleNothingMatched.severity
		if lost > 1 && k.N[account.Open] == 0 { // one may happen to be a stray
			severity = Error
		}
		n.add(ruleNothingMatched, severity, s, lost, "none of "+grouped(k.N[account.Read]))
	case n.limits.Unmatched.exceeded(lost, k.N[account.Read]):
		n.add(ruleUnmatched, Error, s, lost, beyond(lost, k.N[account.Read], n.limits.Unmatched))
	}
	if k.N[account.Matched] > 0 && above(k.N[account.Orphans], k.N[account.Read], orphansWorth) {
		n.add(ruleOrphans, ruleOrphans.severity, s, k.N[account.Orphans], share(k.N[account.Orphans], k.N[account.Read]))
	}
	if k.N[account.Matched] > 0 && above(k.N[account.Outside], k.N[account.Read], outsideWorth) {
		n.add(ruleOutsideWindow, ruleOutsideWindow.severity, s, k.N[account.Outside], share(k.N[account.Outside], k.N[account.Read]))
	}
	// Each positive has an engagement: where there are more of them, some have the same.
	pairs := max(k.N[account.Matches], k.N[account.Positives])
	if more := pairs - k.N[account.Matched]; more > 0 {
		n.add(ruleSeveralViews, ruleSeveralViews.severity, s, more, fmt.Sprintf("%s for %s", grouped(k.N[account.Matched]), number(pairs, "view")))
	}
}

// values notes fields that no record has, and values that no label could be made of.
func (n *notes) values(k kind) {
	s := subject{kind: k.Name}
	// What was dead was not looked at for its id or value, or not to the end.
	if k.N[account.WithoutID] > 0 && k.N[account.WithoutID]+k.N[account.Dead] >= k.N[account.Read] {
		n.add(ruleWithoutID, ruleWithoutID.severity, s, k.N[account.WithoutID], "all "+grouped(k.N[account.WithoutID]))
	}
	if k.N[account.WithoutValue] > 0 && k.N[account.WithoutValue]+k.N[account.Dead] >= k.N[account.Read] {
		n.add(ruleWithoutValue, ruleWithoutValue.severity, s, k.N[account.WithoutValue], "all "+grouped(k.N[account.WithoutValue]))
	}
	n.table(s, account.OfEngagements, &k.N)
}

func (n *notes) delays(k kind) {
	s := subject{kind: k.Name}
	if zeros := k.Delay.Count() - k.Delay.AtLeast(1); zeros > 0 && float64(zeros) >= zeroWorth*float64(k.Delay.Count()) {
		n.add(ruleZeroDelays, ruleZeroDelays.severity, s, zeros, portion(zeros, k.Delay.Count()))
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
		n.refused(s, counts{read: in.N[account.Read], late: in.N[account.Late], dead: in.N[account.Dead]})
		if in.N[account.Read] == 0 && in.N[account.Filtered] > 0 && !in.kindFiltered {
			n.add(ruleWhereMatchesNothing, ruleWhereMatchesNothing.severity, s, in.N[account.Filtered], "none of "+grouped(in.N[account.Filtered]))
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

// portion writes a count and the whole, which may be all of it.
func portion(n, whole int64) string {
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
	n := l.Views.N[account.Damages]
	for _, e := range l.Engagements {
		if e != nil {
			n += e.N[account.Damages]
		}
	}
	return n
}
