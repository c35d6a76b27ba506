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
	minWidth = 60
)

// Text writes the report for a person: the verdict first, then how well the join went,
// where every event went, what it took, and last what to worry about, as the end is
// what a terminal shows. Lines are at most width columns (60 or more), except for
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
	notes := r.Notes()
	p.heading(r)
	p.verdict(r, notes)
	p.joinRate(r)
	p.delays(r)
	p.positives(r)
	p.ledger(r)
	p.bytes(r)
	p.speed(r)
	p.outputs(r)
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
	p.line("%s", p.paint(title, name))
}

// prose writes a sentence over as many lines as it needs, the first after sign, the
// others below its text.
func (p *page) prose(sign string, c text.Color, sentence string) {
	indent := strings.Repeat(" ", text.StringWidth(sign))
	wrapped := text.WrapSoft(sentence, p.width-len(indent))
	for i, l := range strings.Split(wrapped, "\n") {
		if i == 0 {
			p.line("%s%s", p.paint(c, sign), strings.TrimRight(l, " "))
		} else {
			p.line("%s%s", indent, strings.TrimRight(l, " "))
		}
	}
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
		if r.Slices > 1 {
			line += fmt.Sprintf(", in %s slices", grouped(int64(r.Slices)))
		}
		p.prose("", title, line)
	}
	if p.buf.Len() > 0 {
		p.line("")
	}
}

func (p *page) verdict(r *Report, notes []Note) {
	if r.Ledger.Check() != nil {
		p.prose("✗ ", bad, "The ledger does NOT balance: do not use these samples. See the notes at the end.")
		return
	}
	sentence := r.balanced()
	switch len(notes) {
	case 0:
		sentence += " Nothing to worry about."
	case 1:
		sentence += " One note at the end."
	default:
		sentence += fmt.Sprintf(" %d notes at the end.", len(notes))
	}
	p.prose("✓ ", good, sentence)
}

// balanced is the verdict on a ledger that balances.
func (r *Report) balanced() string {
	sentence := fmt.Sprintf("The ledger balances: each of %s events is accounted for", grouped(r.events()))
	if open := r.openEvents(); open > 0 {
		sentence += fmt.Sprintf(", %s of them in windows that are still open", grouped(open))
	}
	return sentence + "."
}

func (p *page) speed(r *Report) {
	if r.Elapsed <= 0 && r.MaxRSS <= 0 {
		return
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
	return int64(float64(r.Events) / r.Elapsed.Seconds())
}

func (p *page) outputs(r *Report) {
	if len(r.Outputs) == 0 {
		return
	}
	p.section("Outputs")
	longest := 0
	for _, output := range r.Outputs {
		if name, _, ok := strings.Cut(output, ": "); ok {
			longest = max(longest, text.StringWidth(Harmless(name)))
		}
	}
	for _, output := range r.Outputs {
		name, path, ok := strings.Cut(output, ": ")
		if !ok {
			p.line("  %s", Harmless(output))
			continue
		}
		p.line("  %s  %s", text.Pad(Harmless(name), longest, ' '), Harmless(path))
	}
}

func (p *page) notes(notes []Note) {
	if len(notes) == 0 {
		return
	}
	p.section("Notes")
	for _, n := range notes {
		c := heed
		if n.Code == "unbalanced" {
			c = bad
		}
		p.prose("  ! ", c, n.Text)
	}
}
