package spec

import (
	"path"
	"slices"
	"strings"
)

// output is one of the outputs, by its key, and where it goes: a folder, a topic, or neither.
type output struct{ key, folder, topic string }

// all are the outputs, samples first.
func (o *Outputs) all() []output {
	return []output{
		{"samples", o.Samples.Path, o.Samples.Topic},
		{"late", o.Late, o.Topics.Late},
		{"dead_letters", o.DeadLetters, o.Topics.DeadLetters},
		{"orphans", o.Orphans, o.Topics.Orphans},
		{"accounts", o.Accounts, o.Topics.Accounts},
		{"commit_log", "", o.Topics.CommitLog},
		{"time_index", "", o.Topics.TimeIndex},
	}
}

// sibling names a folder beside another one.
func sibling(folder, name string) string {
	if scheme, rest, ok := strings.Cut(folder, "://"); ok {
		return scheme + "://" + path.Join(path.Dir(rest), name)
	}
	return path.Join(path.Dir(folder), name)
}

// samplesOutput reads where samples go.
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
			if !r.isSet(dotted("outputs").key(at)) {
				at, other = other, at
			}
			nAt := dotted("outputs").key(at)
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
