package audit

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"tributary/io/kafkaio/commitlog"
)

// groups are what a commit log says of the buckets that it has not forgotten, by their start. Memory is that of the commit log.
type groups struct {
	by map[int64]*groupCount
	// first is the start of the first bucket that it tells of: those before it are forgotten, or were never told of.
	first int64
}

type groupCount struct {
	// said are the samples that it says are written, wanted those of the join.
	said, wanted int64
	// apart: the two are not of the same samples, since a group was corrected and written whole, or a partition was idle.
	apart bool
}

// groupsOf adds up the shards of a commit log.
func groupsOf(logs map[int32]*commitlog.Log) groups {
	before := int64(commitlog.NoID)
	for _, l := range logs {
		before = max(before, l.TruncatedBefore)
	}
	all := groups{by: map[int64]*groupCount{}, first: math.MaxInt64}
	for _, l := range logs {
		for id, e := range l.Entries {
			if id < before {
				continue
			}
			one := all.of(id)
			one.said += e.Records
			one.apart = one.apart || e.Version > 1 || e.Partial
			all.first = min(all.first, id)
		}
	}
	return all
}

func (g *groups) of(id int64) *groupCount {
	if g.by[id] == nil {
		g.by[id] = &groupCount{}
	}
	return g.by[id]
}

// want counts a sample of the join.
func (s *stage) want(time int64) {
	if s.groups.by == nil {
		return
	}
	if id := floor(time, s.step); id >= s.groups.first {
		s.groups.of(id).wanted++
	}
}

// setApart notes that a bucket is not of the same samples as the join's.
func (s *stage) setApart(time int64) {
	if s.groups.by == nil {
		return
	}
	if one := s.groups.by[floor(time, s.step)]; one != nil {
		one.apart = true
	}
}

// tellGroups tells of the buckets of which the commit log says another number of samples than the join: a job that goes on would write
// them again, or leave them out.
func (c *comparison) tellGroups() {
	for i := range c.sink.stages {
		of := &c.sink.stages[i]
		for _, id := range slices.Sorted(maps.Keys(of.groups.by)) {
			one := of.groups.by[id]
			if one.apart || one.said == one.wanted || id < of.from || id >= of.to {
				continue
			}
			c.stage(of.name).Uncommitted++
			c.row(of.name, "", floor(id, hourMs)).Uncommitted++
			at := time.UnixMilli(id).UTC()
			c.tell(Finding{Class: Uncommitted, Stage: of.name, ViewTime: &at, Note: fmt.Sprintf("of the bucket that starts then the commit log says %d samples, and there are %d", one.said, one.wanted)})
		}
	}
}
