package attribution

import (
	"fmt"
	"sync"

	"tributary/io/format/avro"
)

// schemas caches parsed schemas by their text: every slice and every bundle wants them.
var schemas sync.Map

// schemaOf returns the schema with that fingerprint: the text that came with the batch, or
// else the one that is known; empty for JSON.
func schemaOf(p *Params, fingerprint uint64, text string) (string, error) {
	if fingerprint == 0 || text != "" {
		return text, nil
	}
	text, ok := p.Schemas[fingerprint]
	if !ok {
		return "", fmt.Errorf("no schema with fingerprint %016x", fingerprint)
	}
	return text, nil
}

func parseSchema(text string) (*avro.Schema, error) {
	if s, ok := schemas.Load(text); ok {
		return s.(*avro.Schema), nil
	}
	s, err := avro.ParseSchema(text)
	if err == nil {
		schemas.Store(text, s)
	}
	return s, err
}

// resolve returns what brings views of that schema to the one of the samples, or nil if
// they have it.
func resolve(p *Params, schema string) (*avro.Resolution, error) {
	writer, err := parseSchema(schema)
	if err != nil {
		return nil, err
	}
	reader, err := parseSchema(p.ViewSchema)
	if err != nil {
		return nil, fmt.Errorf("the schema of the samples' views: %w", err)
	}
	resolution, err := avro.Resolve(writer, reader)
	if err != nil || resolution.Identical() {
		return nil, err
	}
	return resolution, nil
}
