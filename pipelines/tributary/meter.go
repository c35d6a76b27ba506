package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// plainEvery is how often a line is printed where there is no terminal to draw on.
const plainEvery = 5 * time.Second

// counted is what a meter counts.
type counted int

const (
	countsBytes counted = iota
	countsEvents
)

// meter shows how far a piece of work is: a bar with rate and time left on a terminal, a
// plain line now and then elsewhere. One goroutine at a time may use it.
type meter struct {
	w        io.Writer
	terminal bool

	what  string // is being done
	unit  counted
	total int64
	bar   *progressbar.ProgressBar // nil for none
	began time.Time
	told  time.Time // the last plain line
}

func newMeter(w io.Writer) *meter {
	f, ok := w.(*os.File)
	return &meter{w: w, terminal: ok && term.IsTerminal(int(f.Fd())), told: time.Now()}
}

// begin starts on the next piece of work. The total may be an estimate; 0 if nothing is
// known.
func (m *meter) begin(what string, unit counted, total int64) {
	m.end()
	m.what, m.unit, m.total, m.began = what, unit, total, time.Now()
	if !m.terminal || total <= 0 {
		return
	}
	options := []progressbar.Option{
		progressbar.OptionSetWriter(m.w), progressbar.OptionThrottle(100 * time.Millisecond), progressbar.OptionShowCount(),
		progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish(), progressbar.OptionSetWidth(20),
		progressbar.OptionSetDescription(what),
	}
	if unit == countsBytes {
		options = append(options, progressbar.OptionShowBytes(true))
	} else {
		options = append(options, progressbar.OptionShowIts(), progressbar.OptionSetItsString("events"))
	}
	m.bar = progressbar.NewOptions64(total, options...)
}

// describe renames the work that goes on.
func (m *meter) describe(what string) {
	m.what = what
	if m.bar != nil {
		m.bar.Describe(what)
	}
}

// at takes how much is done. The bar stops short of its end, as the total may have been an
// estimate: only end ends it.
func (m *meter) at(done int64) {
	if m.bar != nil {
		_ = m.bar.Set64(min(done, m.total-1)) // a bar that cannot be drawn is no reason to stop
		return
	}
	if !m.terminal && time.Since(m.told) >= plainEvery {
		m.told = time.Now()
		tell(m.w, "%s\n", m.line(done, time.Since(m.began)))
	}
}

// line is the state as plain text.
func (m *meter) line(done int64, elapsed time.Duration) string {
	text := fmt.Sprintf("%s: %.0f %%", m.what, min(100, 100*float64(done)/float64(max(m.total, 1))))
	if m.unit == countsEvents {
		text += fmt.Sprintf(", %.0f events/s", float64(done)/elapsed.Seconds())
	}
	if done > 0 && done <= m.total {
		left := time.Duration(float64(elapsed) * float64(m.total-done) / float64(done))
		text += fmt.Sprintf(", %s left", left.Round(time.Second))
	}
	return text
}

// end takes the bar away.
func (m *meter) end() {
	if m.bar != nil {
		_ = m.bar.Finish() // as above
		m.bar = nil
	}
}
