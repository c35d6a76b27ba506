package decode

import (
	"fmt"

	"tributary/io/format/jsontext"
	"tributary/io/record"
	"tributary/transforms/attribution/rules"
)

// elements finds the events in the list of a record, and makes each a record of its own: the text with the element in place of
// the list.
type elements struct {
	list  *jsontext.List
	path  string
	found jsontext.Elements
	text  []byte // of one event
	index []int  // slots of its position
}

func newElements(path string, paths []string) *elements {
	e := &elements{list: jsontext.NewList(path), path: path}
	for slot, p := range paths {
		if p == rules.Index {
			e.index = append(e.index, slot)
		}
	}
	return e
}

// find finds the elements of the record that buf is, and returns its length.
func (e *elements) find(buf []byte) (int, error) {
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
	e.text = append(append(append(e.text[:0], rec[:e.found.From]...), rec[item.From:item.To]...), rec[e.found.To:]...)
	if _, err := r.extract(e.text); err != nil {
		return e.text, fmt.Errorf("element %d of %s: %w", at, e.path, err)
	}
	for _, slot := range e.index {
		r.values[slot] = record.Value{Kind: record.Int, Int: int64(at)}
	}
	return e.text, nil
}
