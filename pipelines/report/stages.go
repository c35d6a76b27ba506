package report

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"tributary/pipelines/spec"
	"tributary/transforms/account"
)

// stageLateWorth: a view that is late for a stage counts in the next, but has come to nobody's eyes by then.
const stageLateWorth = 0.01

// stage is what the accounts say of a stage.
type stage struct {
	*account.Stage
	name  string
	after time.Duration // 0: not known
}

// stages returns the stages in order of time; none of a join without.
func (r *Report) stages() (all []stage) {
	for name, counts := range r.Accounts.Stages {
		if counts == nil {
			continue
		}
		after, err := spec.ParseDuration(name)
		if err != nil {
			after = 0
		}
		all = append(all, stage{counts, name, after})
	}
	slices.SortFunc(all, func(a, b stage) int { return cmp.Or(cmp.Compare(a.after, b.after), cmp.Compare(a.name, b.name)) })
	return all
}

// stageColumn is a figure of every stage.
type stageColumn struct {
	Label string
	of    func(stage) int64
}

// stageColumns are the counts of stages, without those that are 0 for all.
func stageColumns(stages []stage) (columns []stageColumn) {
	for _, side := range []account.Side{account.Whole, account.Part, account.Beside} {
		for _, count := range account.All(account.OfStage, side) {
			column := stageColumn{count.Row().Label, func(s stage) int64 { return s.N[count] }}
			if count == account.Late {
				column.Label = "late for it"
			}
			if side == account.Whole || column.some(stages) {
				columns = append(columns, column)
			}
		}
	}
	return columns
}

// correctedColumns count, by kind, labels that differ from what was said before, without kinds that have none.
func (r *Report) correctedColumns(stages []stage) (columns []stageColumn) {
	order := r.order()
	for _, s := range stages {
		for _, kind := range slices.Sorted(maps.Keys(s.Corrected)) {
			if !slices.Contains(order, kind) {
				order = append(order, kind)
			}
		}
	}
	for _, kind := range order {
		column := stageColumn{name(kind), func(s stage) int64 { return s.Corrected[kind] }}
		if column.some(stages) {
			columns = append(columns, column)
		}
	}
	return columns
}

func (c stageColumn) some(stages []stage) bool {
	return slices.ContainsFunc(stages, func(s stage) bool { return c.of(s) != 0 })
}

func (p *page) stages(r *Report) {
	stages := r.stages()
	if len(stages) == 0 {
		return
	}
	p.section("Stages: what each made of the views, and what it gave")
	p.stageTable(stages, stageColumns(stages))
	for _, words := range stagesInWords(stages) {
		p.prose("  ", title, words)
	}
	if corrected := r.correctedColumns(stages); len(corrected) > 0 {
		p.line("")
		p.prose("  ", title, "Labels that differ from what was said before:")
		p.stageTable(stages, corrected)
	}
}

func (p *page) stageTable(stages []stage, columns []stageColumn) {
	header := table.Row{""}
	for _, c := range columns {
		header = append(header, c.Label)
	}
	var rows []table.Row
	for _, s := range stages {
		row := table.Row{name(s.name)}
		for _, c := range columns {
			row = append(row, grouped(c.of(s)))
		}
		rows = append(rows, row)
	}
	p.table(header, rows...)
}

// stagesInWords explains figures of stages, where there are some.
func stagesInWords(stages []stage) (words []string) {
	some := func(of func(stage) int64) bool { return stageColumn{of: of}.some(stages) }
	if some(func(s stage) int64 { return s.N[account.Late] }) {
		words = append(words, "Views that are late for a stage have their first sample at a later one.")
	}
	if some(func(s stage) int64 { return s.N[account.Samples] - s.N[account.Given] }) {
		words = append(words, "Samples that a stage has not given are as an earlier one gave them, or negatives at a stage that gives positives.")
	}
	if some(func(s stage) int64 { return s.N[account.Withdrawn] }) {
		words = append(words, "Taken back: negatives that are not kept, of which an earlier stage gave a sample; each is given once more, with weight 0.")
	}
	return words
}

// StageSummary is what a Summary says of a stage, beside the accounts.
type StageSummary struct {
	Stage string `json:"stage"`
	// LateRate is views late for the stage / views read for it.
	LateRate *float64 `json:"late_rate"`
	// PositiveRate is samples with any label / samples at the stage, and GivenRate those given / samples.
	PositiveRate *float64 `json:"positive_rate"`
	GivenRate    *float64 `json:"given_rate"`
}

func (r *Report) stageSummaries() (all []StageSummary) {
	for _, s := range r.stages() {
		all = append(all, StageSummary{
			Stage: s.name, LateRate: rate(s.N[account.Late], s.N[account.Read]),
			PositiveRate: rate(s.N[account.Positives], s.N[account.Samples]), GivenRate: rate(s.N[account.Given], s.N[account.Samples]),
		})
	}
	return all
}

// htmlStages is the table of stages on a page.
type htmlStages struct {
	Columns []string
	Rows    []htmlStage
	Words   []string
}

type htmlStage struct {
	Name   string
	Counts []int64
}

func (r *Report) htmlStages() *htmlStages {
	stages := r.stages()
	if len(stages) == 0 {
		return nil
	}
	columns := stageColumns(stages)
	for _, c := range r.correctedColumns(stages) {
		c.Label += " corrected"
		columns = append(columns, c)
	}
	out := &htmlStages{Words: stagesInWords(stages)}
	for _, c := range columns {
		out.Columns = append(out.Columns, c.Label)
	}
	for _, s := range stages {
		row := htmlStage{Name: Harmless(s.name)}
		for _, c := range columns {
			row.Counts = append(row.Counts, c.of(s))
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}

var ruleLateForStage = &rule{
	"late_for_stage", Info, "Late for a stage",
	"They count in a later one. A larger out_of_orderness of the stage would take them in, and its samples would come later by as much.",
}

// stages notes views that a stage has not waited for.
func (n *notes) stages(r *Report) {
	for _, s := range r.stages() {
		if late := s.N[account.Late]; above(late, s.N[account.Read], stageLateWorth) {
			n.add(ruleLateForStage, ruleLateForStage.severity, subject{stage: s.name}, late, share(late, s.N[account.Read]))
		}
	}
}
