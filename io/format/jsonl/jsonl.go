// Package jsonl reads files of JSON lines: one object a line.
package jsonl

import (
	"bytes"
	"io"

	"tributary/io/format/jsontext"
)

// NewReader returns a Reader of decompressed text. A line that is not one JSON object is a bad record.
func NewReader(r io.Reader, opt jsontext.Options) *jsontext.Reader {
	return jsontext.NewReader(r, lines{}, opt)
}

// lines is the layout: a record a line, and nothing before them.
type lines struct{}

func (lines) Start(*jsontext.Reader) error { return nil }

func (lines) Read(r *jsontext.Reader, b *jsontext.Block) error {
	at := r.Source.Line
	line, long, err := r.Source.NextLine()
	if err != nil {
		return err
	}
	record := bytes.TrimSpace(line)
	switch {
	case long:
		r.Bad(b, at, line, r.Source.TooLong(), false)
	case len(record) == 0:
	default:
		if err := jsontext.CheckObject(record); err != nil {
			r.Bad(b, at, record, err, false)
		} else {
			r.Good(b, record)
		}
	}
	return nil
}
