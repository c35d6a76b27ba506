// Package rejected describes the records that did not become part of a sample, as people and
// programs read them: one JSON object each, in files and in topics alike.
package rejected

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"tributary/io/format/avro"
	"tributary/io/record"
)

// Output is where a rejected record goes.
type Output string

// The outputs of rejected records.
const (
	Late    Output = "late"
	Dead    Output = "dead"
	Orphans Output = "orphans"
)

// OutputOf tells where a record rejected for that reason goes; empty for one that is counted only.
func OutputOf(r record.Reason) Output {
	switch r {
	case record.ReasonTombstone:
		return ""
	case record.ReasonLate, record.ReasonPartlyLate:
		return Late
	case record.ReasonOrphan:
		return Orphans
	default:
		return Dead
	}
}

// Record is a rejected record as it is written.
type Record struct {
	Reason record.Reason `json:"reason"`
	Detail string        `json:"detail"`
	Role   string        `json:"role"`
	Source string        `json:"source"`
	// Offset is the record's place in the source; -1 for a sample that never got one.
	Offset int64 `json:"offset"`
	// Index is the place in its list, from 0, of one event of several that the record holds; nil for a whole record.
	Index *int32 `json:"index,omitempty"`
	// Count is how many records it stands for; left out if it is one, or if Records says
	// "unknown". Records is "at least N" where more may be lost.
	Count     int64  `json:"count,omitempty"`
	Records   string `json:"records,omitempty"`
	EventTime string `json:"event_time,omitempty"`
	Watermark string `json:"watermark,omitempty"`
	// AfterIdle says that it is late only because its partition had been idle.
	AfterIdle bool   `json:"after_idle,omitempty"`
	ViewID    string `json:"view_id,omitempty"`
	// Record is the record as JSON; Bytes, in base64, is one that cannot be shown so.
	Record json.RawMessage `json:"record,omitempty"`
	Bytes  string          `json:"record_base64,omitempty"`
}

// Append appends the record as JSON in one line, without the line's end: the same bytes in a
// file and in a topic.
func (r *Record) Append(dst []byte) ([]byte, error) {
	out := bytes.NewBuffer(dst)
	line := json.NewEncoder(out)
	line.SetEscapeHTML(false) // it is for people to read, too
	err := line.Encode(r)
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), err
}

// DefaultKept bounds what is written of one record: a dead letter is there to be looked at.
const DefaultKept = 1 << 20

// Describer describes rejected records. Not for concurrent use.
type Describer struct {
	// Roles names each input: views, or the kind of engagement.
	Roles []string
	// Schemas are the writers' Avro schemas by fingerprint, as far as they are known.
	Schemas map[uint64]string
	// Kept is how many bytes of a record are written at most; 0 for DefaultKept.
	Kept int

	decoders map[uint64]*avro.JSONWriter
}

// Describe describes a record that was read from source, a file or a partition. A record of
// a schema that is not known is shown as bytes.
func (d *Describer) Describe(r *record.Rejected, source string) Record {
	out := Record{Reason: r.Reason, Detail: shortened(r.Detail), Source: source, Offset: r.Offset}
	if 0 <= r.Input && int(r.Input) < len(d.Roles) {
		out.Role = d.Roles[r.Input]
	}
	if r.Element > 0 {
		index := r.Element - 1
		out.Index = &index
	}
	if r.Count != 1 {
		out.Count = r.Count
	}
	switch {
	case r.AtLeast && r.Count > 0:
		out.Records = fmt.Sprintf("at least %d", r.Count)
	case r.AtLeast:
		out.Records = "unknown"
	}
	out.EventTime, out.Watermark, out.AfterIdle = timeText(r.EventTime), timeText(r.Watermark), r.AfterIdle
	kept := cmp.Or(d.Kept, DefaultKept)
	rec := r.Record[:min(len(r.Record), kept)]
	switch {
	case len(rec) == 0:
		return out
	case r.Reason == record.ReasonOrphan:
		if out.ViewID = viewID(rec, kept); out.ViewID != "" {
			return out
		}
	case r.Schema != 0:
		if text, err := d.decode(r); err == nil && len(text) <= kept && json.Valid(text) {
			out.Record = text
			return out
		}
	case json.Valid(rec):
		var compact bytes.Buffer
		if json.Compact(&compact, rec) == nil {
			out.Record = compact.Bytes()
			return out
		}
	case utf8.Valid(rec):
		if text, err := json.Marshal(string(rec)); err == nil && len(text) <= kept/3*4 { // as base64 would take
			out.Record = text
			return out
		}
	}
	out.Bytes = base64.StdEncoding.EncodeToString(rec)
	return out
}

// TooLarge describes a sample, by the id of its view, that a topic does not take.
func TooLarge(id []byte, topic, detail string) Record {
	out := Record{Reason: record.ReasonTooLarge, Detail: shortened(detail), Role: "samples", Source: topic, Offset: -1}
	if out.ViewID = viewID(id, keptOfID); out.ViewID == "" {
		out.Bytes = base64.StdEncoding.EncodeToString(id[:min(len(id), keptOfID)])
	}
	return out
}

const (
	// keptOfDetail bounds what is said of a record: it quotes what may be a megabyte.
	keptOfDetail = 2 << 10
	// keptOfID bounds an id that stands for a record: it is told by its beginning.
	keptOfID = 64 << 10
)

func shortened(text string) string {
	if len(text) <= keptOfDetail {
		return text
	}
	return strings.ToValidUTF8(text[:keptOfDetail], "") + "..."
}

// viewID is the id as text, or empty if that takes more than is kept: a control character takes
// six times the room as JSON.
func viewID(id []byte, kept int) string {
	if text, err := json.Marshal(string(id)); err != nil || len(text) > kept/3*4 {
		return ""
	}
	return string(id)
}

func timeText(ms int64) string {
	if ms == record.NoTime {
		return ""
	}
	return time.UnixMilli(ms).UTC().Format(time.RFC3339Nano)
}

// decode turns an Avro record into JSON.
func (d *Describer) decode(r *record.Rejected) ([]byte, error) {
	w := d.decoders[r.Schema]
	if w == nil {
		text := cmp.Or(r.SchemaText, d.Schemas[r.Schema])
		if text == "" {
			return nil, fmt.Errorf("no schema with fingerprint %016x", r.Schema)
		}
		s, err := avro.ParseSchema(text)
		if err != nil {
			return nil, err
		}
		if w, err = avro.NewJSON(s); err != nil {
			return nil, err
		}
		if d.decoders == nil {
			d.decoders = map[uint64]*avro.JSONWriter{}
		}
		d.decoders[r.Schema] = w
	}
	out, _, err := w.Append(nil, r.Record)
	return out, err
}
