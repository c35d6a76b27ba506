package draft

import (
	"context"
	"slices"
	"strings"
	"sync"

	"tributary/io/format/jsontext"
	"tributary/io/record"
	"tributary/pipelines/profile"
)

// patterns are the ways of writing times that are looked for, of which the first that fits is taken: days before months where
// values fit both and are no further apart.
var patterns = func() (all []string) {
	dates := []string{
		"%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%d.%m.%y", "%d/%m/%y", "%m/%d/%y",
		"%d %b %Y", "%d-%b-%Y", "%d/%b/%Y", "%b %d, %Y", "%b %d %Y", "%a, %d %b %Y", "%a %b %d %Y",
	}
	clocks := []string{"%H:%M:%S", "%H:%M:%S.%f", "%H:%M:%S,%f", "%H:%M", "%I:%M:%S %p", "%I:%M %p", "%I:%M:%S%p", "%I:%M%p", "%H%M%S"}
	for _, date := range dates {
		for _, between := range []string{" ", "T", ", ", ":", ""} {
			for _, clock := range clocks {
				for _, zone := range []string{"", " %z", "%z"} {
					all = append(all, date+between+clock+zone)
				}
			}
		}
	}
	return append(all, "%a %b %d %H:%M:%S %Y", "%a %b %d %H:%M:%S %z %Y")
}()

// written is how the times of a field are written, as text that does not say all of it by itself.
type written struct {
	pattern, zone string
	// fit is how many of the values are written so, of all.
	fit, all int64
	// or is another pattern that they fit as well.
	or string
}

// candidate is a way of writing times that all values so far fit but for few.
type candidate struct {
	written
	reader      *record.TimeReader
	first, last int64
}

// guessWritten finds how the text of a field is written, if it is that of times; nil if it is not.
func guessWritten(ctx context.Context, g *group, f *profile.Field, records int) (*written, error) {
	if f.Texts*2 <= f.Filled || f.TextTimes*2 > f.Filled || !strings.ContainsAny(f.First, "0123456789") {
		return nil, nil //nolint:nilnil // it is none
	}
	if f.TextInts > 0 && !hasAny(nameWords(f.Path), timeWords) {
		return nil, nil //nolint:nilnil // digits alone are numbers of orders and the like
	}
	candidates := candidatesFor(f.First)
	if len(candidates) == 0 {
		return nil, nil //nolint:nilnil // it is none
	}
	extractor := jsontext.NewExtractor([]string{f.Path})
	values := make([]record.Value, 1)
	all := int64(0)
	for _, file := range g.files[:min(len(g.files), filesOfGroup)] {
		_, err := g.each(ctx, file.Path, records, func(text []byte) error {
			if _, err := extractor.Extract(text, values); err != nil || values[0].Kind == record.Null || values[0].Kind == record.String && len(values[0].Text) == 0 {
				return nil //nolint:nilerr // a bad record: check --inputs tells of it
			}
			all++
			for _, c := range candidates {
				c.add(values[0])
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	candidates = slices.DeleteFunc(candidates, func(c *candidate) bool { return c.fit*2 <= all })
	if len(candidates) == 0 {
		return nil, nil //nolint:nilnil // most are written otherwise
	}
	best := candidates[0]
	for _, c := range candidates[1:] {
		// Days taken for months lie all over the year, and fewer of them are there.
		if c.fit > best.fit || c.fit == best.fit && c.last-c.first < best.last-best.first {
			best = c
		}
	}
	for _, c := range candidates {
		if c != best && c.fit == best.fit && (c.first != best.first || c.last != best.last) {
			best.or = c.pattern
			break
		}
	}
	best.all = all
	return &best.written, nil
}

// candidatesFor are the ways in which a value may be written. Text by RFC 3339 but for the zone needs no pattern.
func candidatesFor(value string) (all []*candidate) {
	v := record.Value{Kind: record.String, Text: []byte(value)}
	for _, c := range ways() {
		if _, err := c.reader.Millis(v); err != nil {
			continue
		}
		if all = append(all, &c); c.pattern == "" {
			return all
		}
	}
	return all
}

// ways are all candidates.
var ways = sync.OnceValue(func() (all []candidate) {
	for _, pattern := range append([]string{""}, patterns...) {
		w := written{pattern: pattern}
		if !strings.Contains(pattern, "%z") {
			w.zone = zoneGuessed
		}
		if r, err := record.NewTimeReader(record.TimeForm{Pattern: w.pattern, Zone: w.zone}); err == nil {
			all = append(all, candidate{written: w, reader: r})
		}
	}
	return all
})

// zoneGuessed is the zone of times that have none.
const zoneGuessed = "UTC"

func (c *candidate) add(v record.Value) {
	t, err := c.reader.Millis(v)
	if err != nil {
		return
	}
	if c.fit == 0 || t < c.first {
		c.first = t
	}
	if c.fit == 0 || t > c.last {
		c.last = t
	}
	c.fit++
}
