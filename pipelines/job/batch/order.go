package batch

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"tributary/io/record"
	"tributary/pipelines/spec"
	"tributary/pipelines/spec/problem"
)

// offsetRange is the part of a partition, as records name it, that one chunk holds.
type offsetRange struct {
	part *part
	file *scannedFile
}

// orderPartitions puts together the partitions that records name: from the chunks of all
// files, in order of offset, comes the largest event time before each.
//
// Inputs with the same path are one log, whatever roles read it, and so give the same
// ranks. The times are kept apart by source: roles may read different time fields.
func (p *plan) orderPartitions() error {
	partitions := map[string]map[int][]offsetRange{} // by name and source
	for _, f := range p.files {
		for r, role := range f.roles {
			src := &p.sources[role.source]
			if src.Order != spec.OrderField {
				continue
			}
			for c := range f.chunks {
				for i := range f.chunks[c].parts[r] {
					part := &f.chunks[c].parts[r][i]
					name := nameOf(src) + "#" + part.key
					if partitions[name] == nil {
						partitions[name] = map[int][]offsetRange{}
					}
					partitions[name][role.source] = append(partitions[name][role.source], offsetRange{part, f})
				}
			}
		}
	}
	var problems problem.List
	for _, name := range slices.Sorted(maps.Keys(partitions)) {
		rank := int32(len(p.partitions))
		p.partitions = append(p.partitions, name)
		told := false
		for _, source := range slices.Sorted(maps.Keys(partitions[name])) {
			broken := chain(partitions[name][source], rank)
			if broken != nil && !told {
				told = true // once for all roles
				problems = append(problems, p.problem(codeOrder, fmt.Sprintf("partition %q: %v", name, broken), &p.sources[source]))
			}
		}
	}
	return asError(problems)
}

// chain gives the offset ranges of a partition their rank and the partition's clock before
// them. An error says that they do not follow one another.
func chain(ranges []offsetRange, rank int32) error {
	slices.SortStableFunc(ranges, func(a, b offsetRange) int { return cmp.Compare(a.part.first, b.part.first) })
	clock, last := record.NoClock, int64(-1)
	var broken error
	for _, s := range ranges {
		switch {
		case broken != nil:
		case s.part.first < 0:
			broken = fmt.Errorf("in %s offsets come again or go back", s.file.Path)
		case s.part.first <= last:
			broken = fmt.Errorf("offset %d in %s comes after offset %d", s.part.first, s.file.Path, last)
		}
		s.part.partition, s.part.before = rank, clock
		clock.Append(s.part.times)
		last = s.part.last
	}
	return broken
}

// clocks are those of all partitions at their ends. Of a file without an order the order of its records is taken.
func (p *plan) clocks() []record.Clock {
	type log struct {
		source    int
		partition int32
	}
	clocks := map[log]record.Clock{}
	for _, f := range p.files {
		for r, role := range f.roles {
			ordered := p.sources[role.source].Ordered()
			for _, c := range f.chunks {
				for _, part := range c.parts[r] {
					of := log{role.source, part.partition}
					before, begun := clocks[of]
					clock := part.before
					if begun && !ordered {
						clock = before
					}
					clock.Append(part.times)
					// What files hold of a partition comes in any order: its end is what has come furthest.
					if !begun || !ordered || cmp.Or(cmp.Compare(clock.Largest, before.Largest), cmp.Compare(clock.Second, before.Second)) > 0 {
						clocks[of] = clock
					}
				}
			}
		}
	}
	return slices.Collect(maps.Values(clocks))
}
