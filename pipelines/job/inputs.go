package job

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"tributary/io/fileio"
	"tributary/io/format"
	"tributary/io/format/avro"
	"tributary/io/kafkaio/registry"
	"tributary/io/kafkaio/source"
	"tributary/pipelines/spec"
	"tributary/transforms/attribution/rules"
)

// InputTopics are those inputs of a spec that are topics, and what is known of their records
// before any is read.
type InputTopics struct {
	spec    *spec.Spec
	params  *rules.Params
	sources []Source
	// found and schemas go by the place in sources: empty for files, and without a schema for JSON.
	found    []source.Topic
	schemas  []*avro.Schema
	registry *registry.Config
}

// FindTopics reads the schema files of the topics among the sources and asks the registry for those
// of others. The parameters of the join get the schemas that are the same for all of a topic.
func FindTopics(ctx context.Context, s *spec.Spec, p *rules.Params, sources []Source) (*InputTopics, error) {
	t := &InputTopics{spec: s, params: p, sources: sources, found: make([]source.Topic, len(sources)), schemas: make([]*avro.Schema, len(sources))}
	for i, src := range sources {
		if src.Topic == "" {
			continue
		}
		// Partitions of topics have an order, whatever the default is for files.
		p.Inputs[i].Ordered = true
		var err error
		if t.found[i], t.schemas[i], err = t.find(ctx, i, src); err != nil {
			return nil, fmt.Errorf("topic %s: %w", src.Topic, err)
		}
	}
	return t, nil
}

// find describes the topic of an input, and returns the schema that its records are known to have;
// nil for JSON.
func (t *InputTopics) find(ctx context.Context, input int, src Source) (source.Topic, *avro.Schema, error) {
	in := t.params.Inputs[input]
	topic := source.Topic{
		Cluster: src.Cluster, Name: src.Topic, Inputs: []int32{int32(input)}, Format: source.Format(src.Format),
		Time: source.Field{Path: in.Time.Path, Unit: in.Time.Unit},
	}
	values, err := format.Get[format.Values](string(src.Format))
	if err != nil {
		return topic, nil, err
	}
	if !values.Schemas() {
		if src.Schema != "" {
			return topic, nil, fmt.Errorf("values in %s are taken as they are: leave out the schema %s", strings.ToUpper(values.Name()), src.Schema)
		}
		return topic, nil, nil
	}
	var text string
	if src.Schema != "" {
		content, err := fileio.ReadFile(ctx, src.Schema)
		if err != nil {
			return topic, nil, err
		}
		text = string(content)
	}
	topic.Format = source.Avro
	if src.Registry {
		topic.Format = source.RegistryAvro
		if err := t.useRegistry(src.Cluster); err != nil {
			return topic, nil, err
		}
		if text == "" {
			var err error
			if text, err = t.registry.Latest(ctx, src.Topic+"-value"); err != nil {
				return topic, nil, err
			}
		}
	}
	schema, err := avro.ParseSchema(text)
	if err != nil {
		return topic, nil, err
	}
	if topic.Format == source.Avro {
		topic.Schema = schema.String()
		t.params.Schemas[schema.ID()] = topic.Schema
	}
	return topic, schema, nil
}

// useRegistry makes the cluster's registry the one that schemas are read from.
func (t *InputTopics) useRegistry(cluster string) error {
	registry := Registry(t.spec.Cluster(cluster))
	if t.registry != nil && !slices.Equal(t.registry.URLs, registry.URLs) {
		return fmt.Errorf("its schemas are in the registry %v, those of other topics in %v: a job can use one", registry.URLs, t.registry.URLs)
	}
	t.registry = registry
	return nil
}

// AddTo adds what the records of topics look like to a check of fields, and the schemas of views among them.
func (t *InputTopics) AddTo(fields *FieldCheck, views *ViewSchemas) {
	for i := range t.sources {
		src := &t.sources[i]
		if src.Topic == "" {
			continue
		}
		views.Add(src, t.schemas[i], "topic "+src.Topic)
		if t.schemas[i] == nil {
			fields.AddText(i)
			continue
		}
		fields.Add(i, "topic "+src.Topic, t.schemas[i])
		if src.Schema != "" {
			views.Give(src, t.schemas[i])
		}
	}
}

// Reading says how the topics are read: all but when, by whom and how far. It is for after the check
// of fields, which finds the names that they have in older records. The clusters are those of the
// topics, and others that are named.
func (t *InputTopics) Reading(others ...string) source.Config {
	s := t.spec
	r := source.Config{OutOfOrderness: s.OutOfOrderness, IdleAfter: s.Stream.IdleTimeout, MaxAhead: s.Stream.MaxFutureSkew, Registry: t.registry, Group: s.Stream.Group, Start: startOf(s.Stream.Start)}
	if s.Stream.OnOffsetOutOfRange == spec.OutOfRangeSkips {
		r.OnTruncation = source.SkipTruncated
	}
	used := map[string]bool{}
	for _, name := range others {
		used[name] = true
	}
	for i, topic := range t.found {
		if topic.Name == "" {
			continue
		}
		used[topic.Cluster] = true
		topic.Time.Others = t.params.Inputs[i].Others[topic.Time.Path]
		if same := slices.IndexFunc(r.Topics, func(o source.Topic) bool { return o.Cluster == topic.Cluster && o.Name == topic.Name }); same >= 0 {
			r.Topics[same].Inputs = append(r.Topics[same].Inputs, int32(i))
		} else {
			r.Topics = append(r.Topics, topic)
		}
	}
	for i := range s.Clusters {
		if used[s.Clusters[i].Name] {
			r.Clusters = append(r.Clusters, Kafka(&s.Clusters[i]))
		}
	}
	return r
}

func startOf(s spec.Start) source.Start {
	switch s.From {
	case spec.StartLatest:
		return source.Start{At: source.AtLatest}
	case spec.StartCommitted:
		return source.Start{At: source.AtCommitted}
	case spec.StartAtTime:
		return source.Start{At: source.AtTime, Time: s.Time}
	default:
		return source.Start{At: source.AtEarliest}
	}
}
