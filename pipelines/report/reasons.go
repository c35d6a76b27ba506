package report

import (
	"cmp"
	"slices"

	"tributary/transforms/account"
)

// mostReasons is how many reasons are shown of each role.
const mostReasons = 3

// refusal is why records of one role were refused: the most frequent reasons.
type refusal struct {
	Role    string
	Reasons []shownReason
	// More records were refused for other reasons, of which there are Others.
	More   int64
	Others int
}

type shownReason struct {
	Count int64
	// Example is what was wrong with one of the records.
	Example string
}

// refusals are those of the views and of each kind, where there are any.
func (r *Report) refusals() []refusal {
	var all []refusal
	add := func(role string, reasons map[string]*account.Reason) {
		if len(reasons) > 0 {
			all = append(all, newRefusal(role, reasons))
		}
	}
	add("views", r.Accounts.Views.Reasons)
	for _, k := range r.kinds() {
		add(k.Name, k.Reasons)
	}
	return all
}

func newRefusal(role string, reasons map[string]*account.Reason) refusal {
	f := refusal{Role: Harmless(role)}
	for _, reason := range reasons {
		f.Reasons = append(f.Reasons, shownReason{Count: reason.Count, Example: Harmless(reason.Example)})
	}
	slices.SortFunc(f.Reasons, func(a, b shownReason) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Example, b.Example))
	})
	for len(f.Reasons) > mostReasons {
		last := len(f.Reasons) - 1
		f.More += f.Reasons[last].Count
		f.Others++
		f.Reasons = f.Reasons[:last]
	}
	return f
}
