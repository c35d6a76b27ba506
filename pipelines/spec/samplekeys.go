package spec

import (
	"fmt"
	"time"
)

// samplesType is a place for samples, or a list of them.
var samplesType = valueType[[]Output]{
	about: about{
		what: "a folder, \"-\", a mapping, or a list of those", inner: []*section{samplesSection, samplesTopicSection},
		schema: object{{"anyOf", []any{ref("samples"), object{{"type", "array"}, {"minItems", 1}, {"items", ref("samples")}}}}},
	},
	read: (*reader).samplesOutputs,
	fill: func(r *reader, s *Spec, at dotted, all *[]Output) {
		for i := range *all {
			o, at := &(*all)[i], at
			if r.isSet(at.index(i)) {
				at = at.index(i)
			}
			o.section().fill(r, s, at, o)
		}
	},
	block: func(w *writer, indent int, name string, all []Output) {
		if len(all) == 1 {
			w.line(indent, name, all[0].section().inline(&all[0]))
			return
		}
		w.line(indent, name, "")
		for _, o := range all {
			w.text(indent+2, "- "+o.section().inline(&o))
		}
	},
	show: func(l *lister, path []string, all []Output) {
		if len(all) == 1 {
			l.add(all[0].text(), path...)
			return
		}
		for i, o := range all {
			l.item(o.text(), i, path...)
		}
	},
}

func (o *Output) text() string {
	if o.Topic == "" {
		place := o.Path
		if o.IsStdout() {
			place = stdoutName
		}
		text := fmt.Sprintf("%s (%s, %s", place, o.Format, o.Codec)
		if o.Folders == FolderOfHour {
			text += ", folders of hours"
		}
		if o.Compact > 0 {
			text += ", files of " + FormatDuration(o.Compact)
		}
		return text + o.Stages.text() + ")"
	}
	format := string(o.Format)
	if o.Registry {
		format += ", registry"
	}
	return fmt.Sprintf("topic %s of %s (%s, %s%s)", o.Topic, o.Cluster, format, o.Codec, o.Stages.text())
}

func (s StagesOf) text() string {
	if s == FinalStage {
		return ", final samples"
	}
	return ""
}

// section is what declares an output of this sort.
func (o *Output) section() *section {
	if o.Topic != "" {
		return samplesTopicSection
	}
	return samplesSection
}

// samplesSection is samples in files.
var samplesSection = &section{
	name: "samples",
	keys: []key{
		{
			name: "path", example: "out/samples", required: true,
			doc:   "The folder, or \"-\" for stdout.",
			value: at(textLike(about{what: "a folder, or \"-\"", schema: ref("samples_folder")}, (*reader).samplesFolder), func(o *Output) *string { return &o.Path }),
		},
		{
			name: "format", example: "json",
			doc:   "How samples are written.",
			value: at(writtenType, func(o *Output) *Format { return &o.Format }).or(Avro),
		},
		{
			name: "codec", example: "zstandard",
			doc: "How files are compressed. " + codecsDoc() + ".",
			value: at(codecType, func(o *Output) *Codec { return &o.Codec }).
				readBy(func(r *reader, n *node, at dotted, _ *fields, o *Output) Codec { return r.codec(n, at, o.Format) }).
				orElse(usualDoc(), func(_ *Spec, o *Output) Codec { return o.Format.usualCodec() }),
		},
		{
			name: "folders", example: "hour",
			doc:   "What each folder is of, by event time: day is dt=2026-01-02, hour is dt=2026-01-02/hr=03.",
			value: at(choice([]FolderOf{FolderOfDay, FolderOfHour}), func(o *Output) *FolderOf { return &o.Folders }).or(FolderOfDay),
		},
		{
			name: "compact", example: "1h",
			doc:   "How much event time the files of a stream are of, one for each shard. They appear when that time is closed; what is joined before is kept aside. The files of a join that ends are those of its intervals.",
			value: at(compactType, func(o *Output) *time.Duration { return &o.Compact }).orElse("a file for each bucket and shard", nil),
		},
		stagesOfKey,
	},
	rules: []any{codecsFit(WrittenFormats), object{
		{"if", object{{"properties", object{{"path", object{{"const", Standard}}}}}, {"required", []string{"path"}}}},
		{"then", object{{"properties", object{{"folders", object{{"const", FolderOfDay}}}, {"compact", false}}}}},
	}},
}

// samplesTopicSection is samples in a topic.
var samplesTopicSection = &section{
	name: "a topic of samples",
	keys: []key{
		{
			name: "topic", example: "samples", required: true,
			doc:   "The topic. Those beside it are named after it.",
			value: at(topicType(longestSamples), func(o *Output) *string { return &o.Topic }),
		},
		{
			name: "cluster", example: "main",
			doc: "The cluster of this topic and of all other outputs.",
			value: at(textType, func(o *Output) *string { return &o.Cluster }).
				orElse("the only one, or the one called default", func(s *Spec, _ *Output) string { return s.usualCluster() }),
		},
		{
			name: "format", example: "json",
			doc:   "How samples are written.",
			value: at(choice(SampleTopicFormats), func(o *Output) *Format { return &o.Format }).or(SampleTopicFormats[0]),
		},
		{
			name: "registry", example: "true",
			doc: "Whether values name their schema in the cluster's registry.",
			value: at(yesType, func(o *Output) *bool { return &o.Registry }).
				readBy(func(r *reader, n *node, at dotted, _ *fields, o *Output) bool {
					return r.framed(n, at, o.Format, o.Format.schemas())
				}).
				orElse("if they are avro and it has one", func(s *Spec, o *Output) bool { return o.Format.schemas() && s.hasRegistry(o.Cluster) }),
		},
		{
			name: "codec", example: "lz4",
			doc:   "How batches of records are compressed.",
			value: at(choice(TopicCodecs), func(o *Output) *Codec { return &o.Codec }).or(TopicCodecs[0]),
		},
		stagesOfKey,
	},
	rules: []any{ref("only_avro_framed")},
}

// stagesOfKey says which stages go to a place, of files as of a topic.
var stagesOfKey = key{
	name: "stages", example: "final",
	doc:   "Which samples, of a spec with stages: those of all stages, or only the final ones, of the last stage.",
	value: at(choice([]StagesOf{AllStages, FinalStage}), func(o *Output) *StagesOf { return &o.Stages }).orElse("all", nil),
}

// compactType is a length of time; 0 where files are of buckets.
var compactType = func() valueType[time.Duration] {
	f := lengthType
	f.absent = empty[time.Duration]
	return f
}()

// writtenType is how samples are written in files.
var writtenType = func() valueType[Format] {
	f := choice(WrittenFormats)
	f.read = func(r *reader, n *node, at dotted, _ *fields) Format { return r.writtenFormat(n, at) }
	return f
}()

// codecType is how files of samples are compressed; null needs no quotes.
var codecType = func() valueType[Codec] {
	f := choice(allCodecs())
	f.schema = f.schema.orNull()
	return f
}()
