package source

import (
	"context"
	"errors"
	"fmt"

	"tributary/io/format"
	"tributary/io/kafkaio/registry"
)

// topic reads the values of one topic's records. Not for concurrent use.
type topic struct {
	Topic
	index int32         // in the Config
	fixed *timeOf       // of the formats with one schema or none
	text  format.Values // of the formats with none
	// For RegistryAvro.
	schemas *registry.Schemas
	byID    map[int32]*timeOf
	// badID are the ids whose schema has no usable time field.
	badID map[int32]*unreadableError
}

// unreadableError says that there is no record in a value that can be used.
type unreadableError struct{ reason string }

func (e *unreadableError) Error() string { return e.reason }

var errNoValue = &unreadableError{"no value: a tombstone"}

func newTopic(t Topic, index int32, schemas *registry.Schemas) (*topic, error) {
	opened := &topic{Topic: t, index: index, schemas: schemas, byID: map[int32]*timeOf{}, badID: map[int32]*unreadableError{}}
	var err error
	switch t.Format {
	case Avro:
		opened.fixed, err = compileAvro(t.Schema, t.Time)
	case RegistryAvro:
	default:
		opened.fixed = newTimeOfText(t.Time)
		opened.text, err = format.Get[format.Values](string(t.Format))
	}
	if err != nil {
		return nil, fmt.Errorf("topic %s: %w", t.Name, err)
	}
	return opened, nil
}

// open returns the record in a value and what reads its event time. If isUnusable, the error
// says why there is none; any other error that it cannot be told yet.
func (t *topic) open(ctx context.Context, value []byte) (record []byte, by *timeOf, err error) {
	if value == nil {
		return nil, nil, errNoValue
	}
	if t.text != nil {
		if record, err = t.text.Record(value); err != nil {
			return nil, nil, &unreadableError{err.Error()}
		}
		return record, t.fixed, nil
	}
	if t.fixed != nil {
		return value, t.fixed, nil
	}
	id, record, err := registry.Unframe(value)
	if err != nil {
		return nil, nil, &unreadableError{err.Error()}
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
	schema, err := t.schemas.Lookup(ctx, id)
	if err != nil {
		return nil, err
	}
	by, err := newTimeOf(schema, t.Time)
	if err != nil {
		// The schema is some producer's mistake: its records are dead letters, and the
		// others must go on.
		bad := &unreadableError{fmt.Sprintf("schema id %d: %v", id, err)}
		t.badID[id] = bad
		return nil, bad
	}
	t.byID[id] = by
	return by, nil
}

// isUnusable returns the reason if err is about a record rather than about the world.
func isUnusable(err error) (reason string, ok bool) {
	var value *unreadableError
	var schema *registry.UnusableError
	switch {
	case errors.As(err, &value):
		return value.reason, true
	case errors.As(err, &schema):
		return schema.Error(), true
	}
	return "", false
}
