package spec

import "slices"

// section declares one mapping of the spec. All that is known of its keys is in their
// declarations: reading, defaults, what problems say, the JSON Schema, the reference, completion,
// what check shows and YAML come from there.
type section struct {
	// name is how problems call it, doc a sentence for the reference.
	name, doc string
	// keys are in the order of the file format. A key is read after those before it.
	keys []key
	// rules is what the JSON Schema says of several keys together.
	rules []any
}

// key declares one key.
type key struct {
	name string
	// was is the name it had before: it is still read, with a warning. wasType, a type of
	// JSON Schema, limits that to values which had this meaning.
	was, wasType string
	// doc says what it means, example shows a value as it is written.
	doc, example string
	required     bool
	// value is what may stand there, and where it goes.
	value value
}

// value is what may stand at a key, and its place in a T; the any of its methods are *T.
type value interface {
	about() about
	// standard is the default for the JSON Schema and in words; nil and "" for none.
	standard() (constant any, words string)
	// reset puts a default in its place that depends on nothing else.
	reset(into any)
	read(r *reader, n *node, at dotted, f *fields, into any)
	// fill puts defaults in place that depend on other values, where the file has none.
	fill(r *reader, s *Spec, at dotted, into any)
	write(w *writer, indent int, name string, from any)
	// inline is the value in one line, empty to leave the key out.
	inline(from any) string
	show(l *lister, path []string, from any)
}

// about is what a type of values is called and made of.
type about struct {
	// what is the type in words, with an article where it takes one: "a duration".
	what string
	// schema is the type in JSON Schema.
	schema object
	// words are the values that may stand there, if they are few.
	words []string
	// inner are the mappings that may stand there, or in the list that does.
	inner []*section
	// named stands for the keys of a mapping that the file names itself, like KIND.
	named string
	// anywhere is set if the value can be read, and so checked, without what is around it.
	anywhere bool
}

// has tells whether the section takes a key, by its name or the one it had before.
func (s *section) has(name string) bool {
	return slices.ContainsFunc(s.keys, func(k key) bool { return k.name == name || k.was != "" && k.was == name })
}

// key returns the declaration of a key, nil if there is none.
func (s *section) key(name string) *key {
	for i := range s.keys {
		if s.keys[i].name == name {
			return &s.keys[i]
		}
	}
	return nil
}

// names lists the keys.
func (s *section) names() []string {
	out := make([]string, len(s.keys))
	for i, k := range s.keys {
		out[i] = k.name
	}
	return out
}

// required lists the keys that have no default.
func (s *section) required() []string {
	var out []string
	for _, k := range s.keys {
		if k.required {
			out = append(out, k.name)
		}
	}
	return out
}

// reset puts defaults in their places that depend on nothing else.
func (s *section) reset(into any) {
	for _, k := range s.keys {
		k.value.reset(into)
	}
}

// read reads a mapping into a *T. What it leaves out keeps its default. It is nil if the node is
// no mapping.
func (s *section) read(r *reader, n *node, at dotted, above *fields, into any) *fields {
	s.reset(into)
	f := r.fields(n, at, s, above)
	if f == nil {
		return nil
	}
	for _, k := range s.keys {
		if n, at := f.get(k.name); n != nil {
			k.value.read(r, n, at, f, into)
		}
	}
	return f
}

// fill puts defaults in place that depend on other values.
func (s *section) fill(r *reader, spec *Spec, at dotted, into any) {
	for _, k := range s.keys {
		k.value.fill(r, spec, at.key(k.name), into)
	}
}
