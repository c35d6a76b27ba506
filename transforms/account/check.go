package account

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Check says whether the ledger balances: nil, or one error for each rule that does
// not hold, with its figures, joined. The rules:
//
//   - no count, byte or delay count is negative, and From <= To;
//   - views:       read = samples + sampled out + duplicates + late + dead + open
//   - each kind:   read = matched + outside window + orphans + duplicates + late + dead + open
//   - a part is no more than its whole: positives and immature <= samples, positives of
//     a kind <= positives, differing and chained duplicates <= duplicates, resent <= samples and sampled
//     out, partly late, without id, without value and bad values <= read, orphans like floats
//     <= orphans, late and dead of an input <= what was read of it;
//   - a positive sample is positive of some kind: positives <= sum of the kinds';
//   - each kind has a delay for every positive: count of delays = positives;
//   - the timeline adds up: its samples = samples, its positives of a kind = positives
//     of that kind, and none in a bucket are more than its samples.
//
// An account that is not complete yet (of one shard, say) does not balance: merge first.
func (l *Sheet) Check() error {
	var c checker
	if l.From > l.To {
		c.fail("time: from_ms %d is after to_ms %d", l.From, l.To)
	}
	c.views(&l.Views)
	sum := int64(0)
	for _, kind := range slices.Sorted(maps.Keys(l.Engagements)) {
		e := l.Engagements[kind]
		if e == nil {
			c.fail("%s: no account", kind)
			continue
		}
		c.engagements(kind, e)
		c.atMost(kind, count{"positives", e.Positives}, count{"positives of views", l.Views.Positives})
		sum += e.Positives
	}
	c.atMost("views", count{"positives", l.Views.Positives}, count{"sum of the kinds' positives", sum})
	c.bytes(&l.Bytes)
	c.inputs(l.Inputs)
	c.timeline(l)
	return errors.Join(c.errs...)
}

// count is a figure and what it is called in the ledger's JSON.
type count struct {
	name string
	n    int64
}

type checker struct{ errs []error }

func (c *checker) fail(format string, args ...any) {
	c.errs = append(c.errs, fmt.Errorf(format, args...))
}

func (c *checker) positive(where string, counts ...count) {
	for _, v := range counts {
		if v.n < 0 {
			c.fail("%s: %s is negative: %d", where, v.name, v.n)
		}
	}
}

func (c *checker) atMost(where string, part, whole count) {
	if part.n > whole.n {
		c.fail("%s: %d %s are more than %d %s", where, part.n, part.name, whole.n, whole.name)
	}
}

func (c *checker) sum(where string, whole count, parts ...count) {
	total := int64(0)
	terms := make([]string, len(parts))
	for i, part := range parts {
		total += part.n
		terms[i] = fmt.Sprintf("%d %s", part.n, part.name)
	}
	if total == whole.n {
		return
	}
	if len(parts) > 1 {
		terms[len(parts)-1] += fmt.Sprintf(" = %d", total)
	}
	c.fail("%s: %d %s, but %s (%+d)", where, whole.n, whole.name, strings.Join(terms, " + "), total-whole.n)
}

// opened adds what is open to the parts, where there is any: only a stream that goes on
// has it.
func opened(parts []count, open int64) []count {
	if open == 0 {
		return parts
	}
	return append(parts, count{"open", open})
}

func (c *checker) views(v *Views) {
	parts := []count{
		{"samples", v.Samples}, {"sampled_out", v.SampledOut}, {"duplicates", v.Duplicates}, {"late", v.Late}, {"dead", v.Dead},
	}
	parts = opened(parts, v.Open)
	c.positive("views", append([]count{
		{"read", v.Read},
		{"duplicates_differing", v.DuplicatesDiffering},
		{"positives", v.Positives},
		{"immature", v.Immature},
		{"resent_at_least", v.Resent},
		{"duplicates_chained_at_least", v.DuplicatesChained},
		{"damages", v.Damages},
		{"late_after_idle", v.LateAfterIdle},
	}, parts...)...)
	c.sum("views", count{"read", v.Read}, parts...)
	c.atMost("views", count{"positives", v.Positives}, count{"samples", v.Samples})
	c.atMost("views", count{"immature", v.Immature}, count{"samples", v.Samples})
	c.atMost("views", count{"resent_at_least", v.Resent}, count{"samples, sampled out or not", v.Samples + v.SampledOut})
	c.atMost("views", count{"duplicates_chained_at_least", v.DuplicatesChained}, count{"duplicates", v.Duplicates})
	c.atMost("views", count{"late_after_idle", v.LateAfterIdle}, count{"late", v.Late})
	c.atMost("views", count{"duplicates_differing", v.DuplicatesDiffering}, count{"duplicates", v.Duplicates})
}

func (c *checker) engagements(kind string, e *Engagements) {
	parts := []count{
		{"matched", e.Matched},
		{"outside_window", e.Outside},
		{"orphans", e.Orphans},
		{"duplicates", e.Duplicates},
		{"late", e.Late},
		{"dead", e.Dead},
	}
	parts = opened(parts, e.Open)
	c.positive(kind, append([]count{
		{"read", e.Read},
		{"partly_late", e.PartlyLate},
		{"filtered", e.Filtered},
		{"positives", e.Positives},
		{"matches", e.Matches},
		{"overflows", e.Overflows},
		{"damages", e.Damages},
		{"late_after_idle", e.LateAfterIdle},
	}, parts...)...)
	for _, part := range []count{{"without_id", e.WithoutID}, {"without_value", e.WithoutValue}, {"bad_values", e.BadValues}} {
		c.positive(kind, part)
		c.atMost(kind, part, count{"read", e.Read})
	}
	c.positive(kind, count{"orphans_like_floats", e.OrphansLikeFloats})
	c.atMost(kind, count{"orphans_like_floats", e.OrphansLikeFloats}, count{"orphans", e.Orphans})
	c.sum(kind, count{"read", e.Read}, parts...)
	c.atMost(kind, count{"partly_late", e.PartlyLate}, count{"read", e.Read})
	c.atMost(kind, count{"late_after_idle", e.LateAfterIdle}, count{"read", e.Read})
	c.sum(kind, count{"positives", e.Positives}, count{"delays", e.Delay.Count()})
}

func (c *checker) bytes(b *Bytes) {
	c.positive("bytes",
		count{"in", b.In}, count{"records", b.Records}, count{"blocks", b.Blocks},
		count{"samples", b.Samples}, count{"out", b.Out}, count{"json_estimate", b.JSON})
}

func (c *checker) inputs(inputs map[string]*Input) {
	for _, name := range slices.Sorted(maps.Keys(inputs)) {
		in := inputs[name]
		c.positive(name, count{"read", in.Read}, count{"late", in.Late}, count{"dead", in.Dead}, count{"filtered", in.Filtered})
		c.atMost(name, count{"late and dead", in.Late + in.Dead}, count{"read", in.Read})
	}
}

func (c *checker) timeline(l *Sheet) {
	samples := int64(0)
	positives := make(map[string]int64, len(l.Engagements))
	for _, start := range slices.Sorted(maps.Keys(l.Timeline)) {
		interval := l.Timeline[start]
		if interval == nil {
			c.fail("timeline %d: no counts", start)
			continue
		}
		where := fmt.Sprintf("timeline %d", start)
		c.positive(where, count{"samples", interval.Samples})
		samples += interval.Samples
		for _, kind := range slices.Sorted(maps.Keys(interval.Positives)) {
			n := count{kind + " positives", interval.Positives[kind]}
			c.positive(where, n)
			c.atMost(where, n, count{"samples", interval.Samples})
			positives[kind] += n.n
			if l.Engagements[kind] == nil && n.n != 0 {
				c.fail("%s: %d %s, a kind that has no account", where, n.n, n.name)
			}
		}
	}
	c.sum("timeline", count{"samples of views", l.Views.Samples}, count{"samples in the timeline", samples})
	for _, kind := range slices.Sorted(maps.Keys(l.Engagements)) {
		if e := l.Engagements[kind]; e != nil {
			c.sum("timeline", count{kind + " positives", e.Positives}, count{kind + " positives in the timeline", positives[kind]})
		}
	}
}
