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
