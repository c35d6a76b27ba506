package kafkaio

import (
	"fmt"

	"tributary/io/avroio"
	"tributary/io/event"
	"tributary/io/textio"
)

// timeOf reads the event time of a topic's records that were written with one schema.
// Not for concurrent use.
type timeOf struct {
	extractor event.Extractor
	unit      event.Unit
	values    [1]event.Value
	// fingerprint and text are the schema's ID and text; 0 and empty for JSON.
	fingerprint uint64
	text        string
}

// newTimeOf compiles the extraction of the time field from records with that schema.
func newTimeOf(schema *avroio.Schema, time Field) (*timeOf, error) {
	path, field, err := schema.Find(time.Path, time.Others...)
	if err != nil {
		return nil, fmt.Errorf("event time: %w", err)
	}
	projection, err := avroio.Project(schema, []string{path})
	if err != nil {
		return nil, fmt.Errorf("event time: %w", err)
	}
	unit := time.Unit
	if unit == event.UnitAuto {
		unit = field.Unit
	}
	return &timeOf{extractor: projection, unit: unit, fingerprint: schema.ID(), text: schema.String()}, nil
}

func newTimeOfJSON(time Field) *timeOf {
	return &timeOf{extractor: textio.NewExtractor([]string{time.Path}), unit: time.Unit}
}

// of returns the event time of a record in ms, event.NoTime if it has none.
func (t *timeOf) of(record []byte) int64 {
	if _, err := t.extractor.Extract(record, t.values[:]); err != nil {
		return event.NoTime
	}
	ms, err := t.values[0].Millis(t.unit)
	if err != nil {
		return event.NoTime
	}
	return ms
}
