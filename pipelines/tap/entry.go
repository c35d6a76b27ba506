package tap

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tidwall/gjson"
	"github.com/twmb/franz-go/pkg/kgo"

	topicsink "tributary/io/kafkaio/sink"
	"tributary/io/record"
	"tributary/pipelines/audit"
	"tributary/pipelines/rejected"
)

// Entry is what is told of a record: as JSON, its fields.
type Entry struct {
	What What `json:"what"`
	// WrittenAt is the time of the record in its topic, Place where it is there.
	WrittenAt time.Time `json:"written_at"`
	Place     string    `json:"place"`
	// Note says why nothing more is known.
	Note string `json:"note,omitempty"`

	ViewID   string          `json:"view_id,omitempty"`
	ViewTime string          `json:"view_time,omitempty"`
	Stage    string          `json:"stage,omitempty"`
	Version  int64           `json:"version,omitempty"`
	Group    int64           `json:"group_version,omitempty"`
	Weight   *float64        `json:"weight,omitempty"`
	Positive *bool           `json:"positive,omitempty"`
	Labels   json.RawMessage `json:"labels,omitempty"`
	// Before are the labels of the sample of the view that was seen before this one.
	Before json.RawMessage `json:"labels_before,omitempty"`
	// Corrected says that a repair wrote it, for late engagements or not; Changed what it changed, by path, masked without values.
	Corrected string                        `json:"corrected,omitempty"`
	Changed   map[string][2]json.RawMessage `json:"changed,omitempty"`

	Reason    string `json:"reason,omitempty"`
	Role      string `json:"role,omitempty"`
	Source    string `json:"source,omitempty"`
	Offset    *int64 `json:"offset,omitempty"`
	EventTime string `json:"event_time,omitempty"`
	Watermark string `json:"watermark,omitempty"`
	Count     int64  `json:"count,omitempty"`
	Detail    string `json:"detail,omitempty"`

	Sample json.RawMessage `json:"sample,omitempty"`
	Record json.RawMessage `json:"record,omitempty"`
	Bytes  string          `json:"record_base64,omitempty"`
}

// entry is what is told of a record; nil if it is not to be shown.
func (t *Tap) entry(ctx context.Context, of *source, r *kgo.Record) *Entry {
	e := &Entry{WrittenAt: r.Timestamp.UTC(), Place: fmt.Sprintf("%s/%d@%d", r.Topic, r.Partition, r.Offset)}
	var shown bool
	if of.output != nil {
		shown = t.sample(ctx, of, r, e)
	} else {
		shown = t.rejected(r, e)
	}
	if !shown || !t.shows(e.What) {
		return nil
	}
	if t.opt.Mask {
		e.mask()
	}
	return e
}

// sample tells of a sample, whether it is to be shown.
func (t *Tap) sample(ctx context.Context, of *source, r *kgo.Record, e *Entry) bool {
	e.What = Sample
	s, err := of.values.Sample(ctx, r)
	if err != nil {
		e.ViewID, e.Note = string(r.Key), "cannot be read: "+err.Error()
		if r.Value == nil {
			e.Note = "somebody has deleted it: it has no value"
		}
		return t.opt.Kind == "" && t.wants(e.ViewID)
	}
	if s.Corrected != nil || s.Version > 0 || s.Group > 1 {
		e.What = Change
	}
	found := gjson.GetMany(s.JSON, "labels", "positive")
	e.ViewID, e.ViewTime, e.Stage, e.Version, e.Group, e.Weight = s.ViewID, timeText(s.ViewTime), s.Stage, s.Version, s.Group, &s.Weight
	e.Labels, e.Sample = json.RawMessage(found[0].Raw), json.RawMessage(s.JSON)
	if found[1].Exists() {
		positive := found[1].Bool()
		e.Positive = &positive
	}
	if before, known := t.labels.swap(s.ViewID, s.ViewTime, found[0].Raw); known && e.What == Change {
		e.Before = json.RawMessage(before)
	}
	if s.Corrected != nil {
		var c audit.Corrected
		if err := json.Unmarshal(s.Corrected, &c); err != nil {
			e.Note = "its header `corrected` cannot be read"
		}
		if e.Changed, e.Corrected = c.Changed, "as joined"; c.Late {
			e.Corrected = "late"
		}
	}
	return t.wants(e.ViewID) && (t.opt.Kind == "" || labelled(found[0], t.opt.Kind))
}

// labelled tells whether labels have one of a kind that is not that of a negative.
func labelled(labels gjson.Result, kind string) bool {
	if !labels.IsObject() {
		return false
	}
	switch label := labels.Map()[kind]; label.Type {
	case gjson.True, gjson.String:
		return true
	case gjson.Number:
		return label.Float() != 0
	case gjson.JSON:
		return len(label.Array()) > 0
	default:
		return false
	}
}

// rejected tells of a late record, a dead letter or an orphan, whether it is to be shown.
func (t *Tap) rejected(r *kgo.Record, e *Entry) bool {
	var d rejected.Record
	if err := json.Unmarshal(r.Value, &d); err != nil {
		// What was cut for its topic begins as it was.
		found := gjson.GetManyBytes(r.Value, "reason", "role", "source", "offset")
		d = rejected.Record{Reason: record.Reason(found[0].String()), Role: found[1].String(), Source: found[2].String(), Offset: found[3].Int()}
		e.Note = "cannot be read whole"
		if slices.ContainsFunc(r.Headers, func(h kgo.RecordHeader) bool { return h.Key == topicsink.TruncatedHeader }) {
			e.Note = "was cut where its topic takes no more"
		}
	}
	switch rejected.OutputOf(d.Reason) {
	case rejected.Late:
		e.What = Late
	case rejected.Orphans:
		e.What = Orphan
	default:
		e.What = Dead
	}
	e.Reason, e.Detail, e.Role, e.Source, e.Offset, e.Count = string(d.Reason), d.Detail, d.Role, d.Source, &d.Offset, d.Count
	e.EventTime, e.Watermark, e.ViewID, e.Record, e.Bytes = d.EventTime, d.Watermark, d.ViewID, d.Record, d.Bytes
	if t.opt.Kind != "" && d.Role != t.opt.Kind {
		return false
	}
	return t.wants(e.ViewID) || len(e.Record) > 0 && slices.ContainsFunc(t.opt.IDs, func(id string) bool { return holds(gjson.ParseBytes(e.Record), id) })
}

// wants tells whether an id is to be shown.
func (t *Tap) wants(id string) bool { return len(t.opt.IDs) == 0 || slices.Contains(t.opt.IDs, id) }

// holds tells whether a value of a record is an id.
func holds(of gjson.Result, id string) (found bool) {
	if !of.IsObject() && !of.IsArray() {
		return of.Type != gjson.Null && of.String() == id
	}
	of.ForEach(func(_, value gjson.Result) bool {
		found = holds(value, id)
		return !found
	})
	return found
}

// mask leaves ids, times, labels, reasons and places. Details and errors quote records.
func (e *Entry) mask() {
	e.Sample, e.Record, e.Bytes, e.Detail = nil, nil, "", ""
	if strings.HasPrefix(e.Note, "cannot be read:") {
		e.Note = "cannot be read"
	}
	if e.Changed == nil {
		return
	}
	e.Changed = maps.Clone(e.Changed)
	for path := range e.Changed {
		if !strings.HasPrefix(path, "labels.") && path != "positive" {
			delete(e.Changed, path)
		}
	}
}

func timeText(ms int64) string { return time.UnixMilli(ms).UTC().Format(time.RFC3339Nano) }
