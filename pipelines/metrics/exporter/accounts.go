package exporter

import (
	"maps"
	"slices"

	"tributary/pipelines/live"
	"tributary/pipelines/metrics"
	"tributary/pipelines/report"
	"tributary/transforms/account"
)

// accounts are the figures of the report.
func accounts(f *live.Figures, out *collected) {
	inputs(f, out)
	out.add(metrics.ViewsRead, read(f.Views))
	counts(account.OfViews, account.Part, f.Views, out, metrics.Views)
	counts(account.OfViews, account.Beside, f.Views, out, metrics.ViewCounts)
	kinds := slices.Sorted(maps.Keys(f.Engagements))
	for _, kind := range kinds {
		of := f.Engagements[kind]
		out.add(metrics.EngagementsRead, read(of.Counts), kind)
		counts(account.OfEngagements, account.Part, of.Counts, out, metrics.Engagements, kind)
		counts(account.OfEngagements, account.Beside, of.Counts, out, metrics.EngagementCounts, kind)
		out.distribution(metrics.LabelDelay, of.Delay, kind)
		if of.Window > 0 {
			out.add(metrics.Window, of.Window, kind)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(f.Stages)) {
		of := f.Stages[name]
		out.add(metrics.StageViewsRead, read(of), name)
		counts(account.OfStage, account.Part, of, out, metrics.StageViews, name)
		counts(account.OfStage, account.Beside, of, out, metrics.StageCounts, name)
		for _, kind := range kinds {
			out.add(metrics.StageCorrected, float64(f.Corrected[name][kind]), name, kind)
		}
	}
	out.add(metrics.Balanced, truth(f.Balanced))
	out.add(metrics.Held, truth(f.Held))
	for _, severity := range []report.Severity{report.Error, report.Warning, report.Info} {
		out.add(metrics.Notes, float64(f.Remarks[severity]), string(severity))
	}
}

// inputs are the records of each input by what became of them as they were read.
func inputs(f *live.Figures, out *collected) {
	for _, name := range slices.Sorted(maps.Keys(f.Inputs)) {
		in := f.Inputs[name]
		counts(account.OfInput, account.Part, in.Counts, out, metrics.InputRecords, name, in.Kind)
		out.add(metrics.InputRecords, float64(in.Taken), name, in.Kind, "taken")
		counts(account.OfInput, account.Beside, in.Counts, out, metrics.InputRecords, name, in.Kind)
	}
}

func read(n live.Counts) float64 { return float64(n[account.Read.Row().Key]) }

// counts are those that stand on one side: the parts that what was read came to, or what is beside them.
func counts(of account.Subject, side account.Side, n live.Counts, out *collected, to *metrics.Metric, labels ...string) {
	for _, count := range account.All(of, side) {
		key := count.Row().Key
		out.add(to, float64(n[key]), append(slices.Clone(labels), key)...)
	}
}
