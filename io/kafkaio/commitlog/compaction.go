package commitlog

import "slices"

// Compact chooses the entries beyond the newest keep that go when planned are written, the oldest of
// them with that ID, once there are an eighth too many: then
// the price of sorting is spread over many groups. What this transaction writes stays,
// whatever its age: the newest record of a commit log carries that and must outlive
// compaction. Counting IDs, rather than their distance from the largest, makes one ID
// in the far future cost one entry and not the whole commit log.
func (l *Log) Compact(planned map[int64]Entry, oldest int64, keep int) (drop []int64, truncatedBefore int64) {
	count := len(l.Entries)
	for id := range planned {
		if _, ok := l.Entries[id]; !ok {
			count++
		}
	}
	if len(planned) == 0 || count <= keep+keep/8 {
		return nil, l.TruncatedBefore
	}
	ids := make([]int64, 0, count)
	for id := range l.Entries {
		if id < oldest {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	drop, truncatedBefore = ids[:min(len(ids), count-keep)], l.TruncatedBefore
	if n := len(drop); n > 0 {
		truncatedBefore = drop[n-1] + 1
	}
	return drop, truncatedBefore
}
