package stream

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"tributary/io/kafkaio/cluster"
	"tributary/io/record"
	"tributary/transforms/account"
)

// ReadTo is how far a job has read a partition for a role, views or a kind, as its accounts say.
type ReadTo struct {
	Role      string
	Partition cluster.Partition
	// Next is the offset behind the last record that there are accounts of.
	Next int64
	// Clock is that of its log before the records that the last accounts are of; record.NoClock if none says it.
	Clock record.Clock
	// Written is when the last of them were written; zero if they are in a book by now.
	Written time.Time
}

// readTo is how far partitions of topics are read.
func (all *accounts) readTo() []ReadTo {
	type key struct {
		role      string
		partition cluster.Partition
	}
	read := map[key]*ReadTo{}
	add := func(log string, next, written int64) *ReadTo {
		partition, ok := partitionOf(log)
		if !ok {
			return nil
		}
		k := key{strings.SplitN(log, "/", 3)[1], partition}
		to := read[k]
		if to == nil {
			to = &ReadTo{Role: k.role, Partition: partition, Clock: record.NoClock}
			read[k] = to
		}
		to.Next = max(to.Next, next)
		if at := time.UnixMilli(written); written > 0 && at.After(to.Written) {
			to.Written = at
		}
		return to
	}
	for log, offset := range all.book.Offsets {
		add(log, offset, 0)
	}
	for log, ranges := range all.ranges() {
		for _, a := range ranges {
			to := add(log, a.Last+1, a.written)
			if to != nil && a.Step == steps[account.StepRead] && a.clock().Largest > to.Clock.Largest {
				to.Clock = a.clock()
			}
		}
	}
	out := make([]ReadTo, 0, len(read))
	for to := range maps.Values(read) {
		out = append(out, *to)
	}
	slices.SortFunc(out, func(a, b ReadTo) int {
		return cmp.Or(cmp.Compare(a.Role, b.Role), cmp.Compare(a.Partition.String(), b.Partition.String()))
	})
	return out
}
