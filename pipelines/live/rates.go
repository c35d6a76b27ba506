package live

import (
	"time"

	"tributary/transforms/account"
)

// totals are counts at a time, for rates.
type totals struct {
	at                   time.Time
	ends, next           int64
	views, samples       int64
	late, dead           int64
	kinds                map[string]int64
	figures, partitioned bool
}

// over is the time that rates are over, where pictures go back that far: accounts come with checkpoints, which are half a minute apart and
// more.
const over = 2 * time.Minute

// mostPast bounds what is kept, however often pictures are taken.
const mostPast = 1000

// rate tells how fast counts change, against the oldest picture that is not older than over.
func (w *Watch) rate(s *State) {
	now := s.totals()
	if !now.figures || !now.partitioned {
		return // rates of what is not known would be of another time
	}
	for len(w.past) > 0 && (now.at.Sub(w.past[0].at) > over && len(w.past) > 1 || len(w.past) >= mostPast) {
		w.past = w.past[1:]
	}
	w.past = append(w.past, now)
	first := w.past[0]
	seconds := now.at.Sub(first.at).Seconds()
	if seconds <= 0 {
		return
	}
	// A job that goes on from a checkpoint takes back what it had counted since.
	by := func(last, first int64) float64 { return max(0, float64(last-first)/seconds) }
	r := &Rates{
		Seconds: seconds, Arriving: by(now.ends, first.ends), Reading: by(now.next, first.next), Views: by(now.views, first.views),
		Samples: by(now.samples, first.samples), Late: by(now.late, first.late), Dead: by(now.dead, first.dead), Kinds: map[string]float64{},
	}
	for kind, n := range now.kinds {
		r.Kinds[kind] = by(n, first.kinds[kind])
	}
	if faster := r.Reading - r.Arriving; faster > 0 || s.Lag == 0 {
		in := 0.0
		if s.Lag > 0 {
			in = float64(s.Lag) / faster
		}
		r.CatchesUp = &in
	}
	s.Rates = r
}

func (s *State) totals() totals {
	t := totals{at: s.started, kinds: map[string]int64{}, figures: s.Figures != nil, partitioned: len(s.Partitions) > 0 && s.OK(Partitions)}
	for i := range s.Partitions {
		t.ends += s.Partitions[i].End
		t.next += s.Partitions[i].Next
	}
	if s.Figures == nil {
		return t
	}
	key := func(c account.Count) string { return c.Row().Key }
	t.views, t.samples = s.Figures.Views[key(account.Read)], s.Figures.Views[key(account.Samples)]
	t.late, t.dead = s.Figures.Views[key(account.Late)], s.Figures.Views[key(account.Dead)]
	for kind, of := range s.Figures.Engagements {
		t.kinds[kind] = of.Counts[key(account.Read)]
		t.late += of.Counts[key(account.Late)]
		t.dead += of.Counts[key(account.Dead)]
	}
	return t
}
