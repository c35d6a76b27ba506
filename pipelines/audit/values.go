package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/kafkaio/registry"
	"tributary/pipelines/job"
	"tributary/pipelines/spec"
)

// SampleValues reads the values of a topic of samples. It is for one goroutine.
type SampleValues struct {
	output   spec.Output
	schemas  *schemas
	registry *registry.Schemas
	// byID are the samples of schemas in the registry; without one, plain are those of the join.
	byID  map[registry.ID]*samples
	plain *samples
}

// NewSampleValues returns what reads the values of a topic of a spec, of that Avro schema where they are Avro and name none.
func NewSampleValues(ctx context.Context, s *spec.Spec, output spec.Output, schema string) (*SampleValues, error) {
	return newSampleValues(ctx, s, output, schema, newSchemas())
}

func newSampleValues(ctx context.Context, s *spec.Spec, output spec.Output, schema string, schemas *schemas) (v *SampleValues, err error) {
	v = &SampleValues{output: output, schemas: schemas}
	if output.Format != spec.JSON && !output.Registry {
		if v.plain, err = schemas.ofText(schema); err != nil {
			return nil, fmt.Errorf("the schema of the join's samples: %w", err)
		}
	}
	if output.Registry {
		v.registry, err = registry.Open(ctx, job.Registry(s.Cluster(output.Cluster)))
	}
	return v, err
}

// TopicSample is a sample of a topic.
type TopicSample struct {
	ViewID string
	// ViewTime is in milliseconds; Stage and Version are those of specs with stages.
	ViewTime int64
	Stage    string
	Version  int64
	Weight   float64
	// Group is the version of its bucket, from 1 where the record says it; 0 otherwise.
	Group int64
	// Corrected is what a repair says that it changed, as JSON of Corrected; nil for what no repair wrote.
	Corrected []byte
	// JSON is all of it.
	JSON string
}

// Sample reads a record of the topic.
func (v *SampleValues) Sample(ctx context.Context, r *kgo.Record) (out TopicSample, err error) {
	of, raw, err := v.of(ctx, r.Value)
	if err != nil {
		return out, err
	}
	var e entry
	if err := of.keys(raw, &e); err != nil {
		return out, err
	}
	out = TopicSample{ViewID: string(e.id), ViewTime: e.time, Stage: e.stage, Version: e.version, Weight: e.weight, Group: groupVersion(r), Corrected: correctedText(r)}
	out.JSON, err = of.asJSON(raw)
	return out, err
}

func (v *SampleValues) of(ctx context.Context, value []byte) (*samples, []byte, error) {
	switch {
	case len(value) == 0:
		return nil, nil, errors.New("it has no value")
	case v.output.Format == spec.JSON:
		return v.schemas.text(), value, nil
	case v.registry == nil:
		return v.plain, value, nil
	}
	id, raw, err := registry.Unframe(value)
	if err != nil {
		return nil, nil, err
	}
	if known := v.byID[id]; known != nil {
		return known, raw, nil
	}
	found, err := v.registry.Lookup(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	if found.Avro == nil {
		return nil, nil, fmt.Errorf("schema %s is not Avro", id)
	}
	one, err := v.schemas.of(found.Avro)
	if err != nil {
		return nil, nil, err
	}
	one.frame = bytes.Clone(value[:len(value)-len(raw)])
	if v.byID == nil {
		v.byID = map[registry.ID]*samples{}
	}
	v.byID[id] = one
	return one, raw, nil
}
