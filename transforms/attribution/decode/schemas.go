package decode

import (
	"fmt"

	"tributary/io/format/avro"
	"tributary/transforms/attribution/rules"
	"tributary/transforms/sample"
)

// schemas are the parsed ones by their text: a reader looks at each several times.
type schemas map[string]*avro.Schema

// schemaOf returns the schema with that fingerprint: the text that came with the batch, or
// else the one that is known; empty for JSON.
func schemaOf(p *rules.Params, fingerprint uint64, text string) (string, error) {
	if fingerprint == 0 || text != "" {
		return text, nil
	}
	text, ok := p.Schemas[fingerprint]
	if !ok {
		return "", fmt.Errorf("no schema with fingerprint %016x", fingerprint)
	}
	return text, nil
}

// parse returns the schema that text is.
func (known schemas) parse(text string) (*avro.Schema, error) {
	if s, ok := known[text]; ok {
		return s, nil
	}
	s, err := avro.ParseSchema(text)
	if err == nil {
		known[text] = s
	}
	return s, err
}

// resolve returns what brings views of that schema to the one of the samples, or nil if
// they have it.
func (known schemas) resolve(p *rules.Params, schema string) (*avro.Resolution, error) {
	writer, err := known.parse(schema)
	if err != nil {
		return nil, err
	}
	reader, err := known.parse(p.ViewSchema)
	if err != nil {
		return nil, fmt.Errorf("the schema of the samples' views: %w", err)
	}
	resolution, err := avro.Resolve(writer, reader)
	if err != nil || resolution.Identical() {
		return nil, err
	}
	return resolution, nil
}

// shaper returns what makes of views, written with that schema, what samples hold of them.
func (known schemas) shaper(p *rules.Params, schema string) (*sample.Shaper, error) {
	if schema == "" {
		return sample.NewShaper(p.Shape, nil)
	}
	views, err := known.parse(p.ViewSchema)
	if err != nil {
		return nil, fmt.Errorf("the schema of the samples' views: %w", err)
	}
	return sample.NewShaper(p.Shape, views)
}
