package format

import (
	"fmt"
	"io"
	"path"
	"slices"

	"tributary/io/packed"
)

// Files is a Format of files that are read.
type Files interface {
	Format
	// Endings are those of the files' names, with the dot, the usual one first.
	Endings() []string
	// Sniff tells whether a file that begins so is of the format; start has four bytes, or all there are.
	Sniff(start []byte) bool
	// Text says that records are the text of JSON objects, which may be converted to Avro (File.Schema),
	// and that files may be compressed as a whole (package packed): places and sizes are then those of the plain text.
	Text() bool
	// Head reads what a file says before its records. The error is an *OtherError if it is not of this
	// format.
	Head(f *File) (Head, error)
	// Chunks reads a file from a chunk on that an earlier reading found, or from its start. A Head is
	// wanted for all places but the start.
	Chunks(f *File, head Head, at Place) (Chunks, error)
}

// Columnar is a Files that stores the fields of records apart, and reads those alone that are wanted (File.Fields). Others take no notice
// of them.
type Columnar interface {
	Files
	Columnar()
}

// File is a file to be read.
type File struct {
	// Path names it in messages.
	Path string
	// Open opens it at a byte, of the plain text if its format is one.
	Open func(offset int64) (io.ReadCloser, error)
	// Size in bytes, for formats that are not text: some begin at their end.
	Size int64
	// Fields are those of the records' top level that are wanted of a Columnar, nil for all: its records have no others then.
	Fields []string
	// Schema is the Avro schema, as JSON, that text is converted to; empty for none.
	Schema string
	// Delimiter is that of a table; other formats have none.
	Delimiter Delimiter
}

// Head is what a file says of its records.
type Head struct {
	// Schema is the Avro schema, as JSON, that the records have; empty for text.
	Schema string
	// Columns are the names of the fields of text, if the file says them.
	Columns []string
	// AnyFields says that each record names its own.
	AnyFields bool
	// Refused are fields of the top level that cannot be read, and are not in the schema.
	Refused []Refused
	// Decoder is for the format's own use.
	Decoder any
}

// Refused is a field that cannot be read; the error says why, with the path of it.
type Refused struct {
	Field string
	Err   error
}

// Place is where a chunk begins.
type Place struct {
	// Offset in bytes.
	Offset int64
	// Index is how many records come before it, good and bad; Line how many lines of text.
	Index, Line int64
}

// Chunks are those of one file, in order.
type Chunks interface {
	// Next returns the next chunk, valid until the next one; io.EOF at the end. What is damaged is a
	// chunk with nothing but a Bad. Other errors are those of reading.
	Next() (Chunk, error)
	Close() error
}

// Chunk is a run of records that are stored together: a block of an Avro file, or some lines of text. It
// is the unit in which files are planned and read.
type Chunk struct {
	Place
	// Size is its stored size in bytes.
	Size int64
	// Count is how many records it has beside the bad ones.
	Count int64
	// Bad are records that could not be told apart or converted.
	Bad []Bad
	// Framed says that the records are framed as record.AppendFramed does, with the distance to Index;
	// otherwise they stand back to back.
	Framed bool
	// Records returns them, in the room of dst where they fit it. The error is damage: see Lost.
	Records func(dst []byte) ([]byte, error)
}

// Bad is a record that is none, or Count of them lost together. AtLeast says that more may be lost: how
// many is not known then.
type Bad struct {
	Index, Count int64
	AtLeast      bool
	Err          error
	Record       []byte
}

// Damage is an error that knows how many records it stands for.
type Damage interface {
	error
	Lost() (count int64, atLeast bool)
}

// OtherError says that a file can be read, and is not of its format.
type OtherError struct{ Err error }

// Error is that of what was found instead.
func (e *OtherError) Error() string { return e.Err.Error() }

// Unwrap returns it.
func (e *OtherError) Unwrap() error { return e.Err }

// Of tells the format of a file by the ending of its name; nil if that does not tell it.
func Of(name string) Files {
	plain, codec := packed.Cut(name)
	for _, f := range All[Files]() {
		if (f.Text() || codec == "") && slices.Contains(f.Endings(), path.Ext(plain)) {
			return f
		}
	}
	return nil
}

// Sniff tells the format of a file by its first bytes; nil if no format knows them.
func Sniff(start []byte) Files {
	for _, f := range All[Files]() {
		if f.Sniff(start) {
			return f
		}
	}
	return nil
}

// In wraps an error of a file.
func (f *File) In(err error) error { return fmt.Errorf("%s: %w", f.Path, err) }
