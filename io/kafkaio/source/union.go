package source

import (
	"fmt"

	"tributary/io/format/avro"
	"tributary/io/kafkaio/registry"
)

// unionOf reads values of an Avro schema that is a union: each is a record of one of its branches, as if it had been written with the schema
// of that alone.
type unionOf struct {
	id       registry.ID
	branches avro.Branches
	// by are what reads records of each branch, or bad says why they cannot be read.
	by  []*timeOf
	bad []*unreadableError
}

// unionOf makes what reads the event times of records of a union.
func (t *topic) unionOf(id registry.ID, branches avro.Branches) *timeOf {
	u := &unionOf{id, branches, make([]*timeOf, len(branches)), make([]*unreadableError, len(branches))}
	for i, b := range branches {
		if b.Record == nil {
			u.bad[i] = &unreadableError{fmt.Sprintf("schema id %s: a value of its type %s is no record", id, b.Name)}
			continue
		}
		var err error
		if u.by[i], err = t.recordsOf(b.Record); err != nil {
			u.bad[i] = &unreadableError{fmt.Sprintf("schema id %s: %s: %v", id, b.Name, err)}
		}
	}
	return &timeOf{branches: u}
}

// ofBranch is what open returns of a value of a union.
func (t *timeOf) ofBranch(value []byte) (record []byte, by *timeOf, err error) {
	u := t.branches
	i, record, ok := u.branches.Cut(value)
	switch {
	case !ok:
		return nil, nil, &unreadableError{fmt.Sprintf("schema id %s: the value is of none of the %d types of its union", u.id, len(u.branches))}
	case u.bad[i] != nil:
		return nil, nil, u.bad[i]
	}
	return record, u.by[i], nil
}
