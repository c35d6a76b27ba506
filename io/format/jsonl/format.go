package jsonl

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"

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

// The ways to compress a file.
const (
	codecNone = "none"
	codecGzip = "gzip"
)

// Codecs begins with none.
func (files) Codecs() []string { return []string{codecNone, codecGzip} }

// Ending tells the codec.
func (files) Ending(codec string) string {
	if codec == codecGzip {
		return ".jsonl.gz"
	}
	return ".jsonl"
}

// Write begins a file.
func (files) Write(w io.Writer, opt format.WriteOptions) (format.Records, error) {
	l := &writer{json: opt.JSON}
	switch opt.Codec {
	case codecNone:
	case codecGzip:
		l.zip = gzip.NewWriter(w)
		w = l.zip
	default:
		return nil, fmt.Errorf("codec %q is not supported: it must be %s or %s", opt.Codec, codecNone, codecGzip)
	}
	l.out = bufio.NewWriterSize(w, 256<<10)
	return l, nil
}

// writer writes a record a line.
type writer struct {
	json func(dst, encoded []byte) ([]byte, error)
	out  *bufio.Writer
	zip  *gzip.Writer
	line []byte
}

func (l *writer) Append(encoded []byte) (err error) {
	if l.line, err = l.json(l.line[:0], encoded); err != nil {
		return err
	}
	_, err = l.out.Write(append(l.line, '\n'))
	return err
}

func (l *writer) Close() error {
	err := l.out.Flush()
	if l.zip != nil {
		err = errors.Join(err, l.zip.Close())
	}
	return err
}
