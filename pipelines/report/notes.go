package report

import (
	"errors"
	"fmt"
	"strings"
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
)

// Note is something the reader should know before using the samples.
type Note struct {
	// Code is stable: unbalanced, no_views, no_engagements, nothing_matched,
	// no_positives, orphans, late, dead, immature, window_short, outside_window,
	// duplicates_differing.
	Code string `json:"code"`
	// Kind of engagement it is about; empty if about views or the whole.
	Kind string `json:"kind,omitempty"`
	// Text says what was seen, what it means and what can be done.
	Text string `json:"text"`
}

// Notes lists what a reader should worry about, the gravest first; none if all is well.
func (r *Report) Notes() []Note {
	var n notes
	n.balance(r.Ledger.Check())
	n.views(r)
	for _, k := range r.kinds() {
		n.kind(k)
	}
	return n
}

type notes []Note

func (n *notes) add(code, kind, format string, args ...any) {
	*n = append(*n, Note{Code: code, Kind: kind, Text: fmt.Sprintf(format, args...)})
}

func (n *notes) balance(err error) {
	for _, line := range lines(err) {
		n.add("unbalanced", "", "The ledger does not balance. %s", line)
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
	v := r.Ledger.Views
	switch {
	case v.Read == 0:
		n.add("no_views", "", "No views: check the paths of views.inputs, and the range of time asked for.")
	case v.Samples > 0 && v.Positives == 0:
		n.add("no_positives", "", "No positives: of %s samples not one has a label. Check that views and engagements are of the same time and name views alike.", grouped(v.Samples))
	}
	if v.Dead > 0 {
		n.add("dead", "", "Dead views: %s (%s). They could not be read or lack a join field: see the dead letters for the reasons.", grouped(v.Dead), percent(v.Dead, v.Read))
	}
	if above(v.Late, v.Read, lateWorth) {
		n.add("late", "", "Late views: %s (%s). They came later than their partition's watermark allows and have no sample; a larger out_of_orderness would take them in.", grouped(v.Late), percent(v.Late, v.Read))
	}
	if v.Immature > 0 {
		n.add("immature", "", "Immature samples: %s (%s). The log ends before their closing time, so their negatives may be fake. Join them again when the log reaches further, or leave them out by maturity_ms.", grouped(v.Immature), percent(v.Immature, v.Samples))
	}
	if v.DuplicatesDiffering > 0 {
		n.add("duplicates_differing", "", "Duplicate views that differ from the one that was kept, the first in the log: %s of %s. Their ids may not be unique.", grouped(v.DuplicatesDiffering), grouped(v.Duplicates))
	}
}

func (n *notes) kind(k kind) {
	name := Harmless(k.Name)
	if k.Read == 0 {
		n.add("no_engagements", k.Name, "%s, nothing read: check the inputs, and the where condition if there is one.", name)
		return
	}
	if k.Matched == 0 {
		n.add("nothing_matched", k.Name, "%s, nothing matched: of %s engagements none found its view inside the window. Check the field that names the view, and the unit of the times.", name, grouped(k.Read))
	}
	if k.Dead > 0 {
		n.add("dead", k.Name, "%s, dead: %s (%s). They could not be read or lack a join field: see the dead letters for the reasons.", name, grouped(k.Dead), percent(k.Dead, k.Read))
	}
	if k.Matched > 0 && above(k.Orphans, k.Read, orphansWorth) {
		n.add("orphans", k.Name, "%s, orphans: %s (%s). Their view never came: views may be missing from the inputs, or the two name views differently.", name, grouped(k.Orphans), percent(k.Orphans, k.Read))
	}
	if above(k.Late, k.Read, lateWorth) {
		n.add("late", k.Name, "%s, late: %s (%s). Up to as many negatives may be fake; a larger out_of_orderness would take them in.", name, grouped(k.Late), percent(k.Late, k.Read))
	}
	p99 := k.delay(0.99)
	if k.Window > 0 && float64(p99) >= windowWorth*float64(k.Window.Milliseconds()) {
		n.add("window_short", k.Name, "%s, window too short: one delay in a hundred is above %s, %s of the window of %s. Engagements still come when it closes, and a longer window would find more.", name, duration(millis(p99)), percent(p99, k.Window.Milliseconds()), duration(k.Window))
	}
	if k.Matched > 0 && above(k.Outside, k.Read, outsideWorth) {
		n.add("outside_window", k.Name, "%s, outside the window: %s (%s). Their view came, but it was too long before them, or after.", name, grouped(k.Outside), percent(k.Outside, k.Read))
	}
}

func above(part, whole int64, share float64) bool {
	return whole > 0 && float64(part) > share*float64(whole)
}
