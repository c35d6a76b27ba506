package demo

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"tributary/pipelines/spec"
)

// english writes counts with thousands separators.
var english = message.NewPrinter(language.English)

// now is how far a demonstration is.
type now struct {
	viewsSent, engagementsSent int64
	samples, positives         int64
	late, dead, orphans        int64
}

func (t *traffic) now(w *watch) now {
	w.mu.Lock()
	defer w.mu.Unlock()
	a := w.tally
	return now{
		viewsSent: t.views.Sent(), engagementsSent: t.engagements.Sent(), samples: int64(len(a.samples)), positives: a.positives,
		late: a.late.views + a.late.engagements, dead: a.dead.views + a.dead.engagements, orphans: a.orphans,
	}
}

// String is short enough for a line of a terminal.
func (n now) String() string {
	return english.Sprintf("%d views sent, %d samples (%d positive), %d late, %d dead letters", n.viewsSent, n.samples, n.positives, n.late, n.dead)
}

// screen shows how a demonstration goes on: a status, on a terminal always the last line and
// else one now and then, and a handful of samples.
type screen struct {
	w        io.Writer
	terminal bool
	began    time.Time

	shown  int       // samples
	status time.Time // when it was last shown
}

const (
	lookEvery = 250 * time.Millisecond
	// statusEvery is how often a status is a line of its own, sampleEvery a sample.
	statusEvery = 5 * time.Second
	sampleEvery = 2 * time.Second
	// patience is for how long nothing may happen: longer than a job on Flink takes to be
	// submitted and to start.
	patience = submitTime + time.Minute
)

// follow shows what happens until the watch is done. If nothing happens any more it is an error.
func (s *screen) follow(ctx context.Context, t *traffic, w *watch) error {
	again := time.NewTicker(lookEvery)
	defer again.Stop()
	last, changed, sampled := now{}, time.Now(), time.Now()
	for {
		select {
		case <-w.done:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case at := <-again.C:
			n := t.now(w)
			if n != last {
				last, changed = n, at
			}
			if at.Sub(changed) > patience {
				return fmt.Errorf("nothing happens any more, for %s: %s", patience, n)
			}
			if at.Sub(sampled) >= sampleEvery {
				// Most views end as negatives; shown are as many of the others.
				if a := w.look(s.shown%2 == 0); a != nil {
					sampled = at
					s.shown++
					s.line("  %s", a)
				}
			}
			s.show(at, n)
		}
	}
}

// show shows the status.
func (s *screen) show(at time.Time, n now) {
	text := fmt.Sprintf("%4.0f s  %s", at.Sub(s.began).Seconds(), n)
	switch {
	case s.terminal:
		_, _ = fmt.Fprintf(s.w, "\r\x1b[K%s", text) // a screen that cannot be written to is no reason to stop
	case at.Sub(s.status) >= statusEvery:
		s.status = at
		s.line("%s", text)
	}
}

// line writes a line that stays.
func (s *screen) line(format string, args ...any) {
	s.clear()
	_, _ = fmt.Fprintf(s.w, format+"\n", args...) // as above
}

// clear takes the status away.
func (s *screen) clear() {
	if s.terminal {
		_, _ = fmt.Fprint(s.w, "\r\x1b[K") // as above
	}
}

// String tells a sample as a sentence.
func (a *arrived) String() string {
	at := time.UnixMilli(a.ViewTime).UTC().Format(time.TimeOnly)
	text := fmt.Sprintf("%s user %d saw post %d on %s: ", at, a.View.User, a.View.Post, a.View.Surface)
	var labels []string
	for kind, delay := range a.DelayMs {
		if delay != nil {
			value := strconv.FormatFloat(a.Labels[kind], 'f', -1, 64)
			labels = append(labels, fmt.Sprintf("%s=%s after %.1fs", kind, value, float64(*delay)/1000))
		}
	}
	if len(labels) == 0 {
		return text + "negative"
	}
	slices.Sort(labels)
	return text + strings.Join(labels, ", ")
}

// introduction says what is about to be shown.
func (t *traffic) introduction(on place, speed float64) string {
	pace := "as fast as the broker takes them"
	if speed > 0 {
		pace = fmt.Sprintf("%.3g times faster than they happened", speed)
	}
	return english.Sprintf("%d views and %d engagements, %s of a feed, are sent to %s\n%s, and joined %s",
		t.views.Records(), t.engagements.Records(), spec.FormatDuration(t.config.Duration), on.broker(), pace, on.name())
}
