package source

import (
	"fmt"

	"tributary/io/format/avro"
	"tributary/io/format/jsontext"
	"tributary/io/record"
)

// timeOf reads the event time of a topic's records that were written with one schema.
// Not for concurrent use.
type timeOf struct {
	extractor record.Extractor
	unit      record.Unit
	values    [1]record.Value
	// fingerprint and text are the schema's ID and text; 0 and empty for JSON.
	fingerprint uint64
	text        string
}

// newTimeOf compiles the extraction of the time field from records with that schema.
func newTimeOf(schema *avro.Schema, time Field) (*timeOf, error) {
	path, field, err := schema.Find(time.Path, time.Others...)
	if err != nil {
		return nil, fmt.Errorf("event time: %w", err)
	}
	projection, err := avro.Project(schema, []string{path})
	if err != nil {
		return nil, fmt.Errorf("event time: %w", err)
	}
	unit := time.Unit
	if unit == record.UnitAuto {
		unit = field.Unit
	}
	return &timeOf{extractor: projection, unit: unit, fingerprint: schema.ID(), text: schema.String()}, nil
}

func newTimeOfText(time Field) *timeOf {
	return &timeOf{extractor: jsontext.NewExtractor([]string{time.Path}), unit: time.Unit}
}

// of returns the event time of a record in ms, record.NoTime if it has none.
func (t *timeOf) of(rec []byte) int64 {
	if _, err := t.extractor.Extract(rec, t.values[:]); err != nil {
		return record.NoTime
	}
	ms, err := t.values[0].Millis(t.unit)
	if err != nil {
		return record.NoTime
	}
	return ms
}
