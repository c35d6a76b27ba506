package spec

import "tributary/io/format"

// inputsType is one path, or a list of paths and mappings.
var inputsType = valueType[[]Input]{
	about: about{what: "a path or pattern, or a list of those and of mappings", schema: ref("inputs"), inner: []*section{fileSection, topicSection}},
	read:  (*reader).inputs,
	fill: func(r *reader, s *Spec, _ dotted, inputs *[]Input) {
		for i := range *inputs {
			if in := &(*inputs)[i]; in.Topic != "" {
				topicSection.fill(r, s, r.places[in.At], in)
			}
		}
	},
	block: func(w *writer, indent int, name string, inputs []Input) {
		w.line(indent, name, "")
		for _, in := range inputs {
			w.text(indent+2, "- "+in.section().inline(&in))
		}
	},
	show: func(l *lister, path []string, inputs []Input) {
		for i, in := range inputs {
			l.item(in.text(), i, path...)
		}
	},
}

// section is what declares an input of this sort.
func (in *Input) section() *section {
	if in.Topic != "" {
		return topicSection
	}
	return fileSection
}

// fileSection is an input of files.
var fileSection = &section{
	name: "an input",
	keys: []key{
		{
			name: "path", example: "data/*.avro", required: true,
			doc: "A file or a pattern, local, gs://, s3:// or az://; \"-\" is stdin.",
			value: at(textLike(about{what: "a path or pattern", schema: ref("files")}, (*reader).text), func(in *Input) *string { return &in.Path }).
				readBy(func(r *reader, n *node, at dotted, f *fields, in *Input) string {
					read, _ := r.inputPathAs(n, at, f.node, f.format())
					in.Format = read.Format
					return read.Path
				}),
		},
		{
			name: "format", example: "avro",
			doc:   "How records are written.",
			value: at(formatType, func(in *Input) *Format { return &in.Format }).orElse("by the ending", nil),
		},
		{
			name: "schema", example: "view.avsc",
			doc:   "An Avro schema file. json and csv are converted to it, avro is read with it.",
			value: at(schemaType, func(in *Input) *string { return &in.Schema }),
		},
		{
			name: "delimiter", example: "semicolon",
			doc:   "What stands between the cells of csv: a comma, a semicolon, a tab or a bar (|).",
			value: at(delimiterType, func(in *Input) *format.Delimiter { return &in.Delimiter }).orElse(string(format.Comma), nil),
		},
		{
			name: "order", example: "file",
			doc: "What is known about the order of records. Only records with an order can be late.",
			value: through(orderType,
				func(in *Input) ordering { return ordering{in.Order, in.PartitionField, in.OffsetField} },
				func(in *Input, o ordering) {
					in.Order, in.PartitionField, in.OffsetField = o.order, o.partition, o.offset
				},
			).or(ordering{order: OrderNone}),
		},
	},
	rules: []any{object{
		{"if", object{{"not", object{{"required", []string{"format"}}}}}},
		{"then", object{{"properties", object{{"path", ref("known_ending")}}}}},
	}, object{
		{"if", object{{"required", []string{"delimiter"}}}},
		{"then", object{
			{"if", object{{"required", []string{"format"}}}},
			{"then", object{{"properties", object{{"format", object{{"const", CSV}}}}}}},
			{"else", object{{"properties", object{{"path", object{{"pattern", `\.csv(\.gz)?$`}}}}}}},
		}},
	}},
}

// delimiterType is a delimiter by its name; who writes the character is told the name.
var delimiterType = func() valueType[format.Delimiter] {
	d := choice(format.Delimiters())
	d.read = func(r *reader, n *node, at dotted, _ *fields) format.Delimiter { return r.delimiter(n, at) }
	return d
}()

// topicSection is an input that is a topic.
var topicSection = &section{
	name: "an input topic",
	keys: []key{
		{
			name: "topic", example: "views", required: true,
			doc:   "A topic; all of its partitions are read, each in order.",
			value: at(topicType(longestTopic), func(in *Input) *string { return &in.Topic }),
		},
		{
			name: "cluster", example: "main",
			doc: "The cluster that the topic is in.",
			value: at(textType, func(in *Input) *string { return &in.Cluster }).
				orElse("the only one, or the one called default", func(s *Spec, _ *Input) string { return s.usualCluster() }),
		},
		{
			name: "format", example: "json",
			doc:   "What values are.",
			value: at(choice(TopicFormats), func(in *Input) *Format { return &in.Format }).or(Avro),
		},
		{
			name: "schema", example: "view.avsc",
			doc:   "An Avro schema file. json is converted to it; avro was written with it, or is read with it if there is a registry.",
			value: at(schemaType, func(in *Input) *string { return &in.Schema }),
		},
		{
			name: "registry", example: "true",
			doc: "Whether values name their schema in the cluster's registry: Avro, a JSON Schema with format: json, or Protobuf.",
			value: at(yesType, func(in *Input) *bool { return &in.Registry }).
				readBy(func(r *reader, n *node, at dotted, _ *fields, in *Input) bool {
					return r.framed(n, at, in.Format, in.Format.registered())
				}).
				orElse("if they are avro or protobuf, it has one and no schema is named", func(s *Spec, in *Input) bool {
					return (in.Format.schemas() || in.Format.needsRegistry()) && in.Schema == "" && s.hasRegistry(in.Cluster)
				}),
		},
		{
			name: "subject", example: "com.example.View",
			doc: "The subject of the registry that has the schema of values, by which check knows their fields. Values are read by the schemas that they name, whatever subjects these are of.",
			value: at(textType, func(in *Input) *string { return &in.Subject }).
				orElse("the topic's name and -value", nil),
		},
	},
}

// formatType is how the records of files are written.
var formatType = func() valueType[Format] {
	f := choice(Formats)
	f.read = func(r *reader, n *node, at dotted, _ *fields) Format { return r.format(n, at) }
	return f
}()

var schemaType = textLike(about{what: "an Avro schema file", schema: ref("schema_file")}, (*reader).schemaFile)

// format is that of an input, before it is read: avro to go on with if it is wrong.
func (f *fields) format() Format {
	n, _ := f.get("format")
	if n == nil {
		return ""
	}
	for _, format := range Formats {
		if n.kind == textKind && n.text == string(format) {
			return format
		}
	}
	return Avro
}

// usualCluster is the cluster of topics that name none.
func (s *Spec) usualCluster() string {
	switch {
	case len(s.Clusters) == 1:
		return s.Clusters[0].Name
	case s.Cluster("default") != nil:
		return "default"
	}
	return ""
}

func (s *Spec) hasRegistry(cluster string) bool {
	c := s.Cluster(cluster)
	return c != nil && c.Registry != nil
}
