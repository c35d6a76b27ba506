package job

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"tributary/io/expression"
	"tributary/io/fileio"
	"tributary/io/format"
	"tributary/io/format/avro"
	"tributary/io/kafkaio/registry"
	"tributary/io/kafkaio/source"
	"tributary/io/record"
	"tributary/pipelines/spec"
	"tributary/pipelines/spec/problem"
	"tributary/transforms/attribution/rules"
)

// InputTopics are those inputs of a spec that are topics, and what is known of their records
// before any is read.
type InputTopics struct {
	spec    *spec.Spec
	params  *rules.Params
	sources []Source
	// found and schemas go by the place in sources: empty for files, and without a schema for JSON.
	found   []source.Topic
	schemas []*avro.Schema
}

// Codes of problems that a registry shows.
const (
	codeOtherSchema    = "T1631"
	codeNoSubject      = "T1632"
	codeUnusableSchema = "T1633"
	codeOtherType      = "T1460"
	codeNoRecord       = "T1636"
)

// FindTopics reads the schema files of the topics among the sources and asks the registry for those
// of others. The parameters of the join get the schemas that are the same for all of a topic. What of the
// spec does not fit what the registry has is a problem.List.
func FindTopics(ctx context.Context, s *spec.Spec, p *rules.Params, sources []Source) (*InputTopics, error) {
	var problems problem.List
	t := &InputTopics{spec: s, params: p, sources: sources, found: make([]source.Topic, len(sources)), schemas: make([]*avro.Schema, len(sources))}
	for i, src := range sources {
		if src.Topic == "" {
			continue
		}
		// Partitions of topics have an order, whatever the default is for files.
		p.Inputs[i].Ordered = true
		var err error
		t.found[i], t.schemas[i], err = t.find(ctx, i, src)
		var wrong *inputProblem
		switch {
		case errors.As(err, &wrong):
			problems = append(problems, wrong.Problem)
		case err != nil:
			return nil, fmt.Errorf("topic %s: %w", src.Topic, err)
		}
	}
	if len(problems) > 0 {
		problems.Sort()
		return nil, problems
	}
	return t, nil
}

// inputProblem is a problem with an input of the spec, as an error.
type inputProblem struct{ problem.Problem }

func (p *inputProblem) Error() string { return p.Message }

// find describes the topic of an input, and returns the schema that its records are known to have;
// nil for JSON.
func (t *InputTopics) find(ctx context.Context, input int, src Source) (source.Topic, *avro.Schema, error) {
	in := t.params.Inputs[input]
	topic := source.Topic{
		Cluster: src.Cluster, Name: src.Topic, Inputs: []int32{int32(input)}, Format: source.Format(src.Format),
		Time: source.Field{Path: in.Time.Path, Unit: in.Time.Unit, Pattern: in.Time.Pattern, Zone: in.Time.Zone},
	}
	values, err := format.Get[format.Values](string(src.Format))
	if err != nil {
		return topic, nil, err
	}
	if src.Registry {
		topic.Registry = Registry(t.spec.Cluster(src.Cluster))
	}
	if !values.Schemas() {
		if src.Schema != "" {
			return topic, nil, fmt.Errorf("values in %s are taken as they are: leave out the schema %s", strings.ToUpper(values.Name()), src.Schema)
		}
		if src.Registry {
			topic.Format = source.RegistryJSON
			want := registry.JSON
			if src.Format == spec.Protobuf {
				topic.Format, want = source.RegistryProtobuf, registry.Protobuf
			}
			_, err = t.latest(ctx, input, topic.Registry, want)
		}
		return topic, nil, err
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
		if text == "" {
			schema, err := t.latest(ctx, input, topic.Registry, registry.Avro)
			if err != nil {
				return topic, nil, err
			}
			record, err := t.recordOf(input, "subject "+src.InSubject(), schema.Avro)
			return topic, record, err
		}
	}
	schema, err := avro.ParseSchema(text)
	if err != nil {
		return topic, nil, err
	}
	if schema, err = t.recordOf(input, "schema "+src.Schema, schema); err != nil {
		return topic, nil, err
	}
	if topic.Format == source.Avro {
		topic.Schema = schema.String()
		t.params.Schemas[schema.ID()] = topic.Schema
	}
	return topic, schema, nil
}

// latest asks the registry for the schema of an input. What the registry says against it is an inputProblem.
func (t *InputTopics) latest(ctx context.Context, input int, from *registry.Config, want registry.Type) (*registry.Schema, error) {
	src := &t.sources[input]
	subject := src.InSubject()
	schema, err := from.Latest(ctx, subject)
	var unusable *registry.UnusableError
	switch {
	case errors.Is(err, registry.ErrNoSubject):
		p := src.Problem(t.spec, codeNoSubject, "the registry has no schema of subject "+subject)
		p.Got, p.Allowed = subject, subjectsLike(ctx, from, src.Topic)
		p.Hint = "name the subject that has the schema of the values of topic " + src.Topic + ", as `subject: NAME`"
		if want == registry.Avro {
			p.Hint += "; if they are plain Avro, write `registry: false` and `schema: FILE`"
		}
		return nil, &inputProblem{p}
	case errors.As(err, &unusable):
		return nil, &inputProblem{src.Problem(t.spec, codeUnusableSchema, "subject "+subject+": "+unusable.Error())}
	case err != nil:
		return nil, err
	case schema.Type != want:
		p := src.Problem(t.spec, codeOtherSchema, fmt.Sprintf("subject %s has a schema of type %s, and format %s takes %s", subject, schema.Type, src.Format, want))
		p.Got = string(schema.Type)
		for _, f := range format.All[format.Registered]() {
			if f.SchemaType() == string(schema.Type) {
				p.Hint = fmt.Sprintf("write `format: %s` and `registry: true`, or the subject of another schema", f.Name())
			}
		}
		return nil, &inputProblem{p}
	}
	return schema, t.takes(ctx, input, subject, from, schema)
}

// takes is an inputProblem if no record with a schema that a subject has, or had, is of a type that the input takes (record.OwnType).
func (t *InputTopics) takes(ctx context.Context, input int, subject string, from *registry.Config, schema *registry.Schema) (err error) {
	names := schema.Names()
	for _, oneOf := range t.params.Inputs[input].Types() {
		taken := func() bool {
			return slices.ContainsFunc(oneOf, func(c expression.Condition) bool {
				return slices.ContainsFunc(names, func(name string) bool { return c.Holds(record.Value{Kind: record.String, Text: []byte(name)}) })
			})
		}
		if taken() {
			continue
		}
		if names, err = from.Names(ctx, subject); err != nil {
			return err
		}
		if taken() {
			continue
		}
		src := &t.sources[input]
		p := t.spec.Problem(codeOtherType, "no record with a schema of subject "+subject+" is of this type", append(slices.Clone(src.At), "where")...)
		p.Got, p.Allowed = oneOf[0].Value, names
		p.Hint = "name the subject of that type at the input, as `subject: NAME`"
		if len(names) == 0 {
			p.Hint = "no version of the schema has a title, by which JSON Schema names records: tell them apart by a field or a header"
		}
		return &inputProblem{p}
	}
	return nil
}

// recordOf is the schema of the records that an input takes where one, which is called what, may be a union of several: that which $type names, or the
// only one. It is an inputProblem if there is none such.
func (t *InputTopics) recordOf(input int, what string, schema *avro.Schema) (*avro.Schema, error) {
	if schema.Type().Kind == avro.KindRecord {
		return schema, nil
	}
	src := &t.sources[input]
	branches, err := schema.Branches()
	if err != nil {
		return nil, err
	}
	names := branches.Names()
	if len(names) == 0 {
		return nil, &inputProblem{src.Problem(t.spec, codeNoRecord, fmt.Sprintf("%s is of type %s, and no record", what, schema.Type().Kind))}
	}
	if !src.Registry { // as in files, a record has the fields that its type has
		return schema, nil
	}
	taken := slices.DeleteFunc(slices.Clone(branches), func(b avro.Branch) bool {
		return b.Record == nil || slices.ContainsFunc(t.params.Inputs[input].Types(), func(oneOf []expression.Condition) bool {
			return !slices.ContainsFunc(oneOf, func(c expression.Condition) bool {
				return c.Holds(record.Value{Kind: record.String, Text: []byte(b.Name)})
			})
		})
	})
	if len(taken) != 1 {
		p := src.Problem(t.spec, codeNoRecord, what+" is a union of several records, and an input takes those of one")
		p.Got, p.Allowed = strings.Join(names, ", "), names
		p.Hint = "say which, like `where: {$type: " + names[0] + "}`"
		return nil, &inputProblem{p}
	}
	return taken[0].Record, nil
}

// mostSubjects bounds how many subjects a problem lists.
const mostSubjects = 10

// subjectsLike are the subjects of a registry that may be of a topic: those that its name begins, as where they are named by topics and
// records, or all if they are few.
func subjectsLike(ctx context.Context, from *registry.Config, topic string) []string {
	all, err := from.Subjects(ctx)
	if err != nil {
		return nil // it is about another problem
	}
	slices.Sort(all)
	like := slices.DeleteFunc(slices.Clone(all), func(s string) bool { return !strings.HasPrefix(s, topic+"-") || s == topic+"-key" })
	if len(like) == 0 && len(all) <= mostSubjects {
		like = all
	}
	return like[:min(len(like), mostSubjects)]
}

// ChooseSchemas tells the parameters of the join how records of the topics are read, as far as files beside them do not matter: by which names
// older ones have a field, which schema views have in samples, and those of elements. What does not fit is a problem.List.
func (t *InputTopics) ChooseSchemas() error {
	fields, views := NewFieldCheck(t.spec, t.params, t.sources), &ViewSchemas{}
	t.AddTo(fields, views)
	problems := fields.Problems()
	views.SetElements(t.params)
	if err := AddElementSchemas(t.params); err != nil {
		return err
	}
	if len(problems) == 0 {
		problems = views.Choose(t.spec, t.params)
	}
	if len(problems) > 0 {
		return problems
	}
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
	r := source.Config{OutOfOrderness: s.OutOfOrderness, IdleAfter: s.Stream.IdleTimeout, MaxAhead: s.Stream.MaxFutureSkew, Group: s.Stream.Group, Start: startOf(s.Stream.Start)}
	if s.Stream.OnOffsetOutOfRange == spec.OutOfRangeSkips {
		r.OnTruncation = source.SkipTruncated
	}
	used := map[string]bool{}
	for _, name := range others {
		used[name] = true
	}
	t.shareOthers()
	for i, topic := range t.found {
		if topic.Name == "" {
			continue
		}
		used[topic.Cluster] = true
		in := &t.params.Inputs[i]
		topic.Time.Others, topic.Own = in.Others[in.Time.Path], in.OwnFields()
		if computed := in.ComputedField(in.Time.Path); computed != nil {
			topic.Time.Expression, topic.Time.OthersOf = computed.Expression, in.Others
		}
		if same := slices.IndexFunc(r.Topics, func(o source.Topic) bool { return o.Cluster == topic.Cluster && o.Name == topic.Name }); same >= 0 {
			r.Topics[same].Inputs = append(r.Topics[same].Inputs, int32(i))
			own := slices.Sorted(slices.Values(append(r.Topics[same].Own, topic.Own...)))
			r.Topics[same].Own = slices.Compact(own)
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

// shareOthers gives all inputs of a topic the names that the time has in records of any of them: each of its records moves the watermark,
// whichever input it is for, and as the source sees it.
func (t *InputTopics) shareOthers() {
	type log struct{ cluster, topic string }
	all := map[log]map[string][]string{}
	each := func(visit func(in *rules.Input, others map[string][]string, path string)) {
		for i, topic := range t.found {
			if topic.Name == "" {
				continue
			}
			of := log{topic.Cluster, topic.Name}
			if all[of] == nil {
				all[of] = map[string][]string{}
			}
			in := &t.params.Inputs[i]
			paths := []string{in.Time.Path}
			if computed := in.ComputedField(in.Time.Path); computed != nil {
				if asks, err := expression.ParseValue(computed.Expression); err == nil {
					for _, f := range asks.Fields {
						paths = append(paths, f.Path)
					}
				}
			}
			for _, path := range paths {
				visit(in, all[of], path)
			}
		}
	}
	each(func(in *rules.Input, others map[string][]string, path string) {
		others[path] = slices.Compact(slices.Sorted(slices.Values(append(others[path], in.Others[path]...))))
	})
	each(func(in *rules.Input, others map[string][]string, path string) {
		if len(others[path]) > len(in.Others[path]) {
			if in.Others = maps.Clone(in.Others); in.Others == nil {
				in.Others = map[string][]string{}
			}
			in.Others[path] = others[path]
		}
	})
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
