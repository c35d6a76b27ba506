package batch

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strconv"
)

// An interval reads again what lies before it, as far as its engagements look back: the windows of the views there reach
// into it. Where that is longer than the interval itself, several intervals in turn are joined at once, as a cluster joins
// all: a unit, whose intervals have a file of samples each, and everything else in common. Then most is read once. What
// a unit shuffles is in files, so that memory does not grow with its length.
//
//	views     ──────────────────────────────►
//	intervals     read: ├──────────┤▓▓▓▓│                8 days for each
//	unit          read: ├──────────┤▓▓▓▓│▓▓▓▓│▓▓▓▓│▓▓▓▓│

// unitReaches is how many times as long as what it reads again a unit is: a third of what is read is read twice, and
// of that no more is kept than an id and a time.
const unitReaches = 2

// units groups intervals by what is joined at once: all of them on a runner with workers, an interval each where it is
// longer than what it reads again or somebody has asked for its length, and groups of like size otherwise. Groups
// that go to a topic are never cut.
func (p *plan) units(all []interval, opt Options) []interval {
	p.all = all
	reach := p.params.InputBounds()
	again, length := reach.ViewsBefore+reach.ViewsAfter, all[0].to-all[0].from
	count := len(all)
	switch {
	case opt.Runner != nil:
		count = 1
	case opt.Interval <= 0 && p.topic == nil && again > length:
		each := (unitReaches*again + length - 1) / length
		count = int(max(1, (2*int64(len(all))+each)/(2*each))) // rounded
	}
	out := make([]interval, 0, count)
	for i := range count {
		first, next := i*len(all)/count, (i+1)*len(all)/count
		out = append(out, interval{from: all[first].from, to: all[next-1].to, first: i == 0})
	}
	return out
}

// intervalsOf are the intervals of a unit.
func (p *plan) intervalsOf(unit interval) []interval {
	first := sort.Search(len(p.all), func(i int) bool { return p.all[i].from >= unit.from })
	next := sort.Search(len(p.all), func(i int) bool { return p.all[i].to > unit.to })
	return p.all[first:next]
}

// shuffles are the folders that units of several intervals shuffle in, by where they begin; each goes with its unit.
// They are of this machine: outputs may be far away.
type shuffles struct {
	root   string
	folder map[int64]string
}

// shuffleIn makes the folders of units that are to be joined, in scratch, or in the system's folder for temporary files if that is empty.
func (p *plan) shuffleIn(todo []fingerprinted, scratch string) (*shuffles, error) {
	s := &shuffles{folder: map[int64]string{}}
	for _, unit := range todo {
		if len(p.intervalsOf(unit.interval)) < 2 {
			continue
		}
		if s.root == "" {
			var err error
			if s.root, err = os.MkdirTemp(scratch, "tributary-shuffle-"); err != nil {
				return nil, fmt.Errorf("a folder for what is joined at once: %w", err)
			}
		}
		s.folder[unit.from] = filepath.Join(s.root, strconv.FormatInt(unit.from, 10))
	}
	return s, nil
}

// of is the folder of a unit, empty for one interval.
func (s *shuffles) of(unit interval) string { return s.folder[unit.from] }

// remove removes that of a unit that has been joined.
func (s *shuffles) remove(unit interval) error {
	if s.of(unit) == "" {
		return nil
	}
	return os.RemoveAll(s.of(unit))
}

// removeAll removes them all.
func (s *shuffles) removeAll() error {
	if s.root == "" {
		return nil
	}
	return os.RemoveAll(s.root)
}
