package spec

import (
	"slices"
	"strconv"
)

// output is one of the outputs, and where it goes: a folder, a topic, or neither. Its key is
// that of the spec, with a number where samples go to several places.
type output struct{ key, folder, topic, cluster string }

// SampleSinks lists where samples go, at least one place.
func (o *Outputs) SampleSinks() []Output {
	return append([]Output{o.Samples}, o.MoreSamples...)
}

func (o *Outputs) setSinks(all []Output) {
	o.Samples, o.MoreSamples = all[0], nil
	if len(all) > 1 {
		o.MoreSamples = all[1:]
	}
}

// SamplesTopic is the topic that samples go to, nil if there is none.
func (o *Outputs) SamplesTopic() *Output {
	return o.sink(func(s Output) bool { return s.Topic != "" })
}

// SamplesFolder is the folder that samples go to, nil if there is none.
func (o *Outputs) SamplesFolder() *Output {
	return o.sink(func(s Output) bool { return s.Path != "" })
}

func (o *Outputs) sink(is func(Output) bool) *Output {
	sinks := o.SampleSinks()
	if i := slices.IndexFunc(sinks, is); i >= 0 {
		return &sinks[i]
	}
	return nil
}

// cluster is that of the topic of samples; empty if they go to none.
func (o *Outputs) cluster() string {
	if topic := o.SamplesTopic(); topic != nil {
		return topic.Cluster
	}
	return ""
}

// OutputCluster is the cluster of the topics beside the samples: that of the topic of samples, or else the one
// that topics are in which name none. It is empty if there is no such cluster.
func (s *Spec) OutputCluster() string {
	if cluster := s.Outputs.cluster(); cluster != "" || !s.usesTopics() {
		return cluster
	}
	return s.usualCluster()
}

// all are the outputs, samples first.
func (o *Outputs) all() []output {
	var out []output
	sinks := o.SampleSinks()
	for i, s := range sinks {
		key := "samples"
		if len(sinks) > 1 {
			key += "." + strconv.Itoa(i)
		}
		out = append(out, output{key, s.Path, s.Topic, s.Cluster})
	}
	cluster := o.cluster()
	return append(
		out,
		output{"late", o.Late, o.Topics.Late, cluster},
		output{"dead_letters", o.DeadLetters, o.Topics.DeadLetters, cluster},
		output{"orphans", o.Orphans, o.Topics.Orphans, cluster},
		output{"accounts", o.Accounts, o.Topics.Accounts, cluster},
		output{"commit_log", "", o.Topics.CommitLog, cluster},
		output{"time_index", "", o.Topics.TimeIndex, cluster},
	)
}

// output is the path of an output; a list may hold one place for samples only.
func (r *reader) output(key string) dotted {
	at := dotted("outputs").key(key)
	if key == "samples" && r.isSet(at.index(0)) {
		return at.index(0)
	}
	return at
}
