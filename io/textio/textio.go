// Package textio reads records that are JSON text: JSON lines, and CSV, each of whose
// rows becomes a JSON object of strings. It finds fields in them and turns them into
// Avro by a schema.
package textio

import (
	"errors"
	"fmt"
	"io"

	"tributary/io/record"
)

// Format is how records are written as text.
type Format uint8

// Formats of text.
const (
	JSON Format = iota // one object a line
	CSV                // a header line, then one row a record
)

func (f Format) String() string {
	if f == CSV {
		return "csv"
	}
	return "json"
}

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
	Start Position
	// Columns are those of a CSV file read from a later Start, where no header is.
	Columns []string
}

// Position is a place in a file between two records.
type Position struct {
	Offset int64 // bytes of decompressed text before it
	Index  int64 // records before it, good and bad
	Line   int64 // lines before it
}

// Block is a run of successive records.
type Block struct {
	// Position is where its text begins; its Index is that of its first record.
	Position
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

// Reader reads records in order. Blank lines are not records. It is for one goroutine.
type Reader struct {
	format  Format
	src     source
	index   int64
	columns []string
	keys    [][]byte // the columns as JSON text: `"name":`
	cells   []cell
	object  []byte // the row as JSON
	clean   []byte // see cellText
	err     error  // what the next call of Next returns
}

// NewReader returns a Reader of decompressed text. A byte order mark is skipped, and so are
// zeros at the end.
func NewReader(r io.Reader, format Format, opt Options) *Reader {
	if opt.MaxRecord <= 0 {
		opt.MaxRecord = DefaultMaxRecord
	}
	reader := &Reader{format: format, index: opt.Start.Index}
	reader.src = source{r: &unpadded{r: r}, limit: opt.MaxRecord, offset: opt.Start.Offset, line: opt.Start.Line}
	switch {
	case format == JSON:
	case opt.Columns != nil:
		reader.err = reader.setColumns(opt.Columns)
	case opt.Start.Offset > 0:
		reader.err = errors.New("read CSV from its middle: its columns were not given")
	}
	return reader
}

// Next returns the next block, which holds at least one record, good or bad; io.EOF
// after the last one. An error of the io.Reader is returned after the records before
// it; half a record before it is none.
func (r *Reader) Next() (Block, error) {
	b := Block{}
	if r.err == nil {
		r.err = r.start()
	}
	for r.err == nil {
		b.Position = Position{Offset: r.src.offset, Index: r.index, Line: r.src.line}
		if b.Records == nil {
			b.Records = make([]byte, 0, blockText+blockText/8) // with room for the frames and the last record
		}
		for r.err == nil && r.src.offset-b.Offset < blockText && len(b.Records) < blockText {
			if r.format == CSV {
				r.err = r.readRow(&b)
			} else {
				r.err = r.readLine(&b)
			}
		}
		if b.Count > 0 || len(b.Bad) > 0 {
			return b, nil
		}
	}
	return Block{}, r.err
}

// start reads what stands before the records.
func (r *Reader) start() error {
	if err := r.src.skipMark(); err != nil {
		return err
	}
	if r.format == CSV && r.columns == nil {
		return r.readHeader()
	}
	return nil
}

// Columns returns the names in the header of a CSV file, reading it if need be; none
// for an empty file and for JSON.
func (r *Reader) Columns() ([]string, error) {
	if r.err == nil {
		r.err = r.start()
	}
	if r.err != nil && !errors.Is(r.err, io.EOF) {
		return nil, r.err
	}
	return r.columns, nil
}

// good adds a record to the block.
func (r *Reader) good(b *Block, rec []byte) {
	b.Records = record.AppendFramed(b.Records, r.index-b.Index, rec)
	b.Count++
	r.index++
}

// bad adds a record that cannot be used; line is the number of lines before it.
func (r *Reader) bad(b *Block, line int64, raw []byte, err error) {
	b.Bad = append(b.Bad, Bad{Index: r.index, Line: line + 1, Raw: append([]byte{}, raw...), Err: err, AtLeast: r.src.cut || errors.Is(err, errOpenQuote)})
	r.index++
}

func (r *Reader) tooLong() error {
	return fmt.Errorf("record is longer than %d bytes", r.src.limit)
}
