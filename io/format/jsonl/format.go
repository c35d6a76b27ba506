package jsonl

import (
	"bytes"
	"io"

	"tributary/io/format"
	"tributary/io/format/jsontext"
)

func init() { format.Register(files{}) }

// files is the format as the registry knows it.
type files struct{}

// Name is json.
func (files) Name() string { return "json" }

// Endings are those in use.
func (files) Endings() []string { return []string{".jsonl", ".json", ".ndjson"} }

// Sniff knows the beginning of an object.
func (files) Sniff(start []byte) bool { return bytes.HasPrefix(bytes.TrimSpace(start), []byte("{")) }

// Text is true.
func (files) Text() bool { return true }

// Head says that any record may have any fields. It does not open the file.
func (files) Head(*format.File) (format.Head, error) { return format.Head{AnyFields: true}, nil }

// Chunks reads lines.
func (files) Chunks(f *format.File, _ format.Head, at format.Place) (format.Chunks, error) {
	in, err := f.Open(at.Offset)
	if err != nil {
		return nil, err
	}
	return jsontext.Chunks(f, in, NewReader(in, jsontext.Options{Start: at}), false)
}

// Schemas is false.
func (files) Schemas() bool { return false }

// Record takes a value as it is: who reads its fields finds what is wrong with it.
func (files) Record(value []byte) ([]byte, error) { return value, nil }

// SchemaType is that of JSON Schema.
func (files) SchemaType() string { return "JSON" }

// Alone is true: text names its fields.
func (files) Alone() bool { return true }

// Codecs begins with none.
func (files) Codecs() []string { return format.StreamCodecs() }

// Ending tells the codec.
func (files) Ending(codec string) string { return format.StreamEnding(".jsonl", codec) }

// WritesJSON says that records may be JSON already.
func (files) WritesJSON() {}

// Write begins a file.
func (files) Write(w io.Writer, opt format.WriteOptions) (format.Records, error) {
	out, err := format.NewStream(w, opt.Codec)
	if err != nil {
		return nil, err
	}
	return &writer{Stream: out, json: opt.JSON}, nil
}

// writer writes a record a line.
type writer struct {
	*format.Stream

	json func(dst, encoded []byte) ([]byte, error)
	line []byte
}

func (l *writer) Append(encoded []byte) (err error) {
	if l.line, err = l.json(l.line[:0], encoded); err != nil {
		return err
	}
	_, err = l.Write(append(l.line, '\n'))
	return err
}
