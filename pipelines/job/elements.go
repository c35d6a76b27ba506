package job

import (
	"fmt"
	"maps"
	"slices"

	"tributary/io/format/avro"
	"tributary/pipelines/spec/problem"
	"tributary/transforms/attribution/decode"
	"tributary/transforms/attribution/rules"
)

// isIndex tells whether a path is the position of an event in the list of an input's records.
func isIndex(in *rules.Input, path string) bool { return in.Each != "" && path == rules.Index }

// eventsOf is the schema of the events of an input in records of that schema; this one if they have no such list.
func eventsOf(in *rules.Input, schema *avro.Schema) *avro.Schema {
	if events, err := decode.EventSchema(in, schema); err == nil {
		return events
	}
	return schema
}

// setElements makes the schemas those of events, for inputs whose records hold several, and returns what has no such list. It notes the
// other names of lists (rules.Input.Others).
func (c *FieldCheck) setElements() (problems problem.List) {
	inputs := map[string]*rules.Input{} // by role: all have one list
	for i := range c.sources {
		in, role := &c.params.Inputs[i], c.sources[i].Role
		if in.Each == "" {
			continue
		}
		if others := avro.Others(in.Each, c.schemas[role]); len(others) > 0 {
			in.Others = maps.Clone(in.Others)
			if in.Others == nil {
				in.Others = map[string][]string{}
			}
			in.Others[in.Each] = others
		}
		inputs[role] = in
	}
	sound := c.layouts[:0:0]
	for _, l := range c.layouts {
		in := &c.params.Inputs[l.source]
		if in.Each == "" || l.schema == nil {
			sound = append(sound, l)
			continue
		}
		events, err := decode.EventSchema(in, l.schema)
		if err != nil {
			problems = append(problems, c.fieldProblem(err, &l, &wanted{path: in.Each, key: []string{"each"}}))
			continue // what else it lacks follows
		}
		l.schema = events
		sound = append(sound, l)
	}
	c.layouts = sound
	for role, in := range inputs {
		schemas := slices.Clone(c.schemas[role])
		for i := range schemas {
			schemas[i] = eventsOf(in, schemas[i])
		}
		c.schemas[role] = schemas
	}
	return problems
}

// AddElementSchemas adds the schemas of events to those that the join knows, for inputs whose records hold several.
func AddElementSchemas(p *rules.Params) error {
	written := maps.Clone(p.Schemas)
	for i := range p.Inputs {
		in := &p.Inputs[i]
		if in.Each == "" {
			continue
		}
		for _, id := range slices.Sorted(maps.Keys(written)) {
			schema, err := avro.ParseSchema(written[id])
			if err != nil {
				return fmt.Errorf("schema %016x: %w", id, err)
			}
			if events := eventsOf(in, schema); events != schema {
				p.Schemas[events.ID()] = events.String()
			}
		}
	}
	return nil
}
