// Package record holds what sources hand to the join and the join hands to sinks:
// batches of raw records, the values read out of them, and rejected records.
//
// It is the leaf that connectors and transforms share; it imports neither, nor Beam.
//
//	record.go       batches, and records that were rejected
//	clock.go        the watermark of a partition
//	value.go        values; number.go: as numbers; id.go: as ids; cast.go: as the types of columns
//	path.go         paths of fields; own.go: of what is known of a record beside its value
//	elements.go     the elements of a list in a record
//	time.go         values as times, by unit; timetext.go: of text by RFC 3339 and the like
//	timereader.go   times of any form; timepattern.go: by patterns; timezone.go: in zones
package record

import (
	"encoding/binary"
	"fmt"
	"math"

	"tributary/io/wire"
)

// NoTime stands for an event time that is not known, or that no event has reached yet.
const NoTime = math.MinInt64

// Bounds of the event times that are taken, in milliseconds since the epoch: what
// lies outside, usually seconds read as milliseconds or a broken clock, is malformed.
const (
	MinTime = 0                     // 1970-01-01
	MaxTime = 7_258_118_400_000 - 1 // the end of 2199
)

// chapterRecords: few enough that a partition that brings a record now and then comes to the
// end of a chapter, so many that one of thousands a second has few of them.
const chapterRecords = 8192

// Chapter is the number of the chapter of a log that an offset lies in. Sources that read logs
// never put records of two chapters into one batch, so whatever is added up by chapter is the
// same for every reading of the log, wherever it began.
func Chapter(offset int64) int64 { return offset / chapterRecords }

// ChapterStart is the first offset of a chapter.
func ChapterStart(chapter int64) int64 { return chapter * chapterRecords }

// Batch is a run of raw records of one partition, in log order.
//
// It is the element of every source: Beam is paid once for hundreds of records.
// The watermark of a partition before a record is the largest event time before it
// less the allowed out-of-orderness, so a batch carries all that is needed to tell
// which of its records are late, whoever reads it and in whatever order.
type Batch struct {
	// Input is the index of the input the records came from, views and
	// engagements counted in one list (the plan's order).
	Input int32
	// Partition ranks the partition among all partitions of all inputs. Ranks follow
	// names, so they do not depend on the order in which inputs are listed or read.
	Partition int32
	// Schema is the ID of the writer's schema (package avro); 0 for JSON.
	Schema uint64
	// SchemaText is the writer's schema, where it can be one that nobody knew when the
	// pipeline was built: whoever decodes the batch then needs no other source. Empty if
	// Schema is 0 or known by other means.
	SchemaText string
	// Offset is the log offset of the first record.
	Offset int64
	// MaxTime and SecondTime are the clock of the partition before this batch (ms), NoTime at
	// the start: see Clock. They are not used for partitions without an order.
	MaxTime, SecondTime int64
	// Count is how many records there are.
	Count int32
	// Framed says that each record has its offset and length before it (see
	// AppendFramed); otherwise the records stand back to back, as in an Avro
	// file's block, at successive offsets.
	Framed bool
	// Own says that each framed record has what its source knows beside it before its bytes (see AppendOwned).
	Own bool
	// File is the path of the file that the records are of, where an input has a use for it; else empty.
	File string
	// Repeat says that another reading of these records, for another interval,
	// accounts for those that have no event time.
	Repeat bool
	// AfterIdle says that the clock is further than the log tells: the partition had been
	// idle, and the reader's watermark went on without it. What is late only because of that
	// would be in time if the log were read again.
	AfterIdle bool
	// LogTime and LogSecond are then the clock by the log alone; otherwise 0.
	LogTime, LogSecond int64
	// Records holds the records' bytes. Shared, never written to.
	Records []byte
}

// Clock is the clock of the partition before the batch.
func (b *Batch) Clock() Clock { return Clock{b.MaxTime, b.SecondTime} }

// Beside is what is known of each record beside its value (AppendOwn), nil for what Own says of it.
func (b *Batch) Beside() []byte {
	if b.File == "" {
		return nil
	}
	return AppendOwn(nil, OwnFile, Value{Kind: String, Text: []byte(b.File)})
}

// LogClock is the clock of the partition before the batch by the log alone.
func (b *Batch) LogClock() Clock {
	if b.AfterIdle {
		return Clock{b.LogTime, b.LogSecond}
	}
	return b.Clock()
}

// AppendFramed appends a record in framed form: the distance of its offset from the
// batch's first one, its length, both as uvarints, and its bytes.
func AppendFramed(records []byte, distance int64, record []byte) []byte {
	return wire.AppendBytes(binary.AppendUvarint(records, uint64(distance)), record)
}

// NextFramed splits the first framed record off records. Without a wire.Reader: one would cost
// half as much again (10.6 ns for 7.0), and this is done for every record that is read.
func NextFramed(records []byte) (distance int64, record, rest []byte, err error) {
	d, n := binary.Uvarint(records)
	if n <= 0 {
		return 0, nil, nil, fmt.Errorf("framed records: offset: %d bytes left", len(records))
	}
	records = records[n:]
	size, n := binary.Uvarint(records)
	if n <= 0 || size > uint64(len(records)-n) {
		return 0, nil, nil, fmt.Errorf("framed records: length %d with %d bytes left", size, len(records)-max(n, 0))
	}
	return int64(d), records[n : n+int(size)], records[n+int(size):], nil
}

// Reason says why a record was rejected. The values are part of the output format.
type Reason string

// Reasons for a rejected record.
const (
	// ReasonLate: the view had closed by the record's own partition's watermark.
	ReasonLate Reason = "late"
	// ReasonPartlyLate: some of the views that the engagement might refer to had
	// closed; for the others it was joined.
	ReasonPartlyLate Reason = "partly late"
	// ReasonMalformed: the record could not be decoded or lacks a join field.
	ReasonMalformed Reason = "malformed"
	// ReasonTooLarge: a sample that is larger than its topic takes.
	ReasonTooLarge Reason = "too large"
	// ReasonOrphan: the engagement's view never came.
	ReasonOrphan Reason = "orphan"
	// ReasonTombstone: a record of a topic without a value, which stands for the deletion of its key. It is counted, and is in
	// no output.
	ReasonTombstone Reason = "tombstone"
)

// Rejected is a record that did not become part of a sample, and why.
type Rejected struct {
	Reason Reason
	// Detail says what was wrong, in words.
	Detail    string
	Input     int32
	Partition int32
	Offset    int64
	// Element is the place in its list of one event of several that the record holds, from 1; 0 for a whole record.
	Element int32
	// Count is how many records it stands for: more than one where a damaged block
	// hides where they begin. AtLeast says that it may be more, how many is not known; with
	// a Count of 0 nothing is.
	Count   int64
	AtLeast bool
	// AfterIdle says that it is late only because its partition had been idle: by the log alone it
	// would be in time.
	AfterIdle bool
	// EventTime and Watermark are in milliseconds; NoTime when not known.
	EventTime, Watermark int64
	// Schema is the ID of the writer's schema; 0 for JSON. SchemaText is the schema
	// itself, where the batch carried it.
	Schema     uint64
	SchemaText string
	// Record is the record as it was read.
	Record []byte
}

const (
	flagFramed = 1 << iota
	flagRepeat
	flagAfterIdle
	flagOwn
	flagFile
)

// Flags of a rejected record.
const (
	flagAtLeast = 1 << iota
	flagLateAfterIdle
	flagElement
)

// EncodeBatch writes a batch as it moves between workers and rests in state.
func EncodeBatch(b Batch) []byte {
	out := make([]byte, 0, len(b.Records)+len(b.SchemaText)+48)
	out = binary.AppendVarint(out, int64(b.Input))
	out = binary.AppendVarint(out, int64(b.Partition))
	out = binary.LittleEndian.AppendUint64(out, b.Schema)
	out = binary.AppendVarint(out, b.Offset)
	out = binary.AppendVarint(out, b.MaxTime)
	out = binary.AppendVarint(out, b.SecondTime)
	out = binary.AppendVarint(out, int64(b.Count))
	var flags byte
	if b.Framed {
		flags |= flagFramed
	}
	if b.Repeat {
		flags |= flagRepeat
	}
	if b.AfterIdle {
		flags |= flagAfterIdle
	}
	if b.Own {
		flags |= flagOwn
	}
	if b.File != "" {
		flags |= flagFile
	}
	out = append(out, flags)
	if b.AfterIdle {
		out = binary.AppendVarint(binary.AppendVarint(out, b.LogTime), b.LogSecond)
	}
	if b.File != "" {
		out = wire.AppendText(out, b.File)
	}
	return append(wire.AppendText(out, b.SchemaText), b.Records...)
}

// DecodeBatch reads what EncodeBatch wrote. The batch keeps buf.
func DecodeBatch(buf []byte) (Batch, error) {
	d := wire.NewReader(buf)
	b := Batch{
		Input:      int32(d.Varint()),
		Partition:  int32(d.Varint()),
		Schema:     d.Uint64(),
		Offset:     d.Varint(),
		MaxTime:    d.Varint(),
		SecondTime: d.Varint(),
		Count:      int32(d.Varint()),
	}
	flags := d.Byte()
	b.Framed, b.Repeat, b.AfterIdle, b.Own = flags&flagFramed != 0, flags&flagRepeat != 0, flags&flagAfterIdle != 0, flags&flagOwn != 0
	if b.AfterIdle {
		b.LogTime, b.LogSecond = d.Varint(), d.Varint()
	}
	if flags&flagFile != 0 {
		b.File = string(d.Bytes())
	}
	b.SchemaText = string(d.Bytes())
	b.Records = d.Rest()
	if d.Short() {
		return Batch{}, fmt.Errorf("decode batch: %d bytes are too few", len(buf))
	}
	return b, nil
}

// EncodeRejected writes a rejected record as it moves between workers and rests in state.
func EncodeRejected(r Rejected) []byte {
	out := make([]byte, 0, len(r.Record)+len(r.Detail)+96)
	out = wire.AppendText(out, string(r.Reason))
	out = wire.AppendText(out, r.Detail)
	for _, v := range []int64{int64(r.Input), int64(r.Partition), r.Offset, r.Count, r.EventTime, r.Watermark} {
		out = binary.AppendVarint(out, v)
	}
	var flags byte
	if r.AtLeast {
		flags |= flagAtLeast
	}
	if r.AfterIdle {
		flags |= flagLateAfterIdle
	}
	if r.Element != 0 {
		flags |= flagElement
	}
	out = append(out, flags)
	if r.Element != 0 {
		out = binary.AppendVarint(out, int64(r.Element))
	}
	out = binary.LittleEndian.AppendUint64(out, r.Schema)
	out = wire.AppendText(out, r.SchemaText)
	return append(out, r.Record...)
}

// DecodeRejected reads what EncodeRejected wrote. The record keeps buf.
func DecodeRejected(buf []byte) (Rejected, error) {
	d := wire.NewReader(buf)
	r := Rejected{
		Reason:    Reason(d.Bytes()),
		Detail:    string(d.Bytes()),
		Input:     int32(d.Varint()),
		Partition: int32(d.Varint()),
		Offset:    d.Varint(),
		Count:     d.Varint(),
		EventTime: d.Varint(),
		Watermark: d.Varint(),
	}
	flags := d.Byte()
	r.AtLeast, r.AfterIdle = flags&flagAtLeast != 0, flags&flagLateAfterIdle != 0
	if flags&flagElement != 0 {
		r.Element = int32(d.Varint())
	}
	r.Schema, r.SchemaText = d.Uint64(), string(d.Bytes())
	r.Record = d.Rest()
	if d.Short() {
		return Rejected{}, fmt.Errorf("decode rejected record: %d bytes are too few", len(buf))
	}
	return r, nil
}
