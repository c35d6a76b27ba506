package spec

import "slices"

// combinations are ways to mix files and topics.
type combinations struct {
	// mixedInputs is files and topics as inputs of one join.
	mixedInputs bool
	// filesToTopics is files among the inputs of samples that go to a topic, topicsToFiles the reverse.
	filesToTopics, topicsToFiles bool
	// severalSinks is samples in more than one folder or more than one topic, mixedOutputs outputs beside
	// the samples that are of another sort.
	severalSinks, mixedOutputs bool
}

// built is what jobs can run: a spec may say more, and is then refused with T1602. Who builds
// another combination sets it here.
var built = combinations{mixedInputs: true, filesToTopics: true, topicsToFiles: true, mixedOutputs: true}

// sorted is an input or output with its sort and where it stands.
type sorted struct {
	at    dotted
	topic bool
}

func (s sorted) sort() string {
	if s.topic {
		return "a topic"
	}
	return "files"
}

// notBuilt reports the first combination that the spec asks for and no job can run. It tells
// whether there is one.
func (r *reader) notBuilt(s *Spec) bool {
	files, topics := r.sortedInputs(s)
	if len(files)+len(topics) == 0 {
		return false
	}
	if len(files) > 0 && len(topics) > 0 && !r.built.mixedInputs {
		return r.refuseMix(files[0], topics[0], "files are not joined with topics yet", "make two specs; `kcat` or a connector copies one sort to the other")
	}
	sinks, others := r.sortedOutputs(s)
	if len(sinks) == 0 {
		return false
	}
	for i, out := range sinks {
		switch {
		case out.topic && len(files) > 0 && !r.built.filesToTopics:
			return r.refuseMix(out, files[0], "files are not joined into topics yet", "name a folder")
		case !out.topic && len(topics) > 0 && !r.built.topicsToFiles:
			return r.refuseMix(out, topics[0], "topics are not joined into files yet", "name a topic, like `{topic: samples}`")
		case !r.built.severalSinks && slices.ContainsFunc(sinks[:i], func(o sorted) bool { return o.topic == out.topic }):
			p := r.problem("T1602", r.at(out.at), out.at, "samples go to one folder and one topic at most yet, and this is %s once more", out.sort())
			p.Hint = "leave it out; a connector copies samples to more places"
			r.add(p)
			return true
		}
	}
	for _, out := range others {
		switch {
		case out.topic && s.OutputCluster() == "":
			return r.refuseMix(out, sinks[0], "there is no cluster for it", "name a folder, or leave it out")
		case out.topic != sinks[0].topic && !r.built.mixedOutputs:
			hint := "name a folder, or leave it out"
			if sinks[0].topic {
				hint = "name a topic, like `{topic: NAME}`, or leave it out"
			}
			return r.refuseMix(out, sinks[0], "all outputs are of one sort yet", hint)
		}
	}
	return false
}

func (r *reader) refuseMix(bad, other sorted, message, hint string) bool {
	p := r.problem("T1602", r.at(bad.at), bad.at, "%s is %s, and %s is %s: %s", bad.at, bad.sort(), other.at, other.sort(), message)
	p.Hint = hint
	r.add(p)
	return true
}

func (r *reader) sortedInputs(s *Spec) (files, topics []sorted) {
	for _, in := range s.Inputs() {
		if in.Topic != "" {
			topics = append(topics, sorted{r.places[in.At], true})
		} else {
			files = append(files, sorted{r.places[in.At], false})
		}
	}
	return files, topics
}

// sortedOutputs are the places of samples, and the other outputs that the file names.
func (r *reader) sortedOutputs(s *Spec) (sinks, others []sorted) {
	n := len(s.Outputs.SampleSinks())
	for i, out := range s.Outputs.all() {
		at := r.output(out.key)
		switch {
		case out.folder == "" && out.topic == "" || !r.isSet(at):
		case i < n:
			sinks = append(sinks, sorted{at, out.topic != ""})
		default:
			others = append(others, sorted{at, out.topic != ""})
		}
	}
	return sinks, others
}
