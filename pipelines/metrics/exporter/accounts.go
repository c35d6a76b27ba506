package exporter

import (
	"maps"
	"slices"
	"strings"

	"tributary/pipelines/job/stream"
	"tributary/pipelines/metrics"
	"tributary/pipelines/report"
	"tributary/transforms/account"
)

// accounts are the figures of the report.
func (e *Exporter) accounts(seen *stream.Seen, out *collected) {
	r := seen.Report
	sheet := r.Accounts
	inputs(sheet, out)
	out.add(metrics.ViewsRead, float64(sheet.Views.N[account.Read]))
	counts(account.OfViews, account.Part, &sheet.Views.N, out, metrics.Views)
	counts(account.OfViews, account.Beside, &sheet.Views.N, out, metrics.ViewCounts)
	for _, kind := range slices.Sorted(maps.Keys(sheet.Engagements)) {
		of := sheet.Engagements[kind]
		out.add(metrics.EngagementsRead, float64(of.N[account.Read]), kind)
		counts(account.OfEngagements, account.Part, &of.N, out, metrics.Engagements, kind)
		counts(account.OfEngagements, account.Beside, &of.N, out, metrics.EngagementCounts, kind)
		delay := metrics.LabelDelay.NewDistribution()
		for _, bin := range of.Delay.Bins() {
			delay.Add(float64(bin.To)/1000, bin.Count)
		}
		out.distribution(delay, kind)
		if window, ok := r.Windows[kind]; ok {
			out.add(metrics.Window, window.Seconds(), kind)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(sheet.Stages)) {
		of := sheet.Stages[name]
		out.add(metrics.StageViewsRead, float64(of.N[account.Read]), name)
		counts(account.OfStage, account.Part, &of.N, out, metrics.StageViews, name)
		counts(account.OfStage, account.Beside, &of.N, out, metrics.StageCounts, name)
		for _, kind := range slices.Sorted(maps.Keys(sheet.Engagements)) {
			out.add(metrics.StageCorrected, float64(of.Corrected[kind]), name, kind)
		}
	}
	summary := r.Summary()
	out.add(metrics.Balanced, truth(summary.Balanced))
	out.add(metrics.Held, truth(seen.Held))
	notes := map[report.Severity]int{}
	for _, note := range summary.Notes {
		notes[note.Severity]++
	}
	for _, severity := range []report.Severity{report.Error, report.Warning, report.Info} {
		out.add(metrics.Notes, float64(notes[severity]), string(severity))
	}
}

// inputs are the records of each input by what became of them as they were read.
func inputs(sheet *account.Sheet, out *collected) {
	for _, name := range slices.Sorted(maps.Keys(sheet.Inputs)) {
		n := &sheet.Inputs[name].N
		kind := "views"
		if of, ok := strings.CutPrefix(name, "engagements."); ok {
			kind, _, _ = strings.Cut(of, ".inputs.")
		}
		refused := int64(0)
		for _, count := range account.All(account.OfInput, account.Part) {
			refused += n[count]
			out.add(metrics.InputRecords, float64(n[count]), name, kind, count.Row().Key)
		}
		out.add(metrics.InputRecords, float64(n[account.Read]-refused), name, kind, "taken")
		for _, count := range account.All(account.OfInput, account.Beside) {
			out.add(metrics.InputRecords, float64(n[count]), name, kind, count.Row().Key)
		}
	}
}

// counts are those that stand on one side: the parts that what was read came to, or what is beside them.
func counts(of account.Subject, side account.Side, n *account.Counts, out *collected, to *metrics.Metric, labels ...string) {
	for _, count := range account.All(of, side) {
		out.add(to, float64(n[count]), append(labels, count.Row().Key)...)
	}
}
