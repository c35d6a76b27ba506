package spec

import (
	"strings"
	"time"

	"tributary/io/record"
	"tributary/transforms/label"
)

// mostBuckets bounds how many buckets a window may span: an engagement that does not
// carry its view's time is copied to each of them.
const mostBuckets = 10_000

// rules checks what concerns several values at once. A rule is left out if one of
// the values it needs has an error already.
func (r *reader) rules(s *Spec) {
	r.skewRules(s)
	r.stageRules(s)
	r.bucketRules(s)
	r.orderRules(s)
	for _, e := range s.Engagements {
		r.resolutionRules(e)
		r.countRule(e)
		r.creditRules(s, e)
	}
	r.labelRules(s)
	r.fieldRules(s)
	r.sameRecords(s)
	r.intervalRules(s)
	r.separate(&s.Outputs)
	r.ownOutputs(s)
	r.topicRules(s)
	r.pipeRules(s)
	r.flatRule(s)
}

// at returns a node for a value that has been read; for a default, the nearest one
// above it.
func (r *reader) at(at dotted) *node {
	for p := at; p != ""; p = p[:max(0, strings.LastIndexByte(string(p), '.'))] {
		if m, ok := r.marks[string(p)]; ok {
			n := &node{kind: textKind, line: m.value.Line, column: m.value.Column, width: m.width}
			if p != at {
				n.line, n.column, n.width = m.key.Line, m.key.Column, 1
			}
			return n
		}
	}
	return &node{line: 1, column: 1}
}

func (r *reader) isSet(at dotted) bool {
	_, ok := r.marks[string(at)]
	return ok
}

// windows tells whether all windows could be read, and there is one.
func (r *reader) windows(s *Spec) (ok bool) {
	for _, e := range s.Engagements {
		if e.Window <= 0 {
			return false
		}
	}
	return len(s.Engagements) > 0
}

// manyCopies is how many copies of a view are worth a warning.
const manyCopies = 4

func (r *reader) bucketRules(s *Spec) {
	if !r.windows(s) {
		return
	}
	longest := s.LongestWindow()
	if within := s.Views.DedupWindow; r.ok("views.dedup_window") && within > longest && r.isSet("views.dedup_window") {
		p := r.problem("T1208", r.at("views.dedup_window"), "views.dedup_window",
			"%s is longer than the longest window, %s: views are copied to as many more buckets", FormatDuration(within), FormatDuration(longest))
		p.Nearest = FormatDuration(longest)
		p.Fix = r.replaced(r.at("views.dedup_window"), p.Nearest)
		r.add(p)
	}
	if !r.isSet("bucket") || !r.ok("bucket") {
		r.nesting(s)
		return
	}
	at, best := r.at("bucket"), s.usualBucket()
	switch {
	case s.Bucket > s.MostBucket():
		most, nearest := "a day", best
		if s.shares() && longest > day {
			most, nearest = "the longest window, "+FormatDuration(longest)+",", longest
		}
		p := r.problem("T1204", at, "bucket", "a bucket is at most %s long, got %s", most, FormatDuration(s.Bucket))
		p.Nearest, p.Fix = FormatDuration(nearest), r.replaced(at, FormatDuration(nearest))
		r.add(p)
	case longest/s.Bucket > mostBuckets:
		p := r.problem("T1205", at, "bucket", "the longest window, %s, spans %d buckets of %s; at most %d are taken", FormatDuration(longest), longest/s.Bucket, FormatDuration(s.Bucket), mostBuckets)
		p.Nearest, p.Fix = FormatDuration(best), r.replaced(at, FormatDuration(best))
		r.add(p)
	case r.nesting(s):
	case s.Views.DedupWindow >= manyCopies*s.Bucket:
		p := r.problem("T1214", at, "bucket", "duplicates are looked for within %s, so with buckets of %s each view is copied to %d more of them",
			FormatDuration(s.Views.DedupWindow), FormatDuration(s.Bucket), s.Views.DedupWindow/s.Bucket)
		p.Hint = "make buckets longer, or views.dedup_window shorter"
		r.add(p)
	case longest%s.Bucket != 0:
		p := r.problem("T1207", at, "bucket", "%s does not divide the longest window, %s: samples wait longer than they need to", FormatDuration(s.Bucket), FormatDuration(longest))
		p.Nearest, p.Fix = FormatDuration(best), r.replaced(at, FormatDuration(best))
		r.add(p)
	}
}

func (r *reader) skewRules(s *Spec) {
	if !r.ok("clock_skew") || s.ClockSkew == 0 {
		return
	}
	for _, e := range s.Engagements {
		if e.Window > 0 && s.ClockSkew >= e.Window {
			p := r.problem("T1206", r.at("clock_skew"), "clock_skew", "%s is not shorter than the window of %s, %s: most of what counts would lie before the view",
				FormatDuration(s.ClockSkew), e.Kind, FormatDuration(e.Window))
			p.Hint = "a clock skew is seconds; make it shorter than every window"
			r.add(p)
			return
		}
	}
}

// orderRules looks at what can be late: only records of inputs that have an order.
func (r *reader) orderRules(s *Spec) {
	if !r.isSet("out_of_orderness") || !r.ok("out_of_orderness") {
		return
	}
	ordered := ""
	all := s.Inputs()
	for _, in := range all {
		if in.Ordered() && ordered == "" {
			ordered = in.name()
		}
	}
	at := r.at("out_of_orderness")
	switch {
	case ordered == "" && len(all) > 0 && r.ok("views", "engagements") && !r.anyFailed("views.", "engagements."):
		p := r.problem("T1210", at, "out_of_orderness", "no input has an order, so this makes nothing late: it only sets how far beyond a window a view is looked for")
		p.Hint = "say which inputs have an order (order: file, or order: {partition: FIELD, offset: FIELD}), or leave this out"
		r.add(p)
	case ordered != "" && s.OutOfOrderness == 0:
		p := r.problem("T1209", at, "out_of_orderness", "with 0s every record that comes after a later one of its partition may be late")
		p.Nearest = FormatDuration(DefaultOutOfOrderness)
		p.Fix = r.replaced(at, p.Nearest)
		p.Hint = "allow as much as records of one partition are really out of order"
		r.add(p)
	}
}

// anyFailed tells whether a value below one of the prefixes has an error.
func (r *reader) anyFailed(prefixes ...string) bool {
	for at := range r.failed {
		for _, prefix := range prefixes {
			if strings.HasPrefix(string(at), prefix) {
				return true
			}
		}
	}
	return false
}

// resolutions of the units that are coarser than a millisecond.
var resolutions = map[record.Unit]time.Duration{record.UnitSeconds: time.Second}

// wholes are what times are whole numbers of, by how coarse they are.
var wholes = map[time.Duration]string{time.Second: "second", time.Minute: "minute", time.Hour: "hour", day: "day"}

// resolutionRules looks for times that are too coarse for what is done with them.
func (r *reader) resolutionRules(e Engagement) {
	at := dotted("engagements").key(e.Kind)
	coarse := e.Time.resolution()
	if coarse > 0 && e.Window > 0 && e.Window < coarse {
		p := r.problem("T1213", r.at(at.key("window")), at.key("window"), "a window of %s cannot be told with times in whole %ss", FormatDuration(e.Window), wholes[coarse])
		p.Hint = "use a field with finer times, or a window of at least " + FormatDuration(coarse)
		r.add(p)
	}
	for _, l := range e.AllLabels() {
		if adds := l.Func == label.Count || l.Func == label.Sum; coarse == 0 || !adds || len(e.ID) > 0 || r.isSet(at.key("id")) {
			continue
		}
		at := e.labelAt(&l)
		p := r.problem("T1212", r.at(at), at, "without an own id, engagements with a view in the same %s and of the same value count once", wholes[coarse])
		p.Hint = "name the field that tells them apart, like `id: event_id`"
		r.add(p)
		break
	}
}

func (r *reader) countRule(e Engagement) {
	at := dotted("engagements").key(e.Kind).key("count")
	if !r.isSet(at) || e.Count == CountAll || e.Count == "" {
		return
	}
	for _, l := range e.AllLabels() {
		if r.ok(at, e.labelAt(&l)) {
			r.countOf(e, l.Label, at)
		}
	}
}

// countOf looks at one label of a kind.
func (r *reader) countOf(e Engagement, l Label, at dotted) {
	var effect string
	switch {
	case l.Func == label.Count:
		effect = "only one engagement counts, so the count is 0 or 1"
	case l.Func == label.First && e.Count == CountLast, l.Func == label.TimeToFirst && e.Count == CountLast:
		effect = "only the last engagement counts, so it is the first one as well"
	case l.Func == label.Last && e.Count == CountFirst:
		effect = "only the first engagement counts, so it is the last one as well"
	default:
		return
	}
	p := r.problem("T1304", r.at(at), at, "count: %s hardly makes sense with label %s: %s", e.Count, l.Func, effect)
	p.Nearest, p.Fix = string(CountAll), r.replaced(r.at(at), string(CountAll))
	r.add(p)
}
