package kafkaio

import (
	"context"
	"errors"
	"fmt"
)

// topic reads the values of one topic's records. Not for concurrent use.
type topic struct {
	Topic
	index int32   // in the Reading
	fixed *timeOf // of the formats with one schema or none
	// For RegistryAvro.
	schemas *schemas
	byID    map[int32]*timeOf
	// badID are the ids whose schema has no usable time field.
	badID map[int32]*unusableError
}

var errNoValue = &unusableError{reason: "no value: a tombstone"}

func newTopic(t Topic, index int32, registry *schemas) (*topic, error) {
	opened := &topic{Topic: t, index: index, schemas: registry, byID: map[int32]*timeOf{}, badID: map[int32]*unusableError{}}
	var err error
	switch t.Format {
	case JSON:
		opened.fixed = newTimeOfJSON(t.Time)
	case Avro:
		opened.fixed, err = compileAvro(t.Schema, t.Time)
	case RegistryAvro:
	}
	if err != nil {
		return nil, fmt.Errorf("topic %s: %w", t.Name, err)
	}
	return opened, nil
}

// open returns the record in a value and what reads its event time. An *unusableError says
// why there is none; any other error that it cannot be told yet.
func (t *topic) open(ctx context.Context, value []byte) (record []byte, by *timeOf, err error) {
	if value == nil {
		return nil, nil, errNoValue
	}
	if t.fixed != nil {
		return value, t.fixed, nil
	}
	id, record, err := unframe(value)
	if err != nil {
		return nil, nil, &unusableError{reason: err.Error()}
	}
	if by := t.byID[id]; by != nil {
		return record, by, nil
	}
	by, err = t.compile(ctx, id)
	return record, by, err
}

func (t *topic) compile(ctx context.Context, id int32) (*timeOf, error) {
	if bad := t.badID[id]; bad != nil {
		return nil, bad
	}
	schema, err := t.schemas.lookup(ctx, id)
	if err != nil {
		return nil, err
	}
	by, err := newTimeOf(schema, t.Time)
	if err != nil {
		// The schema is some producer's mistake: its records are dead letters, and the
		// others must go on.
		bad := &unusableError{reason: fmt.Sprintf("schema id %d: %v", id, err)}
		t.badID[id] = bad
		return nil, bad
	}
	t.byID[id] = by
	return by, nil
}

// isUnusable returns the reason if err is about a record rather than about the world.
func isUnusable(err error) (reason string, ok bool) {
	var unusable *unusableError
	if errors.As(err, &unusable) {
		return unusable.reason, true
	}
	return "", false
}
