package decode

import (
	"errors"
	"fmt"

	"tributary/io/format/avro"
	"tributary/io/format/jsontext"
	"tributary/io/record"
	"tributary/transforms/attribution/rules"
)

// elements finds the events in the list of a record, and makes each a record of its own: the text or the bytes with the element in place
// of the list.
type elements struct {
	list    *jsontext.List // of JSON
	encoded *avro.List     // of records with a schema; nil for JSON
	path    string
	found   record.Elements
	event   []byte
	index   []int // slots of its position
}

// newElements returns what finds the events of the input in records of that schema, empty for JSON, and the schema that events have.
func (known schemas) newElements(in *rules.Input, schema string, paths []string) (e *elements, events string, err error) {
	e = &elements{path: in.Each}
	for slot, p := range paths {
		if p == rules.Index {
			e.index = append(e.index, slot)
		}
	}
	if schema == "" {
		e.list = jsontext.NewList(in.Each)
		return e, "", nil
	}
	written, err := known.parse(schema)
	if err != nil {
		return nil, "", err
	}
	if e.encoded, err = listIn(in, written); err != nil {
		return nil, "", err
	}
	events = e.encoded.Schema().String()
	known[events] = e.encoded.Schema()
	return e, events, nil
}

// listIn finds the list of an input in records of a schema, by the name in the spec or another of the same field.
func listIn(in *rules.Input, written *avro.Schema) (*avro.List, error) {
	list, err := avro.NewList(written, in.Each)
	var unknown *avro.UnknownFieldError
	if err == nil || !errors.As(err, &unknown) {
		return list, err
	}
	for _, other := range in.Others[in.Each] {
		if list, err := avro.NewList(written, other); err == nil {
			return list, nil
		}
	}
	return nil, err
}

// EventSchema is the schema of the events of an input in records of that schema: where records are events, the same. The error is that of
// avro.NewList.
func EventSchema(in *rules.Input, written *avro.Schema) (*avro.Schema, error) {
	if in.Each == "" {
		return written, nil
	}
	list, err := listIn(in, written)
	if err != nil {
		return nil, err
	}
	return list.Schema(), nil
}

// find finds the elements of the record at the start of buf, and returns its length.
func (e *elements) find(buf []byte) (n int, err error) {
	if e.encoded != nil {
		return e.encoded.Find(buf, &e.found)
	}
	if err := e.list.Find(buf, &e.found); err != nil {
		e.found.Items = e.found.Items[:0]
		return 0, err
	}
	return len(buf), nil
}

// Elements is how many events the record last read holds in its list; 0 without one.
func (r *Reader) Elements() int { return len(r.list.found.Items) }

// ReadElement extracts the fields of the event at a position in the list of the record last read, and returns it as a record,
// valid until the next one. An error means that the fields of the element cannot be read.
func (r *Reader) ReadElement(rec []byte, at int) (event []byte, err error) {
	e := r.list
	item := e.found.Items[at]
	e.event = append(append(append(e.event[:0], rec[:e.found.From]...), rec[item.From:item.To]...), rec[e.found.To:]...)
	if _, err := r.extract(e.event); err != nil {
		return e.event, fmt.Errorf("element %d of %s: %w", at, e.path, err)
	}
	for _, slot := range e.index {
		r.values[slot] = record.Value{Kind: record.Int, Int: int64(at)}
	}
	return e.event, nil
}

// ElementSchema is the schema of the records that ReadElement returns: its ID, 0 for JSON, and its text where the join does not have it.
func (r *Reader) ElementSchema() (id uint64, text string) {
	if r.list.encoded == nil {
		return 0, ""
	}
	schema := r.list.encoded.Schema()
	if _, known := r.rules.Schemas[schema.ID()]; known {
		return schema.ID(), ""
	}
	return schema.ID(), schema.String()
}
