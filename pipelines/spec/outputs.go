package spec

import (
	"path"
	"slices"
	"strconv"
	"strings"
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

// sibling names a folder beside another one.
func sibling(folder, name string) string {
	if scheme, rest, ok := strings.Cut(folder, "://"); ok {
		return scheme + "://" + path.Join(path.Dir(rest), name)
	}
	return path.Join(path.Dir(folder), name)
}

// samplesOutputs reads one place for samples, or a list of them.
func (r *reader) samplesOutputs(n *node, at dotted, above *fields) []Output {
	if n.kind != listKind {
		return []Output{r.samplesOutput(n, at, above)}
	}
	if len(n.items) == 0 {
		r.add(r.problem("T1012", n, at, "names no folder and no topic"))
		return []Output{{}}
	}
	out := make([]Output, len(n.items))
	for i, item := range n.items {
		at := at.index(i)
		r.mark(at, item, item)
		out[i] = r.samplesOutput(item, at, above)
	}
	return out
}

// samplesOutput reads a folder, or a mapping that describes one or a topic.
func (r *reader) samplesOutput(n *node, at dotted, above *fields) Output {
	var out Output
	if n.kind != mapKind {
		samplesSection.reset(&out)
		out.Path = r.folder(n, at)
		return out
	}
	if r.bothSorts(n, at) {
		return out
	}
	if isTopic(n) {
		samplesTopicSection.read(r, n, at, above, &out)
	} else {
		samplesSection.read(r, n, at, above, &out)
	}
	return out
}

func (r *reader) writtenFormat(n *node, at dotted) Format {
	text, allowed := r.text(n, at), texts(WrittenFormats)
	if text == "" || slices.Contains(allowed, text) {
		return Format(text)
	}
	p := r.notAllowed(n, at, text, allowed)
	if other := unread[strings.ToLower(text)]; other.name != "" {
		p.Message, p.Hint = other.name+" is not written", "most tools read Avro"
	}
	r.add(p)
	return ""
}

// codec reads a codec that fits the format.
func (r *reader) codec(n *node, at dotted, format Format) Codec {
	all := texts(allCodecs())
	// An unquoted null is the name of a codec here, not the absence of one.
	if n.kind == nullKind && r.line(n.line) != "" && strings.Contains(r.line(n.line), "null") {
		n = &node{kind: textKind, text: string(Null), line: n.line, column: n.column, width: n.width}
	}
	text := r.choice(n, at, all)
	fits := texts(Codecs[format])
	if text == "" || format == "" || slices.Contains(fits, text) {
		return Codec(text)
	}
	p := r.problem("T1403", n, at, "%s files are not compressed with %s", format, text)
	p.Got, p.Allowed, p.Nearest = text, fits, fits[0]
	p.Fix = r.replaced(n, fits[0])
	r.add(p)
	return ""
}

// folder reads the path of a folder that is written to.
func (r *reader) folder(n *node, at dotted) string {
	text := r.text(n, at)
	if text == "" || !r.checkURL(n, at, text) {
		return ""
	}
	bad := func(hint, message string) string {
		p := r.problem("T1404", n, at, "%s", message)
		p.Got, p.Hint = text, hint
		r.add(p)
		return ""
	}
	switch {
	case strings.ContainsAny(text, "*?[]{}"):
		return bad("name one folder; files are put into dt=... folders in it", "an output is a folder, not a pattern")
	case strings.HasPrefix(text, "~"):
		return bad("write the folder out; relative paths begin at the spec's folder", "~ is not replaced by a home folder here")
	case strings.Contains(text, "$"):
		return bad("write the value out", "variables are not replaced in a spec")
	case unreadForm.MatchString(text):
		what, _ := unreadFile(text)
		return bad("name a folder; samples are written in it as Avro or JSON lines", what+" is not written")
	case formatOf(text) != "":
		p := r.problem("T1404", n, at, "an output is a folder, and this looks like a file")
		p.Got = text
		p.Nearest = strings.TrimSuffix(strings.TrimSuffix(text, ".gz"), path.Ext(strings.TrimSuffix(text, ".gz")))
		p.Fix = r.replaced(n, p.Nearest)
		r.add(p)
		return ""
	}
	if scheme, rest, ok := strings.Cut(text, "://"); ok {
		return scheme + "://" + path.Clean(rest)
	}
	resolved := r.resolve(text, false)
	if clean := path.Clean(text); clean == "." || clean == "/" || clean == ".." {
		return bad("name a folder of its own: files in it are replaced", "an output needs a folder of its own")
	}
	return resolved
}

// separate reports outputs that share a folder, or lie in one another: readers of the
// one would find files of the other.
func (r *reader) separate(o *Outputs) {
	all := o.all()
	for i, a := range all {
		for _, b := range all[:i] {
			if a.folder == "" || b.folder == "" {
				continue
			}
			// The problem stands at the output that the file names, if only one does.
			at, other := a.key, b.key
			if !r.isSet(r.output(at)) {
				at, other = other, at
			}
			nAt := r.output(at)
			if r.isSet(nAt.key("path")) {
				nAt = nAt.key("path")
			}
			n := r.at(nAt)
			switch {
			case a.folder == b.folder:
				p := r.problem("T1401", n, nAt, "%s and %s have the same folder", at, other)
				p.Got, p.Hint = a.folder, "give each output a folder of its own"
				r.add(p)
			case inside(a.folder, b.folder) || inside(b.folder, a.folder):
				p := r.problem("T1402", n, nAt, "the folders of %s and %s lie in one another", at, other)
				p.Got, p.Hint = a.folder, "put them side by side, like out/samples and out/late"
				r.add(p)
			}
		}
	}
}

// inside tells whether a folder lies somewhere in another one.
func inside(folder, outer string) bool {
	return strings.HasPrefix(folder, strings.TrimSuffix(outer, "/")+"/")
}
