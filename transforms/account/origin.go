package account

import (
	"cmp"
	"encoding/binary"
	"errors"
	"iter"
	"slices"

	"tributary/io/wire"
)

// Step is a step of the join that accounts for what it does.
type Step int8

// Steps of the join. Whole is for an account that is not of a single piece.
const (
	StepWhole Step = iota
	// Read: an offset range of a partition's log was read.
	StepRead
	// Refused: a record was refused by the source, unread.
	StepRejected
	// Joined: a bucket of a shard was joined.
	StepJoined
	// Tallied: the fates of the engagements of a bucket and shard were told.
	StepMerged
)

// Origin tells which piece of the work an account is of. Accounts of one origin are of the
// same events: where a restart has written one again, one of them counts.
type Origin struct {
	Step Step
	// Input, Partition, First and Last are of Read and Refused: the partition's rank, and
	// the offsets of the first and the last record.
	Input, Partition int32
	First, Last      int64
	// ChapterEnd, of Read and Refused: it goes up to the end of a chapter of the log (record.Chapter).
	ChapterEnd bool
	// MaxTime, SecondTime and AfterIdle are of Read: those of the first batch, see record.Batch.
	MaxTime, SecondTime int64
	AfterIdle           bool
	// The rest is of Joined and Tallied: the shard, over how many shards the bucket is spread,
	// and the bucket's time in ms.
	Shard, Shards, Time int64
	// Stage is the name of a stage but the last, of Joined; empty for the last.
	Stage string
}

// Flags of an encoded Origin.
const (
	afterIdle = 1 << iota
	chapterEnd
)

// EndChapters orders accounts of offset ranges by where they begin, and sets ChapterEnd of those that
// others of the same log follow: all are of one row of records, and none is of two chapters.
func EndChapters(ranges iter.Seq[*Sheet]) []*Sheet {
	sorted := slices.SortedFunc(ranges, func(a, b *Sheet) int { return cmp.Compare(a.Origin.First, b.Origin.First) })
	type log struct{ input, partition int32 }
	later := map[log]bool{}
	for _, l := range slices.Backward(sorted) {
		of := log{l.Origin.Input, l.Origin.Partition}
		l.Origin.ChapterEnd, later[of] = later[of], true
	}
	return sorted
}

func (o Origin) append(out []byte) []byte {
	flags := int64(0)
	if o.AfterIdle {
		flags |= afterIdle
	}
	if o.ChapterEnd {
		flags |= chapterEnd
	}
	for _, v := range []int64{int64(o.Step), int64(o.Input), int64(o.Partition), o.First, o.Last, o.MaxTime, o.SecondTime, flags, o.Shard, o.Shards, o.Time} {
		out = binary.AppendVarint(out, v)
	}
	return wire.AppendBytes(out, []byte(o.Stage))
}

func decodeOrigin(buf []byte) (o Origin, rest []byte, err error) {
	var values [11]int64
	r := wire.NewReader(buf)
	for i := range values {
		values[i] = r.Varint()
	}
	stage := string(r.Bytes())
	if r.Short() {
		return Origin{}, nil, errors.New("decode accounts: their origin is cut short")
	}
	return Origin{
		Step: Step(values[0]), Input: int32(values[1]), Partition: int32(values[2]),
		First: values[3], Last: values[4], MaxTime: values[5], SecondTime: values[6], AfterIdle: values[7]&afterIdle != 0, ChapterEnd: values[7]&chapterEnd != 0,
		Shard: values[8], Shards: values[9], Time: values[10],
		Stage: stage,
	}, r.Rest(), nil
}
