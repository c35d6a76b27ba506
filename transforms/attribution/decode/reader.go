// Package decode reads records of any format as views and engagements, with the fields that rules name.
//
//	readers.go  a Reader for each input and schema; reader.go: one of them
//	extract.go  takes fields out of a record; value.go: what a label takes of them
//	schemas.go  schemas by their fingerprint, parsed once
//	scanner.go  reads nothing but event times, for whoever plans a join
package decode

import (
	"fmt"
	"unicode/utf8"

	"tributary/io/format/avro"
	"tributary/io/record"
	"tributary/transforms/attribution/bucket"
	"tributary/transforms/attribution/rules"
	"tributary/transforms/label"
)

// Reader reads the records of one input, written with one schema, as views or
// engagements. Not for concurrent use.
type Reader struct {
	Input  *rules.Input
	schema string
	// Unusable says why records cannot be read with the schema.
	Unusable error
	// alone reads nothing but event times; made when a record cannot be read otherwise.
	alone *Scanner

	extractor record.Extractor
	values    []record.Value
	units     struct{ time, viewTime record.Unit }
	// resolution brings views to the schema of the samples; nil if they have it.
	resolution *avro.Resolution
	// asJSON goes through views as whoever reads samples does; nil if their schema leaves it
	// nothing to find.
	asJSON *avro.JSONWriter
	text   []byte // room for a view as JSON
	// slots of the optional fields in values, or -1.
	viewTime, eventID, value int
	where                    int // the first condition's
	label                    label.Func
	scratch                  []byte
}

// Slots of the fields that every input has.
const (
	slotTime = iota
	slotID
	slotOptional
)

// newReader compiles what is needed to read records of the input with that schema; empty
// stands for JSON.
func newReader(p *rules.Params, known schemas, input int, schema string) (*Reader, error) {
	in := &p.Inputs[input]
	r := &Reader{Input: in, schema: schema, viewTime: -1, eventID: -1, value: -1}
	paths := []string{slotTime: in.Time.Path, slotID: in.ID}
	optional := func(path string) int {
		if path == "" {
			return -1
		}
		paths = append(paths, path)
		return len(paths) - 1
	}
	if in.Kind != rules.Views {
		r.viewTime, r.eventID, r.value = optional(in.ViewTime.Path), optional(in.EventID), optional(in.Value)
		r.label = p.Kinds[in.Kind].Label
	}
	r.where = len(paths)
	for _, c := range in.Where {
		paths = append(paths, c.Field)
	}
	r.units.time, r.units.viewTime = in.Time.Unit, in.ViewTime.Unit
	var err error
	project := avro.Project
	if in.Kind == rules.Views {
		project = avro.ProjectChecked // a view goes into its sample as it is
	}
	r.extractor, r.values, err = known.extractor(in, schema, project, paths, slotOptional, unitOf{in.Time.Path, &r.units.time}, unitOf{in.ViewTime.Path, &r.units.viewTime})
	if err != nil {
		return nil, fmt.Errorf("input %d: %w", input, err)
	}
	if in.Kind == rules.Views && schema != "" {
		if r.resolution, err = known.resolve(p, schema); err != nil {
			return nil, fmt.Errorf("input %d: %w", input, err)
		}
		views, err := known.parse(p.ViewSchema)
		if err != nil {
			return nil, fmt.Errorf("the schema of the samples' views: %w", err)
		}
		if !views.Bounded() {
			if r.asJSON, err = avro.NewJSON(views); err != nil {
				return nil, fmt.Errorf("the schema of the samples' views: %w", err)
			}
			r.asJSON = r.asJSON.Within(1)
		}
	}
	return r, nil
}

// Read extracts the fields of the record at the start of buf and returns its length. An
// error means that the record, and where the next one begins, cannot be known.
func (r *Reader) Read(buf []byte) (n int, err error) {
	r.scratch = r.scratch[:0]
	return r.extractor.Extract(buf, r.values)
}

// Skip returns the length of a record that read refuses, or -1 if it cannot be told.
func (r *Reader) Skip(record []byte) int { return skip(r.extractor, record) }

// JSON tells whether the records are JSON texts.
func (r *Reader) JSON() bool { return r.schema == "" }

// TimeAlone returns the event time of a record of which perhaps nothing else can be read;
// record.NoTime if it cannot either.
func (r *Reader) TimeAlone(rec []byte) int64 {
	if r.alone == nil {
		r.alone = &Scanner{unit: r.Input.Time.Unit}
		var err error
		r.alone.extractor, r.alone.values, err = schemas{}.extractor(r.Input, r.schema, avro.Project, []string{slotTime: r.Input.Time.Path}, 1, unitOf{r.Input.Time.Path, &r.alone.unit})
		if err != nil {
			r.alone.extractor = nil
		}
	}
	if r.alone.extractor == nil {
		return record.NoTime
	}
	return r.alone.time(rec)
}

// Time returns the event time of the record last read.
func (r *Reader) Time() (int64, error) {
	t, err := r.values[slotTime].Millis(r.units.time)
	if err != nil {
		return 0, fmt.Errorf("field %s: %w", r.Input.Time.Path, err)
	}
	return t, nil
}

// ID returns the view id of the record last read, valid until the next one.
func (r *Reader) ID() ([]byte, error) {
	return r.identity(slotID, r.Input.ID)
}

// identity reads a slot as an id. Text is not copied; what has to be made of a number
// is valid until the next record is read.
func (r *Reader) identity(slot int, path string) ([]byte, error) {
	v := r.values[slot]
	if v.Kind == record.String && len(v.Text) > 0 && utf8.Valid(v.Text) {
		return v.Text, nil
	}
	id, err := v.AppendID(r.scratch)
	if err != nil {
		return nil, fmt.Errorf("field %s: %s is not an id; %w", path, v, err)
	}
	id, r.scratch = id[len(r.scratch):], id
	return id, nil
}

// Payload returns a view, which is the record last read, as samples hold it. An error means that
// whoever reads the sample could not read it.
func (r *Reader) Payload(view []byte) ([]byte, error) {
	var err error
	if r.resolution != nil {
		if view, _, err = r.resolution.Append(nil, view); err != nil {
			return nil, err
		}
	}
	if r.asJSON != nil {
		if r.text, _, err = r.asJSON.Append(r.text[:0], view); err != nil {
			return nil, err
		}
	}
	return view, nil
}

// Matches tells whether the record last read meets the input's conditions.
func (r *Reader) Matches() bool {
	for i := range r.Input.Where {
		if !r.Input.Where[i].Holds(r.values[r.where+i]) {
			return false
		}
	}
	return true
}

// Engagement reads the optional fields of an engagement into g; bad says that its value is none
// that the label can take. Null, absent and empty are the same for all of them.
func (r *Reader) Engagement(g *bucket.Engagement) (bad error, err error) {
	g.ViewTime, g.EventID, g.Value = record.NoTime, nil, record.Value{}
	if r.viewTime >= 0 && !r.values[r.viewTime].Absent() {
		t, err := r.values[r.viewTime].Millis(r.units.viewTime)
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", r.Input.ViewTime.Path, err)
		}
		g.ViewTime = t
	}
	if r.eventID >= 0 && !r.values[r.eventID].Absent() {
		id, err := r.identity(r.eventID, r.Input.EventID)
		if err != nil {
			return nil, err
		}
		g.EventID = id
	}
	if r.value >= 0 && !r.values[r.value].Absent() {
		var ok bool
		if g.Value, ok = labelValue(r.label, r.values[r.value]); !ok {
			return fmt.Errorf("field %s: %s is no %s", r.Input.Value, r.values[r.value], wanted(r.label)), nil
		}
	}
	return nil, nil
}
