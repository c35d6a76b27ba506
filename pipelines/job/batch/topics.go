package batch

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sort"

	"tributary/io/format"
	"tributary/io/kafkaio/cluster"
	"tributary/io/kafkaio/source"
	"tributary/io/record"
	"tributary/pipelines/job"
	"tributary/transforms/account"
	"tributary/transforms/attribution/decode"
	"tributary/transforms/attribution/rules"
)

// A partition of a topic, up to where it ends now, is planned and read like a file that is one
// partition. Its chunks are the chapters of its log (record.Chapter): so long that there are few of
// them, and no batch lies in two.

// offsetBytes is what a record of a topic counts for beside the bytes of files, where a scan tells
// how far it is.
const offsetBytes = 200

// planTopics finds what there is to read of the topics of the spec.
func (p *plan) planTopics(ctx context.Context, topics *job.InputTopics, until source.Stop) error {
	p.reading = topics.Reading()
	if len(p.reading.Topics) == 0 {
		return nil
	}
	if until.At == source.StopNever {
		until.At = source.StopAtEnd
	}
	p.reading.Job, p.reading.Stop = "batch", until
	var err error
	if p.reading, err = p.reading.Resolve(ctx); err != nil {
		return err
	}
	ranges, err := p.reading.Ranges(ctx)
	if err != nil {
		return err
	}
	inputs := map[cluster.Partition][]int32{}
	for _, t := range p.reading.Topics {
		inputs[cluster.Partition{Cluster: t.Cluster, Topic: t.Name}] = t.Inputs
	}
	for i := range ranges {
		r := &ranges[i]
		f := &scannedFile{file: file{Path: r.Partition.String(), Size: (r.To - r.From) * offsetBytes, Version: fmt.Sprintf("%x", r.TopicID), Range: r}}
		for _, input := range inputs[cluster.Partition{Cluster: r.Partition.Cluster, Topic: r.Partition.Topic}] {
			f.roles = append(f.roles, role{source: int(input)})
		}
		p.files = append(p.files, f)
	}
	return nil
}

// topicScan finds the event times of a partition of a topic, chapter by chapter.
type topicScan struct {
	params   rules.Params // with the schemas that its records name
	file     *scannedFile
	found    scanned
	chunks   map[int64]*scannedChunk // by chapter
	scanners map[splitKey]*decode.Scanner
	counter  minuteCounter
	progress func(bytes int64)
	told     int64 // the offset up to which progress was told
}

// scanTopic scans a partition of a topic for the sources of its roles.
func scanTopic(ctx context.Context, reading source.Config, p *rules.Params, f *scannedFile, progress func(bytes int64)) (scanned, error) {
	s := &topicScan{
		params: *p, file: f, found: scanned{minutes: map[int64]int64{}, schemas: map[uint64]string{}},
		chunks: map[int64]*scannedChunk{}, scanners: map[splitKey]*decode.Scanner{}, progress: progress, told: f.Range.From,
	}
	s.params.Schemas = maps.Clone(p.Schemas)
	if err := reading.ReadRange(ctx, *f.Range, s.batch, s.reject); err != nil {
		return s.found, err
	}
	s.counter.flush(s.found.minutes)
	for _, c := range s.chunks {
		s.found.chunks = append(s.found.chunks, *c)
	}
	slices.SortFunc(s.found.chunks, func(a, b scannedChunk) int { return cmp.Compare(a.Offset, b.Offset) })
	// Where a chapter has only records that were rejected, the clock is that behind the one before.
	clock := f.Range.Clock
	for i := range s.found.chunks {
		c := &s.found.chunks[i]
		if parts := c.parts[0]; len(parts) > 0 {
			clock = parts[0].before
		}
		c.clock = clock
		for _, part := range c.parts[0] {
			clock.Append(part.times)
		}
	}
	return s.found, nil
}

// chunk is that of an offset.
func (s *topicScan) chunk(offset int64) *scannedChunk {
	chapter := record.Chapter(offset)
	c := s.chunks[chapter]
	if c == nil {
		c = &scannedChunk{
			Place: format.Place{Offset: max(record.ChapterStart(chapter), s.file.Range.From)}, end: min(record.ChapterStart(chapter+1), s.file.Range.To),
			parts: make([][]part, len(s.file.roles)),
		}
		s.chunks[chapter] = c
	}
	return c
}

// batch notes the times of a batch in the role of its input.
func (s *topicScan) batch(b record.Batch) error {
	c := s.chunk(b.Offset)
	role := slices.IndexFunc(s.file.roles, func(r role) bool { return r.source == int(b.Input) })
	if role == 0 {
		c.records += int64(b.Count)
		c.size += int64(len(b.Records))
		s.progress((b.Offset + int64(b.Count) - s.told) * offsetBytes)
		s.told = b.Offset + int64(b.Count)
	}
	if b.Schema != 0 && b.SchemaText != "" {
		s.params.Schemas[b.Schema], s.found.schemas[b.Schema] = b.SchemaText, b.SchemaText
	}
	if len(c.parts[role]) == 0 {
		first := newPart()
		first.partition, first.before = s.file.roles[role].partition, b.Clock()
		c.parts[role] = []part{first}
	}
	scanner, err := s.scanner(b)
	if err != nil {
		return nil //nolint:nilerr // who reads them finds the same, and accounts for each record
	}
	scanner.Scan(b, func(r decode.Scanned) {
		c.parts[role][0].add(r.Time)
		s.counter.count(r.Time, s.found.minutes)
	})
	return nil
}

func (s *topicScan) scanner(b record.Batch) (*decode.Scanner, error) {
	key := splitKey{b.Input, b.Schema}
	if scanner := s.scanners[key]; scanner != nil {
		return scanner, nil
	}
	scanner, err := decode.NewScanner(&s.params, int(b.Input), b.Schema)
	if err == nil {
		s.scanners[key] = scanner
	}
	return scanner, err
}

func (s *topicScan) reject(r record.Rejected) error {
	if int(r.Input) == s.file.roles[0].source {
		s.chunk(r.Offset).records += r.Count
	}
	return nil
}

// readTopic reads what a piece says of a partition of a topic.
func (f *readFn) readTopic(ctx context.Context, p *piece, counts *account.Sheet, batches func(record.Batch), rejected func(record.Rejected)) error {
	for reads := p.Reads; len(reads) > 0; {
		n := 1
		for n < len(reads) && reads[n].Place.Offset == reads[n-1].End {
			n++
		}
		if err := f.readRun(ctx, p, reads[:n], counts, batches, rejected); err != nil {
			return err
		}
		reads = reads[n:]
	}
	return nil
}

// readRun reads chunks that follow one another.
func (f *readFn) readRun(ctx context.Context, p *piece, reads []read, counts *account.Sheet, batches func(record.Batch), rejected func(record.Rejected)) error {
	run := *p.File.Range
	run.From, run.To, run.Clock = reads[0].Place.Offset, reads[len(reads)-1].End, reads[0].Clock
	find := func(offset int64, input int32) (*read, *take) {
		i := sort.Search(len(reads), func(i int) bool { return offset < reads[i].End })
		if i == len(reads) {
			return nil, nil
		}
		for k := range reads[i].Takes {
			if t := &reads[i].Takes[k]; t.Input == input {
				return &reads[i], t
			}
		}
		return nil, nil
	}
	for _, r := range reads {
		if r.Account {
			counts.Bytes.In += r.Size
			counts.Bytes.Records += r.Size
			recordsRead.Add(r.Records)
		}
	}
	return f.Reading.ReadRange(ctx, run, func(b record.Batch) error {
		if r, t := find(b.Offset, b.Input); r != nil {
			b.Partition, b.Repeat = t.File, !r.Account
			batches(b)
		}
		return nil
	}, func(rejection record.Rejected) error {
		if r, t := find(rejection.Offset, rejection.Input); r != nil && r.Account {
			rejection.Partition = t.File
			f.dead(rejection, counts, rejected)
		}
		return nil
	})
}
