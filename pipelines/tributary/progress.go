package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"tributary/pipelines/join"
)

// plainEvery is how often a line is printed where there is no terminal to draw on.
const plainEvery = 5 * time.Second

// progress shows how far a run is: a bar with rate and time left on a terminal, a plain
// line now and then elsewhere.
type progress struct {
	w        io.Writer
	terminal bool

	mu    sync.Mutex
	last  join.Progress
	bar   *progressbar.ProgressBar
	began time.Time // of the stage
	told  time.Time // the last plain line
}

func newProgress(w io.Writer) *progress {
	f, ok := w.(*os.File)
	return &progress{w: w, terminal: ok && term.IsTerminal(int(f.Fd())), told: time.Now()}
}

// tell takes how far the run is.
func (p *progress) tell(now join.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now.Stage != p.last.Stage {
		p.endStage()
		p.began = time.Now()
		if p.terminal && now.Total > 0 {
			p.bar = p.newBar(now)
		}
	}
	p.last = now
	if p.bar != nil {
		p.bar.Describe(describe(now))
		_ = p.bar.Set64(now.Done) // a bar that cannot be drawn is no reason to stop
		return
	}
	if !p.terminal && time.Since(p.told) >= plainEvery {
		p.told = time.Now()
		fmt.Fprintln(p.w, p.line())
	}
}

func (p *progress) newBar(now join.Progress) *progressbar.ProgressBar {
	options := []progressbar.Option{
		progressbar.OptionSetWriter(p.w), progressbar.OptionThrottle(100 * time.Millisecond), progressbar.OptionShowCount(),
		progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish(), progressbar.OptionSetWidth(20),
	}
	if now.Stage == "scan" {
		options = append(options, progressbar.OptionShowBytes(true))
	} else {
		options = append(options, progressbar.OptionShowIts(), progressbar.OptionSetItsString("events"))
	}
	return progressbar.NewOptions64(now.Total, options...)
}

func describe(now join.Progress) string {
	if now.Stage == "scan" {
		return "scanning files"
	}
	return fmt.Sprintf("joining, slice %d of %d", min(now.Slices+1, now.SlicesTotal), now.SlicesTotal)
}

// line is the progress as plain text.
func (p *progress) line() string {
	elapsed := time.Since(p.began)
	text := fmt.Sprintf("%s: %.0f %%", describe(p.last), 100*float64(p.last.Done)/float64(max(p.last.Total, 1)))
	if p.last.Stage == "join" {
		text += fmt.Sprintf(", %.0f events/s", float64(p.last.Done)/elapsed.Seconds())
	}
	if p.last.Done > 0 {
		left := time.Duration(float64(elapsed) * float64(p.last.Total-p.last.Done) / float64(p.last.Done))
		text += fmt.Sprintf(", %s left", left.Round(time.Second))
	}
	return text
}

func (p *progress) endStage() {
	if p.bar != nil {
		_ = p.bar.Finish() // as above
		p.bar = nil
	}
}

// finish takes the bar away.
func (p *progress) finish() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.endStage()
}

// slices says how many slices are finished.
func (p *progress) slices() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.last.SlicesTotal == 0 {
		return "before any slice was finished"
	}
	return fmt.Sprintf("with %d of %d slices finished", p.last.Slices, p.last.SlicesTotal)
}
