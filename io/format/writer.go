package format

import "io"

// Writer is a Format in which samples are written to files.
type Writer interface {
	Format
	// Codecs are the names of the ways to compress a file, the usual one first.
	Codecs() []string
	// Ending of the name of a file that is compressed so.
	Ending(codec string) string
	// Write begins a file. Closing what it returns does not close w.
	Write(w io.Writer, opt WriteOptions) (Records, error)
}

// Fitter is a Writer that cannot write records of every schema.
type Fitter interface {
	Writer
	// Fits tells what of an Avro schema, as JSON, it cannot write; nil if it can write it all.
	Fits(schema string) error
}

// JSONWriter is a Writer that writes what WriteOptions.JSON makes of records: where that has been done before,
// they need not be encoded ones.
type JSONWriter interface {
	Writer
	WritesJSON()
}

// WriteOptions say what is written.
type WriteOptions struct {
	Codec string
	// Schema is the Avro schema, as JSON, of the encoded records.
	Schema string
	// JSON appends an encoded record as one JSON object.
	JSON func(dst, encoded []byte) ([]byte, error)
}

// Records take encoded records, one after another.
type Records interface {
	Append(encoded []byte) error
	Close() error
}
