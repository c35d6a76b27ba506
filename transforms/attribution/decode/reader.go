// Package decode reads records of any format as views and engagements, with the fields that rules name.
//
//	readers.go  a Reader for each input and schema; reader.go: one of them
//	elements.go the events of a record that holds a list of them
//	extract.go  takes fields out of a record; own.go: and of what its source knows beside it; computed.go: and computes others;
//	            value.go: what a label takes of them; several.go: and several labels
//	schemas.go  schemas by their fingerprint, parsed once
//	scanner.go  reads nothing but event times, for whoever plans a join
package decode

import (
	"fmt"
	"slices"
	"unicode/utf8"

	"tributary/io/expression"
	"tributary/io/format/avro"
	"tributary/io/record"
	"tributary/transforms/attribution/bucket"
	"tributary/transforms/attribution/rules"
	"tributary/transforms/label"
	"tributary/transforms/sample"
)

// Reader reads the records of one input, written with one schema, as views or
// engagements. Not for concurrent use.
type Reader struct {
	Input  *rules.Input
	rules  *rules.Params
	schema string
	// Unusable says why records cannot be read with the schema.
	Unusable error
	// alone reads nothing but event times; made when a record cannot be read otherwise.
	alone *Scanner

	extractor record.Extractor
	values    []record.Value
	times     struct{ time, viewTime *record.TimeReader }
	// resolution brings views to the schema of the samples; nil if they have it.
	resolution *avro.Resolution
	// asJSON goes through views as whoever reads samples does; nil if their schema leaves it
	// nothing to find.
	asJSON *avro.JSONWriter
	text   []byte // room for a view as JSON
	// shaper makes of views what samples hold of them; nil for all of it. columns is the slot of the first of their fields
	// in JSON text, or of those that are computed.
	shaper  *sample.Shaper
	shaped  []byte // room for that
	columns int
	// paths of the fields of ids, and slots of the first of them.
	ids, keys, eventIDs []string
	key                 int // the first of a view's key, 0 if it has none
	eventID             int // or -1, as the other optional fields
	viewTime            int
	value               int
	where               int // the first condition's
	asked               int // the expression's first
	expression          *expression.Program
	place               string // what a spec calls the role
	label               label.Func
	several             *several // values of several labels; nil for one
	scratch             []byte
	list                *elements // nil where a record is one event
	computed            computed
	owns                owns
	types               [][]expression.Condition // see Mine
	own                 []byte                   // what is known of the record at hand beside it
}

// Slots of the fields that every input has.
const (
	slotTime = iota
	slotID   // the first, if there are several
)

// newReader compiles what is needed to read records of the input with that schema; empty
// stands for JSON.
func newReader(p *rules.Params, known schemas, input int, schema string) (*Reader, error) {
	in := &p.Inputs[input]
	r := &Reader{Input: in, rules: p, types: in.Types(), schema: schema, viewTime: -1, eventID: -1, value: -1, ids: in.IDs(), keys: in.Key, eventIDs: in.EventIDs()}
	paths := append([]string{slotTime: in.Time.Path}, r.ids...)
	if len(r.keys) > 0 {
		r.key, paths = len(paths), append(paths, r.keys...)
	}
	required := len(paths)
	optional := func(fields ...string) int {
		if len(fields) == 0 || fields[0] == "" {
			return -1
		}
		paths = append(paths, fields...)
		return len(paths) - len(fields)
	}
	if in.Kind != rules.Views {
		r.viewTime, r.eventID, r.value = optional(in.ViewTime.Path), optional(r.eventIDs...), optional(in.Value)
		r.label = p.Kinds[in.Kind].Label
		paths = r.readSeveral(paths, p.Kinds[in.Kind].Labels)
	}
	r.place = placeOf(p, in)
	r.where = len(paths)
	for _, c := range in.Where {
		paths = append(paths, c.Field)
	}
	r.asked = len(paths)
	if in.Expression != "" {
		asks, err := expression.Parse(in.Expression)
		if err != nil {
			return nil, fmt.Errorf("input %d: %s.where: %w", input, r.place, err)
		}
		for i, f := range asks.Fields {
			if in.ExpressionOf != nil {
				f.Path = in.ExpressionOf[i]
			}
			paths = append(paths, f.Path)
		}
		if r.expression, err = asks.Program(); err != nil {
			return nil, fmt.Errorf("input %d: %s.where: %w", input, r.place, err)
		}
	}
	r.columns = len(paths)
	switch {
	case in.Kind != rules.Views:
	case schema == "":
		paths = append(paths, p.Shape.Paths()...)
	default:
		paths = append(paths, p.Shape.ComputedPaths()...)
	}
	operands := len(paths)
	paths, err := r.addComputed(p, in, paths)
	if err != nil {
		return nil, fmt.Errorf("input %d: %w", input, err)
	}
	if in.Each != "" {
		if r.list, schema, err = known.newElements(in, schema, paths); err != nil {
			return nil, fmt.Errorf("input %d: %w", input, err)
		}
	}
	r.owns = ownsOf(paths)
	if r.times.time, r.times.viewTime, err = timesOf(in); err != nil {
		return nil, fmt.Errorf("input %d: %w", input, err)
	}
	project := avro.Project
	if in.Kind == rules.Views {
		project = avro.ProjectChecked // a view goes into its sample as it is
	}
	r.extractor, r.values, err = known.extractor(in, schema, project, paths, operands, required, timeOf{in.Time.Path, r.times.time}, timeOf{in.ViewTime.Path, r.times.viewTime})
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
	if in.Kind == rules.Views && p.Shape != nil {
		if r.shaper, err = known.shaper(p, schema); err != nil {
			return nil, fmt.Errorf("input %d: %w", input, err)
		}
	}
	return r, nil
}

// timesOf compiles how an input's times are written.
func timesOf(in *rules.Input) (time, viewTime *record.TimeReader, err error) {
	if time, err = record.NewTimeReader(in.Time.Form()); err != nil {
		return nil, nil, fmt.Errorf("field %s: %w", in.Time.Path, err)
	}
	if viewTime, err = record.NewTimeReader(in.ViewTime.Form()); err != nil {
		return nil, nil, fmt.Errorf("field %s: %w", in.ViewTime.Path, err)
	}
	return time, viewTime, nil
}

// Read extracts the fields of the record at the start of buf and returns its length; of one that holds a list of events, it
// finds these, for ReadElement. An
// error means that the record, and where the next one begins, cannot be known.
func (r *Reader) Read(buf []byte) (n int, err error) {
	if r.list != nil {
		return r.list.find(buf)
	}
	return r.extract(buf)
}

func (r *Reader) extract(buf []byte) (n int, err error) {
	r.scratch = r.scratch[:0]
	n, err = r.extractor.Extract(buf, r.values)
	r.owns.fill(r.values, r.own)
	return n, err
}

// Beside gives what is known of the record that is read next beside it (record.SplitOwned).
func (r *Reader) Beside(own []byte) { r.own = own }

// Skip returns the length of a record that read refuses, or -1 if it cannot be told.
func (r *Reader) Skip(record []byte) int {
	if r.list != nil && r.list.encoded != nil {
		return skipBy(r.list.encoded, record)
	}
	return skip(r.extractor, record)
}

// JSON tells whether the records are JSON texts.
func (r *Reader) JSON() bool { return r.schema == "" }

// TimeAlone returns the event time of a record of which perhaps nothing else can be read;
// record.NoTime if it cannot either.
func (r *Reader) TimeAlone(rec []byte) int64 {
	if r.alone == nil {
		var err error
		if r.alone, err = newScanner(r.rules, r.Input, schemas{}, r.schema); err != nil {
			r.alone = &Scanner{}
		}
	}
	if r.alone.extractor == nil {
		return record.NoTime
	}
	r.alone.own = r.own
	return r.alone.time(rec)
}

// Time returns the event time of the record last read.
func (r *Reader) Time() (int64, error) {
	if err := compute(r.computed.timed, r.values); err != nil {
		return 0, err
	}
	t, err := r.times.time.Millis(r.values[slotTime])
	if err != nil {
		return 0, fmt.Errorf("field %s: %w", r.Input.Time.Path, err)
	}
	return t, nil
}

// ID returns the view id of the record last read, valid until the next one.
func (r *Reader) ID() ([]byte, error) {
	return r.identity(slotID, r.ids)
}

// Key returns the key of the view record last read, valid until the next one; nil if views have none.
func (r *Reader) Key() ([]byte, error) {
	if r.key == 0 {
		return nil, nil
	}
	return r.identity(r.key, r.keys)
}

// identity reads the slots of some fields as an id. Text of one field is not copied; what has to be made of a number
// or of several is valid until the next record is read.
func (r *Reader) identity(slot int, paths []string) ([]byte, error) {
	if len(paths) > 1 {
		return r.joined(slot, paths)
	}
	v := r.values[slot]
	if v.Kind == record.String && len(v.Text) > 0 && utf8.Valid(v.Text) {
		return v.Text, nil
	}
	id, err := v.AppendID(r.scratch)
	if err != nil {
		return nil, noID(paths[0], v, err)
	}
	id, r.scratch = id[len(r.scratch):], id
	return id, nil
}

// joined reads an id of several fields.
func (r *Reader) joined(slot int, paths []string) ([]byte, error) {
	values := r.values[slot : slot+len(paths)]
	id, bad, err := record.AppendIDParts(r.scratch, values)
	if err != nil {
		return nil, noID(paths[bad], values[bad], err)
	}
	id, r.scratch = id[len(r.scratch):], id
	return id, nil
}

func noID(path string, v record.Value, err error) error {
	return fmt.Errorf("field %s: %s is not an id; %w", path, v, err)
}

// identifies tells whether any field of the id at a slot has a value.
func (r *Reader) identifies(slot int, paths []string) bool {
	for _, v := range r.values[slot : slot+len(paths)] {
		if !v.Absent() {
			return true
		}
	}
	return false
}

// Payload returns a view, which is the record last read, as samples hold it, valid until the next one. An error means that
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
	if r.shaper != nil {
		r.shaped, err = r.shaper.Append(r.shaped[:0], view, r.values[r.columns:])
		return r.shaped, err
	}
	return view, nil
}

// Mine tells whether the record is of a type that the input takes (record.OwnType), as far as conditions name it: others may lack any field,
// and are not looked at. It needs no more than Beside.
func (r *Reader) Mine() bool {
	for _, oneOf := range r.types {
		name := record.OwnValue(r.own, record.OwnType)
		if !slices.ContainsFunc(oneOf, func(c expression.Condition) bool { return c.Holds(name) }) {
			return false
		}
	}
	return true
}

// Matches tells whether the record last read meets the input's conditions, and computes its computed fields if it does. An error means
// that an expression cannot be evaluated on it.
func (r *Reader) Matches() (bool, error) {
	if !r.Mine() {
		return false, nil
	}
	if err := compute(r.computed.asked, r.values); err != nil {
		return false, err
	}
	if matches, err := r.meets(); !matches || err != nil {
		return false, err
	}
	return true, compute(r.computed.used, r.values)
}

func (r *Reader) meets() (bool, error) {
	for i := range r.Input.Where {
		if !r.Input.Where[i].Holds(r.values[r.where+i]) {
			return false, nil
		}
	}
	if r.expression == nil {
		return true, nil
	}
	holds, err := r.expression.Holds(r.values[r.asked:r.columns])
	if err != nil {
		return false, fmt.Errorf("%s.where, %w", r.place, err)
	}
	return holds, nil
}

// Engagement reads the optional fields of an engagement into g; bad says that its value is none
// that the label can take. Null, absent and empty are the same for all of them; of an own id of several fields that is all or none.
func (r *Reader) Engagement(g *bucket.Engagement) (bad error, err error) {
	g.ViewTime, g.EventID, g.Value = record.NoTime, nil, record.Value{}
	if r.viewTime >= 0 && !r.values[r.viewTime].Absent() {
		t, err := r.times.viewTime.Millis(r.values[r.viewTime])
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", r.Input.ViewTime.Path, err)
		}
		g.ViewTime = t
	}
	if r.eventID >= 0 && r.identifies(r.eventID, r.eventIDs) {
		id, err := r.identity(r.eventID, r.eventIDs)
		if err != nil {
			return nil, err
		}
		g.EventID = id
	}
	if r.several != nil {
		return r.several.read(r.values, g), nil
	}
	if r.value >= 0 && !r.values[r.value].Absent() {
		var ok bool
		if g.Value, ok = labelValue(r.label, r.values[r.value]); !ok {
			return fmt.Errorf("field %s: %s is no %s", r.Input.Value, r.values[r.value], wanted(r.label)), nil
		}
	}
	return nil, nil
}
