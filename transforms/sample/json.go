package sample

import (
	"bytes"
	"errors"

	"github.com/tidwall/gjson"

	"tributary/io/format/avro"
)

// JSON writes encoded samples as JSON objects. Not for concurrent use.
type JSON struct {
	writer *avro.JSONWriter
	// jsonViews: the view is JSON text, and becomes an object again.
	jsonViews bool
	text      []byte
}

// NewJSON returns a JSON for samples of that schema; jsonViews says that their views are
// JSON text.
func NewJSON(schema *avro.Schema, jsonViews bool) (*JSON, error) {
	w, err := avro.NewJSON(schema)
	return &JSON{writer: w, jsonViews: jsonViews}, err
}

// Append appends an encoded sample as one JSON object, without a line's end.
func (j *JSON) Append(dst, encoded []byte) ([]byte, error) {
	if !j.jsonViews {
		dst, _, err := j.writer.Append(dst, encoded)
		return dst, err
	}
	var err error
	if j.text, _, err = j.writer.Append(j.text[:0], encoded); err != nil {
		return dst, err
	}
	view := gjson.GetBytes(j.text, "view")
	// The view is the last field: what stands before it is kept as it is.
	at := bytes.LastIndex(j.text[:view.Index+1], []byte(`"view":`))
	if at < 0 || view.Type != gjson.String {
		return dst, errors.New("sample without a view of JSON text")
	}
	dst = append(dst, j.text[:at+len(`"view":`)]...)
	return append(append(dst, view.Str...), '}'), nil
}
