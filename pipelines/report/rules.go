package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"

	"tributary/transforms/account"
)

// Severity says how much a note matters.
type Severity string

// Severities, the gravest first.
const (
	// Error: the join is wrong or of no use, and the command fails.
	Error Severity = "error"
	// Warning: labels may be wrong, or samples missing.
	Warning Severity = "warning"
	// Info: worth knowing.
	Info Severity = "info"
)

// severities in order, each with what its notes are called.
var severities = []struct {
	Severity
	name, plural string
}{{Error, "error", "Errors"}, {Warning, "warning", "Warnings"}, {Info, "remark", "Remarks"}}

func (s Severity) rank() int {
	for i, known := range severities {
		if known.Severity == s {
			return i
		}
	}
	return len(severities)
}

// rule is a kind of note. Its notes say: title: what and how many. advice
type rule struct {
	code     string
	severity Severity // of its notes, where they are not errors
	title    string
	advice   string // what it means, and what can be done
}

// handmade are the rules that are not of a count alone, in order of importance.
var handmade = []*rule{
	ruleUnbalanced, ruleDead, ruleLate, ruleUnusable, ruleUnmatched, ruleNothingMatched, ruleNoViews, ruleNoEngagements, ruleWhereMatchesNothing, ruleNoPositives,
	ruleWithoutValue, ruleSeveralViews, ruleWithoutID, ruleZeroDelays, ruleOrphans,
	ruleUnread, ruleStale, ruleLateForStage, ruleWindowShort, ruleOutsideWindow, rulePruned, ruleEmptyFolders,
}

// rules are all rules in order of importance: the handmade ones, and those of counts where their
// rows put them.
var rules = sync.OnceValue(func() []*rule {
	all := slices.Clone(handmade)
	var last []*rule // follow no other
	for pending := account.Table(); len(pending) > 0; {
		left := slices.DeleteFunc(slices.Clone(pending), func(row *account.Row) bool {
			if row.Note == nil {
				return true
			}
			i := slices.IndexFunc(all, func(r *rule) bool { return r.code == row.Note.After })
			if i >= 0 {
				all = slices.Insert(all, i+1, newRule(row.Note))
			}
			return i >= 0
		})
		if len(left) == len(pending) {
			for _, row := range left {
				last = append(last, newRule(row.Note))
			}
			left = nil
		}
		pending = left
	}
	return append(all, last...)
})

func newRule(note *account.Note) *rule {
	r := &rule{note.Code, Warning, note.Title, note.Advice}
	if note.Remark {
		r.severity = Info
	}
	return r
}

// ruleOf is the rule with a code.
func ruleOf(code string) *rule {
	return rules()[slices.IndexFunc(rules(), func(r *rule) bool { return r.code == code })]
}

var (
	ruleUnbalanced = &rule{"unbalanced", Error, "The accounts do not balance", "This is a fault of the join itself: do not use the samples."}
	ruleDead       = &rule{"dead", Warning, "Dead", "They could not be read or lack a join field: see the reasons, and the dead letters."}
	ruleLate       = &rule{"late", Warning, "Late", "They came later than their partition's watermark allows. A late view has no sample, a late engagement may leave a fake negative; a larger out_of_orderness would take them in."}
	ruleUnusable   = &rule{"unusable", Warning, "Late or dead, all of them", "See the reasons."}
	ruleUnmatched  = &rule{"unmatched", Warning, "Unmatched", "They found no view, or none in whose window they lie."}

	ruleNothingMatched = &rule{"nothing_matched", Warning, "Nothing matched", "No engagement found its view inside the window. Check the field that names the view, and the unit of the times."}
	ruleNoViews        = &rule{"no_views", Warning, "No views", "Check the paths of views.inputs, and the range of time asked for."}
	ruleNoEngagements  = &rule{"no_engagements", Warning, "No engagements", "Nothing was read: check the inputs, and the range of time asked for."}

	ruleWhereMatchesNothing = &rule{"where_matches_nothing", Warning, "Nothing that where lets through", "Compare its values with those of the records, `tributary show` has them."}
	ruleNoPositives         = &rule{"no_positives", Warning, "No positives", "Not one sample has a label. Check that views and engagements are of the same time and name views alike."}

	ruleWithoutValue = &rule{"without_value", Warning, "No value for the label", "The field that the label is made of is absent, null or empty in every record: check its name."}

	ruleSeveralViews = &rule{"several_views", Warning, "Engagements that count for several views", "Each makes every one of them positive. With credit all or even that is as it should be. Else their views share an id: a larger dedup_window makes one view of those that are near each other, view_time tells others apart."}
	ruleWithoutID    = &rule{"without_id", Warning, "No id of their own", "The field that the spec names for it is absent, null or empty in every record, so one that was sent twice counts twice: check its name."}
	ruleZeroDelays   = &rule{"zero_delays", Warning, "Delays of exactly 0", "Such an engagement has the time of its view, as when one log was read as both, or when the engagement's time is a copy of the view's."}
	ruleOrphans      = &rule{"orphans", Warning, "Orphans", "Their view never came: views may be missing from the inputs, or the two name views differently."}

	ruleWindowShort   = &rule{"window_short", Info, "Window too short", "Engagements still come in its last tenth, and a longer window would find more."}
	ruleOutsideWindow = &rule{"outside_window", Info, "Outside the window", "Their view came, but it was too long before them, or after."}
)

// Note is something the reader should know before using the samples.
type Note struct {
	// Code is stable; the schema of the report lists all.
	Code     string   `json:"code"`
	Severity Severity `json:"severity"`
	// Kind of engagement it is about, or Input by its name in the spec; both are empty if it is
	// about views or the whole.
	Kind  string `json:"kind,omitempty"`
	Input string `json:"input,omitempty"`
	// Stage that it is about.
	Stage string `json:"stage,omitempty"`
	// Count is of what the note speaks of, where that can be counted; AtLeast that there may
	// be more.
	Count   int64 `json:"count,omitempty"`
	AtLeast bool  `json:"at_least,omitempty"`
	// Text says what was seen, what it means and what can be done.
	Text string `json:"text"`

	rule *rule
	what string // subject and figures, without what the rule says
}

// group is what notes of one rule say together.
type group struct {
	Severity Severity
	Code     string
	// Brief says what was seen, Text also what it means.
	Brief, Text string
}

// groups puts the notes of each rule and severity into one, in order.
func groups(notes []Note) (all []group) {
	for len(notes) > 0 {
		first, n := notes[0], 1
		whats := []string{first.what}
		for n < len(notes) && notes[n].rule == first.rule && notes[n].Severity == first.Severity {
			whats = append(whats, notes[n].what)
			n++
		}
		all = append(all, group{Severity: first.Severity, Code: first.Code, Brief: first.rule.brief(whats), Text: first.rule.text(whats)})
		notes = notes[n:]
	}
	return all
}

func (r *rule) text(whats []string) string { return r.brief(whats) + ". " + r.advice }

func (r *rule) brief(whats []string) string {
	said := strings.Join(slices.DeleteFunc(slices.Clone(whats), func(what string) bool { return what == "" }), ", ")
	if said == "" {
		return r.title
	}
	return r.title + ": " + said
}

// counted says how many groups of each severity there are: "1 error and 2 warnings".
func counted(all []group) string {
	var words []string
	for _, s := range severities {
		n := 0
		for _, g := range all {
			if g.Severity == s.Severity {
				n++
			}
		}
		switch n {
		case 0:
		case 1:
			words = append(words, "1 "+s.name)
		default:
			words = append(words, fmt.Sprintf("%d %ss", n, s.name))
		}
	}
	if n := len(words); n > 1 {
		return strings.Join(words[:n-1], ", ") + " and " + words[n-1]
	}
	return strings.Join(words, "")
}

// sorted puts notes in order of severity, then of their rules.
func sorted(notes []Note) []Note {
	slices.SortStableFunc(notes, func(a, b Note) int {
		return cmp.Or(cmp.Compare(a.Severity.rank(), b.Severity.rank()),
			cmp.Compare(slices.Index(rules(), a.rule), slices.Index(rules(), b.rule)))
	})
	return notes
}
