package spec

import (
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"tributary/io/format"
	"tributary/pipelines/spec/problem"
)

// inputs reads one path, or a list of paths and mappings.
func (r *reader) inputs(n *node, at dotted, above *fields) []Input {
	switch n.kind {
	case listKind:
	case mapKind:
		p := r.problem("T1010", n, at, "must be a path or a list, got a mapping")
		p.Hint = "put `- ` before its first key, to make it the first entry of a list"
		if n.flow {
			p.Hint = "put brackets around it, to make it the first entry of a list"
		}
		r.add(p)
		return nil
	default:
		r.places[problem.Position{File: r.file, Line: n.line, Column: n.column}] = at
		if input, ok := r.inputPath(n, at, n); ok {
			return []Input{input}
		}
		return nil
	}
	if len(n.items) == 0 {
		r.add(r.problem("T1012", n, at, "names no file and no topic"))
	}
	var out []Input
	for i, item := range n.items {
		at := at.index(i)
		r.mark(at, item, item)
		r.places[problem.Position{File: r.file, Line: item.line, Column: item.column}] = at
		var input Input
		var ok bool
		if item.kind == mapKind {
			input, ok = r.input(item, at, above)
		} else {
			input, ok = r.inputPath(item, at, item)
		}
		if !ok {
			continue
		}
		same := func(other Input) bool { return other.Path == input.Path }
		if first := slices.IndexFunc(out, same); first >= 0 && input.Path != "" {
			p := r.problem("T1109", item, at, "this path is listed twice; the first is in line %d", out[first].At.Line)
			p.Hint = "keep one of the two: records read twice are duplicates"
			r.add(p)
			continue
		}
		out = append(out, input)
	}
	return out
}

// input reads a mapping that names files or a topic; it is not ok without a name.
func (r *reader) input(n *node, at dotted, above *fields) (in Input, ok bool) {
	if r.bothSorts(n, at) {
		return Input{}, false
	}
	of := fileSection
	if isTopic(n) {
		of = topicSection
	}
	of.read(r, n, at, above, &in)
	in.At = problem.Position{File: r.file, Line: n.line, Column: n.column}
	if of == topicSection {
		return in, in.Topic != ""
	}
	if at := at.key("delimiter"); r.isSet(at) && in.Format != "" && in.Format != CSV && r.ok(at) {
		p := r.problem("T1425", r.at(at), at, "only CSV has a delimiter, and this is %s", in.Format)
		p.Got, p.Hint = string(in.Format), "leave it out, or say format: csv"
		r.add(p)
	}
	return in, in.Path != ""
}

func (r *reader) format(n *node, at dotted) Format {
	text := r.text(n, at)
	if text == "" || slices.Contains(texts(Formats), text) {
		return Format(text)
	}
	p := r.notAllowed(n, at, text, texts(Formats))
	if other := unread[strings.ToLower(text)]; other.name != "" {
		p.Message, p.Hint = other.name+" is not read", other.instead
	}
	r.add(p)
	return ""
}

// delimiter reads the name of a delimiter.
func (r *reader) delimiter(n *node, at dotted) format.Delimiter {
	all := format.Delimiters()
	if i := slices.IndexFunc(all, func(d format.Delimiter) bool { return n.kind == textKind && n.text == string(d.Byte()) }); i >= 0 {
		p := r.notAllowed(n, at, n.text, texts(all))
		quoted := strconv.Quote(n.text)
		p.Got, p.Nearest = strings.Trim(quoted, `"`), string(all[i])
		p.Message = quoted + " is named " + p.Nearest + " here"
		p.Fix = r.replaced(n, p.Nearest)
		r.add(p)
		return ""
	}
	d := format.Delimiter(r.choice(n, at, texts(all)))
	if d == format.Comma {
		return "" // as without the key
	}
	return d
}

func (r *reader) inputPath(n *node, at dotted, whole *node) (Input, bool) {
	return r.inputPathAs(n, at, whole, "")
}

// inputPathAs reads the path of an input; without a format its ending tells it.
func (r *reader) inputPathAs(n *node, at dotted, whole *node, format Format) (Input, bool) {
	text := r.text(n, at)
	if text == "" || !r.checkURL(n, at, text) {
		return Input{}, false
	}
	if text == Standard {
		return r.stdin(n, at, whole, format)
	}
	bad := func(hint, message string) (Input, bool) {
		p := r.problem("T1101", n, at, "%s", message)
		p.Got, p.Hint = maskSecrets(text), hint
		r.add(p)
		return Input{}, false
	}
	switch {
	case deviceForm.MatchString(text):
		return bad("write `{path: \"-\", format: json}` for stdin, with the format that it has", "a device is no file that is read again")
	case strings.HasPrefix(text, "~"):
		return bad("write the folder out; relative paths begin at the spec's folder", "~ is not replaced by a home folder here")
	case strings.Contains(text, "$"):
		return bad("write the value out", "variables are not replaced in a spec")
	case strings.HasSuffix(text, "/"):
		return bad("name the files, like `"+text+"*.avro`", "this is a folder, not files")
	case !doublestar.ValidatePattern(text):
		return bad("close the bracket, or put a backslash before it", "this is not a valid pattern of file names")
	}
	what, instead := unreadFile(text)
	if unreadForm.MatchString(text) {
		return r.unreadInput(n, at, what, instead)
	}
	if format == "" {
		if format = formatOf(text); format == "" && what != "" {
			return r.unreadInput(n, at, what, instead)
		}
		if format == "" {
			p := r.problem("T1104", n, at, "the ending does not tell the format")
			p.Got, p.Allowed = text, readEndings()
			p.Hint = "write a mapping: `{path: ..., format: avro}`"
			if whole.kind == mapKind {
				p.Hint = "add `format: " + one(Formats)
			}
			r.add(p)
			return Input{}, false
		}
	}
	return Input{Path: r.resolve(text, true), Format: format, Order: OrderNone, At: r.position(whole)}, true
}

func (r *reader) unreadInput(n *node, at dotted, what, instead string) (Input, bool) {
	p := r.problem("T1104", n, at, "%s is not read", what)
	p.Got, p.Allowed, p.Hint = n.text, readEndings(), instead
	r.add(p)
	return Input{}, false
}

const bucketPattern = `^(gs|s3|az)://[a-z0-9][a-z0-9._-]{1,221}/[^/]`

var bucketForm = regexp.MustCompile(bucketPattern)

// azureForm is how Hadoop's clients name what is in a container of an account.
var azureForm = regexp.MustCompile(`^(?:abfss?|wasbs?)://([a-z0-9-]+)@([a-z0-9]+)\.[a-z.]+(/[^?]+)$`)

// checkURL checks a path that may be a URL: only gs://, s3:// and az:// are taken, and no secrets.
func (r *reader) checkURL(n *node, at dotted, text string) bool {
	scheme, _, isURL := strings.Cut(text, "://")
	if !isURL {
		return true
	}
	if m := azureForm.FindStringSubmatch(text); m != nil {
		p := r.problem("T1102", n, at, "%s:// is not a place that files can be read from or written to", scheme)
		p.Fix = r.replaced(n, "az://"+m[1]+m[3])
		p.Hint = "the account is named by the environment: AZURE_STORAGE_ACCOUNT=" + m[2]
		r.add(p)
		return false
	}
	if secret.MatchString(text) {
		p := r.problem("T1103", n, at, "a secret in a URL: specs are shared, printed and logged")
		p.Hint = "leave it out; access to gs://, s3:// and az:// comes from the environment (Application Default Credentials, the AWS SDK's settings, AZURE_STORAGE_ACCOUNT and the like)"
		r.add(p)
		return false
	}
	if scheme != "gs" && scheme != "s3" && scheme != "az" {
		p := r.problem("T1102", n, at, "%s:// is not a place that files can be read from or written to", scheme)
		p.Got, p.Allowed = text, []string{"a local path", "gs://bucket/...", "s3://bucket/...", "az://container/..."}
		switch scheme {
		case "file":
			if local := strings.TrimPrefix(text, "file://"); strings.HasPrefix(local, "/") {
				p.Fix = r.replaced(n, local)
			}
		case "gcs":
			p.Fix = r.replaced(n, "gs"+strings.TrimPrefix(text, "gcs"))
		case "s3a", "s3n":
			p.Fix = r.replaced(n, "s3"+strings.TrimPrefix(text, scheme))
		default:
			if p.Hint = elsewhere[strings.ToLower(scheme)]; strings.HasPrefix(string(at), "outputs.") {
				p.Hint = "write to a local folder, to gs://, s3:// or az://, and copy the files from there"
			}
		}
		r.add(p)
		return false
	}
	if !bucketForm.MatchString(text) {
		bucket := "bucket"
		if scheme == "az" {
			bucket = "container"
		}
		p := r.problem("T1102", n, at, "a %s and a name in it must follow %s://", bucket, scheme)
		p.Got, p.Allowed = text, []string{scheme + "://" + bucket + "/..."}
		p.Hint = bucket + " names have small letters, digits, ., - and _"
		r.add(p)
		return false
	}
	return true
}

// schemaFile reads the name of one Avro schema file.
func (r *reader) schemaFile(n *node, at dotted) string {
	text := r.text(n, at)
	if text == "" || !r.checkURL(n, at, text) {
		return ""
	}
	if ending := path.Ext(text); ending != ".avsc" && ending != ".json" || strings.ContainsAny(text, "*?[{") {
		p := r.problem("T1105", n, at, "a schema is one file ending in .avsc (or .json)")
		p.Got, p.Allowed = text, []string{"*.avsc", "*.json"}
		r.add(p)
		return ""
	}
	return r.resolve(text, false)
}
