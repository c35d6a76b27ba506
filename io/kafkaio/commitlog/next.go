package commitlog

import (
	"maps"
	"slices"
)

// Next is the header that the commit logs in topic of all shards get, as want would have it, with every writer fenced off, and
// which groups of each shard are kept.
func Next(topic string, want *Header, logs []*Log) (next *Header, kept map[int32][]int64, err error) {
	own := *want
	next = &own
	next.Earlier, next.FencingEpoch = nil, 1
	var base *Header // the one that groups were written under
	last, through, completes := int64(NoID), int64(NoID), false
	for _, l := range logs {
		for id := range l.Entries {
			last = max(last, id)
		}
		if l.Completes {
			through, completes = max(through, l.Through), true
		}
		if h := l.Header; h != nil {
			if base == nil || h.FencingEpoch < base.FencingEpoch {
				base = h
			}
			next.FencingEpoch = max(next.FencingEpoch, h.FencingEpoch+1)
			next.CommittedBefore = max(next.CommittedBefore, h.CommittedBefore)
		}
	}
	if base == nil {
		if last != NoID || completes {
			since := max(last, through) + max(want.Step, 1)
			next.MeaningSince = &since
		}
		return next, nil, nil
	}
	if last == NoID && !completes {
		return next, nil, nil // headers of nothing bind nobody
	}
	if base.Step != want.Step {
		return nil, nil, base.Fits(topic, want, last)
	}
	if completes {
		next.CommittedBefore = max(next.CommittedBefore, through+want.Step)
	}
	if last != NoID {
		// As it was up to the last group that was written, and from there on as it is wanted.
		until := last + max(want.Step, 1)
		for _, l := range base.Earlier {
			if l.Until < until {
				next.Earlier = append(next.Earlier, l)
			}
		}
		if had := ShardsAt(base.Earlier, base.Shards, last); had != want.Shards {
			next.Earlier = append(next.Earlier, Layout{Until: until, Shards: had})
		}
	}
	// How complete groups were spread matters to nobody.
	next.Earlier = slices.DeleteFunc(next.Earlier, func(l Layout) bool { return l.Until <= next.CommittedBefore })
	another := base.Meaning != nil && !maps.Equal(base.Meaning, want.Meaning)
	since := int64(NoID)
	switch {
	case base.Meaning == nil: // nobody knows what it was
		since = max(next.CommittedBefore, last+max(want.Step, 1))
	case another:
		since = next.CommittedBefore
	default: // kept groups before CommittedBefore are not told of any more
		for _, l := range logs {
			if l.Header != nil {
				since = max(since, l.Header.MeansSince())
			}
		}
	}
	next.MeaningSince = &since
	return next, keepParts(logs, next.CommittedBefore, another), nil
}

// Corrected returns which groups of each shard are written as a version above the first, of those that a run does not write: those
// before settled, and kept ones.
func Corrected(logs []*Log, settled int64, kept map[int32][]int64) map[int32]map[int64]int32 {
	all := map[int32]map[int64]int32{}
	for shard, l := range logs {
		versions := map[int64]int32{}
		if l.Header != nil {
			maps.Copy(versions, l.Header.Corrected)
		}
		for id, e := range l.Entries {
			if e.Version > 1 && !e.Partial && (id < settled || slices.Contains(kept[int32(shard)], id)) {
				versions[id] = e.Version
			}
		}
		// What the log has let go is too old for anything to follow from it.
		maps.DeleteFunc(versions, func(id int64, _ int32) bool { return id < l.TruncatedBefore })
		if len(versions) > 0 {
			all[int32(shard)] = versions
		}
	}
	return all
}

// keepParts returns which groups of each shard stay as they are: those that did already, and with
// another meaning all that are written whole.
func keepParts(logs []*Log, settled int64, another bool) map[int32][]int64 {
	kept := map[int32][]int64{}
	for shard, l := range logs {
		var ids []int64
		if l.Header != nil {
			ids = slices.Clone(l.Header.Kept)
		}
		for id, e := range l.Entries {
			if another && !e.Partial {
				ids = append(ids, id)
			}
		}
		slices.Sort(ids)
		ids = slices.DeleteFunc(slices.Compact(ids), func(id int64) bool { return id < settled })
		if len(ids) > 0 {
			kept[int32(shard)] = ids
		}
	}
	return kept
}
