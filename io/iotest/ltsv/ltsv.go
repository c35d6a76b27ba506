// Package ltsv reads lines of labels and values, "id:v1\tts:5", as ltsv.org has them. It is no part of the
// product: it shows in tests that a format is one package that registers itself, and one import of it.
package ltsv

import (
	"bytes"
	"errors"
	"fmt"

	"tributary/io/format"
	"tributary/io/format/jsontext"
)

func init() { format.Register(files{}) }

// files is the format as the registry knows it.
type files struct{}

// Name is ltsv.
func (files) Name() string { return "ltsv" }

// Endings is .ltsv alone.
func (files) Endings() []string { return []string{".ltsv"} }

// Sniff knows no beginning.
func (files) Sniff([]byte) bool { return false }

// Text is true.
func (files) Text() bool { return true }

// Head says that each line names its fields.
func (files) Head(*format.File) (format.Head, error) { return format.Head{AnyFields: true}, nil }

// Chunks reads lines.
func (files) Chunks(f *format.File, _ format.Head, at format.Place) (format.Chunks, error) {
	in, err := f.Open(at.Offset)
	if err != nil {
		return nil, err
	}
	return jsontext.Chunks(f, in, jsontext.NewReader(in, lines{}, jsontext.Options{Start: at}), true)
}

// errCut says that the last line has no end: labels may be missing from it.
var errCut = errors.New("the file ends within the line")

// Schemas is false.
func (files) Schemas() bool { return false }

// Record makes an object of one line.
func (files) Record(value []byte) ([]byte, error) { return objectOf(value) }

// lines is the layout.
type lines struct{}

func (lines) Start(*jsontext.Reader) error { return nil }

func (lines) Read(r *jsontext.Reader, b *jsontext.Block) error {
	at := r.Source.Line
	line, long, err := r.Source.NextLine()
	switch {
	case err != nil:
		return err
	case long:
		r.Bad(b, at, line, r.Source.TooLong(), false)
	case r.Source.Cut:
		r.Bad(b, at, line, errCut, false)
	case len(line) > 0:
		if object, err := objectOf(line); err != nil {
			r.Bad(b, at, line, err, false)
		} else {
			r.Good(b, object)
		}
	}
	return nil
}

// objectOf is a line as a JSON object of strings.
func objectOf(line []byte) ([]byte, error) {
	if err := jsontext.CheckUTF8(line); err != nil {
		return nil, err
	}
	out := []byte{'{'}
	for i, cell := range bytes.Split(line, []byte{'\t'}) {
		label, value, ok := bytes.Cut(cell, []byte{':'})
		if !ok {
			return nil, fmt.Errorf("%q has no label", cell)
		}
		if i > 0 {
			out = append(out, ',')
		}
		out = append(jsontext.AppendString(out, label), ':')
		out = jsontext.AppendString(out, value)
	}
	return append(out, '}'), nil
}
