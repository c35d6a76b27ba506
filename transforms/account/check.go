package account

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Check says whether the accounts balance: nil, or one error for each rule that does
// not hold, with its figures, joined. The rules:
//
//   - no count, byte or delay count is negative, and From <= To;
//   - of views and of each kind, the whole is the sum of the parts; of an input it is no less;
//   - a count is no more than those that it is Within;
//   - a positive sample is positive of some kind: the positives of views are no more than the sum of the
//     kinds', and no less than those of any;
//   - each kind has a delay for every positive: count of delays = positives;
//   - each stage accounts for the views that are neither late for all stages nor dead;
//   - the timeline adds up: its samples = samples, its positives of a kind = positives
//     of that kind, and none in a bucket are more than its samples.
//
// Accounts that are not complete yet (of one shard, say) do not balance: merge first.
func (l *Sheet) Check() error {
	var c checker
	if l.From > l.To {
		c.fail("time: from_ms %d is after to_ms %d", l.From, l.To)
	}
	c.counts("views", OfViews, &l.Views.N)
	sum := int64(0)
	for _, kind := range slices.Sorted(maps.Keys(l.Engagements)) {
		e := l.Engagements[kind]
		if e == nil {
			c.fail("%s: no account", kind)
			continue
		}
		c.counts(kind, OfEngagements, &e.N)
		c.sum(kind, count{"positives", e.N[Positives]}, count{"delays", e.Delay.Count()})
		c.atMost(kind, count{"positives", e.N[Positives]}, count{"positives of views", l.Views.N[Positives]})
		sum += e.N[Positives]
	}
	c.atMost("views", count{"positives", l.Views.N[Positives]}, count{"sum of the kinds' positives", sum})
	c.bytes(&l.Bytes)
	c.inputs(l.Inputs)
	c.stages(l)
	c.timeline(l)
	return errors.Join(c.errs...)
}

// count is a figure and what it is called in JSON.
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

// counts checks what the table says of the counts of a subject.
func (c *checker) counts(where string, s Subject, n *Counts) {
	var whole count
	var parts []count
	for i, r := range table {
		use, v := r.In(s), count{r.Key, n[i]}
		if use == nil {
			continue
		}
		c.positive(where, v)
		switch {
		case use.Side == Whole:
			whole = v
		case use.Side == Part && (v.n != 0 || !use.Optional):
			parts = append(parts, v)
		}
	}
	if s == OfInput {
		c.atMost(where, together(parts...), whole)
	} else {
		c.sum(where, whole, parts...)
	}
	for i, r := range table {
		if use := r.In(s); use != nil && use.Within != nil {
			var within []count
			for _, j := range use.Within {
				within = append(within, count{table[j].Key, n[j]})
			}
			c.atMost(where, count{r.Key, n[i]}, together(within...))
		}
	}
}

// together is the sum of counts.
func together(counts ...count) (sum count) {
	names := make([]string, len(counts))
	for i, v := range counts {
		names[i] = v.name
		sum.n += v.n
	}
	sum.name = strings.Join(names, " + ")
	return sum
}

func (c *checker) bytes(b *Bytes) {
	c.positive("bytes",
		count{"in", b.In}, count{"records", b.Records}, count{"blocks", b.Blocks},
		count{"samples", b.Samples}, count{"out", b.Out}, count{"json_estimate", b.JSON})
}

func (c *checker) inputs(inputs map[string]*Input) {
	for _, name := range slices.Sorted(maps.Keys(inputs)) {
		c.counts(name, OfInput, &inputs[name].N)
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
	c.sum("timeline", count{"samples of views", l.Views.N[Samples]}, count{"samples in the timeline", samples})
	for _, kind := range slices.Sorted(maps.Keys(l.Engagements)) {
		if e := l.Engagements[kind]; e != nil {
			c.sum("timeline", count{kind + " positives", e.N[Positives]}, count{kind + " positives in the timeline", positives[kind]})
		}
	}
}
