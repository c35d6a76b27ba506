package generate

import (
	"cmp"
	"slices"
	"sync/atomic"
)

// The two streams of records.
const (
	streamViews = iota
	streamEngagements
)

// laneWriter writes the records of one partition as they arrive.
type laneWriter struct {
	stream, partition int
	lane              *lane
	files             *files
	tally             tally
	total             int64         // records written
	written           *atomic.Int64 // the same by all lanes,
	counted           int64         // and how many of ours are in it
}

func newLaneWriter(m *model, stream, partition int, f *files, written *atomic.Int64) *laneWriter {
	w := &laneWriter{stream: stream, partition: partition, files: f, tally: newTally(len(m.Kinds)), written: written}
	encoder := newEncoder(m, partition)
	encode := encoder.appendView
	if stream == streamEngagements {
		encode = encoder.appendEngagement
	} else if f.corrupt = m.corruptBlocks(partition); f.corrupt > 0 {
		w.tally[0][fateDead] += int64(f.corrupt) * corruptRecords
	}
	var datum []byte
	w.lane = newLane(m.Order == OrderFile, m.leap, func(r *rec) error {
		datum = encode(datum[:0], r)
		w.tally.count(r)
		w.total++
		return f.append(datum)
	})
	return w
}

// corruptBlocks is how many of the corrupt blocks fall to a partition of views.
func (c *Config) corruptBlocks(partition int) int {
	n := c.CorruptBlocks / c.Partitions
	if partition < c.CorruptBlocks%c.Partitions {
		n++
	}
	return n
}

func (w *laneWriter) take(c numbered) error {
	records := c.views
	if w.stream == streamEngagements {
		records = c.engagements
	}
	err := w.lane.add(c.number, records[w.partition], c.end)
	w.written.Add(w.total - w.counted)
	w.counted = w.total
	return err
}

func (w *laneWriter) finish() error {
	if err := w.lane.finish(); err != nil {
		return err
	}
	return w.files.finish()
}

// rowWriter writes the truth in order of (view time, view id).
type rowWriter struct {
	sorter    rowSorter
	files     *files
	positives positives
	encoder   *truthEncoder
	datum     []byte
}

func newRowWriter(m *model, f *files) (*rowWriter, error) {
	encoder, err := newTruthEncoder(m, f.schema)
	return &rowWriter{
		sorter: rowSorter{seed: m.Seed, kinds: len(m.Kinds)}, files: f,
		positives: positives{kinds: make([]int64, len(m.Kinds))}, encoder: encoder,
	}, err
}

func (w *rowWriter) take(c numbered) error { return w.sorter.add(c.chunk, w.write) }

func (w *rowWriter) write(r *row, labels []trueLabel) error {
	w.positives.count(labels)
	var err error
	if w.datum, err = w.encoder.append(w.datum[:0], r, labels); err != nil {
		return err
	}
	return w.files.append(w.datum)
}

func (w *rowWriter) finish() error {
	if err := w.sorter.flush(len(w.sorter.waiting), w.write); err != nil {
		return err
	}
	return w.files.finish()
}

// rowSorter puts rows of the same millisecond in order of their ids; by time they are in
// order already.
type rowSorter struct {
	seed    uint64
	kinds   int
	waiting []sortableRow
}

type sortableRow struct {
	row
	labels []trueLabel
}

// add takes the rows of a chunk and emits all but the last millisecond's, which the next
// chunk may add to.
func (s *rowSorter) add(c *chunk, emit func(*row, []trueLabel) error) error {
	for i, r := range c.rows {
		s.waiting = append(s.waiting, sortableRow{r, c.labels[i*s.kinds : (i+1)*s.kinds]})
	}
	ready := len(s.waiting)
	for ready > 0 && s.waiting[ready-1].time == s.waiting[len(s.waiting)-1].time {
		ready--
	}
	return s.flush(ready, emit)
}

// flush emits the first n rows waiting.
func (s *rowSorter) flush(n int, emit func(*row, []trueLabel) error) error {
	for from := 0; from < n; {
		to := from + 1
		for to < n && s.waiting[to].time == s.waiting[from].time {
			to++
		}
		same := s.waiting[from:to]
		if len(same) > 1 {
			slices.SortFunc(same, s.compareIDs)
		}
		for i := range same {
			if err := emit(&same[i].row, same[i].labels); err != nil {
				return err
			}
		}
		from = to
	}
	s.waiting = append(s.waiting[:0], s.waiting[n:]...)
	return nil
}

// compareIDs compares the ids that the views will have, as text.
func (s *rowSorter) compareIDs(a, b sortableRow) int {
	return cmp.Or(cmp.Compare(idPrefix(s.seed, a.view), idPrefix(s.seed, b.view)), cmp.Compare(a.view, b.view))
}
