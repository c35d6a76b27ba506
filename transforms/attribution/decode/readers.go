package decode

import (
	"fmt"

	"tributary/io/record"
	"tributary/transforms/attribution/rules"
)

// Readers are the readers of all inputs, by the schemas that their records are written with. Not
// for concurrent use.
type Readers struct {
	p       *rules.Params
	schemas schemas
	made    map[readerKey]*Reader
}

type readerKey struct {
	input  int32
	schema uint64
}

// NewReaders returns Readers of the join's inputs.
func NewReaders(p *rules.Params) *Readers {
	return &Readers{p: p, schemas: schemas{}, made: map[readerKey]*Reader{}}
}

// Of returns the reader of a batch's records, which may be unusable. An error means an input or a
// schema that is not known.
func (all *Readers) Of(b *record.Batch) (*Reader, error) {
	key := readerKey{b.Input, b.Schema}
	if r, ok := all.made[key]; ok {
		return r, nil
	}
	if b.Input < 0 || int(b.Input) >= len(all.p.Inputs) {
		return nil, fmt.Errorf("batch of input %d: there are %d", b.Input, len(all.p.Inputs))
	}
	schema, err := schemaOf(all.p, b.Schema, b.SchemaText)
	if err != nil {
		return nil, fmt.Errorf("input %d: %w", b.Input, err)
	}
	r, err := newReader(all.p, all.schemas, int(b.Input), schema)
	if err != nil {
		// A schema that turned up while the job runs: its records are bad, not the job.
		r = &Reader{Input: &all.p.Inputs[b.Input], rules: all.p, types: all.p.Inputs[b.Input].Types(), schema: schema, Unusable: err}
	}
	all.made[key] = r
	return r, nil
}
