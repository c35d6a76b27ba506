package join

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"time"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"tributary/io/avroio"
	"tributary/io/event"
)

// jsonSamples writes samples as JSON objects.
type jsonSamples struct {
	writer *avroio.JSONWriter
	// jsonViews: the view is JSON text, and becomes an object again.
	jsonViews bool
	text      []byte
}

func newJSONSamples(schema *avroio.Schema, jsonViews bool) (*jsonSamples, error) {
	w, err := avroio.NewJSON(schema)
	return &jsonSamples{writer: w, jsonViews: jsonViews}, err
}

func (j *jsonSamples) append(dst, encoded []byte) ([]byte, error) {
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

// rejection is a rejected record as it is written.
type rejection struct {
	Reason    event.Reason `json:"reason"`
	Detail    string       `json:"detail"`
	Role      string       `json:"role"`
	Source    string       `json:"source"`
	Offset    int64        `json:"offset"`
	Count     int64        `json:"count,omitempty"`
	EventTime string       `json:"event_time,omitempty"`
	Watermark string       `json:"watermark,omitempty"`
	ViewID    string       `json:"view_id,omitempty"`
	// Record is the record as JSON; Bytes, in base64, is one that cannot be shown so.
	Record json.RawMessage `json:"record,omitempty"`
	Bytes  string          `json:"record_base64,omitempty"`
}

// recordKept bounds what is written of one record: a dead letter is there to be looked at.
const recordKept = 1 << 20

// describe makes a line of a rejected record. decode turns Avro into JSON, and may fail.
func describe(r *event.Rejected, role, source string, decode func([]byte) ([]byte, error)) rejection {
	out := rejection{Reason: r.Reason, Detail: r.Detail, Role: role, Source: source, Offset: r.Offset}
	if r.Count != 1 {
		out.Count = r.Count
	}
	if r.EventTime != event.NoTime {
		out.EventTime = timeOf(r.EventTime).Format(time.RFC3339Nano)
	}
	if r.Watermark != event.NoTime {
		out.Watermark = timeOf(r.Watermark).Format(time.RFC3339Nano)
	}
	record := r.Record[:min(len(r.Record), recordKept)]
	switch {
	case len(record) == 0:
		return out
	case r.Reason == event.ReasonOrphan:
		out.ViewID = string(record)
		return out
	case decode != nil:
		if text, err := decode(r.Record); err == nil {
			out.Record = text
			return out
		}
	case json.Valid(record):
		var compact bytes.Buffer
		if json.Compact(&compact, record) == nil {
			out.Record = compact.Bytes()
			return out
		}
	case utf8.Valid(record):
		if text, err := json.Marshal(string(record)); err == nil {
			out.Record = text
			return out
		}
	}
	out.Bytes = base64.StdEncoding.EncodeToString(record)
	return out
}
