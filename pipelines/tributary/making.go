package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// making shows how far the making of input is: a bar on a terminal, a plain line now and
// then elsewhere.
type making struct {
	w        io.Writer
	expected int64
	bar      *progressbar.ProgressBar
	began    time.Time
	told     time.Time
}

func newMaking(w io.Writer, expected int64) *making {
	m := &making{w: w, expected: max(expected, 1), began: time.Now(), told: time.Now()}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		m.bar = progressbar.NewOptions64(m.expected, progressbar.OptionSetWriter(w), progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionSetDescription("making events"), progressbar.OptionShowCount(), progressbar.OptionShowIts(),
			progressbar.OptionSetItsString("events"), progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish(),
			progressbar.OptionSetWidth(20))
	}
	return m
}

// tell takes how many events were made. What was expected is an estimate: the bar stops
// short of its end, and the end is told by finish.
func (m *making) tell(events int64) {
	if m.bar != nil {
		_ = m.bar.Set64(min(events, m.expected-1)) // a bar that cannot be drawn is no reason to stop
		return
	}
	if time.Since(m.told) >= plainEvery {
		m.told = time.Now()
		fmt.Fprintf(m.w, "making events: %.0f %%, %.0f events/s\n", min(100, 100*float64(events)/float64(m.expected)),
			float64(events)/time.Since(m.began).Seconds())
	}
}

// finish takes the bar away.
func (m *making) finish() {
	if m.bar != nil {
		_ = m.bar.Finish() // as above
	}
}
