// Package jsontext reads records that are text in a file, whatever the layout: package jsonl and package
// csv have one each, and give every record as the text of a JSON object. It finds fields in such text
// and turns it into Avro by a schema.
//
//	jsontext.go    what a format of text says of itself
//	chunks.go      a file in chunks; source.go: a window over its text; padding.go: zeros at its end
//	scan.go        walks over JSON; str.go: strings
//	extract.go     fields of a record; list.go: elements of a list in it
//	encode.go      records to Avro by a schema; compile.go, scalar.go, logical.go: types; misfit.go: what does not fit
package jsontext

import (
	"io"

	"tributary/io/format"
	"tributary/io/record"
)

const (
	// blockText is about how much text makes a block: hundreds of records, so that what
	// each block costs is spread thin.
	blockText = 64 << 10
	// DefaultMaxRecord bounds a record; see Options.
	DefaultMaxRecord = 16 << 20
	// rawKept bounds what is kept of a record over the limit.
	rawKept = 64 << 10
)

// Options of a Reader. The zero value is right for reading a file from its start.
type Options struct {
	// MaxRecord is how many bytes of text a record may have, DefaultMaxRecord if 0. A
	// longer one is bad. Memory use is about twice this at worst, 400 KiB usually.
	MaxRecord int
	// Start is where reading begins, if not at the start of the file: the position of
	// a Block read before. The io.Reader must begin at its Offset.
	Start format.Place
}

// Block is a run of successive records.
type Block struct {
	// Place is where its text begins; its Index is that of its first record.
	format.Place
	// Count is how many records are in Records.
	Count int32
	// Records are the good ones as JSON text, framed as record.AppendFramed does, each
	// with its index less the block's as the distance. They are the block's own.
	Records []byte
	// Bad are the others, in order.
	Bad []Bad
}

// Bad is a record that could not be read.
type Bad struct {
	Index int64 // in the file, counted together with the good ones
	Line  int64 // where it begins, from 1
	// Raw is its text; no more than the beginning if it is over the limit.
	Raw []byte
	Err error
	// AtLeast says that more records may be lost than this one: the text ends within it, or
	// its quotes do not.
	AtLeast bool
}

// Layout is how records stand in text.
type Layout interface {
	// Start reads what stands before the records, if that has not been done.
	Start(r *Reader) error
	// Read reads a record into the block, or what is none; io.EOF at the end.
	Read(r *Reader, b *Block) error
}

// Reader reads records in order. Blank lines are not records. It is for one goroutine.
type Reader struct {
	Source Source
	layout Layout
	index  int64
	err    error // what the next call of Next returns
}

// NewReader returns a Reader of decompressed text. A byte order mark is skipped, and so are
// zeros at the end.
func NewReader(r io.Reader, layout Layout, opt Options) *Reader {
	if opt.MaxRecord <= 0 {
		opt.MaxRecord = DefaultMaxRecord
	}
	return &Reader{
		Source: Source{r: &unpadded{r: r}, limit: opt.MaxRecord, Offset: opt.Start.Offset, Line: opt.Start.Line},
		layout: layout, index: opt.Start.Index,
	}
}

// Next returns the next block, which holds at least one record, good or bad; io.EOF
// after the last one. An error of the io.Reader is returned after the records before
// it; half a record before it is none.
func (r *Reader) Next() (Block, error) {
	b := Block{}
	if r.err == nil {
		r.err = r.Start()
	}
	for r.err == nil {
		b.Place = format.Place{Offset: r.Source.Offset, Index: r.index, Line: r.Source.Line}
		if b.Records == nil {
			b.Records = make([]byte, 0, blockText+blockText/8) // with room for the frames and the last record
		}
		for r.err == nil && r.Source.Offset-b.Offset < blockText && len(b.Records) < blockText {
			r.err = r.layout.Read(r, &b)
		}
		if b.Count > 0 || len(b.Bad) > 0 {
			return b, nil
		}
	}
	return Block{}, r.err
}

// Start reads what stands before the records; Next does so too. It returns an error that is final.
func (r *Reader) Start() error {
	if r.err == nil {
		if r.err = r.Source.skipMark(); r.err == nil {
			r.err = r.layout.Start(r)
		}
	}
	return r.err
}

// Good adds a record to the block.
func (r *Reader) Good(b *Block, rec []byte) {
	b.Records = record.AppendFramed(b.Records, r.index-b.Index, rec)
	b.Count++
	r.index++
}

// Bad adds a record that cannot be used; line is the number of lines before it. more says that others
// may be lost with it.
func (r *Reader) Bad(b *Block, line int64, raw []byte, err error, more bool) {
	b.Bad = append(b.Bad, Bad{Index: r.index, Line: line + 1, Raw: append([]byte{}, raw...), Err: err, AtLeast: more || r.Source.Cut})
	r.index++
}
