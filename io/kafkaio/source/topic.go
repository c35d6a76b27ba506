package source

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/format"
	"tributary/io/format/avro"
	"tributary/io/format/protobuf"
	"tributary/io/kafkaio/registry"
	"tributary/io/record"
)

// topic reads the values of one topic's records. Not for concurrent use.
type topic struct {
	Topic
	index int32         // in the Config
	fixed *timeOf       // of the formats with one schema or none
	text  format.Values // of the formats with none
	own   own
	// For the formats with a registry.
	schemas *registry.Schemas
	byID    map[registry.ID]*timeOf
	// lastBy is what the record before has in byID, and last what preceded its value, if that was the number of its schema: most records
	// follow one of the same, and cost 9 ns so for 35.
	last   [numbered]byte
	lastBy *timeOf
	// For RegistryProtobuf: the messages of schemas, by what says which they are, and room for one as JSON.
	messages map[message]*protobuf.Message
	room     []byte
	// messageName is that of the message last read.
	messageName string
	// typed says that inputs are told the names of schemas, and so which records are theirs.
	typed bool
	// badID are the ids whose schema is of another format, or has no usable time field.
	badID map[registry.ID]*unreadableError
}

// unreadableError says that there is no record in a value that can be used.
type unreadableError struct{ reason string }

func (e *unreadableError) Error() string { return e.reason }

// newTopic reads secrets and files of the topic's registry, if it has one.
func newTopic(ctx context.Context, t Topic, index int32) (*topic, error) {
	opened := &topic{Topic: t, index: index, byID: map[registry.ID]*timeOf{}, badID: map[registry.ID]*unreadableError{}, messages: map[message]*protobuf.Message{}}
	var err error
	if opened.own, err = newOwn(t.Own); err != nil {
		return nil, fmt.Errorf("topic %s: %w", t.Name, err)
	}
	opened.typed = slices.Contains(t.Own, record.OwnType)
	if t.Registry != nil {
		if opened.schemas, err = registry.Open(ctx, t.Registry); err != nil {
			return nil, fmt.Errorf("topic %s: %w", t.Name, err)
		}
	}
	switch t.Format {
	case Avro:
		opened.fixed, err = compileAvro(t.Schema, t.Time)
	case RegistryAvro:
	case RegistryJSON, RegistryProtobuf:
		opened.fixed, _, err = newTimeOfText(t.Time)
	default:
		if opened.fixed, _, err = newTimeOfText(t.Time); err == nil {
			opened.text, err = format.Get[format.Values](string(t.Format))
		}
	}
	if err != nil {
		return nil, fmt.Errorf("topic %s: %w", t.Name, err)
	}
	return opened, nil
}

// open returns the record in the value of r, which has one, and what reads its event time. If isUnusable, the error
// says why there is none; any other error that it cannot be told yet.
func (t *topic) open(ctx context.Context, r *kgo.Record) (record []byte, by *timeOf, err error) {
	if t.text != nil {
		if record, err = t.text.Record(r.Value); err != nil {
			return nil, nil, &unreadableError{err.Error()}
		}
		return record, t.fixed, nil
	}
	if t.Format == Avro {
		return r.Value, t.fixed, nil
	}
	if t.lastBy != nil && len(r.Headers) == 0 && len(r.Value) >= numbered && [numbered]byte(r.Value) == t.last {
		return r.Value[numbered:], t.lastBy, nil
	}
	id, indexes, record, err := t.schemaOf(r)
	if err != nil {
		return nil, nil, &unreadableError{err.Error()}
	}
	if by = t.byID[id]; by == nil {
		if by, err = t.compile(ctx, id); err != nil {
			return nil, nil, err
		}
	}
	if by.branches != nil {
		return by.ofBranch(record)
	}
	if t.Format == RegistryProtobuf {
		record, err = t.messageText(ctx, id, indexes, record)
	} else if len(r.Headers) == 0 && id.GUID == uuid.Nil {
		t.last, t.lastBy = [numbered]byte(r.Value), by
	}
	return record, by, err
}

// nameOf is what the schema of the record that was opened last calls it; by is what open returned.
func (t *topic) nameOf(by *timeOf) string {
	if t.Format == RegistryProtobuf {
		return t.messageName
	}
	return by.name
}

// numbered is how much of a value is the number of its schema with what precedes that.
const numbered = 5

// schemaOf tells the schema of a record and, of Protobuf, which message of it is meant, by a header or by what precedes its value. It returns what
// follows that.
func (t *topic) schemaOf(r *kgo.Record) (id registry.ID, indexes, record []byte, err error) {
	inHeader := slices.IndexFunc(r.Headers, func(h kgo.RecordHeader) bool { return h.Key == registry.Header })
	var rest []byte
	if inHeader >= 0 {
		id, rest, err = registry.InHeader(r.Headers[inHeader].Value)
	} else {
		id, rest, err = registry.Unframe(r.Value)
	}
	if err == nil && t.Format == RegistryProtobuf {
		indexes, rest, err = protobuf.CutIndexes(rest)
	}
	if inHeader >= 0 {
		rest = r.Value
	}
	return id, indexes, rest, err
}

// mostMessages bounds how many are kept: a number can be encoded in several ways.
const mostMessages = 1000

// message is one of a schema, by its indexes.
type message struct {
	schema  registry.ID
	indexes string
}

// messageText returns an encoded message as JSON, which is valid until the next.
func (t *topic) messageText(ctx context.Context, id registry.ID, indexes, encoded []byte) ([]byte, error) {
	m := t.messages[message{id, string(indexes)}]
	if m == nil {
		schema, err := t.schemas.Lookup(ctx, id)
		if err != nil {
			return nil, err
		}
		if m, err = schema.Protobuf.Message(indexes); err != nil {
			return nil, &unreadableError{fmt.Sprintf("schema id %s: %v", id, err)}
		}
		if len(t.messages) >= mostMessages {
			clear(t.messages)
		}
		t.messages[message{id, string(indexes)}] = m
	}
	text, err := m.AppendJSON(t.room[:0], encoded)
	if err != nil {
		return nil, &unreadableError{fmt.Sprintf("schema id %s: %v", id, err)}
	}
	t.room, t.messageName = text, m.Name()
	return text, nil
}

// schemaTypes are those that formats with a registry take.
var schemaTypes = map[Format]registry.Type{RegistryAvro: registry.Avro, RegistryJSON: registry.JSON, RegistryProtobuf: registry.Protobuf}

// compile makes what reads the event times of records with that schema.
func (t *topic) compile(ctx context.Context, id registry.ID) (*timeOf, error) {
	if bad := t.badID[id]; bad != nil {
		return nil, bad
	}
	schema, err := t.schemas.Lookup(ctx, id)
	if err != nil {
		return nil, err
	}
	by := t.fixed
	if by != nil && t.typed {
		named := *by
		by, named.name = &named, schema.Title
	}
	if want := schemaTypes[t.Format]; schema.Type != want {
		err = fmt.Errorf("is of type %s, not %s", schema.Type, want)
	} else if schema.Branches != nil {
		by = t.unionOf(id, schema.Branches)
	} else if by == nil {
		by, err = t.recordsOf(schema.Avro)
	}
	if err != nil {
		// The schema is some producer's mistake: its records are dead letters, and the
		// others must go on.
		bad := &unreadableError{fmt.Sprintf("schema id %s: %v", id, err)}
		t.badID[id] = bad
		return nil, bad
	}
	t.byID[id] = by
	return by, nil
}

// recordsOf makes what reads the event times of records with a schema of Avro.
func (t *topic) recordsOf(schema *avro.Schema) (by *timeOf, err error) {
	if by, err = newTimeOf(schema, t.Time); err != nil && t.typed {
		// Whose records they are is told by their type, not by their fields: the join looks at that.
		by, err = &timeOf{never: true, fingerprint: schema.ID(), text: schema.String()}, nil
	}
	if err == nil {
		by.name = schema.Type().Name
	}
	return by, err
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
