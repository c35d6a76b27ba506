package live

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"tributary/pipelines/report"
	"tributary/transforms/account"
)

// leastWidth is how many columns words have at least, whatever stands before them.
const leastWidth = 40

// Text writes the State in lines of no more than so many columns, where words and names allow that.
func (s *State) Text(w io.Writer, width int) error {
	p := &printer{width: max(width, leastWidth)}
	p.head(s)
	p.notes(s)
	p.partitions(s)
	p.inputs(s)
	p.outcomes(s)
	p.stages(s)
	p.topics(s)
	p.job(s)
	_, err := io.WriteString(w, p.String())
	return err
}

type printer struct {
	strings.Builder
	width int
}

// line writes words over as many lines as they need, those below the first indented.
func (p *printer) line(form string, args ...any) {
	for i, line := range report.Lines(report.Harmless(fmt.Sprintf(form, args...)), p.width-2) {
		if i > 0 {
			p.WriteString("  ")
		}
		p.WriteString(line + "\n")
	}
}

// table writes rows below a header; what is too long in the last column is cut.
func (p *printer) table(header string, rows [][]string) {
	if len(rows) == 0 {
		return
	}
	var b strings.Builder
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "%s\n", header)
	for _, row := range rows {
		for i, cell := range row {
			row[i] = report.Harmless(cell)
		}
		fmt.Fprintf(t, "%s\n", strings.Join(row, "\t"))
	}
	_ = t.Flush() // a Builder takes everything
	p.WriteString("\n")
	for line := range strings.Lines(b.String()) {
		line = strings.TrimRight(line, " \n")
		if text.StringWidth(line) > p.width {
			line = text.Trim(line, p.width-1) + "…"
		}
		p.WriteString(line + "\n")
	}
}

// head says where the stream is, and what holds it.
func (p *printer) head(s *State) {
	p.line("%s at %s", s.Stream, s.At.UTC().Format(time.RFC3339))
	at := "no watermark yet"
	if s.Watermark != nil {
		at = fmt.Sprintf("watermark %s, %s", s.Watermark.Format(time.RFC3339), ago(*s.Behind))
	}
	switch {
	case s.Holder != nil:
		p.line("%s; %s holds it: %s", at, s.Holder.Partition, s.Holder.Why)
	case s.All > 0:
		p.line("%s; all %s idle", at, report.Number(int64(s.All), "partition")+plural(int64(s.All), " is", " are"))
	default:
		p.line("%s", at)
	}
	if r := s.Rates; r != nil {
		var kinds []string
		for _, kind := range slices.Sorted(maps.Keys(r.Kinds)) {
			kinds = append(kinds, fmt.Sprintf("%s %s/s", kind, perSecond(r.Kinds[kind])))
		}
		catches := "falls behind"
		switch {
		case r.CatchesUp != nil && s.Lag <= int64(s.All):
			catches = "keeps up"
		case r.CatchesUp != nil:
			catches = "catches up in " + span(seconds(*r.CatchesUp))
		case r.Reading == r.Arriving:
			catches = "does not catch up"
		}
		p.line("over %s: %s records/s arrive, %s/s are read, %s; views %s/s, %s, samples %s/s, late %s/s, dead %s/s", span(seconds(r.Seconds)),
			perSecond(r.Arriving), perSecond(r.Reading), catches, perSecond(r.Views), strings.Join(kinds, ", "), perSecond(r.Samples), perSecond(r.Late), perSecond(r.Dead))
	}
}

// notes are what is grave; the holder is said in the head, and warnings of the report are counted: they would fill a screen.
func (p *printer) notes(s *State) {
	reported := int64(0)
	defer func() {
		if reported > 0 {
			p.line("%s in the report: tributary report", report.Number(reported, "warning"))
		}
	}()
	for _, n := range s.Notes {
		if n.Reported && n.Severity == report.Warning {
			reported++
			continue
		}
		if n.Code == "held_back" && n.Do == "" || n.Severity == report.Info {
			continue
		}
		do := ""
		if n.Do != "" {
			do = " -> " + n.Do
		}
		p.line("%s: %s%s", n.Severity, n.Text, do)
	}
}

func (p *printer) partitions(s *State) {
	var rows [][]string
	for i := range s.Partitions {
		of := &s.Partitions[i]
		lag, behind := "unknown", "none"
		if of.Lag != nil {
			lag = report.Count(*of.Lag)
		}
		mark := "none"
		if of.Watermark != nil {
			mark, behind = of.Watermark.Format(time.RFC3339), span(s.At.Sub(*of.Watermark))
		}
		holds := ""
		if of.Holds {
			holds = "*"
		}
		rows = append(rows, []string{of.Name() + holds, mark, behind, lag, string(of.Cause) + ": " + of.Why})
	}
	p.table("PARTITION\tWATERMARK\tBEHIND\tLAG\tWHY", rows)
	if s.Rest != nil {
		var causes []string
		for _, cause := range Causes {
			if n := s.Rest.Causes[cause]; n > 0 {
				causes = append(causes, fmt.Sprintf("%s %s", report.Count(int64(n)), cause))
			}
		}
		p.line("and %s more, with a lag of %s: %s", report.Count(int64(s.Rest.Partitions)), report.Number(s.Rest.Lag, "record"), strings.Join(causes, ", "))
	}
}

func (p *printer) inputs(s *State) {
	if s.Figures == nil {
		return
	}
	var rows [][]string
	for _, name := range slices.Sorted(maps.Keys(s.Figures.Inputs)) {
		in := s.Figures.Inputs[name]
		key := func(c account.Count) int64 { return in.Counts[c.Row().Key] }
		n := key(account.Read)
		rows = append(rows, []string{
			name, report.Count(n), report.Count(key(account.Late)), report.Share(key(account.Late), n), report.Count(key(account.Dead)), report.Share(key(account.Dead), n),
		})
	}
	p.table("INPUT\tREAD\tLATE\t\tDEAD\t", rows)
}

// outcomes are the accounts: what was read, and what became of it.
func (p *printer) outcomes(s *State) {
	if s.Figures == nil {
		return
	}
	p.WriteString("\n")
	list := func(of account.Subject, n Counts) string {
		parts := []string{report.Count(n[account.Read.Row().Key]) + " read"}
		for _, count := range account.All(of, account.Part) {
			if row := count.Row(); n[row.Key] > 0 {
				parts = append(parts, report.Count(n[row.Key])+" "+row.Label)
			}
		}
		return strings.Join(parts, ", ")
	}
	p.line("views: %s", list(account.OfViews, s.Figures.Views))
	for _, kind := range slices.Sorted(maps.Keys(s.Figures.Engagements)) {
		p.line("%s: %s", kind, list(account.OfEngagements, s.Figures.Engagements[kind].Counts))
	}
	for _, stage := range s.Stages {
		if n, ok := s.Figures.Stages[stage.Stage]; ok {
			p.line("stage %s: %s", stage.Stage, list(account.OfStage, n))
		}
	}
	if !s.Figures.Balanced {
		p.line("error: the accounts do not balance")
	}
}

func (p *printer) stages(s *State) {
	var rows [][]string
	for i := range s.Stages {
		of := &s.Stages[i]
		for _, sink := range of.Sinks {
			complete, open, overdue, delay, groups := "nothing yet", "", "", "", ""
			if sink.Complete != nil {
				complete = sink.Complete.Format(time.RFC3339)
			}
			if sink.Open != nil {
				open = report.Count(*sink.Open)
			}
			if sink.Overdue != nil {
				overdue = span(seconds(*sink.Overdue))
			}
			if c := of.Commits; c != nil && sink.Sink == "topic" {
				groups = report.Count(c.Groups)
				if c.Last != nil {
					delay = span(seconds(*c.Last)) + ", half in " + bound(c.Delay, 0.5) + ", 99 % in " + bound(c.Delay, 0.99)
				}
			}
			rows = append(rows, []string{of.Stage, sink.Sink + " " + sink.Name, complete, open, overdue, groups, delay})
		}
	}
	p.table("STAGE\tSINK\tCOMPLETE BEFORE\tOPEN BUCKETS\tOVERDUE\tCOMMITS\tDELAY FROM CLOSE: LAST", rows)
	for i := range s.Stages {
		if c := s.Stages[i].Commits; c != nil && c.Aborted > 0 {
			p.line("stage %s: %s of %s aborted", s.Stages[i].Stage, report.Count(c.Aborted), report.Number(c.Committed+c.Aborted, "transaction"))
		}
	}
}

// bound is a quantile, or that it lies behind the last bound.
func bound(d *Distribution, q float64) string {
	last := d.Bounds[len(d.Bounds)-1]
	if of := d.Quantile(q); of < last {
		return span(seconds(of))
	}
	return "more than " + span(seconds(last))
}

// topics are those in which something is open.
func (p *printer) topics(s *State) {
	for i := range s.Topics {
		switch t := &s.Topics[i]; {
		case t.Open != nil && !t.Open.Hangs: // those that hang are notes
			p.line("%s", t.Open.Why)
		case t.Error != "":
			p.line("topic %s: %s", cmp.Or(t.Topic, t.Role), t.Error)
		}
	}
}

func (p *printer) job(s *State) {
	if s.Flink == nil {
		return
	}
	f := s.Flink
	last := "none yet"
	if c := f.Checkpoints.Last; c != nil {
		last = fmt.Sprintf("the last %s ago, of %s in %s", span(s.At.Sub(c.Taken)), report.Size(c.Size), span(c.Duration))
	}
	p.line("job %s %s, %d of %d tasks; checkpoints: %d completed, %d failed, %s", f.Name, f.State, f.TasksRunning, f.Tasks, f.Checkpoints.Completed, f.Checkpoints.Failed, last)
}

// ago says how far a time is behind the clock.
func ago(behind float64) string {
	if behind < 0 {
		return span(seconds(-behind)) + " ahead of the clock"
	}
	return span(seconds(behind)) + " behind the clock"
}

// perSecond writes a rate with three figures, as long as it has so many.
func perSecond(rate float64) string {
	switch {
	case rate >= 100 || rate == 0:
		return report.Count(int64(math.Round(rate)))
	case rate >= 10:
		return fmt.Sprintf("%.1f", rate)
	}
	return fmt.Sprintf("%.2f", rate)
}
