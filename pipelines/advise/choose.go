package advise

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"tributary/pipelines/report"
	"tributary/pipelines/spec"
)

// choose advises, of each kind, the shortest window that catches as much as is asked for, and the least out-of-orderness by which no more is
// late; and says what a join with all of it makes of what was read. What there is stays unless the bounds of the share say that it misses
// what is asked for, or that less is enough.
func (a *advisor) choose(ctx context.Context, r *Result) error {
	r.Advice = []Advice{}
	windows := a.windows()
	for kind := range r.Kinds {
		rows := r.Kinds[kind].Windows
		now := slices.IndexFunc(rows, func(row WindowRow) bool { return row.Now })
		if now < 0 || rows[now].Share == nil {
			continue
		}
		best := a.bestWindow(rows, now)
		if best < 0 {
			r.Notes = append(r.Notes, fmt.Sprintf("%s: engagements go on to come where the horizon ends, so no window is advised that would catch %s %% of them. Data of a longer time can tell.",
				a.base.Kinds[kind].Name, strconv.FormatFloat(100*a.opt.Catch, 'g', -1, 64)))
			continue
		}
		if rows[best].Advised = true; best == now {
			continue
		}
		windows[kind] = rows[best].WindowMs
		r.Advice = append(r.Advice, a.line(rows[now].WindowMs, rows[best].WindowMs, a.becauseWindow(&rows[now], &rows[best], kind), "engagements", a.base.Kinds[kind].Name, "window"))
	}
	disorder, err := a.chooseDisorder(ctx, r, windows)
	if err != nil {
		return err
	}
	a.chooseBucket(r, a.with(windows, disorder))
	if len(r.Advice) == 0 {
		return nil
	}
	all := a.trial(windows, disorder)
	if err := a.run(ctx, []*trial{all}); err != nil {
		return err
	}
	r.After = new(a.change(all))
	return nil
}

// chooseDisorder advises the least out-of-orderness by which no more is late than may be, with the windows that are advised: the longer they
// are, the less is late.
func (a *advisor) chooseDisorder(ctx context.Context, r *Result, windows []int64) (int64, error) {
	if len(r.Disorder) == 0 {
		return a.disorder(), nil
	}
	var all []*trial
	var now *trial
	for _, disorder := range ladderMs(disorderLadder, a.disorder()) {
		t := a.trial(windows, disorder)
		if all = append(all, t); disorder == a.disorder() {
			now = t
		}
	}
	if err := a.run(ctx, all); err != nil {
		return 0, err
	}
	misses := now.late.share().Low > a.opt.Late
	for _, t := range all {
		share, disorder := t.late.share(), t.p.OutOfOrderness
		if enough := misses && share.Value <= a.opt.Late || !misses && (share.High <= a.opt.Late || t == now); !enough {
			continue
		}
		if i := slices.IndexFunc(r.Disorder, func(row DisorderRow) bool { return row.OutOfOrdernessMs == disorder }); i >= 0 {
			r.Disorder[i].Advised = true
		}
		if t != now {
			was, then := a.change(now), a.change(t)
			because := fmt.Sprintf("%s late in place of %s, %s of views and engagements", count(then.Outcome.late()), count(was.Outcome.late()), share.text())
			r.Advice = append(r.Advice, a.line(a.disorder(), disorder, because+costs(&was.Cost, &then.Cost), "out_of_orderness"))
		}
		return disorder, nil
	}
	return a.disorder(), nil
}

// worthIt is the share of the state that another bucket must leave to be advised: it has samples later.
const worthIt = 0.75

// chooseBucket advises the bucket by which least waits, of a spec whose views share a key: each is told to all buckets that a window reaches.
func (a *advisor) chooseBucket(r *Result, s *spec.Spec) {
	if len(s.Stages) > 0 {
		return
	}
	now := a.rates.of(s)
	best, then, least := s.Bucket, now, float64(now.StateBytes)*worthIt
	for _, b := range s.SharedBuckets() {
		if cost := a.rates.of(s.WithBucket(b)); float64(cost.StateBytes) < least {
			best, then, least = b, cost, float64(cost.StateBytes)
		}
	}
	if best == s.Bucket {
		return
	}
	a.bucket = best
	because := fmt.Sprintf("views share a key: each goes to %.0f buckets in place of %.0f", 1+then.MeanViewMarkers, 1+now.MeanViewMarkers)
	r.Advice = append(r.Advice, a.line(s.Bucket.Milliseconds(), best.Milliseconds(), because+costs(&now, &then), "bucket"))
}

// bestWindow is the row of the window to have, -1 where the data do not tell: of one over half of the horizon it would not be seen that no
// more comes after it.
func (a *advisor) bestWindow(rows []WindowRow, now int) int {
	misses := rows[now].Share.High < a.opt.Catch
	for i := range rows {
		share := rows[i].Share
		switch {
		case i == now && !misses:
			return now
		case share == nil || rows[i].WindowMs > a.horizon/2:
		case misses && share.Value >= a.opt.Catch, !misses && share.Low >= a.opt.Catch:
			return i
		}
	}
	return -1
}

func (a *advisor) becauseWindow(now, then *WindowRow, kind int) string {
	text := fmt.Sprintf("catches %s of what comes within %s", then.Share.text(), short(a.horizon))
	if now.Share != nil {
		text += " in place of " + now.Share.text()
	}
	if n, m := now.Outcome.Kinds[kind].FakeNegatives, then.Outcome.Kinds[kind].FakeNegatives; n != nil {
		text += fmt.Sprintf("; fake negatives %s -> %s", n, m)
	}
	return text + costs(&now.Cost, &then.Cost)
}

// costs says what changes of delay and state.
func costs(now, then *Cost) string {
	if now.SamplesWithinMs == then.SamplesWithinMs {
		return "; samples come as soon as before"
	}
	text := fmt.Sprintf("; samples within %s -> %s", short(now.SamplesWithinMs), short(then.SamplesWithinMs))
	return text + fmt.Sprintf(", state %s -> %s", report.Size(now.StateBytes), report.Size(then.StateBytes))
}

// line is the change of a duration at a key.
func (a *advisor) line(from, to int64, because string, path ...string) Advice {
	one := Advice{Key: strings.Join(path, "."), From: short(from), To: short(to), Because: because, File: a.spec.File}
	one.Then = path[len(path)-1] + ": " + one.To
	if number, now, then := a.spec.Replaced(ms(from), ms(to), path...); number > 0 {
		one.Line, one.Now, one.Then = number, now, then
	}
	return one
}

// short is a duration as specs write it.
func short(n int64) string { return spec.FormatDuration(ms(n)) }
