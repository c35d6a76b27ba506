package spec

import "path/filepath"

// sink is where an output other than the samples goes: a folder, a topic of the samples'
// cluster, or neither.
type sink struct{ folder, topic string }

// outputsSection says where results go. Those that are not named stand beside the samples (beside the spec, where samples go to
// stdout), but for orphans, which are only counted then.
var outputsSection = &section{
	name: "outputs",
	keys: []key{
		{
			name: "samples", example: "out/samples", required: true,
			doc:   "Labelled samples, in folders by date, in a topic, or on stdout (\"-\"); or a list of such places.",
			value: through(samplesType, (*Outputs).SampleSinks, (*Outputs).setSinks),
		},
		{
			name: "late", example: "out/late",
			doc: "Late events, as JSON lines.",
			value: through(sinkType,
				func(o *Outputs) sink { return sink{o.Late, o.Topics.Late} },
				func(o *Outputs, s sink) { o.Late, o.Topics.Late = s.folder, s.topic },
			).orElse("beside the samples (of stdout: the spec), the folder late or the topic SAMPLES.late", beside("late", ".late")),
		},
		{
			name: "dead_letters", example: "out/dead",
			doc: "Records that could not be used, with the reason, as JSON lines.",
			value: through(sinkType,
				func(o *Outputs) sink { return sink{o.DeadLetters, o.Topics.DeadLetters} },
				func(o *Outputs, s sink) { o.DeadLetters, o.Topics.DeadLetters = s.folder, s.topic },
			).orElse("beside the samples (of stdout: the spec), the folder dead or the topic SAMPLES.dead", beside("dead", ".dead")),
		},
		{
			name: "orphans", example: "out/orphans",
			doc: "Engagements whose view never came, as JSON lines.",
			value: through(sinkType,
				func(o *Outputs) sink { return sink{o.Orphans, o.Topics.Orphans} },
				func(o *Outputs, s sink) { o.Orphans, o.Topics.Orphans = s.folder, s.topic },
			).orElse("they are only counted", nil).orShow("only counted"),
		},
		{
			name: "accounts", was: "ledger", wasType: "string", example: "out/accounts",
			doc: "What became of every event: counts that must balance, as JSON. In files there is one record for each interval of event time, in a topic one for each piece of the work.",
			value: through(sinkType,
				func(o *Outputs) sink { return sink{o.Accounts, o.Topics.Accounts} },
				func(o *Outputs, s sink) { o.Accounts, o.Topics.Accounts = s.folder, s.topic },
			).orElse("beside the samples (of stdout: the spec), the folder ledger or the topic SAMPLES.accounts", beside("ledger", ".accounts")),
		},
		{
			name: "commit_log", was: "ledger", wasType: "object", example: "{topic: samples.commits}",
			doc: "Which samples are in their topic, written in the transaction that writes them. Its name stays for as long as the job lives: what it does not hold is written again.",
			value: at(otherTopicType, func(o *Outputs) *string { return &o.Topics.CommitLog }).
				orElse("the topic SAMPLES.ledger; none with at_least_once", besideTopic(".ledger")).
				shownIf(func(o *Outputs) bool { return o.SamplesTopic() != nil }).orShow("none, at least once"),
		},
		{
			name: "time_index", was: "marks", example: "{topic: samples.times}",
			doc: "How far each partition was read, by event time: where a job begins again that has no checkpoint.",
			value: at(otherTopicType, func(o *Outputs) *string { return &o.Topics.TimeIndex }).
				orElse("the topic SAMPLES.marks", besideTopic(".marks")),
		},
	},
}

// beside is the default of an output: a folder beside that of the samples, or a topic that is
// named after theirs.
func beside(folder, ending string) func(*Spec, *Outputs) sink {
	return func(s *Spec, o *Outputs) sink {
		switch {
		case o.Samples.Topic != "":
			return sink{topic: o.Samples.Topic + ending}
		case o.Samples.IsStdout():
			return sink{folder: filepath.Join(filepath.Dir(s.File), folder)}
		case o.Samples.Path != "":
			return sink{folder: sibling(o.Samples.Path, folder)}
		}
		return sink{}
	}
}

// besideTopic is the default of an output that is always a topic.
func besideTopic(ending string) func(*Spec, *Outputs) string {
	return func(_ *Spec, o *Outputs) string {
		if topic := o.SamplesTopic(); topic != nil {
			return topic.Topic + ending
		}
		return ""
	}
}

// sinkType is a folder, or a mapping with a topic.
var sinkType = valueType[sink]{
	about: about{what: "a folder, or a mapping with a topic", schema: ref("output"), inner: []*section{outputTopicSection}},
	read: func(r *reader, n *node, at dotted, f *fields) sink {
		if n.kind == mapKind {
			return sink{topic: otherTopicType.read(r, n, at, f)}
		}
		return sink{folder: r.folder(n, at)}
	},
	absent: empty[sink],
	inline: func(s sink) string {
		if s.topic != "" {
			return otherTopicType.inline(s.topic)
		}
		return quoted(s.folder)
	},
	text: func(s sink) string {
		if s.topic != "" {
			return otherTopicType.text(s.topic)
		}
		return s.folder
	},
}

// otherTopicType is a mapping with a topic, beside that of the samples.
var otherTopicType = func() valueType[string] {
	f := flow(mapping[string](outputTopicSection), func(topic string) string { return "topic " + topic })
	f.schema, f.absent = ref("output_topic"), empty[string]
	return f
}()

var outputTopicSection = &section{
	name: "an output topic",
	keys: []key{{
		name: "topic", example: "samples.late", required: true,
		doc:   "A topic of the samples' cluster.",
		value: at(topicType(longestTopic), func(topic *string) *string { return topic }),
	}},
}
