package audit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"tributary/io/fileio"
	"tributary/pipelines/spec"
	"tributary/transforms/account"
)

// interval is a piece of event time that a join has finished: [from, to).
type interval struct {
	from, to int64
	// immature are the samples in it whose windows were cut where the inputs ended: if those go on, it is not complete.
	immature int64
}

// sheets are the accounts of a join of files.
type sheets struct {
	// intervals are in order. Those that touch are one, unless one of them has immature samples.
	intervals []interval
	// first is the start of the first of them that has samples; of it, all before firstEnd are known to be earlier than that.
	first, firstEnd int64
}

// readSheets reads the accounts of a join of files: those of intervals that are finished.
func readSheets(ctx context.Context, s *spec.Spec) (*sheets, error) {
	all := &sheets{first: math.MaxInt64}
	if s.Outputs.Accounts == "" {
		return all, nil
	}
	files, err := fileio.List(ctx, fileio.Escape(s.Outputs.Accounts)+"/dt=*/accounts-*.json")
	if none := (*fileio.NoMatchError)(nil); errors.As(err, &none) {
		return all, nil
	}
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		content, err := fileio.ReadFile(ctx, file.Path)
		if err != nil {
			return nil, err
		}
		sheet, err := account.Decode(content)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file.Path, err)
		}
		all.add(sheet)
	}
	all.join()
	return all, nil
}

func (all *sheets) add(sheet *account.Sheet) {
	all.intervals = append(all.intervals, interval{sheet.From, sheet.To, sheet.Views.N[account.Immature]})
	if sheet.Views.N[account.Samples] == 0 || sheet.From >= all.first {
		return
	}
	all.first, all.firstEnd = sheet.From, sheet.To
	if starts := slices.Sorted(maps.Keys(sheet.Timeline)); len(starts) > 1 {
		all.firstEnd = min(sheet.To, starts[1]) // older pieces of a timeline are longer than a bucket
	}
}

// join puts intervals together that touch.
func (all *sheets) join() {
	slices.SortFunc(all.intervals, func(a, b interval) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) })
	out := all.intervals[:0]
	for _, one := range all.intervals {
		if n := len(out); n > 0 && one.from <= out[n-1].to && one.immature == 0 && out[n-1].immature == 0 {
			out[n-1].to = max(out[n-1].to, one.to)
			continue
		}
		out = append(out, one)
	}
	all.intervals = out
}

// closed is where the last interval ends; math.MinInt64 if there is none.
func (all *sheets) closed() int64 {
	before := int64(math.MinInt64)
	for _, one := range all.intervals {
		before = max(before, one.to)
	}
	return before
}

// within tells whether a view's time is in a finished interval; a stage whose commit log says what is complete has none.
func (s *stage) within(time int64) bool {
	return s.intervals == nil || slices.ContainsFunc(s.intervals, func(one interval) bool { return one.from <= time && time < one.to })
}

// mature leaves out the intervals with samples whose windows were cut, if the inputs go on since, as so many of the join's samples in the
// range tell whose windows are still cut. It returns a note of what is left out, empty for nothing.
func (s *stage) mature(immature int64) (note string) {
	said, last := int64(0), int64(math.MaxInt64)
	for _, one := range s.intervals {
		if one.from < s.to && one.to > s.from && one.immature > 0 {
			said += one.immature
			last = min(last, one.from)
		}
	}
	if said == immature || said == 0 {
		return ""
	}
	s.intervals = slices.DeleteFunc(slices.Clone(s.intervals), func(one interval) bool { return one.immature > 0 })
	return fmt.Sprintf("intervals from %s on hold samples whose windows were cut where the inputs ended, and those go on since: they are not complete", momentOf(last))
}

// checkFiles refuses a range of which the inputs no longer hold what a join of files has made samples of.
func checkFiles(s *spec.Spec, sinks []*sink, all *sheets, want *expected) error {
	used := slices.ContainsFunc(sinks, func(k *sink) bool {
		return slices.ContainsFunc(k.stages, func(of stage) bool { return of.intervals != nil })
	})
	first := want.inputsFrom
	if !used || first.IsZero() || all.first == math.MaxInt64 || all.firstEnd > first.UnixMilli() {
		return nil
	}
	earliest := first.Add(reach(s)).UnixMilli()
	for _, k := range sinks {
		for _, of := range k.stages {
			if of.from < of.to && of.from < earliest {
				return goneError(s, []string{fmt.Sprintf("there are samples of %s, and the inputs begin at %s", momentOf(all.first), momentOf(first.UnixMilli()))}, earliest)
			}
		}
	}
	return nil
}
