package spec

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
)

// reference is made of the declarations by `go test ./pipelines/spec -update`.
//
//go:embed reference.md
var reference string

// Reference returns a page of all keys of a spec, in Markdown.
func Reference() string { return reference }

// Key is a key of a spec.
type Key struct {
	// Path leads to it. Names that the file chooses are in capitals: engagements.KIND.window.
	Path string
	// Doc is what it means, in a sentence or more.
	Doc string
}

// Keys lists all keys in the order of the file format, for completion.
func Keys() []Key { return keysOf(rootSection) }

// Explain returns what a key means, takes and defaults to. It is named by its path; a name that
// the file chooses may stand for KIND or CLUSTER, and the key's old name for its name.
func Explain(path string) (text string, ok bool) { return explain(rootSection, path) }

// declared is a key and the paths that lead to it.
type declared struct {
	key  *key
	path string
}

// all lists the keys of a section and of those inside.
func (s *section) all(at string) (out []declared) {
	for i := range s.keys {
		k := &s.keys[i]
		path := strings.TrimPrefix(at+"."+k.name, ".")
		out = append(out, declared{k, path})
		about := k.value.about()
		if about.named != "" {
			path += "." + about.named
		}
		for _, inner := range about.inner {
			for _, d := range inner.all(path) {
				// A topic and files have some of the same keys.
				if !slices.ContainsFunc(out, func(o declared) bool { return o.path == d.path }) {
					out = append(out, d)
				}
			}
		}
	}
	return out
}

func keysOf(root *section) []Key {
	var out []Key
	for _, d := range root.all("") {
		out = append(out, Key{Path: d.path, Doc: d.key.doc})
	}
	return out
}

// page writes the reference of specs with this outermost mapping.
func page(root *section) string {
	var b strings.Builder
	b.WriteString(`# Keys of a spec

All keys, with their values, defaults and meaning. "tributary help KEY" shows one, like
"tributary help views.time". This page is made of the declarations in pipelines/spec:
"go test ./pipelines/spec -update" writes it.
`)
	places := map[*section][]string{}
	var order []*section
	gather(root, "", places, &order)
	for _, s := range order {
		title := s.name
		if at := places[s]; s != root {
			title += ": `" + strings.Join(at, "`, `") + "`"
		}
		fmt.Fprintf(&b, "\n## %s\n\n", title)
		if s.doc != "" {
			b.WriteString(wrapped(s.doc, "") + "\n")
		}
		for i := range s.keys {
			b.WriteString(wrapped("- "+s.keys[i].entry(), "  "))
		}
	}
	return b.String()
}

// gather finds the sections in the order in which they are met, and where each stands.
func gather(s *section, at string, places map[*section][]string, order *[]*section) {
	if places[s] == nil {
		*order = append(*order, s)
	}
	if slices.Contains(places[s], at) {
		return
	}
	places[s] = append(places[s], at)
	for _, k := range s.keys {
		about := k.value.about()
		path := strings.TrimPrefix(at+"."+k.name, ".")
		if about.named != "" {
			path += "." + about.named
		}
		for _, inner := range about.inner {
			gather(inner, path, places, order)
		}
	}
}

// entry describes a key in a paragraph.
func (k *key) entry() string {
	notes := []string{k.value.about().what}
	if words := k.value.about().words; len(words) > 2 {
		notes[0] += ": " + strings.Join(words, ", ")
	} else if len(words) == 2 {
		notes[0] += ": " + words[0] + " or " + words[1]
	}
	if _, words := k.value.standard(); k.required {
		notes = append(notes, "required")
	} else if words != "" {
		notes = append(notes, "default "+words)
	}
	if k.was != "" {
		notes = append(notes, "was "+k.was+map[string]string{"string": " with text", "object": " with a mapping"}[k.wasType])
	}
	text := fmt.Sprintf("`%s` (%s): %s", k.name, strings.Join(notes, "; "), k.doc)
	if k.example != "" {
		text += " Example: " + strings.ReplaceAll("`"+k.name+": "+k.example+"`", " ", unbroken)
	}
	return text
}

func explain(root *section, path string) (string, bool) {
	wanted := strings.Split(path, ".")
	for _, d := range root.all("") {
		names := strings.Split(d.path, ".")
		if len(names) != len(wanted) {
			continue
		}
		fits := true
		for i, name := range names {
			last := i == len(names)-1
			fits = fits && (name == wanted[i] || name == strings.ToUpper(name) && name != strings.ToLower(name) || last && d.key.was != "" && d.key.was == wanted[i])
		}
		if fits {
			text := wrapped(d.path+"\n\n"+d.key.entry(), "")
			if inner := d.key.value.about().inner; len(inner) > 0 {
				for _, s := range inner {
					text += "\n" + wrapped(s.name+": "+strings.Join(s.names(), ", "), "")
				}
			}
			return text, true
		}
	}
	return "", false
}

// pageColumns is how wide the reference is; unbroken stands for a space where no line ends.
const (
	pageColumns = 100
	unbroken    = "\x00"
)

// wrapped breaks paragraphs into lines; those after the first are indented.
func wrapped(text, indent string) string {
	var b strings.Builder
	for _, paragraph := range strings.Split(text, "\n") {
		line := ""
		for _, word := range strings.Fields(paragraph) {
			switch {
			case line == "":
				line = word
			case len(line)+1+len(word) > pageColumns:
				b.WriteString(line + "\n")
				line = indent + word
			default:
				line += " " + word
			}
		}
		b.WriteString(line + "\n")
	}
	return strings.ReplaceAll(b.String(), unbroken, " ")
}
