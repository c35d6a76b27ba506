package spec

import (
	"slices"
	"strings"
)

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

// declared is a key, the section that takes it, and a path that leads to it.
type declared struct {
	key  *key
	in   *section
	path string
}

// all lists the keys of a section and of those inside. Where files and a topic may stand, both have
// keys of one path.
func (s *section) all(at string) (out []declared) {
	for i := range s.keys {
		k := &s.keys[i]
		path := strings.TrimPrefix(at+"."+k.name, ".")
		out = append(out, declared{k, s, path})
		about := k.value.about()
		if about.named != "" {
			path += "." + about.named
		}
		for _, inner := range about.inner {
			out = append(out, inner.all(path)...)
		}
	}
	return out
}

func keysOf(root *section) []Key {
	var out []Key
	for _, d := range root.all("") {
		if !slices.ContainsFunc(out, func(k Key) bool { return k.Path == d.path }) {
			out = append(out, Key{Path: d.path, Doc: d.key.doc})
		}
	}
	return out
}

func explain(root *section, path string) (string, bool) {
	var found []declared
	for _, d := range root.all("") {
		if d.isAt(path) {
			found = append(found, d)
		}
	}
	if len(found) == 0 {
		return "", false
	}
	text := ""
	for i, d := range found {
		if i == 0 || d.path != found[i-1].path {
			text += strings.Repeat("\n", min(i, 1)) + d.path + "\n"
		}
		entry := d.key.entry()
		if len(found) > 1 {
			entry = d.in.name + ": " + entry
		}
		text += "\n" + wrapped(entry, "")
		for _, inner := range d.key.value.about().inner {
			text += "\n" + wrapped(inner.name+": "+strings.Join(inner.names(), ", "), "")
		}
	}
	return text, true
}

// isAt tells whether a path leads to the key: with any name for KIND, and its old name too.
func (d declared) isAt(path string) bool {
	names, wanted := strings.Split(d.path, "."), strings.Split(path, ".")
	if len(names) != len(wanted) {
		return false
	}
	last := len(names) - 1
	for i, name := range names {
		free := name != strings.ToLower(name)
		old := i == last && d.key.was != "" && d.key.was == wanted[i]
		if name != wanted[i] && !free && !old {
			return false
		}
	}
	return true
}
