package batch

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/zeebo/xxh3"

	"tributary/io/format"
	"tributary/io/record"
	"tributary/pipelines/job"
	"tributary/pipelines/spec"
	"tributary/transforms/attribution/decode"
	"tributary/transforms/attribution/rules"
)

// A scan reads every input file once, event times only. It finds which times each
// chunk holds, so that an interval reads the chunks it needs and no others, and the
// largest event time before each chunk in its partition, so that what is late does
// not depend on where reading begins.

// scannedFile is a file with what the scan found in it.
type scannedFile struct {
	file
	// roles are the sources that read the file; it is read once for all of them.
	roles  []role
	chunks []scannedChunk
}

// role is a file in the part of one source.
type role struct {
	source int
	// partition of all records of the file, if they do not say which they belong to.
	partition int32
}

// scannedChunk is a chunk with the event times of each role.
type scannedChunk struct {
	format.Place
	size int64
	// records counts all there are in the chunk, bad ones too.
	records int64
	// behind is how many bytes follow the records that it says it has.
	behind int64
	// end and clock are those of a chapter of a topic's partition: the offset behind it, and the
	// partition's clock before it.
	end   int64
	clock record.Clock
	// parts are the partitions that each role finds in the chunk: one, unless records name
	// their partition.
	parts [][]part
}

// part is one partition's share of a chunk.
type part struct {
	partition int32
	key       string // the partition as records name it
	// first and last are the offsets of its records, for those that carry them.
	first, last int64
	// min is the smallest event time, NoTime if there is none, and times what else is told of them.
	min   int64
	times record.RangeClock
	// before is the partition's clock before the chunk.
	before record.Clock
}

// newPart is one without records.
func newPart() part {
	return part{min: record.NoTime, times: record.NoRangeClock, before: record.NoClock}
}

func (p *part) add(t int64) {
	if t == record.NoTime {
		return
	}
	if p.min == record.NoTime || t < p.min {
		p.min = t
	}
	p.times.Add(t)
}

// minute is the grain in which records are counted over time.
const minute = 60_000

// scanned is what the scan of one file found beside its chunks.
type scanned struct {
	chunks  []scannedChunk
	content uint64          // hash of the file's bytes
	minutes map[int64]int64 // records by the minute of their event time, over all roles
	// schemas are those that records name, by their ID.
	schemas map[uint64]string
}

// scanFile scans a file for the sources of its roles.
func scanFile(ctx context.Context, p *rules.Params, sources []job.Source, f *scannedFile, keep *cache, progress func(bytes int64)) (scanned, error) {
	found := scanned{minutes: map[int64]int64{}}
	splitters := make([]*splitter, len(f.roles))
	for i, r := range f.roles {
		var err error
		if splitters[i], err = newSplitter(p, sources, f, r); err != nil {
			return found, err
		}
	}
	content := xxh3.New()
	reader, err := openChunks(ctx, &f.file, format.Place{}, content)
	if err != nil {
		return found, err
	}
	defer func() { _ = reader.Close() }() // only read
	var room []byte
	for {
		if err := ctx.Err(); err != nil {
			return found, err
		}
		c, err := reader.Next()
		if errors.Is(err, io.EOF) {
			found.content = content.Sum64()
			return found, nil
		}
		if err != nil {
			return found, err
		}
		meta := scannedChunk{Place: c.Place, size: c.Size, records: c.Count, parts: make([][]part, len(f.roles))}
		for _, b := range c.Bad {
			meta.records += b.Count
		}
		b, err := batchOf(&c, &f.file, room)
		if err != nil {
			b.Count = 0 // who reads the chunk will find the same, and account for it
		}
		for i, s := range splitters {
			meta.parts[i] = s.scan(b, found.minutes)
			meta.behind = s.behind
		}
		if room = b.Records; keep.add(&f.file, c, b.Records, err) {
			room = nil
		}
		found.chunks = append(found.chunks, meta)
		progress(c.Size)
	}
}

// splitter finds the partitions and times of a file's records in one role.
type splitter struct {
	role    role
	ordered bool
	// byField: records carry partition and offset in the two extra fields.
	byField bool
	scanner *decode.Scanner
	clock   record.Clock // so far, of a file that is a partition
	behind  int64        // bytes behind the records of the last batch
}

func newSplitter(p *rules.Params, sources []job.Source, f *scannedFile, r role) (*splitter, error) {
	src := &sources[r.source]
	s := &splitter{role: r, ordered: src.Order == spec.OrderFile, byField: src.Order == spec.OrderField, clock: record.NoClock}
	var extra []string
	if s.byField {
		extra = []string{src.PartitionField, src.OffsetField}
	}
	var err error
	s.scanner, err = decode.NewScanner(p, r.source, f.Schema, extra...)
	return s, err
}

func (s *splitter) scan(b record.Batch, minutes map[int64]int64) []part {
	if s.byField {
		return s.scanByField(b, minutes)
	}
	whole := newPart()
	whole.partition = s.role.partition
	if s.ordered {
		whole.before = s.clock
	}
	var counter minuteCounter
	s.behind = s.scanner.Scan(b, func(r decode.Scanned) {
		whole.add(r.Time)
		counter.count(r.Time, minutes)
	})
	counter.flush(minutes)
	s.clock.Append(whole.times)
	return []part{whole}
}

// scanByField finds the partitions that records name; what comes before in each of them
// is only known when all files are.
func (s *splitter) scanByField(b record.Batch, minutes map[int64]int64) []part {
	var parts []part
	var counter minuteCounter
	s.behind = s.scanner.Scan(b, func(r decode.Scanned) {
		counter.count(r.Time, minutes)
		key, offset, err := logPosition(r.Extra)
		if err != nil {
			return // it will be a dead letter
		}
		at := -1
		for i := range parts {
			if parts[i].key == string(key) {
				at = i
			}
		}
		if at < 0 {
			at = len(parts)
			named := newPart()
			named.key, named.first, named.last = string(key), offset, offset-1
			parts = append(parts, named)
		}
		if offset <= parts[at].last {
			parts[at].first = -1 // out of order: refused when the partition is put together
		}
		parts[at].last = offset
		parts[at].add(r.Time)
	})
	counter.flush(minutes)
	return parts
}

// logPosition reads the partition and the offset that a record carries.
func logPosition(values []record.Value) (partition []byte, offset int64, err error) {
	if len(values) < 2 {
		return nil, 0, errors.New("the record cannot be decoded")
	}
	partition, err = values[0].AppendID(nil)
	if err != nil {
		return nil, 0, fmt.Errorf("partition %s: expected text or an integer: %w", values[0], err)
	}
	offset = values[1].Int
	if values[1].Kind != record.Int || offset < 0 {
		return nil, 0, fmt.Errorf("offset %s: expected an integer, 0 or more", values[1])
	}
	return partition, offset, nil
}

// minuteCounter counts runs of records of one minute at once: most follow one another.
type minuteCounter struct {
	minute, run int64
}

func (c *minuteCounter) count(t int64, minutes map[int64]int64) {
	if t == record.NoTime {
		return
	}
	if m := t / minute; m != c.minute {
		c.flush(minutes)
		c.minute = m
	}
	c.run++
}

func (c *minuteCounter) flush(minutes map[int64]int64) {
	if c.run > 0 {
		minutes[c.minute] += c.run
	}
	c.run = 0
}
