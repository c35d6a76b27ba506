package account

// fineBuckets is how many of the newest buckets a coarse timeline tells one by one: more than
// any picture of it has columns.
const fineBuckets = 1000

// Coarsen bounds the timeline, whose buckets are that long (ms): the newest 1000 buckets stay one
// by one, older ones are put together by two, those twice as old by four, and so on. There are
// about 500 more pieces for each doubling of the whole time. A piece has the start of the first
// bucket in it that there is. Counts stay the same, and how often or when a timeline that grows
// was coarsened makes no difference to what Coarsen leaves of it in the end.
func (l *Sheet) Coarsen(bucket int64) {
	if bucket <= 0 {
		return
	}
	newest := int64(0)
	for start := range l.Timeline {
		newest = max(newest, start)
	}
	firsts := map[piece]int64{} // of the buckets in a piece
	for start := range l.Timeline {
		p := pieceOf(start, newest, bucket)
		if first, ok := firsts[p]; !ok || start < first {
			firsts[p] = start
		}
	}
	coarse := make(map[int64]*Interval, len(firsts))
	for start, interval := range l.Timeline {
		first := firsts[pieceOf(start, newest, bucket)]
		if coarse[first] == nil {
			coarse[first] = &Interval{}
		}
		if interval != nil {
			coarse[first].add(interval)
		}
	}
	l.Timeline = coarse
}

// piece is an interval of time that begins at a multiple of its length.
type piece struct{ start, length int64 }

// pieceOf is the longest piece around a bucket's start that is old enough to be one: its end is
// as long ago as fineBuckets pieces of half its length take. Pieces lie in one another, so all that
// one holds comes into a longer one together.
func pieceOf(start, newest, bucket int64) piece {
	p := piece{start, bucket}
	for length := 2 * bucket; ; length *= 2 {
		begin := start - start%length
		if begin+length > newest-fineBuckets*length/2 {
			return p
		}
		p = piece{begin, length}
	}
}
