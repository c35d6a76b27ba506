package report

import (
	"fmt"
	"strconv"
	"strings"
)

// Limits are how much may be lost before a join counts as failed. Without them it fails
// when all of an input is lost.
type Limits struct {
	// Dead and Late are of what was read of an input or a role; Unmatched of the engagements
	// read of a kind.
	Dead, Late, Unmatched Limit
}

// Limit is a count of records, or a share of those read. The zero value sets none. It is a
// flag's value.
type Limit struct {
	set     bool
	percent bool
	most    float64
}

// Set takes "1%", "0.5%" or a count like "100".
func (l *Limit) Set(text string) error {
	digits, percent := strings.CutSuffix(strings.TrimSpace(text), "%")
	if percent {
		share, err := strconv.ParseFloat(strings.TrimSpace(digits), 64)
		if err != nil || !(share >= 0 && share <= 100) {
			return fmt.Errorf("%q is not a share of 0%% to 100%%", text)
		}
		*l = Limit{set: true, percent: true, most: share}
		return nil
	}
	count, err := strconv.ParseUint(digits, 10, 53)
	if err != nil {
		return fmt.Errorf("%q is neither a share like 1%% nor a count like 100", text)
	}
	*l = Limit{set: true, most: float64(count)}
	return nil
}

// String is the limit as it is set; empty for none.
func (l *Limit) String() string {
	if !l.set {
		return ""
	}
	text := strconv.FormatFloat(l.most, 'f', -1, 64)
	if l.percent {
		return text + "%"
	}
	return text
}

// Type is what help calls the value.
func (l *Limit) Type() string { return "share|count" }

// exceeded says that n of the whole are more than may be.
func (l *Limit) exceeded(n, whole int64) bool {
	switch {
	case !l.set:
		return false
	case l.percent:
		return float64(n) > l.most/100*float64(whole)
	default:
		return float64(n) > l.most
	}
}

// LostError says that all of an input, or more of it than a limit allows, was lost. What
// could be joined is written.
type LostError struct {
	// Notes say what was lost: those of the report that are errors.
	Notes []Note
}

// Error says it in one line.
func (e *LostError) Error() string {
	all := []string{"too much was lost."}
	for _, g := range groups(e.Notes) {
		all = append(all, g.Brief+".")
	}
	return strings.Join(append(all, "All else is written; the report has the reasons."), " ")
}

// Lost returns a *LostError if all of an input is dead, late or unmatched, or more than the
// limits allow.
func (r *Report) Lost() error {
	var e LostError
	for _, n := range r.Notes() {
		if n.Severity == Error && n.rule != ruleUnbalanced {
			e.Notes = append(e.Notes, n)
		}
	}
	if len(e.Notes) == 0 {
		return nil
	}
	return &e
}
