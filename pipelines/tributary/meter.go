package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"golang.org/x/term"

	"tributary/pipelines/report"
)

const (
	// plainEvery is how often a line is printed where there is no terminal to draw on, and
	// drawnEvery how often one is drawn where there is.
	plainEvery, drawnEvery = 5 * time.Second, 100 * time.Millisecond
	// barWidth is that of the bar before the line.
	barWidth = 12
	// clearLine takes what is drawn away, and returns to the line's start.
	clearLine = "\r\x1b[K"
)

// counted is what a meter counts.
type counted int

const (
	countsBytes counted = iota
	countsEvents
)

const eventsUnit = " events"

// meter shows how far a piece of work is, with rate and time left: one line that is drawn
// again and again on a terminal, plain lines now and then elsewhere. One goroutine at a time
// may use it.
type meter struct {
	w       io.Writer
	columns func() int // of the terminal; nil if there is none

	what  string // is being done
	unit  counted
	total int64
	began time.Time
	told  time.Time // the last line
	drawn bool      // something stands on the terminal
}

func newMeter(w io.Writer) *meter {
	m := &meter{w: w, told: time.Now()}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		m.columns = func() int {
			columns, _, err := term.GetSize(int(f.Fd()))
			if err != nil {
				return 80
			}
			return columns
		}
	}
	return m
}

// begin starts on the next piece of work. The total may be an estimate; 0 if nothing is
// known: then there is no share and no bar.
func (m *meter) begin(what string, unit counted, total int64) {
	m.end()
	m.what, m.unit, m.total, m.began = what, unit, total, time.Now()
}

// describe renames the work that goes on.
func (m *meter) describe(what string) { m.what = what }

// at takes how much is done.
func (m *meter) at(done int64) {
	every := plainEvery
	if m.columns != nil {
		every = drawnEvery
	}
	if time.Since(m.told) < every {
		return
	}
	m.told = time.Now()
	elapsed := time.Since(m.began)
	if m.columns == nil {
		tell(m.w, "%s\n", m.parts(done, elapsed)[0])
		return
	}
	tell(m.w, "%s%s", clearLine, m.line(done, elapsed, m.columns()-1))
	m.drawn = true
}

// line is the state in at most so many columns: with less of it where there are few.
func (m *meter) line(done int64, elapsed time.Duration, columns int) string {
	parts := m.parts(done, elapsed)
	bar := ""
	if m.total > 0 {
		full := int(barWidth * m.share(done))
		bar = strings.Repeat("█", full) + strings.Repeat("░", barWidth-full) + " "
	}
	if text.StringWidth(bar+parts[0]) <= columns {
		return bar + parts[0]
	}
	for _, part := range parts {
		if text.StringWidth(part) <= columns {
			return part
		}
	}
	return ""
}

// share is how much is done, 0 to 1: the total may have been an estimate.
func (m *meter) share(done int64) float64 {
	return min(1, max(0, float64(done)/float64(max(m.total, 1))))
}

// parts are the state as text: all of it, and less and less.
func (m *meter) parts(done int64, elapsed time.Duration) []string {
	share := fmt.Sprintf("%.0f %%", 100*m.share(done))
	var counts, rate, left string
	if done > 0 && m.total > 0 {
		counts = fmt.Sprintf(", %s of %s", strings.TrimSuffix(m.amount(done), eventsUnit), m.amount(max(m.total, done)))
	}
	if done > 0 && elapsed > 0 {
		rate = fmt.Sprintf(", %s/s", m.amount(int64(float64(done)/elapsed.Seconds())))
	}
	if m.total <= 0 {
		if done > 0 {
			counts = ": " + m.amount(done)
		}
		return []string{m.what + counts + rate, m.what + counts, m.what}
	}
	if done > 0 && done <= m.total {
		rest := time.Duration(float64(elapsed) * float64(m.total-done) / float64(done)).Round(time.Second)
		left = ", no time left"
		if rest > 0 {
			left = fmt.Sprintf(", %s left", report.Duration(rest))
		}
	}
	return []string{
		m.what + ": " + share + counts + rate + left,
		m.what + ": " + share + rate + left,
		m.what + ": " + share + left,
		m.what + ": " + share,
		share + left,
		share,
	}
}

// amount writes what is counted with its unit.
func (m *meter) amount(n int64) string {
	if m.unit == countsBytes {
		return report.Size(n)
	}
	return report.Count(n) + eventsUnit
}

// end takes what is drawn away.
func (m *meter) end() {
	if m.drawn {
		tell(m.w, clearLine)
		m.drawn = false
	}
}
