package batch

import (
	"slices"
	"time"

	"tributary/io/format"
	"tributary/io/record"
	"tributary/pipelines/spec"
)

// interval is a piece of event time that is joined by itself: [from, to) in ms.
type interval struct {
	from, to int64
	// first says that it is the first of a run: it accounts for what has no event time.
	first bool
}

// intervalLengths are the lengths that are chosen from; each divides a day, so that intervals
// begin where people expect it.
var intervalLengths = []time.Duration{
	24 * time.Hour, 12 * time.Hour, 6 * time.Hour, 3 * time.Hour, 2 * time.Hour, time.Hour,
	30 * time.Minute, 15 * time.Minute, 10 * time.Minute, 5 * time.Minute, 2 * time.Minute, time.Minute,
}

// hourly tells whether samples go to folders of hours, in which intervals do not reach from one to the next.
func hourly(s *spec.Spec) bool {
	o := s.Outputs.SamplesFolder()
	return o != nil && o.Folders == spec.FolderOfHour
}

// recordsPerInterval keeps an interval within about half a gigabyte at 200 bytes a record.
const recordsPerInterval = 1_500_000

// intervals cuts the time from from to to (zero: all there is) into intervals of that length
// (0: as long as memory allows), aligned to multiples of it, and leaves out those in
// which nothing happened.
func (p *plan) intervals(from, to time.Time, length time.Duration) []interval {
	if length <= 0 {
		length = p.chooseLength()
	}
	if p.topic != nil { // groups are of whole buckets
		buckets := (length + p.spec.Bucket - 1).Nanoseconds() / p.spec.Bucket.Nanoseconds()
		length = time.Duration(max(buckets, 1) * p.spec.Bucket.Nanoseconds())
	}
	if hourly(p.spec) && time.Hour%length != 0 {
		length = time.Hour
	}
	step := length.Milliseconds()
	starts := map[int64]bool{}
	for m := range p.minutes {
		// A minute may lie in two intervals, if they are cut within one.
		for start := m * minute / step * step; start < (m+1)*minute; start += step {
			starts[start] = true
		}
	}
	sorted := make([]int64, 0, len(starts))
	for s := range starts {
		sorted = append(sorted, s)
	}
	slices.Sort(sorted)
	var out []interval
	for _, start := range sorted {
		s := interval{from: start, to: start + step}
		if !from.IsZero() {
			s.from = max(s.from, msOf(from))
		}
		if !to.IsZero() {
			s.to = min(s.to, msOf(to))
		}
		if s.from < s.to {
			out = append(out, s)
		}
	}
	if len(out) == 0 {
		// Nothing at all, or nothing with an event time: an interval to account for that.
		out = append(out, interval{from: 0, to: step})
		if !from.IsZero() {
			out[0].from, out[0].to = msOf(from), msOf(from)+step
		}
		if !to.IsZero() && msOf(to) > out[0].from {
			out[0].to = min(out[0].to, msOf(to))
		}
	}
	out[0].first = true
	return out
}

// chooseLength returns the longest length whose fullest interval has no more than recordsPerInterval records.
func (p *plan) chooseLength() time.Duration {
	for _, length := range intervalLengths {
		step := length.Milliseconds()
		records, fullest := map[int64]int64{}, int64(0)
		for m, n := range p.minutes {
			start := m * minute / step
			records[start] += n
			fullest = max(fullest, records[start])
		}
		if fullest <= recordsPerInterval {
			return length
		}
	}
	return intervalLengths[len(intervalLengths)-1]
}

// piece is some successive chunks of one file that an interval reads: the element of the
// source of a pipeline.
type piece struct {
	File  file
	Reads []read
}

// read is one chunk of a piece.
type read struct {
	Place format.Place
	// Account says that this interval accounts for records without an event time, and for the
	// Size (stored) and Records of the chunk, which are 0 otherwise.
	Account       bool
	Size, Records int64
	// Behind is how many bytes follow the records in the chunk.
	Behind int64
	// End and Clock are the offset behind a chapter of a topic's partition, and the clock before it.
	End   int64
	Clock record.Clock
	Takes []take
}

// take is what one source takes of a chunk.
type take struct {
	Input int32
	// File is the rank of the file as a partition of its own.
	File int32
	// ByField: records name their partition; Parts lists those there are.
	ByField bool
	Parts   []takePart
}

type takePart struct {
	Key       string
	Partition int32
	Before    record.Clock
}

// piecesReads bounds the chunks of a piece, so that there is something to spread over
// workers.
const piecesReads = 64

// pieces lists what an interval has to read.
func (p *plan) pieces(s interval) []piece {
	reach := p.params.InputBounds()
	var out []piece
	for _, f := range p.files {
		open := piece{File: f.file}
		for i := range f.chunks {
			c := &f.chunks[i]
			r, ok := p.readOf(f, c, s, reach.ViewsBefore, reach.ViewsAfter, reach.EngagementsBefore, reach.EngagementsAfter)
			if !ok {
				continue
			}
			open.Reads = append(open.Reads, r)
			if len(open.Reads) == piecesReads {
				out = append(out, open)
				open = piece{File: f.file}
			}
		}
		if len(open.Reads) > 0 {
			out = append(out, open)
		}
	}
	return out
}

// readOf tells whether and how an interval reads a chunk.
func (p *plan) readOf(f *scannedFile, c *scannedChunk, s interval, viewsBefore, viewsAfter, engagementsBefore, engagementsAfter int64) (read, bool) {
	r := read{Place: c.Place, End: c.end, Clock: c.clock, Account: s.accountsFor(c)}
	if r.Account {
		r.Size, r.Records, r.Behind = c.size, c.records, c.behind
	}
	wanted := r.Account
	for i, role := range f.roles {
		src := &p.sources[role.source]
		from, to := s.from-engagementsBefore, s.to+engagementsAfter
		if src.Role == "views" {
			from, to = s.from-viewsBefore, s.to+viewsAfter
		}
		t := take{Input: int32(role.source), File: role.partition, ByField: src.Order == spec.OrderField}
		overlaps := false
		for _, part := range c.parts[i] {
			overlaps = overlaps || part.min != record.NoTime && part.min < to && part.times.Largest >= from
			t.Parts = append(t.Parts, takePart{Key: part.key, Partition: part.partition, Before: part.before})
		}
		if overlaps || r.Account {
			wanted = true
			r.Takes = append(r.Takes, t)
		}
	}
	return r, wanted
}

// accountsFor tells whether the interval accounts for what has no event time in a chunk: the
// interval of the chunk's earliest event does, or the first one if it has none.
func (s interval) accountsFor(c *scannedChunk) bool {
	earliest := int64(record.NoTime)
	for _, parts := range c.parts {
		for _, part := range parts {
			if part.min != record.NoTime && (earliest == record.NoTime || part.min < earliest) {
				earliest = part.min
			}
		}
	}
	if earliest == record.NoTime {
		return s.first
	}
	return s.from <= earliest && earliest < s.to
}

// timeOf and msOf turn event times into the standard library's, and back.
func timeOf(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

func msOf(t time.Time) int64 { return t.UnixMilli() }
