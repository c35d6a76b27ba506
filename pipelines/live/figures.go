package live

import (
	"cmp"
	"slices"
	"strings"

	"tributary/pipelines/job/stream"
	"tributary/pipelines/metrics"
	"tributary/pipelines/report"
	"tributary/transforms/account"
)

// mostReasons are how many reasons of each the State has, the most frequent ones.
const mostReasons = 10

// tell takes the figures of the report.
func (s *State) tell(seen *stream.Seen) {
	sheet, summary := seen.Report.Accounts, seen.Report.Summary()
	s.Report = seen.Report
	f := &Figures{
		Balanced: summary.Balanced, Held: seen.Held,
		Views:       countsOf(account.OfViews, &sheet.Views.N),
		Engagements: map[string]Kind{}, Inputs: map[string]Input{}, Stages: map[string]Counts{},
		Remarks: map[report.Severity]int{report.Error: 0, report.Warning: 0, report.Info: 0},
		Reasons: map[string][]Reason{"views": reasonsOf(sheet.Views.Reasons)},
	}
	for kind, of := range sheet.Engagements {
		delay := newDistribution(metrics.LabelDelay.Buckets)
		for _, bin := range of.Delay.Bins() {
			delay.add(float64(bin.To)/1000, bin.Count)
		}
		decided := of.N[account.Read] - of.N[account.Open]
		f.Engagements[kind] = Kind{
			Counts: countsOf(account.OfEngagements, &of.N), Window: seen.Report.Windows[kind].Seconds(),
			Matched: share(of.N[account.Matched], decided), Delay: delay,
		}
		f.Reasons[kind] = reasonsOf(of.Reasons)
	}
	for name, of := range sheet.Inputs {
		f.Inputs[name] = inputOf(name, &of.N)
	}
	for name, of := range sheet.Stages {
		f.Stages[name] = countsOf(account.OfStage, &of.N)
		if f.Corrected == nil {
			f.Corrected = map[string]map[string]int64{}
		}
		f.Corrected[name] = of.Corrected
	}
	for _, note := range summary.Notes {
		f.Remarks[note.Severity]++
	}
	s.Figures = f
}

// countsOf are all counts that there are of a subject, by their keys.
func countsOf(of account.Subject, n *account.Counts) Counts {
	c := Counts{}
	for _, side := range []account.Side{account.Whole, account.Part, account.Beside} {
		for _, count := range account.All(of, side) {
			c[count.Row().Key] = n[count]
		}
	}
	return c
}

// inputOf is what became of the records of an input.
func inputOf(name string, n *account.Counts) Input {
	in := Input{Kind: "views", Counts: countsOf(account.OfInput, n), Taken: n[account.Read]}
	if of, ok := strings.CutPrefix(name, "engagements."); ok {
		in.Kind, _, _ = strings.Cut(of, ".inputs.")
	}
	for _, count := range account.All(account.OfInput, account.Part) {
		in.Taken -= n[count]
	}
	in.Late, in.Dead = share(n[account.Late], n[account.Read]), share(n[account.Dead], n[account.Read])
	return in
}

// reasonsOf are the most frequent reasons, without their examples: those are of records.
func reasonsOf(all map[string]*account.Reason) []Reason {
	out := make([]Reason, 0, len(all))
	for reason, of := range all {
		out = append(out, Reason{shorten(reason), of.Count})
	}
	slices.SortFunc(out, func(a, b Reason) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Reason, b.Reason)) })
	return out[:min(len(out), mostReasons)]
}

func share(part, whole int64) *float64 {
	if whole == 0 {
		return nil
	}
	of := float64(part) / float64(whole)
	return &of
}
