package spec

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"tributary/io/packed"
)

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
		out.Path = r.samplesFolder(n, at)
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
	if other := unread[strings.ToLower(text)]; other.name != "" && !slices.Contains(allowed, strings.ToLower(text)) {
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
	p.Got, p.Allowed, p.Nearest = text, fits, cmp.Or(Nearest(text, fits), fits[0])
	p.Fix = r.replaced(n, p.Nearest)
	r.add(p)
	return ""
}

// samplesFolder reads the path of a folder of samples, or of stdout.
func (r *reader) samplesFolder(n *node, at dotted) string {
	if n.kind == textKind && n.text == Standard {
		return Standard
	}
	return r.folder(n, at)
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
	plain, _ := packed.Cut(text)
	switch {
	case text == Standard:
		p := r.problem("T1427", n, at, "only samples are written to stdout")
		p.Got, p.Hint = text, "name a folder"
		r.add(p)
		return ""
	case deviceForm.MatchString(text):
		return bad(`write "-" for stdout; only samples can go there`, "a device is no folder")
	case strings.ContainsAny(text, "*?[]{}"):
		return bad("name one folder; files are put into dt=... folders in it", "an output is a folder, not a pattern")
	case strings.HasPrefix(text, "~"):
		return bad("write the folder out; relative paths begin at the spec's folder", "~ is not replaced by a home folder here")
	case strings.Contains(text, "$"):
		return bad("write the value out", "variables are not replaced in a spec")
	case formatOf(text) != "" || slices.Contains(texts(WrittenFormats), strings.TrimPrefix(path.Ext(plain), ".")):
		p := r.problem("T1404", n, at, "an output is a folder, and this looks like a file")
		p.Got = text
		p.Nearest = strings.TrimSuffix(plain, path.Ext(plain))
		p.Fix = r.replaced(n, p.Nearest)
		r.add(p)
		return ""
	case unreadForm.MatchString(text):
		what, _ := unreadFile(text)
		return bad("name a folder; samples are written in it as "+strings.Join(texts(WrittenFormats), ", "), what+" is not written")
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
