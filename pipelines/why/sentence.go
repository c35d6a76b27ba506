package why

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"tributary/pipelines/report"
	"tributary/transforms/attribution/bucket"
)

// conclude finds the outcome, and says it.
func (r *Result) conclude() {
	r.Found = len(r.Records)+len(r.Samples) > 0
	kept := r.ownViews(func(one *Record) bool { return one.Fate == fateSample || one.Fate == fateSampledOut })
	views := r.ownViews(nil)
	switch {
	case len(kept) > 0:
		r.tell(kept, r.ofView)
	case len(views) > 0:
		r.tell(views, func(one *Record) (Outcome, string) {
			outcome, text := ofRefused(one, "view")
			return r.withExtra(one, outcome, text)
		})
	case len(r.Records) > 0:
		r.tell(r.engagements(), ofEngagement)
	case len(r.Samples) > 0:
		r.Outcome, r.Sentence = r.ofNone()
	default:
		r.Outcome, r.Sentence = NotFound, r.nothing()
	}
	r.Sentence = report.Harmless(strings.ToUpper(r.Sentence[:1]) + r.Sentence[1:] + ".")
}

// ofNone says which samples there are of a view that what was read does not hold: one that counts, if any does.
func (r *Result) ofNone() (Outcome, string) {
	told := &r.Samples[0]
	for i := range r.Samples {
		s := &r.Samples[i]
		at := r.counting(&Record{ViewID: s.ViewID, Time: &s.ViewTime, time: s.ViewTime.UnixMilli()}, s.beside)
		if at < 0 {
			continue // of transactions that were aborted or are open
		}
		if told = &r.Samples[at]; told.Weight > 0 {
			break
		}
	}
	if told.committed() && told.Weight == 0 {
		return NotFound, fmt.Sprintf("%s; its sample was taken back, by one of weight 0 at %s", r.nothing(), told.at())
	}
	return Extra, fmt.Sprintf("a sample of view %s is at %s, and what was read holds no record of it", r.ID, told.at())
}

// mostTold bounds what one sentence says of several records of an id.
const mostTold = 3

// tell says of each record what happened; the outcome is that of the last.
func (r *Result) tell(all []*Record, say func(*Record) (Outcome, string)) {
	var told []string
	for i, one := range all {
		outcome, text := say(one)
		r.Outcome = outcome
		if i < mostTold {
			told = append(told, text)
		}
	}
	if more := len(all) - mostTold; more > 0 {
		told = append(told, fmt.Sprintf("and so on for %d more", more))
	}
	r.Sentence = strings.Join(told, "; ")
}

// ownViews are the views of the id for which ok is true, or all.
func (r *Result) ownViews(ok func(*Record) bool) (all []*Record) {
	for i := range r.Records {
		if one := &r.Records[i]; one.own && one.view() && (ok == nil || ok(one)) {
			all = append(all, one)
		}
	}
	return all
}

// nothing says what was read of others.
func (r *Result) nothing() string {
	read := []string{report.Count(r.Read.Views) + " views"}
	engagements := int64(0)
	for _, n := range r.Read.Engagements {
		engagements += n
	}
	read = append(read, report.Count(engagements)+" engagements")
	if r.Read.Filtered > 0 {
		read = append(read, report.Count(r.Read.Filtered)+" records of other kinds")
	}
	text := fmt.Sprintf("nothing that was read has or names the id %s: %s", r.ID, strings.Join(read, ", "))
	if r.Read.Dead > 0 {
		text += "; dead letters: " + report.Count(r.Read.Dead) + ", none of which holds it as text"
	}
	return text
}

// corrects says what a repair has made of a sample.
func (s *FoundSample) corrects() string {
	if s.Weight == 0 {
		return "a repair has taken its sample back, by one of weight 0 at " + s.at()
	}
	var changes []string
	for _, field := range slices.Sorted(maps.Keys(s.Corrected.Changed)) {
		if change := s.Corrected.Changed[field]; strings.HasPrefix(field, "labels.") || field == "weight" {
			changes = append(changes, fmt.Sprintf("%s from %s to %s", field, change[0], change[1]))
		}
	}
	text := pick(s.Corrected.Late, "a repair has let late engagements count", "a repair has corrected it")
	if len(changes) > 0 {
		text += " (" + atMost(changes) + ")"
	}
	return text + ", and its sample is at " + s.at()
}

// withExtra adds to what a view without a sample became that there is one all the same.
func (r *Result) withExtra(one *Record, outcome Outcome, text string) (Outcome, string) {
	if s, counts := r.correction(one); counts {
		return Corrected, text + "; " + s.corrects()
	}
	if s := r.extra(one); s != nil {
		return Extra, text + "; yet a sample of it is at " + s.at()
	}
	return outcome, text
}

// ofView says what became of a view that is no duplicate.
func (r *Result) ofView(one *Record) (Outcome, string) {
	name := "view " + one.ViewID + " of " + exactly(*one.Time)
	last := &one.Stages[len(one.Stages)-1]
	why := last.why()
	is := "a negative"
	outcome := Negative
	switch {
	case last.Fate == fateSampledOut:
		outcome, is = SampledOut, "a negative that is not kept (negatives.keep)"
	case last.Positive:
		outcome, is = Positive, "a positive"
	}
	text := fmt.Sprintf("%s is %s: %s", name, is, why)
	pending := len(last.Sinks) == 0 && last.open
	switch {
	case pending:
		outcome, text = Pending, r.undecided(name, is, why, last)
	case last.immature && r.decided(last):
		text += " (the inputs end before its window does)"
	}
	correction, counts := r.correction(one)
	switch {
	case counts:
		return Corrected, text + "; " + correction.corrects()
	case correction != nil:
		text += "; the job has written it again since a repair corrected it at " + correction.at()
	}
	// The last stage says nothing where those before it have said as much: then what they have written is the sample.
	st := last
	for i := len(one.Stages) - 1; i > 0 && len(st.Sinks) == 0; i-- {
		st = &one.Stages[i-1]
	}
	for i := range st.Sinks {
		sink := &st.Sinks[i]
		switch sink.State {
		case stateMissing:
			return Missing, fmt.Sprintf("%s, and its sample is not in %s, whose bucket of it is complete", text, sink.name())
		case stateGone:
			return Gone, fmt.Sprintf("%s, and its sample is not in %s, which no longer holds what was written to it first", text, sink.name())
		case stateReplaced:
			return Replaced, fmt.Sprintf("%s, and its sample in %s, which is compacted, gave way to a later one of the id, at %s", text, sink.name(), r.Samples[*sink.At].at())
		case stateDifferent:
			return Different, fmt.Sprintf("%s, and its sample at %s is another: %s", text, r.Samples[*sink.At].at(), r.Samples[*sink.At].differs())
		case statePending:
			if pending {
				return Pending, text
			}
			return Pending, r.undecided(name, is, why, st)
		case stateUnknown:
			return outcome, fmt.Sprintf("%s; nothing says whether its bucket is complete in %s, which has no sample of it", text, sink.name())
		}
	}
	if len(st.Sinks) > 0 {
		s := &r.Samples[*st.Sinks[0].At]
		where := pick(pending, "its sample so far is at ", "its sample is at ")
		if s.Weight == 0 {
			where = "its sample was taken back, by one of weight 0 at "
		}
		text += "; " + where + s.at()
	}
	if outcome == SampledOut {
		return r.withExtra(one, outcome, text)
	}
	return outcome, text
}

// undecided says of a view what it waits for at a stage, and what it is by now.
func (r *Result) undecided(name, is, why string, st *StageOfView) string {
	return fmt.Sprintf("%s is not decided yet: by what was read it is %s (%s), and %s", name, is, why, r.until(st))
}

// decided tells whether no sink of a stage waits for its bucket.
func (*Result) decided(st *StageOfView) bool {
	return !slices.ContainsFunc(st.Sinks, func(s SinkOfView) bool { return s.State == statePending })
}

// until says when a bucket is complete.
func (r *Result) until(st *StageOfView) string {
	if r.Read.Watermark == nil || st.Closes.After(*r.Read.Watermark) {
		at := "there is none yet"
		if r.Read.Watermark != nil {
			at = "it is at " + exactly(*r.Read.Watermark)
		}
		return fmt.Sprintf("its bucket closes when the watermark passes %s (%s)", exactly(st.Closes), at)
	}
	return "the job has not completed its bucket, though the watermark of what was read has passed " + exactly(st.Closes)
}

// why says what counts for the view, or why nothing does.
func (st *StageOfView) why() string {
	var counts, not []string
	for _, g := range bySaying(st.Engagements) {
		if g.Fate == bucket.PairCounts {
			counts = append(counts, fmt.Sprintf("the %s at %s, %s", g.Role, g.Place, after(g.Time.Sub(st.viewTime))))
			continue
		}
		not = append(not, fmt.Sprintf("the %s at %s %s", g.Role, g.Place, g.notCounting()))
	}
	switch {
	case len(counts) > 0:
		return atMost(counts) + pick(len(counts) == 1, ", counts", ", count")
	case len(not) > 0:
		return atMost(not)
	default:
		return "no engagement names it"
	}
}

// saying is the order in which what does not count within a window says why nothing does.
var saying = []bucket.PairFate{
	bucket.PairCounts, bucket.PairElsewhere, bucket.PairSuperseded, bucket.PairNowhere, bucket.PairClosed, bucket.PairFate(fateLate), bucket.PairFate(fateDead),
	bucket.PairDuplicate, bucket.PairFate(fateFiltered), bucket.PairNotNamed,
}

// bySaying are pairs by how much they say: those within the window first, then by how far they are outside.
func bySaying(pairs []Pair) []*Pair {
	var all []*Pair
	for i := range pairs {
		all = append(all, &pairs[i])
	}
	slices.SortStableFunc(all, func(a, b *Pair) int {
		return cmp.Or(cmp.Compare(a.outside, b.outside), cmp.Compare(slices.Index(saying, a.Fate), slices.Index(saying, b.Fate)))
	})
	return all
}

// notCounting says why an engagement does not count.
func (g *Pair) notCounting() string {
	switch g.Fate {
	case bucket.PairSuperseded:
		return "gives way to the one at " + g.Of.String()
	case bucket.PairDuplicate:
		return "is a duplicate of the one at " + g.Of.String()
	case bucket.PairClosed:
		return "was read when the view had closed"
	case bucket.PairBefore:
		return "is " + report.Duration(time.Duration(g.ByMs)*time.Millisecond) + " before the view"
	case bucket.PairAfter:
		return "is " + report.Duration(time.Duration(g.ByMs)*time.Millisecond) + " after its window"
	case bucket.PairNotNamed:
		return "carries the time of another view"
	case bucket.PairElsewhere:
		text := pick(g.one, "goes to", "counts for") + " view " + g.InsteadID
		if g.sameID {
			text += " of " + exactly(*g.InsteadTime)
		}
		return text + " of the same key"
	case bucket.PairNowhere:
		return "counts for no view: none has had what it counts after, or is the one that it goes to"
	case bucket.PairFate(fateLate):
		return "came late"
	case bucket.PairFate(fateFiltered):
		return "is left out by `where`"
	case bucket.PairFate(fateDead):
		return "is a dead letter"
	default:
		return "counts"
	}
}

// after says how much later something is.
func after(d time.Duration) string {
	if d < 0 {
		return report.Duration(-d) + " before it"
	}
	return report.Duration(d) + " later"
}

// before says how much earlier something is.
func before(d time.Duration) string {
	if d < 0 {
		return report.Duration(-d) + " later"
	}
	return report.Duration(d) + " before"
}

// atMost joins some texts, and says how many more there are.
func atMost(all []string) string {
	if more := len(all) - mostTold; more > 0 {
		all = append(all[:mostTold:mostTold], fmt.Sprintf("%d more", more))
	}
	if n := len(all); n > 1 {
		return strings.Join(all[:n-1], ", ") + " and " + all[n-1]
	}
	return all[0]
}

func pick(first bool, a, b string) string {
	if first {
		return a
	}
	return b
}

// at is where a sample lies.
func (s *FoundSample) at() string {
	if s.Topic != "" {
		return fmt.Sprintf("%s/%d@%d", s.Topic, *s.Partition, *s.Offset)
	}
	return fmt.Sprintf("%s/%s, sample %d", strings.TrimSuffix(s.Folder, "/"), s.File, *s.Index)
}

// differs says in what a sample is another than the join's.
func (s *FoundSample) differs() string {
	var all []string
	for _, d := range s.Fields {
		all = append(all, fmt.Sprintf("%s must be %s, is %s", d.Field, cmp.Or(d.Want, "nothing"), cmp.Or(d.Got, "nothing")))
	}
	return atMost(all)
}

// exactly writes a time to the millisecond.
func exactly(t time.Time) string { return t.Format("2006-01-02T15:04:05.999Z07:00") }
