package audit

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"tributary/pipelines/report"
)

// mostRows and mostFiles bound what Text shows; JSON has them all.
const (
	mostRows  = 24
	mostFiles = 10
)

// column is one of a table of counts.
type column struct {
	name string
	of   func(n *Counts) int64
	// always: it is there though all of its figures are 0.
	always bool
}

var columns = []column{
	{"expected", func(n *Counts) int64 { return n.Expected }, true},
	{"found", func(n *Counts) int64 { return n.Found }, true},
	{"equal", func(n *Counts) int64 { return n.Equal }, true},
	{"missing", func(n *Counts) int64 { return n.Missing }, true},
	{"extra", func(n *Counts) int64 { return n.Extra }, true},
	{"different", func(n *Counts) int64 { return n.Different }, true},
	{"doubled", func(n *Counts) int64 { return n.Doubled }, true},
	{"unreadable", func(n *Counts) int64 { return n.Unreadable }, false},
	{"commit log", func(n *Counts) int64 { return n.Uncommitted }, false},
	{"incomplete", func(n *Counts) int64 { return n.Incomplete }, false},
	{"hanging", func(n *Counts) int64 { return n.Hanging }, false},
	{"after idle", func(n *Counts) int64 { return n.AfterIdle }, false},
	{"too large", func(n *Counts) int64 { return n.TooLarge }, false},
	{"aborted", func(n *Counts) int64 { return n.Aborted }, false},
	{"open", func(n *Counts) int64 { return n.Open }, false},
	{"held back", func(n *Counts) int64 { return n.HeldBack }, false},
	{"superseded", func(n *Counts) int64 { return n.Superseded }, false},
	{"repeated", func(n *Counts) int64 { return n.Repeated }, false},
	{"compacted", func(n *Counts) int64 { return n.Compacted }, false},
	{"corrected", func(n *Counts) int64 { return n.Corrected }, false},
	{"outdated", func(n *Counts) int64 { return n.Outdated }, false},
}

// what says what some columns are.
var what = []struct {
	column, text string
}{
	{"commit log", "commit log: buckets of which it says another number of samples than the join gives"},
	{"incomplete", "incomplete: stages of which nothing is complete in the range, though the rest of the job is: of their samples nothing was compared"},
	{"hanging", "hanging: transactions that have been open for longer than stream.transaction_timeout, which no reader of what is committed comes past"},
	{"after idle", "after idle: of views that a record refers to which is late only because its partition had been idle; the join in batch knows of no idleness"},
	{"too large", "too large: the topic does not take them, and dead letters say so"},
	{"aborted", "aborted: records of transactions that were aborted, which readers of what is committed do not see"},
	{"open", "open: records of transactions that are open"},
	{"held back", "held back: committed, and behind a transaction that is open: readers of what is committed do not come to them"},
	{"superseded", "superseded: of groups that were corrected; the largest header version counts"},
	{"repeated", "repeated: there again with the same bytes, as samples are written at least once"},
	{"compacted", "compacted: gone from a compacted topic, which has a newer sample of the view"},
	{"corrected", "corrected: views whose samples a repair has corrected, and rightly; what was written of them before is not judged"},
	{"outdated", "outdated: corrected ones of which more engagements have come late since; tributary repair --late corrects them again"},
}

// Text writes the result for people, in so many columns.
func (r *Result) Text(w io.Writer, width int) error {
	var b strings.Builder
	var all judged
	for i, sink := range r.Sinks {
		if i > 0 {
			b.WriteByte('\n')
		}
		sink.text(&b, width)
		all.add(sink.judged())
	}
	r.Accounts.text(&b)
	all.findings = r.Findings
	fmt.Fprintf(&b, "\n%s; %s events joined again in %s\n", all.verdict(), report.Count(r.Events), report.Duration(time.Duration(r.ElapsedMs)*time.Millisecond))
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write the audit: %w", err)
	}
	return nil
}

// judged is what a verdict says in words.
type judged struct {
	// samples are those of both sides, idle those that differ and are not judged, since partitions had been idle.
	findings, samples, idle int64
	// stages of sinks, without those of which nothing was compared, and those that are not complete up to the end of the range.
	stages, uncompared, cut int
}

func (j *judged) add(other judged) {
	j.samples, j.idle = j.samples+other.samples, j.idle+other.idle
	j.stages, j.uncompared, j.cut = j.stages+other.stages, j.uncompared+other.uncompared, j.cut+other.cut
}

func (j judged) verdict() string {
	text := "no findings: the samples are what a join of the same records gives"
	switch {
	case j.findings == 1:
		text = "1 finding"
	case j.findings > 1:
		text = report.Count(j.findings) + " findings"
	case j.stages == 0:
		text = "nothing was compared: nothing of it is complete in the range"
	case j.samples == 0:
		text = "nothing to compare: neither the join nor the sink has samples in what is complete of the range"
	case j.idle > 0 || j.uncompared > 0 || j.cut > 0:
		text = "no findings in what is judged"
	}
	if j.idle > 0 {
		text += fmt.Sprintf("; %s differ after idle: not judged", report.Count(j.idle))
	}
	if j.uncompared > 0 && j.stages > 0 {
		text += "; not all of it is complete in the range, see above"
	} else if j.cut > 0 {
		text += "; it is not complete up to the end of the range, see above"
	}
	return text
}

// judged is what its verdict is about.
func (r *SinkResult) judged() judged {
	j := judged{findings: r.Findings}
	for _, s := range r.Stages {
		j.samples += s.Expected + s.Found
		j.idle += s.AfterIdle
		if s.compared() {
			j.stages++
		} else {
			j.uncompared++
		}
		if s.Cut {
			j.cut++
		}
	}
	return j
}

func (r *SinkResult) text(b *strings.Builder, width int) {
	name := "topic " + r.Topic
	if r.Topic == "" {
		name = "folder " + r.Folder
	}
	fmt.Fprintf(b, "%s: %s\n", report.Harmless(name), r.judged().verdict())
	for _, s := range r.Stages {
		fmt.Fprintf(b, "  %s\n", s.ranges())
	}
	b.WriteByte('\n')
	var counts []*Counts
	var names []string
	for i := range r.Stages {
		counts, names = append(counts, &r.Stages[i].Counts), append(names, cmp.Or(r.Stages[i].Stage, "samples"))
	}
	shown := tableOf(b, width, []string{""}, names, counts)
	for _, one := range what {
		if shown[one.column] {
			fmt.Fprintf(b, "  %s\n", one.text)
		}
	}
	for _, note := range r.Notes {
		fmt.Fprintf(b, "  note: %s\n", report.Harmless(note))
	}
	r.rowsText(b, width)
	r.filesText(b)
	r.fieldsText(b)
	if len(r.Examples) > 0 {
		fmt.Fprintf(b, "\nThe first findings of each class:\n")
	}
	for _, f := range r.Examples {
		f.text(b)
	}
}

// compared tells whether there is anything of it that could be.
func (s *StageResult) compared() bool { return s.To != nil && (s.From == nil || s.From.Before(*s.To)) }

// ranges says what of a stage was compared.
func (s *StageResult) ranges() string {
	name := ""
	if s.Stage != "" {
		name = s.Stage + ": "
	}
	if !s.compared() {
		text := name + "nothing was compared: no whole bucket is complete in the range"
		if s.Closed != nil {
			text += ", complete before " + report.Moment(*s.Closed)
		}
		return text
	}
	text := name + "views before " + report.Moment(*s.To)
	if s.From != nil {
		text = name + "views from " + report.Moment(*s.From) + " to " + report.Moment(*s.To)
	}
	if s.Closed != nil && (s.Cut || s.Closed.After(*s.To)) {
		text += ", complete before " + report.Moment(*s.Closed)
	}
	if s.NotClosed > 0 {
		text += fmt.Sprintf("; %s samples of buckets that are not complete", report.Count(s.NotClosed))
	}
	if s.Outside > 0 {
		text += fmt.Sprintf("; %s samples outside of the range", report.Count(s.Outside))
	}
	return text
}

// tableOf writes counts, a row each, and says which columns there are beside those that always are.
func tableOf(b *strings.Builder, width int, header, names []string, counts []*Counts) (shown map[string]bool) {
	shown = map[string]bool{}
	rows := make([][]string, len(counts))
	for i, name := range names {
		rows[i] = []string{name}
	}
	for _, c := range columns {
		some := slices.ContainsFunc(counts, func(n *Counts) bool { return c.of(n) != 0 })
		if !some && !c.always {
			continue
		}
		if !c.always {
			shown[c.name] = true
		}
		header = append(header, c.name)
		for i, n := range counts {
			rows[i] = append(rows[i], report.Count(c.of(n)))
		}
	}
	b.WriteString(report.Table(width, header, rows))
	return shown
}

// rowsText shows where the findings are.
func (r *SinkResult) rowsText(b *strings.Builder, width int) {
	if len(r.Rows) == 0 {
		return
	}
	where := "partition"
	if r.Topic == "" {
		where = "shard"
	}
	b.WriteString("\nBy hour of the views, stage and " + where + ":\n\n")
	header := []string{""}
	used := []column{}
	for _, c := range columns {
		if slices.ContainsFunc(r.Rows, func(row Row) bool { return c.of(&row.Counts) != 0 }) {
			header, used = append(header, c.name), append(used, c)
		}
	}
	rows := [][]string{}
	for _, row := range r.Rows[:min(len(r.Rows), mostRows)] {
		name := "no time"
		if row.Hour != nil {
			name = report.Moment(*row.Hour)
		}
		name += " " + row.Stage
		if row.Partition != "" {
			name = strings.TrimSpace(name) + " " + where + " " + row.Partition
		}
		cells := []string{report.Harmless(strings.TrimSpace(name))}
		for _, c := range used {
			cells = append(cells, report.Count(c.of(&row.Counts)))
		}
		rows = append(rows, cells)
	}
	b.WriteString(report.Table(width, header, rows))
	if more := len(r.Rows) - mostRows; more > 0 {
		fmt.Fprintf(b, "  and %d more, which --json has\n", more)
	}
}

// filesText shows which files are not there.
func (r *SinkResult) filesText(b *strings.Builder) {
	if len(r.MissingFiles) == 0 {
		return
	}
	b.WriteString("\nFiles that are not there, and the samples that are missing with them:\n")
	for i, file := range slices.Sorted(maps.Keys(r.MissingFiles)) {
		if i == mostFiles {
			fmt.Fprintf(b, "  and %d more, which --json has\n", len(r.MissingFiles)-mostFiles)
			break
		}
		fmt.Fprintf(b, "  %s  %s\n", report.Harmless(file), report.Count(r.MissingFiles[file]))
	}
}

// fieldsText shows which fields differ.
func (r *SinkResult) fieldsText(b *strings.Builder) {
	if len(r.Fields) == 0 {
		return
	}
	b.WriteString("\nFields that differ, and in how many samples:\n")
	names := slices.SortedFunc(maps.Keys(r.Fields), func(a, c string) int {
		return cmp.Or(cmp.Compare(r.Fields[c], r.Fields[a]), strings.Compare(a, c))
	})
	for _, name := range names {
		fmt.Fprintf(b, "  %s  %s\n", report.Harmless(name), report.Count(r.Fields[name]))
	}
}

// mostDifferences bounds what Text shows of the accounts.
const mostDifferences = 10

func (r *AccountsResult) text(b *strings.Builder) {
	switch {
	case r == nil:
	case r.Note != "":
		fmt.Fprintf(b, "\naccounts: %s\n", r.Note)
	case len(r.Differences) == 0:
		fmt.Fprintf(b, "\naccounts: they say the same, in %s pieces of time\n", report.Count(int64(r.Pieces)))
	default:
		fmt.Fprintf(b, "\naccounts: %s\n", judged{findings: int64(len(r.Differences)), stages: 1}.verdict())
		for i, d := range r.Differences {
			if i == mostDifferences {
				fmt.Fprintf(b, "  and %d more, which --json has\n", len(r.Differences)-mostDifferences)
				break
			}
			fmt.Fprintf(b, "  views from %s: %s must be %s, are %s\n", report.Moment(d.From), report.Harmless(d.What), report.Count(d.Want), report.Count(d.Got))
		}
	}
}

// text writes a finding in a line, and one for each field.
func (f *Finding) text(b *strings.Builder) {
	words := []string{string(f.Class)}
	add := func(format string, args ...any) { words = append(words, fmt.Sprintf(format, args...)) }
	if f.ViewID != "" {
		add("view %s", f.ViewID)
	}
	if f.ViewTime != nil {
		add("of %s", f.ViewTime.Format("2006-01-02T15:04:05.999Z07:00"))
	}
	if f.Stage != "" {
		add("stage %s", f.Stage)
	}
	switch {
	case f.File != "" && f.Offset != nil:
		add("sample %d of %s", *f.Offset, f.File)
	case f.File != "":
		add("in %s", f.File)
	case f.Partition != "" && f.Offset != nil:
		add("partition %s offset %d", f.Partition, *f.Offset)
	case f.Partition != "":
		add("partition %s", f.Partition)
	}
	text := strings.Join(words, " ")
	if f.Note != "" {
		text += ": " + f.Note
	}
	fmt.Fprintf(b, "  %s\n", report.Harmless(text))
	for _, d := range f.Fields {
		fmt.Fprintf(b, "    %s: must be %s, is %s\n", report.Harmless(d.Field), report.Harmless(cmp.Or(d.Want, "nothing")), report.Harmless(cmp.Or(d.Got, "nothing")))
	}
}
