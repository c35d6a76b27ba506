package batch

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"tributary/io/kafkaio/source"
	"tributary/io/packed"
	"tributary/io/record"
	"tributary/pipelines/job"
	"tributary/pipelines/spec"
	"tributary/transforms/attribution/rules"
)

// Inputs are all inputs of a stream: its topics, which go on, and files beside them, which have an end and are planned
// as those of any join are.
type Inputs struct {
	// Params are those of the join, with what its inputs tell; Sources have the places of Params.Inputs.
	Params  rules.Params
	Sources []job.Source
	Topics  *job.InputTopics
	Views   *job.ViewSchemas
	// Files is nil if all inputs are topics.
	Files *Files
}

// Files are those that a stream reads, in pieces that are in order of event time.
type Files struct {
	// Kept says which they are.
	Kept Kept
	// Clocks are those of their partitions.
	Clocks []record.Clock

	plan *plan
	// named is how many partitions are named by files: the first of those of the plan.
	named int
}

// StreamInputs plans the inputs of a stream: lists the files, reads their schemas and those of topics, and scans the files.
// Those of a run before that are kept are read again, and no others.
//
// The error is a problem.List if the inputs do not fit the spec, or files are not as they were.
func StreamInputs(ctx context.Context, s *spec.Spec, kept Kept) (*Inputs, error) {
	p := &plan{spec: s, minutes: map[int64]int64{}, last: record.NoTime}
	p.params, p.sources = job.Of(s)
	if err := p.list(ctx, planOptions{}); err != nil {
		return nil, err
	}
	if err := p.keep(kept); err != nil {
		return nil, err
	}
	topics, views, err := p.readSchemas(ctx, "")
	if err != nil {
		return nil, err
	}
	in := &Inputs{Sources: p.sources, Topics: topics, Views: views}
	if len(p.files) > 0 {
		p.rank()
		in.Files = &Files{plan: p, named: len(p.partitions)}
		if err := p.scan(ctx, nil); err != nil {
			return nil, err
		}
		if err := p.unchanged(kept); err != nil {
			return nil, err
		}
		if err := p.orderPartitions(); err != nil {
			return nil, err
		}
		in.Files.Kept, in.Files.Clocks = p.kept(), p.clocks()
	}
	in.Params = p.params
	return in, nil
}

// Partitions name those of the files and of the topics that are read beside them.
func (f *Files) Partitions(topics source.Ranks) job.Partitions {
	return job.Partitions{Files: f.plan.partitions[:f.named], Topics: topics, Named: f.plan.partitions[f.named:]}
}

// Count is how many files there are.
func (f *Files) Count() int { return len(f.plan.files) }

// FeedConfig is how files are read beside topics.
type FeedConfig struct {
	// Params are those of the join.
	Params rules.Params
	// Topics are those that are read beside them, which have the ranks between those of files and those of partitions that
	// records name.
	Topics source.Config
	// PieceBytes is how much of a file is read before it is another's turn; 0 for 4 MiB.
	PieceBytes int64
	// Budget is how long one call reads at most, beyond a piece; 0 for 2 s, as long as a reader of topics.
	Budget time.Duration
}

// feedBytes is how much of a file is read before it is another file's turn, which may be behind it in event time: so much that
// to open files is little beside it, so little that a call ends soon.
const feedBytes = 4 << 20

// feedPiece is a piece of a file and its place in event time.
type feedPiece struct {
	Piece piece
	// Watermark is how far event time has come when it is read: it and the rest of its file belong to no bucket that has closed
	// by then. The largest int64 for one without records.
	Watermark int64
}

// pieces are those of each reader, in order.
func (f *Files) pieces(c *FeedConfig) [][]feedPiece {
	readers := make([][]feedPiece, max(1, c.Topics.Readers))
	for i, file := range f.plan.files {
		r := &readers[i%len(readers)]
		*r = append(*r, f.piecesOf(file, c)...)
	}
	for _, pieces := range readers {
		slices.SortStableFunc(pieces, func(a, b feedPiece) int { return cmp.Compare(a.Watermark, b.Watermark) })
	}
	return slices.DeleteFunc(readers, func(pieces []feedPiece) bool { return len(pieces) == 0 })
}

// piecesOf cuts a file into pieces.
func (f *Files) piecesOf(file *scannedFile, c *FeedConfig) (out []feedPiece) {
	// Whatever stands before a piece of compressed text has to be read to come there: such a file is one piece.
	most, size := cmp.Or(c.PieceBytes, feedBytes), int64(0)
	if file.reads().Text() && packed.Is(file.Path) {
		most = math.MaxInt64
	}
	for i := range file.chunks {
		chunk := &file.chunks[i]
		if len(out) == 0 || size >= most {
			out, size = append(out, feedPiece{Piece: piece{File: file.file}, Watermark: math.MaxInt64}), 0
		}
		last := &out[len(out)-1]
		last.Piece.Reads = append(last.Piece.Reads, f.readOf(file, chunk, c))
		last.Watermark = min(last.Watermark, f.watermarkOf(file, chunk, &c.Params))
		size += chunk.size
	}
	least := int64(math.MaxInt64)
	for i := range slices.Backward(out) {
		least = min(least, out[i].Watermark)
		out[i].Watermark = least
	}
	return out
}

// readOf is the reading of a whole chunk, for every source that reads the file.
func (f *Files) readOf(file *scannedFile, chunk *scannedChunk, c *FeedConfig) read {
	r := read{Place: chunk.Place, Account: true, Size: chunk.size, Records: chunk.records, Behind: chunk.behind}
	for i, role := range file.roles {
		t := take{Input: int32(role.source), File: f.rank(role.partition, c), ByField: f.plan.sources[role.source].Order == spec.OrderField}
		for _, part := range chunk.parts[i] {
			t.Parts = append(t.Parts, takePart{Key: part.key, Partition: f.rank(part.partition, c), Before: part.before})
		}
		r.Takes = append(r.Takes, t)
	}
	return r
}

// rank is that of a partition of the plan among all of the stream: see job.Partitions.
func (f *Files) rank(planned int32, c *FeedConfig) int32 {
	if int(planned) < f.named {
		return planned
	}
	return source.Rank(c.Topics.RanksAfter+int32(len(c.Topics.Topics)), planned-int32(f.named))
}

// watermarkOf is how far event time may have come when a chunk is read; the largest int64 if it has no records with a time.
func (f *Files) watermarkOf(file *scannedFile, chunk *scannedChunk, p *rules.Params) int64 {
	// No record belongs to a bucket whose closing time is longer before it than that: a view lies in its own, and an engagement
	// looks back from there by the longest window and the slack.
	back := p.InputBounds().ViewsAfter
	least := int64(math.MaxInt64)
	for i, role := range file.roles {
		for _, part := range chunk.parts[i] {
			if part.min != record.NoTime {
				least = min(least, max(part.min-back, watermarkAt(p, role.source, part.before)))
			}
		}
	}
	return least
}

// watermarkAt is the watermark of a partition of an input, by its clock.
func watermarkAt(p *rules.Params, input int, clock record.Clock) int64 {
	if !p.Inputs[input].Ordered || clock == record.NoClock {
		return record.NoTime
	}
	return clock.Time(p.MaxFutureSkew) - p.OutOfOrderness
}

// fields are the fields with partition and offset, of inputs whose records have them.
func (p *plan) fields() map[int32][2]string {
	fields := map[int32][2]string{}
	for i, src := range p.sources {
		if src.Order == spec.OrderField {
			fields[int32(i)] = [2]string{src.PartitionField, src.OffsetField}
		}
	}
	return fields
}
