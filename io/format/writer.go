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
