package report

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
	"golang.org/x/term"
)

const (
	defaultWidth = 80
	// minWidth is the least that the tables need to make sense.
	minWidth = 40
)

// Text writes the report for a person: what was asked and the verdict first, then how well
// the join went, where every event went, what it took, and last what to worry about, as the
// end is what a terminal shows. Lines are at most width columns (40 or more), except for
// paths, which are of no use cut. Width 0 means that of the terminal, or 80 columns.
//
// Colours are used only if w is a terminal and NO_COLOR is not set. Text from data is
// made harmless. The error is that of writing.
func (r *Report) Text(w io.Writer, width int) error {
	colour := false
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		colour = os.Getenv("NO_COLOR") == ""
		if columns, _, err := term.GetSize(int(f.Fd())); err == nil && width <= 0 {
			width = columns
		}
	}
	return r.text(w, width, colour)
}

func (r *Report) text(w io.Writer, width int, colour bool) error {
	if width <= 0 {
		width = defaultWidth
	}
	p := page{width: max(width, minWidth), colour: colour}
	notes := groups(r.Notes())
	p.heading(r)
	p.verdict(r, notes)
	p.joinRate(r)
	p.delays(r)
	p.positives(r)
	p.accounts(r)
	p.stages(r)
	p.bytes(r)
	p.speed(r)
	p.outputs(r)
	p.reasons(r)
	p.notes(notes)
	if _, err := w.Write(p.buf.Bytes()); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// page collects the report's text.
type page struct {
	buf    bytes.Buffer
	width  int
	colour bool
}

// Colours by meaning; the sign before each says the same without colour.
const (
	good  = text.FgGreen
	bad   = text.FgRed
	heed  = text.FgYellow
	title = text.Bold
)

func (p *page) paint(c text.Color, s string) string {
	if !p.colour {
		return s
	}
	return c.EscapeSeq() + s + text.Reset.EscapeSeq()
}

func (p *page) line(format string, args ...any) { fmt.Fprintf(&p.buf, format+"\n", args...) }

func (p *page) section(name string) {
	p.line("")
	for line := range strings.SplitSeq(text.WrapSoft(name, p.width), "\n") {
		p.line("%s", p.paint(title, strings.TrimRight(line, " ")))
	}
}

// unitGap stands for a space that no line ends at. No text has it: it is not Harmless.
const unitGap = "\u00a0"

// prose writes a sentence over as many lines as it needs, the first after sign, the
// others below its text.
func (p *page) prose(sign string, c text.Color, sentence string) {
	indent := strings.Repeat(" ", text.StringWidth(sign))
	for i, l := range Lines(sentence, p.width-len(indent)) {
		if i == 0 {
			p.line("%s%s", p.paint(c, sign), l)
		} else {
			p.line("%s%s", indent, l)
		}
	}
}

// Lines breaks a sentence into lines of so many columns. A figure and its unit stay together.
func Lines(sentence string, columns int) []string {
	wrapped := text.WrapSoft(strings.ReplaceAll(sentence, " %", unitGap+"%"), columns)
	lines := strings.Split(strings.ReplaceAll(wrapped, unitGap, " "), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " ")
	}
	return lines
}

func (p *page) heading(r *Report) {
	if r.Spec != "" {
		line := Harmless(r.Spec)
		if r.Version != 0 {
			line += fmt.Sprintf(", version %d", r.Version)
		}
		p.line("%s", p.paint(title, line))
	}
	if from, to := r.span(); !from.IsZero() || !to.IsZero() {
		line := fmt.Sprintf("views of %s to %s UTC", moment(from), moment(to))
		if r.Intervals > 1 {
			line += fmt.Sprintf(", in %s intervals", grouped(int64(r.Intervals)))
		}
		p.prose("", title, line)
	}
	if words := r.finishedInWords(); words != "" {
		p.prose("", title, words)
	}
	if p.buf.Len() > 0 {
		p.line("")
	}
}

// signs of the severities; without a note the sign is another.
var (
	signs   = map[Severity]string{Error: "✗ ", Warning: "! ", Info: "· "}
	colours = map[Severity]text.Color{Error: bad, Warning: heed, Info: title}
)

func (p *page) verdict(r *Report, notes []group) {
	sign, colour := "✓ ", good
	if len(notes) > 0 && notes[0].Severity != Info {
		sign, colour = signs[notes[0].Severity], colours[notes[0].Severity]
	}
	sentence := r.verdict()
	if len(notes) == 0 {
		sentence += " Nothing to worry about."
	} else {
		sentence += " At the end: " + counted(notes) + "."
	}
	p.prose(sign, colour, sentence)
}

// verdict says whether the accounts balance, and no more than is known.
func (r *Report) verdict() string {
	if r.Accounts.Check() != nil {
		return "The accounts do NOT balance: do not use these samples."
	}
	lost, events := damages(r.Accounts), "events"
	if lost > 0 {
		events = "known events"
	}
	sentence := fmt.Sprintf("The accounts balance: each of %s %s is accounted for", grouped(r.events()), events)
	if open := r.openEvents(); open > 0 {
		sentence += fmt.Sprintf(", %s of them in windows that are still open", grouped(open))
	}
	switch {
	case lost == 1:
		sentence += ", but an unknown number of records was lost in a damaged place"
	case lost > 1:
		sentence += fmt.Sprintf(", but an unknown number of records was lost in %s damaged places", grouped(lost))
	}
	return sentence + "."
}

// finishedInWords says what an earlier run had done already; empty for nothing.
func (r *Report) finishedInWords() string {
	switch {
	case r.Finished == 0:
		return ""
	case r.Finished < r.Intervals:
		return fmt.Sprintf("%s of them were finished before and have not changed.", grouped(int64(r.Finished)))
	case r.Finished == 1:
		return "The interval was finished before; nothing changed."
	default:
		return fmt.Sprintf("%s intervals were finished before; nothing changed.", grouped(int64(r.Finished)))
	}
}

func (p *page) speed(r *Report) {
	if r.Events == 0 {
		return // there was nothing to do
	}
	p.section("Speed")
	if r.Elapsed > 0 {
		p.prose("  ", title, fmt.Sprintf("%s events in %s: %s events/s", grouped(r.Events), duration(r.Elapsed), grouped(r.perSecond())))
	}
	if r.MaxRSS > 0 {
		p.line("  %s of memory at most", size(r.MaxRSS))
	}
}

// perSecond is events read per second of wall clock, 0 if that is not known.
func (r *Report) perSecond() int64 {
	if r.Elapsed <= 0 {
		return 0
	}
	return int64(min(float64(r.Events)/r.Elapsed.Seconds(), 1<<62))
}

func (p *page) outputs(r *Report) {
	if len(r.Outputs) == 0 {
		return
	}
	p.section("Outputs")
	var names, places, counts int
	for _, o := range r.Outputs {
		names = max(names, text.StringWidth(Harmless(o.Name)))
		counts = max(counts, len(grouped(o.Count)))
		places = max(places, text.StringWidth(o.Place()))
	}
	for _, o := range r.Outputs {
		name, count := text.Pad(Harmless(o.Name), names, ' '), grouped(o.Count)
		line := fmt.Sprintf("  %s  %*s  %s", name, counts, count, o.Place())
		if 2+names+2+counts+2+places > p.width { // a path is never torn, and may be all that a line holds
			line = fmt.Sprintf("  %s  %*s\n    %s", name, counts, count, o.Place())
		}
		p.line("%s", line)
	}
}

func (p *page) reasons(r *Report) {
	all := r.refusals()
	if len(all) == 0 {
		return
	}
	p.section("Reasons: why records are late, dead or orphans, each with an example")
	for _, f := range all {
		p.line("  %s", f.Role)
		width := 0
		for _, reason := range f.Reasons {
			width = max(width, len(grouped(reason.Count)))
		}
		for _, reason := range f.Reasons {
			p.prose(fmt.Sprintf("  %*s  ", width+2, grouped(reason.Count)), title, reason.Example)
		}
		if f.More > 0 {
			p.prose(fmt.Sprintf("  %*s  ", width+2, grouped(f.More)), title, others(f.Others))
		}
	}
}

func others(n int) string {
	if n == 1 {
		return "for another reason"
	}
	return fmt.Sprintf("for %d other reasons", n)
}

func (p *page) notes(notes []group) {
	for _, s := range severities {
		first := true
		for _, n := range notes {
			if n.Severity != s.Severity {
				continue
			}
			if first {
				p.section(s.plural)
				first = false
			}
			p.prose("  "+signs[s.Severity], colours[s.Severity], n.Text)
		}
	}
}
